/** Consumer keys: long random texts of which the configuration only ever holds the hash. */
import { createHash, randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const length = 43;

/** `hg_` and 43 characters: 256 bits. */
export function createKey(): string {
  let key = '';
  while (key.length < length) {
    for (const byte of randomBytes(64)) {
      // Bytes from 248 on would favour the first eight characters.
      if (byte < 248 && key.length < length) key += alphabet[byte % 62];
    }
  }
  return `hg_${key}`;
}

/** What goes into the `keys` of a consumer. */
export const hashKey = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;
