/** Counts of one replica by itself, while the store that all share is away; when it is back, it is told what was used. */
import { memoryStore } from './memory.ts';
import { StoreUnavailable, type Demand, type QuotaStore, type Taking } from './store.ts';
import { spanAt, windowName } from './window.ts';

const tellEveryMs = 500;
/** Told in one step, so that a store that comes back is not overrun. */
const toldAtOnce = 50;
/** Of counts by end user there may be very many; of more than these, the oldest are given up. */
const mostKept = 50_000;
/** At most so long, what the shared store counted and could not answer is counted twice. */
const doubtMs = 10_000;

/** What a count was used for here, and the shared store does not know. */
interface Owed {
  readonly demand: Demand;
  readonly start: number;
  readonly amount: number;
}

/** Slices of a sliding window are told as one; of other windows, only the newest span still counts. */
const isOneWith = ({ demand, start }: Owed, other: number) => demand.window.kind === 'sliding' || start === other;

class Debts {
  readonly #shared: QuotaStore;
  readonly #now: () => number;
  readonly #owed = new Map<string, Owed>();
  #timer: NodeJS.Timeout | undefined;

  constructor(shared: QuotaStore, now: () => number) {
    this.#shared = shared;
    this.#now = now;
  }

  add(demand: Demand, start: number, amount: number): void {
    if (demand.window.kind === 'none' || amount === 0) return;
    const name = `${demand.key}:${windowName(demand.window)}`;
    const known = this.#owed.get(name);
    const before = known && isOneWith(known, start) ? known.amount : 0;
    this.#owed.set(name, { demand, start, amount: before + amount });
    const [oldest] = this.#owed.keys();
    if (this.#owed.size > mostKept && oldest !== undefined) this.#owed.delete(oldest);
    this.#tellSoon();
  }

  async close(): Promise<void> {
    if (this.#owed.size > 0) await this.#tell();
    clearTimeout(this.#timer);
  }

  #tellSoon(): void {
    // It keeps no process alive that has nothing else to do; `close` tries once more.
    this.#timer ??= setTimeout(() => void this.#tell(), tellEveryMs).unref();
  }

  async #tell(): Promise<void> {
    this.#timer = undefined;
    try {
      while (this.#owed.size > 0) await this.#tellSome([...this.#owed].slice(0, toldAtOnce));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#tellSoon();
    }
  }

  /** As a call would: held first, which is free again if nobody heard of it, and settled, which counts once. */
  async #tellSome(some: readonly (readonly [string, Owed])[]): Promise<void> {
    const now = this.#now();
    const demands = some.flatMap(([, { demand, start, amount }]): Demand[] => {
      const { key, was, window } = demand;
      if (amount <= 0 || spanAt(window, start).end <= now) return [];
      return [{ key, was, window, amount, limit: Number.MAX_SAFE_INTEGER, holdMs: doubtMs }];
    });
    // Asked first, because a store that is only slow would hold it again each time.
    if (demands.length > 0) await this.#shared.read(demands.slice(0, 1));
    const takings = demands.length === 0 ? [] : await this.#shared.take(demands);
    for (const [name, told] of some) this.#forget(name, told);
    const settlements = demands.flatMap((demand, at) => {
      const taking = takings[at];
      return taking ? [{ demand, taking, spent: demand.amount }] : [];
    });
    if (settlements.length > 0) await this.#shared.settle(settlements);
  }

  #forget(name: string, told: Owed): void {
    const known = this.#owed.get(name);
    if (known === told) this.#owed.delete(name);
    // More was used meanwhile.
    else if (known && isOneWith(told, known.start))
      this.#owed.set(name, { ...known, amount: known.amount - told.amount });
  }
}

/** Limits of its demands are what this replica may let through by itself. */
export function countingAlone(
  shared: QuotaStore,
  now: () => number = Date.now,
  elapsed: () => number = () => performance.now(),
): QuotaStore {
  const store = memoryStore(now, elapsed);
  const debts = new Debts(shared, now);
  const unsettled = new WeakSet<Taking>();

  return {
    async take(demands) {
      const takings = await store.take(demands);
      if (takings.every(({ granted }) => granted))
        for (const [at, taking] of takings.entries()) {
          const demand = demands[at];
          if (taking.hold !== undefined) unsettled.add(taking);
          else if (demand) debts.add(demand, taking.start, demand.amount);
        }
      return takings;
    },

    async settle(settlements) {
      await store.settle(settlements);
      for (const { demand, taking, spent } of settlements)
        if (taking.hold === undefined) debts.add(demand, taking.start, spent - demand.amount);
        else if (unsettled.delete(taking)) debts.add(demand, taking.start, spent);
    },

    read: (counts) => store.read(counts),

    async close() {
      await debts.close();
      await store.close();
    },
  };
}

/** A store that can be away. */
export function withAlone(store: QuotaStore): QuotaStore {
  const alone = countingAlone(store);
  return {
    take: (demands) => store.take(demands),
    settle: (settlements) => store.settle(settlements),
    read: (counts) => store.read(counts),
    alone,
    async close() {
      await alone.close();
      await store.close();
    },
  };
}
