/**
 * Compares a new revision with the one before it while both serve, and may be looked at after each request: a betting test.
 *
 * Each request of the cohort is set against one of the rest that ended about then, so that whatever befalls both at once
 * cancels out. Before the outcome is known, part of the wealth is bet on "the new one fails more often, by more than
 * `leastEffect`". When that is not so, each bet is fair or worse, and by Ville's inequality the wealth, which begins at 1, ever
 * reaches 1 / `falseDrops` with a probability of at most `falseDrops`, however often one looks.
 *
 * Consumers differ, and which ones are in the cohort is chance: so an outcome counts as the excess over what the same
 * consumer failed before the rollout. That others came to fail less is no fault of the new one. And none is heard alone: what
 * one consumer can win is bounded, so that a drop takes two, where two of those who called before or call now are in the
 * cohort.
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
/**
 * How many outcomes of one side wait for one of the other. Which of them is passed over, and which is taken, is drawn: the
 * first of each burst, or the last, is not like the others where clients try again what failed.
 */
const mostWaiting = 8;
/** Holds the first bets down, until there is something to go by. */
const firstSpread = 0.05;

/** The share of its requests that a consumer failed before the rollout. */
export type FailedBefore = (consumer: string) => number;

export interface Tally {
  readonly requests: number;
  readonly failures: number;
}

interface Outcome {
  readonly side: 'cohort' | 'rest';
  readonly consumer: string;
  readonly excess: number;
}

export class SequentialTest {
  readonly #failedBefore: FailedBefore;
  readonly #random: () => number;
  /** What each consumer of the cohort made of the wealth it was given. */
  readonly #won = new Map<string, number>();
  /** Outcomes that have no counterpart yet. All are of one side. */
  #waiting: Outcome[] = [];
  /** What the comparisons came to lately: their mean, and that of their squares. */
  #mean = 0;
  #spread = firstSpread;
  /** How many of those who called before the rollout are in the cohort. */
  #callers = 0;
  readonly #tallies = { cohort: { requests: 0, failures: 0 }, rest: { requests: 0, failures: 0 } };

  constructor(failedBefore: FailedBefore, random: () => number = Math.random) {
    this.#failedBefore = failedBefore;
    this.#random = random;
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
    if (side === 'cohort' && !this.#won.has(consumer)) this.#won.set(consumer, 1);
    this.#pair({ side, consumer, excess: side === 'cohort' ? excess : Math.max(0, excess) });
  }

  #pair(outcome: Outcome): void {
    const [first] = this.#waiting;
    if (first === undefined || first.side === outcome.side) {
      this.#waiting.push(outcome);
      if (this.#waiting.length > mostWaiting) this.#draw();
      return;
    }
    const other = this.#draw() ?? first;
    if (outcome.side === 'cohort') this.#compare(outcome, other);
    else this.#compare(other, outcome);
  }

  #draw(): Outcome | undefined {
    return this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1)[0];
  }

  get #mostPerConsumer(): number {
    return Math.max(this.#won.size, this.#callers) > 1 ? Math.sqrt(toDrop) : toDrop;
  }

  #compare(cohort: Outcome, rest: Outcome): void {
    const won = this.#won.get(cohort.consumer) ?? 1;
    // One that has said all it may must not raise the others' bets either.
    if (won >= this.#mostPerConsumer) return;
    const gain = cohort.excess - rest.excess - leastEffect;
    const bet = Math.min(mostBet, Math.max(0, this.#mean / this.#spread));
    this.#won.set(cohort.consumer, won * (1 + bet * gain));
    this.#mean += (gain - this.#mean) / memory;
    this.#spread += (gain ** 2 - this.#spread) / memory;
  }
}
