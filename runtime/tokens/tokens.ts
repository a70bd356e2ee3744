/** Tokens that requests bring: verified before anything is decided about a request. What verifies them is loaded with the first. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Generation } from '../generation/generation.ts';
import { LateLoad } from '../late-load.ts';
import { noteVerdicts } from '../pipeline/credentials.ts';
import type { Verdict } from './claims.ts';
import type { Surroundings } from './key-set.ts';
import { tokenIn } from './token-in.ts';
import type { Verdicts } from './verdicts.ts';

export class Tokens {
  readonly #verdicts: LateLoad<Verdicts>;

  constructor(around: Surroundings) {
    this.#verdicts = new LateLoad(async () => {
      const { Verdicts } = await import('./verdicts.ts');
      return new Verdicts(around);
    });
  }

  /**
   * Finds out about the token in `headers` all that those who serve may ask, who may change meanwhile. Undefined where there is
   * nothing to find out. Rejects only where what verifies it cannot be loaded.
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
    const judge = await this.#verdicts.get();
    const url = judge.issuerOf(token) ?? '';
    const verdicts = new Map<string, Verdict>();
    noteVerdicts(headers, verdicts);
    const unknown = () =>
      issuersNow()
        .flatMap((issuers) => issuers.get(url) ?? [])
        .find(({ id }) => !verdicts.has(id));
    for (let issuer = unknown(); issuer; issuer = unknown())
      verdicts.set(issuer.id, await judge.verdict(token, issuer));
  }
}
