/**
 * Compares a new revision with the one before it while both serve, and may be looked at after each request: a betting test.
 *
 * Each request of the cohort is set against the rest's that ended since the one before it, so that whatever befalls both at
 * once cancels out. Before the outcome is known, part of the wealth is bet on "the new one fails more often, by more than
 * `leastEffect`". When that is not so, each bet is fair or worse, and by Ville's inequality the wealth, which begins at 1, ever
 * reaches 1 / `falseDrops` with a probability of at most `falseDrops`, however often one looks.
 *
 * Consumers differ, and which ones are in the cohort is chance: so each outcome counts as the excess over what the same
 * consumer failed before the rollout. And none is heard alone: what one consumer can win is bounded, so that a drop takes
 * two, where two of those who called before or call now are in the cohort.
 */

/** How often a revision that is no worse is dropped, at most. */
const falseDrops = 0.01;
/** A share of failures that is worse by less than this is not worth a drop. */
const leastEffect = 0.02;
const toDrop = 1 / falseDrops;
/** An outcome lies within 2 + `leastEffect` of losing: with less than its inverse, no bet can lose everything. */
const mostBet = 0.9 / (2 + leastEffect);
/** How many requests back the next bet looks, roughly: what begins late is noticed, and luck wears off. */
const memory = 50;
/** Holds the first bets down, until there is something to go by. */
const firstSpread = 0.05;

/** The share of its requests that a consumer failed before the rollout. */
export type FailedBefore = (consumer: string) => number;

export interface Tally {
  readonly requests: number;
  readonly failures: number;
}

export class SequentialTest {
  readonly #failedBefore: FailedBefore;
  /** What each consumer of the cohort made of the wealth it was given. */
  readonly #won = new Map<string, number>();
  /** Of the rest, since the last comparison. */
  #waiting = { sum: 0, count: 0 };
  /** What the comparisons came to lately: their mean, and that of their squares. */
  #mean = 0;
  #spread = firstSpread;
  /** How many of those who called before the rollout are in the cohort. */
  #callers = 0;
  readonly #tallies = { cohort: { requests: 0, failures: 0 }, rest: { requests: 0, failures: 0 } };

  constructor(failedBefore: FailedBefore) {
    this.#failedBefore = failedBefore;
  }

  /** The cohort grew: now it has this many of those who called before the rollout. */
  widen(callers: number): void {
    this.#callers = callers;
  }

  get cohort(): Tally {
    return this.#tallies.cohort;
  }

  get rest(): Tally {
    return this.#tallies.rest;
  }

  /** The wealth: 1 says nothing, `1 / falseDrops` is proof. */
  get value(): number {
    let value = 1;
    for (const won of this.#won.values()) value *= Math.min(won, this.#mostPerConsumer);
    return value;
  }

  get isWorse(): boolean {
    // Two that have won the square root each: what multiplication lacks at the last digit is forgiven.
    return this.value >= toDrop * (1 - 1e-9);
  }

  /** One sentence for people; only true once it is worse. */
  get sentence(): string {
    const inWords = ({ requests, failures }: Tally) => `${failures} of ${requests}`;
    return `with it ${inWords(this.cohort)} requests failed, with the revision before it ${inWords(this.rest)} at the same time`;
  }

  ended(side: 'cohort' | 'rest', consumer: string, hasFailed: boolean): void {
    const tally = this.#tallies[side];
    tally.requests += 1;
    if (hasFailed) tally.failures += 1;
    const excess = Number(hasFailed) - this.#failedBefore(consumer);
    if (side === 'cohort') this.#compare(consumer, excess);
    else this.#waiting = { sum: this.#waiting.sum + excess, count: this.#waiting.count + 1 };
  }

  get #mostPerConsumer(): number {
    return Math.max(this.#won.size, this.#callers) > 1 ? Math.sqrt(toDrop) : toDrop;
  }

  #compare(consumer: string, excess: number): void {
    const won = this.#won.get(consumer) ?? 1;
    this.#won.set(consumer, won);
    const { sum, count } = this.#waiting;
    // Nothing to compare with; and one that has said all it may must not raise the others' bets either.
    if (count === 0 || won >= this.#mostPerConsumer) return;
    this.#waiting = { sum: 0, count: 0 };
    const gain = excess - sum / count - leastEffect;
    const bet = Math.min(mostBet, Math.max(0, this.#mean / this.#spread));
    this.#won.set(consumer, won * (1 + bet * gain));
    this.#mean += (gain - this.#mean) / memory;
    this.#spread += (gain ** 2 - this.#spread) / memory;
  }
}
