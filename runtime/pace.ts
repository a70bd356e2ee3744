/** Long work in small helpings, so that requests are answered in between: the event loop gets its turn every few milliseconds. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long the loop may be held at a stretch. Small beside what a client notices, large beside the price of a turn. */
const helpingMs = 2;

export class Pace {
  readonly #signal: AbortSignal | undefined;
  /** Whoever begins may have followed on other work in the same turn, so the first helping is over before it began. */
  #since = -Infinity;

  /** Aborting `signal` ends the work at its next rest. */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Lets others have the loop; throws the signal's reason when the work is no longer wanted. */
  async rest(): Promise<void> {
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#since = performance.now();
  }

  /** Does `work` for each item, with a rest whenever one is due. A single item is never interrupted: keep items small. */
  async each<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
    for (const item of items) {
      work(item);
      if (performance.now() - this.#since >= helpingMs) await this.rest();
    }
  }
}
