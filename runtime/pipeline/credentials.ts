/** What a request shows to say who it is: a key in one of the headers that SDKs use, or a token that was verified. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../call.ts';
import type { Tables } from '../generation/generation.ts';
import type { LiveConsumer } from '../generation/live.ts';
import type { Verdict } from '../tokens/claims.ts';

/** Longer ones are refused before they are hashed. */
const maxKeyChars = 4_096;

/** The digest is what is compared, in a hash map: how long a wrong key takes tells nothing about the right ones. */
const digestOf = (key: string): string =>
  key.length <= maxKeyChars ? createHash('sha256').update(key).digest('hex') : '';

export function keyFrom(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  for (const key of [bearer, headers['x-api-key'], headers['x-goog-api-key'], headers['api-key']]) {
    if (typeof key === 'string' && key !== '') return key;
  }
  return undefined;
}

/** By issuer, what is known of the token in these headers: forgotten with the request. */
const verdictsOf = new WeakMap<IncomingHttpHeaders, ReadonlyMap<string, Verdict>>();

export function noteVerdicts(headers: IncomingHttpHeaders, verdicts: ReadonlyMap<string, Verdict>): void {
  verdictsOf.set(headers, verdicts);
}

/** Offline, whoever asks by name may have claims, as if a token had brought them. */
const claimsOf = new WeakMap<IncomingHttpHeaders, JsonObject>();

export function noteClaims(headers: IncomingHttpHeaders, claims: JsonObject): void {
  claimsOf.set(headers, claims);
}

/** Offline nobody has the keys, and whoever asks may mean one by its digest. */
const digestsOf = new WeakMap<IncomingHttpHeaders, string>();

export function noteDigest(headers: IncomingHttpHeaders, digest: string): void {
  digestsOf.set(headers, digest);
}

function withClaims(consumer: LiveConsumer, claims: JsonObject | undefined): LiveConsumer {
  return claims ? { ...consumer, credential: { ...consumer.credential, claims } } : consumer;
}

export type Caller =
  | { readonly consumer: LiveConsumer }
  | { readonly refused: 'no_key' | 'unknown_key' | 'no_consumer' | 'several_consumers' | 'unknown_issuer' }
  | { readonly failure: string; readonly isIssuersDoing?: true };

function bearerOf(tables: Tables, verdicts: ReadonlyMap<string, Verdict>): Caller {
  for (const issuer of tables.issuers.values()) {
    const verdict = verdicts.get(issuer.id);
    if (!verdict) continue;
    if ('failure' in verdict) return verdict;
    const [consumer, ...others] = tables.consumersByClaims(issuer, verdict);
    if (others.length > 0) return { refused: 'several_consumers' };
    return consumer ? { consumer } : { refused: 'no_consumer' };
  }
  return { refused: 'unknown_issuer' };
}

/** Who sent these headers, as `tables` know him. */
export function callerOf(tables: Tables, headers: IncomingHttpHeaders): Caller {
  const key = keyFrom(headers);
  if (key === undefined) return { refused: 'no_key' };
  const consumer = tables.consumersByKey.get(digestsOf.get(headers) ?? digestOf(key));
  if (consumer) return { consumer: withClaims(consumer, claimsOf.get(headers)) };
  const verdicts = verdictsOf.get(headers);
  return verdicts && tables.issuers.size > 0 ? bearerOf(tables, verdicts) : { refused: 'unknown_key' };
}

export function consumerOf(tables: Tables, headers: IncomingHttpHeaders): LiveConsumer | undefined {
  const caller = callerOf(tables, headers);
  return 'consumer' in caller ? caller.consumer : undefined;
}
