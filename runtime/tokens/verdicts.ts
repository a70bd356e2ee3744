/** What was found out about tokens, remembered by their digests. */
import { createHash } from 'node:crypto';
import type { LiveIssuer } from '../generation/live.ts';
import type { Verdict } from './claims.ts';
import { KeySet, type Surroundings } from './key-set.ts';
import { issuerOf } from './read.ts';
import { verify } from './verify.ts';

const mostRemembered = 10_000;
/** A key that its issuer withdraws opens nothing any more after this time and that of its set. */
const longestRememberedMs = 300_000;

export class Verdicts {
  readonly #around: Surroundings;
  readonly #keySets = new Map<string, KeySet>();
  readonly #remembered = new Map<string, { readonly verdict: Verdict; readonly until: number }>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  readonly issuerOf = issuerOf;

  async verdict(token: string, issuer: LiveIssuer): Promise<Verdict> {
    const key = createHash('sha256').update(`${issuer.id}\n${token}`).digest('base64');
    const now = this.#around.now();
    const known = this.#remembered.get(key);
    if (known && now < known.until) return known.verdict;
    this.#remembered.delete(key);
    const verdict = await verify(token, issuer, { keys: this.#keySetOf(issuer), now });
    if ('claims' in verdict) {
      const [oldest] = this.#remembered.keys();
      if (this.#remembered.size >= mostRemembered && oldest !== undefined) this.#remembered.delete(oldest);
      this.#remembered.set(key, { verdict, until: Math.min(verdict.expiresAt, now + longestRememberedMs) });
    }
    return verdict;
  }

  /** Kept over revisions: an edit of the audience fetches nothing. */
  #keySetOf({ url, jwks }: LiveIssuer): KeySet {
    const place = `${url} ${jwks ?? ''}`;
    const set = this.#keySets.get(place) ?? new KeySet({ url, jwks }, this.#around);
    this.#keySets.set(place, set);
    return set;
  }
}
