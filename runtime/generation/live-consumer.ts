/** How far a key of a consumer opens: until when, from where, and which of what the consumer may use. */
import { AddressRanges } from '../address-ranges.ts';
import { expiryOf } from '../expiry.ts';
import type { KeyTermsSnapshot } from '../snapshot-consumers.ts';
import type { Credential } from './live.ts';

/** Of a digest, as much as tells the keys of one gateway apart in its configuration. */
export const keyId = (digest: string): string => digest.slice(0, 12);

export function credentialOf(digest: string, terms: KeyTermsSnapshot | undefined): Credential {
  const { expires, addresses } = terms ?? {};
  return {
    id: keyId(digest),
    expiresAt: expires === undefined ? undefined : expiryOf(expires),
    addresses: addresses && new AddressRanges(addresses),
  };
}

/** What both lists allow; no list allows all. */
export function narrowed(
  names: readonly string[] | undefined,
  others: readonly string[] | undefined,
): ReadonlySet<string> | undefined {
  if (names === undefined || others === undefined) return (names ?? others) && new Set(names ?? others);
  const allowed = new Set(others);
  return new Set(names.filter((name) => allowed.has(name)));
}
