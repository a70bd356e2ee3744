/** What a request shows to say who it is: a key in one of the headers that SDKs use, a token that was verified, or else the certificate of its connection. */
import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Tables } from '../generation/generation.ts';
import type { LiveConsumer } from '../generation/live.ts';
import type { ClientCertificate } from '../tls/client-certificate.ts';
import type { Verdict } from '../tokens/claims.ts';

/** Longer ones are refused before they are hashed. */
const maxKeyChars = 4_096;

/** The digest is what is compared, in a hash map: how long a wrong key takes tells nothing about the right ones. */
const digestOf = (key: string): string => (key.length <= maxKeyChars ? hash('sha256', key) : '');

/** Of the key among these headers, if it is one of `digests`. */
export function digestAmong(headers: IncomingHttpHeaders, digests: readonly string[]): string | undefined {
  const key = keyFrom(headers);
  const digest = key === undefined ? undefined : digestOf(key);
  return digest !== undefined && digests.includes(digest) ? digest : undefined;
}

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

const certificateOf = new WeakMap<IncomingHttpHeaders, ClientCertificate>();

export function noteCertificate(headers: IncomingHttpHeaders, certificate: ClientCertificate): void {
  certificateOf.set(headers, certificate);
}

/** Offline nobody has the keys, and whoever asks may mean one by its digest. */
const digestsOf = new WeakMap<IncomingHttpHeaders, string>();

export function noteDigest(headers: IncomingHttpHeaders, digest: string): void {
  digestsOf.set(headers, digest);
}

export type Caller =
  | { readonly consumer: LiveConsumer }
  | { readonly refused: 'no_key' | 'unknown_key' | 'no_consumer' | 'several_consumers' | 'unknown_issuer' }
  | { readonly failure: string; readonly isIssuersDoing?: true }
  | { readonly certificateRefused: string };

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

function namedBy(tables: Tables, certificate: ClientCertificate): Caller {
  if (certificate.refused !== undefined) return { certificateRefused: certificate.refused };
  const found = new Map<string, LiveConsumer>();
  for (const name of certificate.names) {
    const consumer = tables.consumersByCertificate.get(name);
    if (consumer && !found.has(consumer.name)) found.set(consumer.name, consumer);
  }
  const [consumer, ...others] = found.values();
  if (!consumer) return { certificateRefused: 'no consumer is for it' };
  if (others.length > 0) return { certificateRefused: 'more than one consumer is for it' };
  const credential = { ...consumer.credential, expiresAt: certificate.expiresAt, isCertificate: true as const };
  return { consumer: { ...consumer, credential } };
}

/** What was found out lasts as long as the connection and the revision both do. */
const holders = new WeakMap<Tables, WeakMap<ClientCertificate, Caller>>();

function holderOf(tables: Tables, certificate: ClientCertificate): Caller {
  const known = holders.get(tables) ?? new WeakMap<ClientCertificate, Caller>();
  holders.set(tables, known);
  const caller = known.get(certificate) ?? namedBy(tables, certificate);
  known.set(certificate, caller);
  return caller;
}

/** Who sent these headers, as `tables` know him. */
export function callerOf(tables: Tables, headers: IncomingHttpHeaders): Caller {
  const key = keyFrom(headers);
  if (key === undefined) {
    const certificate = certificateOf.get(headers);
    return certificate ? holderOf(tables, certificate) : { refused: 'no_key' };
  }
  const consumer = tables.consumersByKey.get(digestsOf.get(headers) ?? digestOf(key));
  if (consumer) return { consumer };
  const verdicts = verdictsOf.get(headers);
  return verdicts && tables.issuers.size > 0 ? bearerOf(tables, verdicts) : { refused: 'unknown_key' };
}

export function consumerOf(tables: Tables, headers: IncomingHttpHeaders): LiveConsumer | undefined {
  const caller = callerOf(tables, headers);
  return 'consumer' in caller ? caller.consumer : undefined;
}
