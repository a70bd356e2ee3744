/** Who is asking? A key in one of the headers that SDKs use, looked up by its SHA-256: the key itself is kept nowhere. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HeadgateError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Generation, LiveConsumer } from '../generation/generation.ts';

/** Longer ones are refused before they are hashed. */
const maxKeyChars = 4_096;

function keyFrom(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  for (const key of [bearer, headers['x-api-key'], headers['x-goog-api-key'], headers['api-key']]) {
    if (typeof key === 'string' && key !== '') return key;
  }
  return undefined;
}

/** Whose key stands in `headers`, as far as `generation` knows. */
export function consumerIn({ tables }: Generation, headers: IncomingHttpHeaders): LiveConsumer | undefined {
  const key = keyFrom(headers);
  if (key === undefined || key.length > maxKeyChars) return undefined;
  // The digest is what is compared, in a hash map: how long a wrong key takes tells nothing about the right ones.
  return tables.consumersByKey.get(createHash('sha256').update(key).digest('hex'));
}

export function identify<E extends Exchange>(exchange: E): E & { readonly consumer: LiveConsumer } {
  const { headers } = exchange.request;
  if (keyFrom(headers) === undefined) {
    throw new HeadgateError(
      'missing_api_key',
      'Send your key as "Authorization: Bearer <key>" (or in x-api-key, x-goog-api-key, api-key).',
    );
  }
  const consumer = consumerIn(exchange.generation, headers);
  if (!consumer) throw new HeadgateError('invalid_api_key', 'This key is not known to the gateway.');
  exchange.outcome.consumer = consumer.name;
  return Object.assign(exchange, { consumer });
}
