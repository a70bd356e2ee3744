/**
 * How long an upstream takes, as a moving mean that follows what is slower at once and what is faster bit by bit. It fades while
 * nobody asks, so that who was slow once is tried again.
 */

/** In this time what was seen loses two thirds of its weight. */
const fadeMs = 10_000;

export class Latency {
  readonly #now: () => number;
  #meanMs: number | undefined;
  #at = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get #weight(): number {
    return Math.exp((this.#at - this.#now()) / fadeMs);
  }

  /** Undefined while nobody knows. */
  get ms(): number | undefined {
    return this.#meanMs === undefined ? undefined : this.#meanMs * this.#weight;
  }

  note(ms: number): void {
    const weight = this.#weight;
    const mean = this.#meanMs ?? 0;
    this.#meanMs = ms > mean * weight ? ms : mean * weight + ms * (1 - weight);
    this.#at = this.#now();
  }
}
