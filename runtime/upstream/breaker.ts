/**
 * Whether an upstream is asked while others could be. It is passed over once it failed several times in a row, or half of the
 * time, and tried again by a single request after a pause that grows as long as it does not answer.
 */

/** How often in a row it must fail. */
const mostInARow = 5;
/** Or how many of the last attempts, once there were so many. */
const lastAttempts = 20;
const mostOfLast = 10;

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

export type BreakerState = 'closed' | 'half_open' | 'open';

/** How one attempt ended. Exactly one of them is to be called. */
export interface Ticket {
  /** It is alive, whatever it said. */
  answered(): void;
  failed(): void;
  /** The attempt ended by no doing of the upstream, or in a way that says nothing about its health. */
  unclear(): void;
}

export class Breaker {
  readonly #now: () => number;
  readonly #random: () => number;
  #inARow = 0;
  /** Newest last; true where it failed. */
  readonly #last: boolean[] = [];
  #pauseMs = firstPauseMs;
  /** When one request may try it again; undefined while it is asked as ever. */
  #until: number | undefined;
  #isProbed = false;

  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  get state(): BreakerState {
    if (this.#until === undefined) return 'closed';
    return this.#isProbed ? 'half_open' : 'open';
  }

  get isIdle(): boolean {
    return this.#until === undefined && this.#inARow === 0;
  }

  get inARow(): number {
    return this.#inARow;
  }

  get mayEnter(): boolean {
    return this.#until === undefined || (!this.#isProbed && this.#now() >= this.#until);
  }

  /** Undefined while the upstream is to be passed over. */
  enter(): Ticket | undefined {
    if (!this.mayEnter) return undefined;
    this.#isProbed = this.#until !== undefined;
    return this.#attempt(this.#isProbed);
  }

  /** For a request that has nowhere else to go. */
  enterAnyhow(): Ticket {
    return this.enter() ?? this.#attempt(false);
  }

  #attempt(isProbe: boolean): Ticket {
    return {
      answered: () => this.#answered(),
      failed: () => this.#failed(isProbe),
      unclear: () => {
        if (isProbe) this.#isProbed = false;
      },
    };
  }

  #answered(): void {
    this.#note(false);
    this.#inARow = 0;
    if (this.#until === undefined) return;
    this.#until = undefined;
    this.#isProbed = false;
    this.#pauseMs = firstPauseMs;
    this.#last.length = 0;
  }

  #failed(isProbe: boolean): void {
    this.#inARow += 1;
    if (this.#until !== undefined) {
      // Those that began before, or had nowhere else to go, say nothing new.
      if (!isProbe) return;
      this.#isProbed = false;
      this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
      this.#pause();
      return;
    }
    this.#note(true);
    const failures = this.#last.filter(Boolean).length;
    const isOutlier = this.#last.length === lastAttempts && failures >= mostOfLast;
    if (this.#inARow >= mostInARow || isOutlier) this.#pause();
  }

  #note(failed: boolean): void {
    this.#last.push(failed);
    if (this.#last.length > lastAttempts) this.#last.shift();
  }

  /** Between half of the pause and all of it, so that replicas do not come back together. */
  #pause(): void {
    this.#until = this.#now() + this.#pauseMs * (0.5 + this.#random() / 2);
  }
}
