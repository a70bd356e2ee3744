/** How often one request may ask again: each target as often as it is declared, all requests as often as its budget allows. */
import type { Dispatchable } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import { longestPauseMs, pauseMs } from './pause.ts';
import type { AttemptFailed } from './patience.ts';

export class Retries {
  readonly #exchange: Pick<Dispatchable, 'house'>;
  readonly #retried = new Map<LiveTarget, number>();

  constructor(exchange: Pick<Dispatchable, 'house'>) {
    this.#exchange = exchange;
  }

  /** To ask two costs what a retry costs, and is held to the same budget. */
  mayHedge(target: LiveTarget): boolean {
    const { upstreams, metrics } = this.#exchange.house;
    const granted = upstreams.of(target).budget.take();
    if (!granted) metrics.retriesDenied.inc({ target: target.label });
    return granted;
  }

  take(target: LiveTarget): boolean {
    const used = this.#retried.get(target) ?? 0;
    if (used >= target.retries || !this.mayHedge(target)) return false;
    this.#retried.set(target, used + 1);
    return true;
  }

  /** How long to wait before the same target is tried again; undefined when it has no retry left, or says that it is not back soon. */
  pauseFor(target: LiveTarget, { failure }: AttemptFailed): number | undefined {
    const told = failure.retryAfterMs ?? 0;
    if (told > longestPauseMs || !this.take(target)) return undefined;
    const own = pauseMs((this.#retried.get(target) ?? 1) - 1, this.#exchange.house.random);
    return Math.max(told, own);
  }
}
