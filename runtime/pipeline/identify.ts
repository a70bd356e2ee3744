/** Who is asking? A key, looked up by its SHA-256 and kept nowhere, a token that its issuer signed, or a certificate that an authority vouches for. */
import { HeadgateError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { LiveConsumer } from '../generation/live.ts';
import { callerOf as toldOf } from '../outcome.ts';
import { callerOf, type Caller } from './credentials.ts';

/** Refused where no key was sent. */
const keyless: readonly string[] = ['missing_api_key', 'invalid_certificate'];

/** What a 401 asks for (RFC 6750): the same for whatever is wrong with a key that was sent. */
export const challenge = (code: string): string => (keyless.includes(code) ? 'Bearer' : 'Bearer error="invalid_token"');

const badCertificate = (why: string, object?: string): HeadgateError =>
  new HeadgateError(
    'invalid_certificate',
    `No key was sent, and the client certificate is not accepted: ${why}.`,
    object === undefined ? {} : { object },
  );

/** Whoever has the key may know why it does not open: nobody else comes this far. */
function checkCredential({ address, house }: Exchange, { name, credential, addresses }: LiveConsumer): void {
  const object = `consumers.${name}`;
  if (credential.expiresAt !== undefined && house.now() >= credential.expiresAt) {
    if (credential.isCertificate) throw badCertificate('it has expired', object);
    throw new HeadgateError('key_expired', 'This key has expired.', { object });
  }
  const isThere = (ranges: LiveConsumer['addresses']): boolean =>
    ranges === undefined || (address !== undefined && ranges.has(address));
  if (!isThere(credential.addresses) || !isThere(addresses))
    throw new HeadgateError('address_not_allowed', 'This key may not be used from this address.', { object });
}

/** Why the headers show nobody. */
function refusalOf(caller: Exclude<Caller, { consumer: unknown }>, url: string): HeadgateError {
  if ('failure' in caller)
    return caller.isIssuersDoing
      ? new HeadgateError('issuer_unavailable', `This token cannot be verified now: ${caller.failure}.`, {
          retryAfterMs: 3_000,
        })
      : new HeadgateError('invalid_token', `This token is not accepted: ${caller.failure}.`);
  if ('certificateRefused' in caller) return badCertificate(caller.certificateRefused);
  switch (caller.refused) {
    case 'no_key': {
      // Google's REST examples have it there.
      const misplaced = /[?&]key=/.test(url) ? ' A key in the URL is not read: it would end up in logs.' : '';
      return new HeadgateError(
        'missing_api_key',
        `Send your key as "Authorization: Bearer <key>" (or in x-api-key, x-goog-api-key, api-key).${misplaced}`,
      );
    }
    case 'unknown_key':
      return new HeadgateError('invalid_api_key', 'This key is not known to the gateway.');
    case 'unknown_issuer':
      return new HeadgateError('invalid_token', 'This token is not accepted: its issuer is not known here.');
    case 'no_consumer':
      return new HeadgateError('invalid_token', 'This token is not accepted: no consumer is for its claims.');
    case 'several_consumers':
      return new HeadgateError(
        'invalid_token',
        'This token is not accepted: more than one consumer is for its claims.',
      );
  }
}

/** Subjects of tokens are as many as people: of those the ledger is not to tell each apart. */
const keyOf = ({ credential: { id, claims, isCertificate } }: LiveConsumer): string | undefined =>
  claims || isCertificate ? undefined : id;

export function identify<E extends Exchange>(exchange: E): E & { readonly consumer: LiveConsumer } {
  const { headers, url = '' } = exchange.request;
  const caller = callerOf(exchange.generation.tables, headers);
  if (!('consumer' in caller)) throw refusalOf(caller, url);
  const { consumer } = caller;
  exchange.outcome.consumer = consumer.name;
  exchange.outcome.caller = toldOf({ ...consumer, key: keyOf(consumer) });
  checkCredential(exchange, consumer);
  return Object.assign(exchange, { consumer });
}
