/** Places at targets that take so many requests at once: each is kept for as long as the request lasts at most. */
import type { Dispatchable } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { Leave } from '../upstream/admission.ts';
import type { Deadline } from './deadline.ts';

export class Places {
  readonly #exchange: Pick<Dispatchable, 'house' | 'consumer'>;
  readonly #deadline: Deadline;
  #isBusy = false;

  constructor(exchange: Pick<Dispatchable, 'house' | 'consumer'>, deadline: Deadline) {
    this.#exchange = exchange;
    this.#deadline = deadline;
  }

  /** A target had no place left. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Undefined when it has none. */
  enter(target: LiveTarget): Leave | undefined {
    return this.#hold(this.#exchange.house.upstreams.of(target).admission.tryEnter(target.maxConcurrency));
  }

  /** The same for who has nowhere else to go. */
  async wait(target: LiveTarget): Promise<Leave | undefined> {
    const { house, consumer } = this.#exchange;
    if (target.maxConcurrency === undefined) return this.enter(target);
    const { admission } = house.upstreams.of(target);
    return this.#hold(await admission.enter(consumer.name, target.maxConcurrency, this.#deadline.signal));
  }

  #hold(leave: Leave | undefined): Leave | undefined {
    if (leave) this.#deadline.onEnd(leave);
    else this.#isBusy = true;
    return leave;
  }
}
