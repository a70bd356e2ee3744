/**
 * What a store may have taken while its answer was lost is given back, because nobody was granted it. A taking that is on its
 * way may arrive after its giving back, over another connection: where the store does not know it, it is told again later.
 */
import { UntilHeard } from './until-heard.ts';

/** After each of which a taking that was unknown is asked for again. */
const laterMs: readonly number[] = [1_000, 10_000];

/** Of as many as are said at once, each. Beyond, what was unknown once is taken to be lost. */
const mostWaiting = 500;

interface Doubt<Lost> {
  readonly lost: Lost;
  /** How often the store has not known it. */
  readonly unknown: number;
}

export class GivingBack<Lost> {
  readonly #giveBack: (lost: Lost) => Promise<boolean>;
  readonly #unheard = new UntilHeard<Doubt<Lost>>((doubts) => this.#say(doubts));
  readonly #waiting = new Map<NodeJS.Timeout, readonly Doubt<Lost>[]>();
  #isClosing = false;

  /** `giveBack` says whether there was anything to give back, and may be told the same twice. */
  constructor(giveBack: (lost: Lost) => Promise<boolean>) {
    this.#giveBack = giveBack;
  }

  add(lost: Lost): void {
    this.#unheard.add([{ lost, unknown: 0 }]);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const [timer, doubts] of this.#waiting) {
      clearTimeout(timer);
      this.#unheard.add(doubts);
    }
    this.#waiting.clear();
    await this.#unheard.close();
  }

  async #say(doubts: readonly Doubt<Lost>[]): Promise<void> {
    const isKnown = await Promise.all(doubts.map(({ lost }) => this.#giveBack(lost)));
    const unknown = doubts.filter((_, index) => isKnown[index] === false);
    for (const [times, ms] of laterMs.entries())
      this.#sayAfter(
        ms,
        unknown.filter((each) => each.unknown === times),
      );
  }

  #sayAfter(ms: number, doubts: readonly Doubt<Lost>[]): void {
    if (doubts.length === 0 || this.#isClosing || this.#waiting.size >= mostWaiting) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      this.#unheard.add(doubts.map(({ lost, unknown }) => ({ lost, unknown: unknown + 1 })));
    }, ms).unref();
    this.#waiting.set(timer, doubts);
  }
}
