/** Counts of one replica by itself, while the store that all share is away; when it is back, it is told what was used. */
import { memoryStore } from './memory.ts';
import { StoreUnavailable, type Demand, type QuotaStore, type Taking } from './store.ts';
import { spanAt, windowName } from './window.ts';

const tellEveryMs = 500;
/** Told in one step, so that a store that comes back is not overrun. */
const toldAtOnce = 50;
/** Of counts by end user there may be very many; of more than these, the oldest are given up. */
const mostKept = 50_000;
/** So long, what the shared store counted and could not answer is counted twice. */
const doubtMs = 10_000;

/** What a count was used for here, and the shared store does not know. */
interface Owed {
  readonly demand: Demand;
  readonly start: number;
  readonly amount: number;
}

/** Limits of these demands are what this replica may let through by itself. */
export function countingAlone(
  shared: QuotaStore,
  now: () => number = Date.now,
  elapsed: () => number = () => performance.now(),
): QuotaStore {
  const store = memoryStore(now, elapsed);
  const owed = new Map<string, Owed>();
  const unsettled = new WeakSet<Taking>();
  let timer: NodeJS.Timeout | undefined;

  function owe(demand: Demand, start: number, amount: number): void {
    if (demand.window.kind === 'none' || amount === 0) return;
    const name = `${demand.key}:${windowName(demand.window)}`;
    const known = owed.get(name);
    // Slices of a sliding window are told as one; of other windows, only the newest span still counts.
    const before = known && isOneWith(known, start) ? known.amount : 0;
    owed.set(name, { demand, start, amount: before + amount });
    const [oldest] = owed.keys();
    if (owed.size > mostKept && oldest !== undefined) owed.delete(oldest);
    tellSoon();
  }

  function tellSoon(): void {
    // It keeps no process alive that has nothing else to do; `close` tries once more.
    timer ??= setTimeout(() => void tell(), tellEveryMs).unref();
  }

  async function tell(): Promise<void> {
    timer = undefined;
    try {
      while (owed.size > 0) await tellSome([...owed].slice(0, toldAtOnce));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      tellSoon();
    }
  }

  const isOneWith = ({ demand, start }: Owed, other: number) => demand.window.kind === 'sliding' || start === other;

  /** As a call would: held first, which is free again if nobody heard of it, and settled, which counts once. */
  async function tellSome(some: readonly (readonly [string, Owed])[]): Promise<void> {
    const current = some.filter(
      ([, { amount, demand, start }]) => amount > 0 && spanAt(demand.window, start).end > now(),
    );
    const demands = current.map(([, { demand, amount }]): Demand => {
      const { key, was, window } = demand;
      return { key, was, window, amount, limit: Number.MAX_SAFE_INTEGER, holdMs: doubtMs };
    });
    // Asked first, because a store that is only slow would hold it again each time.
    if (demands.length > 0) await shared.read(demands.slice(0, 1));
    const takings = demands.length === 0 ? [] : await shared.take(demands);
    for (const [name, told] of some) {
      const known = owed.get(name);
      if (known === told) owed.delete(name);
      // More was used meanwhile.
      else if (known && isOneWith(told, known.start)) owed.set(name, { ...known, amount: known.amount - told.amount });
    }
    const settlements = demands.flatMap((demand, at) => {
      const taking = takings[at];
      return taking ? [{ demand, taking, spent: demand.amount }] : [];
    });
    if (settlements.length > 0) await shared.settle(settlements);
  }

  return {
    async take(demands) {
      const takings = await store.take(demands);
      if (takings.every(({ granted }) => granted))
        for (const [at, taking] of takings.entries()) {
          const demand = demands[at];
          if (taking.hold !== undefined) unsettled.add(taking);
          else if (demand) owe(demand, taking.start, demand.amount);
        }
      return takings;
    },

    async settle(settlements) {
      await store.settle(settlements);
      for (const { demand, taking, spent } of settlements)
        if (taking.hold === undefined) owe(demand, taking.start, spent - demand.amount);
        else if (unsettled.delete(taking)) owe(demand, taking.start, spent);
    },

    read: (counts) => store.read(counts),
    healthy: () => store.healthy(),

    async close() {
      if (owed.size > 0) await tell();
      clearTimeout(timer);
      await store.close();
    },
  };
}
