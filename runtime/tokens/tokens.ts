/** Tokens that requests bring: verified before anything is decided about a request, remembered by their digests. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Generation } from '../generation/generation.ts';
import type { LiveIssuer } from '../generation/live.ts';
import { noteVerdicts } from '../pipeline/credentials.ts';
import { KeySet, type Surroundings } from './key-set.ts';
import type { Verdict } from './claims.ts';
import { issuerOf, tokenIn } from './read.ts';
import { verify } from './verify.ts';

const mostRemembered = 10_000;
/** A key that its issuer withdraws opens nothing any more after this time and that of its set. */
const longestRememberedMs = 300_000;

export class Tokens {
  readonly #around: Surroundings;
  readonly #keySets = new Map<string, KeySet>();
  readonly #remembered = new Map<string, { readonly verdict: Verdict; readonly until: number }>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /**
   * Finds out about the token in `headers` all that those who serve may ask, who may change meanwhile. Undefined where there is
   * nothing to find out. Never rejects.
   */
  learn(headers: IncomingHttpHeaders, serving: () => readonly (Generation | undefined)[]): Promise<void> | undefined {
    if (!serving().some((each) => each !== undefined && each.tables.issuers.size > 0)) return undefined;
    const token = tokenIn(headers);
    return token === undefined ? undefined : this.#learn(headers, token, serving);
  }

  async #learn(
    headers: IncomingHttpHeaders,
    token: string,
    serving: () => readonly (Generation | undefined)[],
  ): Promise<void> {
    const issuersNow = () => serving().flatMap((each) => (each?.tables.issuers.size ? each.tables.issuers : []));
    const url = issuerOf(token) ?? '';
    const verdicts = new Map<string, Verdict>();
    noteVerdicts(headers, verdicts);
    const unknown = () =>
      issuersNow()
        .flatMap((issuers) => issuers.get(url) ?? [])
        .find(({ id }) => !verdicts.has(id));
    for (let issuer = unknown(); issuer; issuer = unknown())
      verdicts.set(issuer.id, await this.#verdict(token, issuer));
  }

  async #verdict(token: string, issuer: LiveIssuer): Promise<Verdict> {
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
