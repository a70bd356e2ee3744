/** Who is asking? A key in one of the headers that SDKs use, looked up by its SHA-256: the key itself is kept nowhere. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HeadgateError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Tables } from '../generation/generation.ts';
import type { LiveConsumer } from '../generation/live.ts';

/** Longer ones are refused before they are hashed. */
const maxKeyChars = 4_096;

/** The digest is what is compared, in a hash map: how long a wrong key takes tells nothing about the right ones. */
const digestOf = (key: string): string =>
  key.length <= maxKeyChars ? createHash('sha256').update(key).digest('hex') : '';

function keyFrom(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  for (const key of [bearer, headers['x-api-key'], headers['x-goog-api-key'], headers['api-key']]) {
    if (typeof key === 'string' && key !== '') return key;
  }
  return undefined;
}

/** The hex SHA-256 of the key in `headers`: what tables know consumers by. */
export function keyDigest(headers: IncomingHttpHeaders): string | undefined {
  const key = keyFrom(headers);
  return key === undefined ? undefined : digestOf(key);
}

/** The consumer whose key stands in `headers`. */
export function consumerOf({ consumersByKey }: Tables, headers: IncomingHttpHeaders): LiveConsumer | undefined {
  const digest = keyDigest(headers);
  return digest === undefined ? undefined : consumersByKey.get(digest);
}

/** What a 401 asks for (RFC 6750): the same for whatever is wrong with a key that was sent. */
export const challenge = (code: string): string =>
  code === 'missing_api_key' ? 'Bearer' : 'Bearer error="invalid_token"';

/** Whoever has the key may know why it does not open: nobody else comes this far. */
function checkCredential({ clientAddress, house }: Exchange, { name, credential, addresses }: LiveConsumer): void {
  const object = `consumers.${name}`;
  if (credential.expiresAt !== undefined && house.now() >= credential.expiresAt)
    throw new HeadgateError('key_expired', 'This key has expired.', { object });
  const isThere = (ranges: LiveConsumer['addresses']): boolean =>
    ranges === undefined || (clientAddress !== undefined && ranges.has(clientAddress));
  if (!isThere(credential.addresses) || !isThere(addresses))
    throw new HeadgateError('address_not_allowed', 'This key may not be used from this address.', { object });
}

export function identify<E extends Exchange>(exchange: E): E & { readonly consumer: LiveConsumer } {
  const { headers, url = '' } = exchange.request;
  const digest = keyDigest(headers);
  if (digest === undefined) {
    // Google's REST examples have it there.
    const misplaced = /[?&]key=/.test(url) ? ' A key in the URL is not read: it would end up in logs.' : '';
    throw new HeadgateError(
      'missing_api_key',
      `Send your key as "Authorization: Bearer <key>" (or in x-api-key, x-goog-api-key, api-key).${misplaced}`,
    );
  }
  const consumer = exchange.generation.tables.consumersByKey.get(digest);
  if (!consumer) throw new HeadgateError('invalid_api_key', 'This key is not known to the gateway.');
  exchange.outcome.consumer = consumer.name;
  checkCredential(exchange, consumer);
  return Object.assign(exchange, { consumer });
}
