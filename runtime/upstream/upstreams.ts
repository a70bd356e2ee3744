/**
 * What the process knows of the upstreams of models: their health, their retries, their keys, who waits for them. It outlives revisions and goes by
 * where requests really go, so that a new revision neither forgets an outage nor pays for the namesake of one.
 */
import { Admission } from './admission.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { Keys } from './keys.ts';
import { RetryBudget } from './retry-budget.ts';

export interface Upstream {
  readonly breaker: Breaker;
  readonly budget: RetryBudget;
  readonly admission: Admission;
}

export interface UpstreamHealth {
  /** `provider/model`, as it was asked for last. */
  readonly target: string;
  readonly state: BreakerState;
  /** Failures in a row. */
  readonly failures: number;
  /** Requests that wait for a place. */
  readonly waiting: number;
}

/** More than any configuration has; beyond it those in good health are forgotten first. */
const mostRemembered = 5_000;

export class Upstreams {
  readonly keys: Keys;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #known = new Map<string, Upstream>();
  /** Which upstream a target's label stood for when it was asked last. */
  readonly #asked = new Map<string, string>();

  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now;
    this.#random = random;
    this.keys = new Keys(now);
  }

  of({ upstream: id, label }: { readonly upstream: string; readonly label: string }): Upstream {
    this.#asked.set(label, id);
    let known = this.#known.get(id);
    if (!known) {
      known = {
        breaker: new Breaker(this.#now, this.#random),
        budget: new RetryBudget(this.#now),
        admission: new Admission(),
      };
      this.#known.set(id, known);
      if (this.#known.size > mostRemembered) this.#forgetOne();
    }
    return known;
  }

  /** Of those among `labels` that were ever asked. */
  health(labels: ReadonlySet<string>): UpstreamHealth[] {
    return [...this.#asked].flatMap(([target, id]) => {
      const known = this.#known.get(id);
      if (!known || !labels.has(target)) return [];
      const { breaker, admission } = known;
      return [{ target, state: breaker.state, failures: breaker.inARow, waiting: admission.waiting }];
    });
  }

  #forgetOne(): void {
    for (const [id, { breaker, admission }] of this.#known) {
      if (!breaker.isIdle || !admission.isIdle) continue;
      this.#known.delete(id);
      for (const [label, asked] of this.#asked) if (asked === id) this.#asked.delete(label);
      return;
    }
  }
}
