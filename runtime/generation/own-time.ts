/** How much time the gateway itself takes for requests, in a few counters whose size does not grow. */

/** Four steps to each doubling: a value is known to within a fifth. */
const stepsPerDoubling = 4;
/** The first step ends here; what is quicker is of no interest. */
const firstMs = 1 / 16;
/** Up to about a minute. */
const steps = 20 * stepsPerDoubling;

const stepOf = (ms: number): number =>
  ms > firstMs ? Math.min(steps - 1, Math.ceil(Math.log2(ms / firstMs) * stepsPerDoubling)) : 0;

export class OwnTime {
  readonly #counts = new Uint32Array(steps);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(ms: number): void {
    const step = stepOf(ms);
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
    this.#total += 1;
  }

  /** What `share` of all values stay below, in milliseconds: the upper end of its step. 0 without values. */
  quantile(share: number): number {
    let seen = 0;
    for (const [step, count] of this.#counts.entries()) {
      seen += count;
      if (count > 0 && seen >= share * this.#total) return firstMs * 2 ** (step / stepsPerDoubling);
    }
    return 0;
  }

  /** Adds what another process counted. */
  take(counts: Uint32Array): void {
    for (const [step, count] of counts.entries()) {
      this.#counts[step] = (this.#counts[step] ?? 0) + count;
      this.#total += count;
    }
  }

  /** How many values each step has. */
  get counts(): Uint32Array {
    return this.#counts;
  }

  static together(all: Iterable<OwnTime>): OwnTime {
    const sum = new OwnTime();
    for (const one of all) sum.take(one.#counts);
    return sum;
  }
}
