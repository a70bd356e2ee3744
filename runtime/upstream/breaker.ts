/**
 * Whether an upstream is asked while others could be. It is passed over once it failed several times in a row, or half of the
 * time, streams that it broke off included, and tried again by a single request after a pause that grows as long as it does not answer.
 */

/** How often in a row it must fail, or break its streams off. */
const mostInARow = 5;
/** Or how many of the last attempts, once there were so many. */
const lastAttempts = 20;
const mostOfLast = 10;

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

export type BreakerState = 'closed' | 'half_open' | 'open';

/** How one attempt ended. Exactly one of them is to be called. */
export interface Ticket {
  /** It is alive, whatever it said; of a stream, as soon as that begins. How it goes on may be told later. */
  answered(): Stream;
  failed(): void;
  /** The attempt ended by no doing of the upstream, or in a way that says nothing about its health. */
  unclear(): void;
}

/** A stream that had begun. At most one of them is to be called, and none where its client left. */
export interface Stream {
  ended(): void;
  brokeOff(): void;
}

/** One of the last attempts. */
interface Attempt {
  failed: boolean;
}

export class Breaker {
  readonly #now: () => number;
  readonly #random: () => number;
  #inARow = 0;
  /** Streams that broke off, with none in between that came to its end. Answers of another sort say nothing of streams. */
  #brokenInARow = 0;
  /** Newest last. */
  readonly #last: Attempt[] = [];
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
    return this.#until === undefined && this.#inARow === 0 && this.#brokenInARow === 0;
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

  #answered(): Stream {
    this.#inARow = 0;
    if (this.#until !== undefined) {
      this.#until = undefined;
      this.#isProbed = false;
      // That a stream begins is no proof where streams broke off: the next that does so ends in a longer pause.
      this.#pauseMs = this.#breaksStreams ? Math.min(longestPauseMs, this.#pauseMs * 2) : firstPauseMs;
      this.#last.length = 0;
    }
    const attempt = this.#note(false);
    return { ended: () => this.#ended(), brokeOff: () => this.#brokeOff(attempt) };
  }

  get #breaksStreams(): boolean {
    return this.#brokenInARow >= mostInARow;
  }

  #ended(): void {
    this.#brokenInARow = 0;
    if (this.#until === undefined) this.#pauseMs = firstPauseMs;
  }

  #brokeOff(attempt: Attempt): void {
    this.#brokenInARow += 1;
    attempt.failed = true;
    if (this.#until === undefined && (this.#breaksStreams || this.#isOutlier)) this.#pause();
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
    if (this.#inARow >= mostInARow || this.#isOutlier) this.#pause();
  }

  get #isOutlier(): boolean {
    const failures = this.#last.filter(({ failed }) => failed).length;
    return this.#last.length === lastAttempts && failures >= mostOfLast;
  }

  #note(failed: boolean): Attempt {
    const attempt = { failed };
    this.#last.push(attempt);
    if (this.#last.length > lastAttempts) this.#last.shift();
    return attempt;
  }

  /** Between half of the pause and all of it, so that replicas do not come back together. */
  #pause(): void {
    this.#until = this.#now() + this.#pauseMs * (0.5 + this.#random() / 2);
  }
}
