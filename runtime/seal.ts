/**
 * Names for what a vendor keeps, of which each is of use to one consumer only: the vendor's id, enciphered. Nothing is stored, so
 * that every replica and every later revision with the same secret knows them. Decision 013 says why.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Whose it is: in which account, and of which consumer. */
export interface Owner {
  readonly account: string;
  readonly consumer: string;
}

/** With less, somebody who has one name could find the secret by trying. */
export const leastSecretChars = 32;

const markBytes = 16;
const longestName = 1_024;

export class Seal {
  readonly #markKey: Buffer;
  readonly #cipherKey: Buffer;

  constructor(secret: string) {
    const derive = (what: string) => Buffer.from(hkdfSync('sha256', secret, '', `headgate ids ${what}`, 32));
    this.#markKey = derive('mark');
    this.#cipherKey = derive('cipher');
  }

  #mark({ account, consumer }: Owner, id: string): Buffer {
    const digest = createHmac('sha256', this.#markKey)
      .update(JSON.stringify([account, consumer, id]))
      .digest();
    return digest.subarray(0, markBytes);
  }

  /** The same each time. The mark of what is enciphered is the cipher's starting point, so no two ids share one. */
  nameOf(id: string, owner: Owner): string {
    const mark = this.#mark(owner, id);
    const cipher = createCipheriv('aes-256-ctr', this.#cipherKey, mark);
    return `hg_${Buffer.concat([mark, cipher.update(id, 'utf8'), cipher.final()]).toString('base64url')}`;
  }

  /** Undefined for what was never given to this owner. */
  idOf(name: string, owner: Owner): string | undefined {
    if (name.length > longestName || !/^hg_[\w-]+$/.test(name)) return undefined;
    const bytes = Buffer.from(name.slice('hg_'.length), 'base64url');
    if (bytes.byteLength <= markBytes) return undefined;
    const mark = bytes.subarray(0, markBytes);
    const decipher = createDecipheriv('aes-256-ctr', this.#cipherKey, mark);
    const id = Buffer.concat([decipher.update(bytes.subarray(markBytes)), decipher.final()]).toString('utf8');
    return timingSafeEqual(this.#mark(owner, id), mark) ? id : undefined;
  }
}
