/**
 * How many requests an upstream has at once, who waits and who is next: in turn among consumers, and with as many waiting each, so
 * that one with many requests holds up its own.
 */

/** So many may wait for each place; who comes after them would not be served in time. */
const mostWaitingEach = 16;

interface Waiter {
  readonly limit: number;
  readonly enter: () => void;
  readonly giveUp: () => void;
}

/** Gives the place back. Safe to call twice. */
export type Leave = () => void;

export class Admission {
  #inside = 0;
  #count = 0;
  /** By consumer; whose turn it is stands first. */
  readonly #queues = new Map<string, Waiter[]>();

  get waiting(): number {
    return this.#count;
  }

  /** Requests that are there or wait for it. */
  get load(): number {
    return this.#inside + this.#count;
  }

  get isIdle(): boolean {
    return this.#inside === 0 && this.#count === 0;
  }

  hasRoom(limit?: number): boolean {
    return limit === undefined || (this.#count === 0 && this.#inside < limit);
  }

  /** Undefined where there is no room at once. */
  tryEnter(limit?: number): Leave | undefined {
    return this.hasRoom(limit) ? this.#take() : undefined;
  }

  /** Waits for a place. Undefined when too many wait already, or come later with a better claim to wait, or `signal` was aborted first. */
  async enter(consumer: string, limit: number, signal: AbortSignal): Promise<Leave | undefined> {
    const atOnce = this.tryEnter(limit);
    if (atOnce || signal.aborted) return atOnce;
    if (this.#count >= limit * mostWaitingEach && !this.#makeRoomFor(consumer)) return undefined;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        limit,
        enter: () => {
          signal.removeEventListener('abort', giveUp);
          resolve(this.#take());
        },
        giveUp: () => giveUp(),
      };
      const giveUp = () => {
        signal.removeEventListener('abort', giveUp);
        this.#remove(consumer, waiter);
        resolve(undefined);
        // Whoever stood behind may have a larger limit.
        this.#admit();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#queues.set(consumer, [...(this.#queues.get(consumer) ?? []), waiter]);
      this.#count += 1;
    });
  }

  /** The newest of whoever has most waiting gives way, where that is more than `consumer` would have. */
  #makeRoomFor(consumer: string): boolean {
    const own = this.#queues.get(consumer)?.length ?? 0;
    const most = [...this.#queues.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    if (most.length <= own + 1) return false;
    most.at(-1)?.giveUp();
    return true;
  }

  #take(): Leave {
    this.#inside += 1;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#inside -= 1;
      this.#admit();
    };
  }

  #admit(): void {
    for (;;) {
      const [[consumer, [waiter] = []] = ['']] = this.#queues;
      if (!waiter || this.#inside >= waiter.limit) return;
      this.#remove(consumer, waiter);
      const rest = this.#queues.get(consumer);
      if (rest) {
        // To the back of the row.
        this.#queues.delete(consumer);
        this.#queues.set(consumer, rest);
      }
      waiter.enter();
    }
  }

  #remove(consumer: string, waiter: Waiter): void {
    const rest = (this.#queues.get(consumer) ?? []).filter((each) => each !== waiter);
    if (rest.length > 0) this.#queues.set(consumer, rest);
    else this.#queues.delete(consumer);
    this.#count -= 1;
  }
}
