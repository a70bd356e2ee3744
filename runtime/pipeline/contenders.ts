/** The targets that one request asks, several at once where its model hedges: the first that answers ends it for all others. */
import type { LiveTarget } from '../generation/live.ts';

/** A target while it is asked. */
export interface Contender {
  readonly target: LiveTarget;
  /** Aborted with the request's, and when another target was faster. */
  readonly signal: AbortSignal;
  /** A request is there, and no answer yet. */
  isUnderWay: boolean;
  wasOutrun: boolean;
}

export class Contenders {
  readonly #whole: AbortSignal;
  /** What was spent at one that was outrun is noted by this. */
  readonly #outrun: (target: LiveTarget) => void;
  /** Whoever is cut off must not take the others along. */
  readonly #all = new Map<Contender, AbortController | undefined>();
  #isOver = false;

  constructor(whole: AbortSignal, outrun: (target: LiveTarget) => void) {
    this.#whole = whole;
    this.#outrun = outrun;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  add(target: LiveTarget, canBeOutrun: boolean): Contender {
    const stop = canBeOutrun ? new AbortController() : undefined;
    const signal = stop ? AbortSignal.any([this.#whole, stop.signal]) : this.#whole;
    const contender = { target, signal, isUnderWay: false, wasOutrun: false };
    this.#all.set(contender, stop);
    return contender;
  }

  /** For all but `winner`. It is noted at once: their own ends may come after the request is settled. */
  end(winner?: Contender): void {
    this.#isOver = true;
    for (const [contender, stop] of this.#all) {
      if (contender === winner) continue;
      if (contender.isUnderWay && !this.#whole.aborted) this.drop(contender);
      stop?.abort(new Error('another target was faster'));
    }
  }

  /** Its answer is of no use to anybody. */
  drop(contender: Contender): void {
    if (!contender.wasOutrun) this.#outrun(contender.target);
    contender.wasOutrun = true;
  }
}
