/**
 * Where a quota allows slack, a replica takes batches from the store and answers out of its own memory. What lies in batches is
 * counted by the store as used, and the store grants up to the slack above the limit: all together never use more than that.
 */
import { StoreUnavailable, type Demand, type QuotaStore, type Settlement, type Taking } from './store.ts';
import { windowName } from './window.ts';

/** A batch is such a part of the slack. As long as no more replicas hold one, nobody is refused who has room. */
export const batchesInSlack = 16;
/** Where not even a batch is left, each amount is asked for on its own, for so long. */
const tightMs = 1_000;

/** What this replica may still give out of one count in one span. */
interface Batch {
  readonly demand: Demand;
  readonly start: number;
  /** On the clock that nobody sets. */
  readonly until: number;
  /** Below zero where calls took more than they held. */
  free: number;
  /** As the store told, with all of the batch. */
  used: number;
}

interface Count {
  batch?: Batch;
  asking?: Promise<void>;
  tightUntil: number;
}

interface Given {
  readonly batch: Batch;
  readonly taking: Taking;
}

/** What is in flight has no span for a batch to lie in, and out of a sliding window a batch would leave too soon. */
const batchOf = ({ slack = 0, window }: Demand): number =>
  window.kind === 'fixed' || window.kind === 'calendar' ? Math.floor(slack / batchesInSlack) : 0;

const withSlack = (demand: Demand): Demand => ({
  ...demand,
  limit: Math.min(Number.MAX_SAFE_INTEGER, demand.limit + (demand.slack ?? 0)),
});

const nameOf = ({ key, window }: Pick<Demand, 'key' | 'window'>): string => `${key}:${windowName(window)}`;

class Leases {
  readonly #store: QuotaStore;
  readonly #now: () => number;
  readonly #counts = new Map<string, Count>();
  /** By what was given; without a batch once that was settled. */
  readonly #given = new WeakMap<Taking, Batch | undefined>();
  #sweepAt = 0;

  constructor(store: QuotaStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  #count(demand: Demand): Count {
    const name = nameOf(demand);
    const known = this.#counts.get(name);
    if (known) return known;
    const count = { tightUntil: 0 };
    this.#counts.set(name, count);
    return count;
  }

  /** Of counts by end user there may be very many. */
  #sweep(): void {
    const now = this.#now();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + 60_000;
    for (const [name, { batch, asking, tightUntil }] of this.#counts)
      if (!asking && tightUntil <= now && (!batch || batch.until <= now)) this.#counts.delete(name);
  }

  #live({ batch }: Count): Batch | undefined {
    return batch && batch.until > this.#now() ? batch : undefined;
  }

  /** Undefined: the store must be asked for this very amount. */
  async draw(demand: Demand): Promise<Given | undefined> {
    const most = batchOf(demand);
    if (most < 2 || demand.amount > most) return undefined;
    this.#sweep();
    const count = this.#count(demand);
    for (;;) {
      const batch = this.#live(count);
      if (batch && batch.free >= demand.amount) return this.#give(batch, demand);
      if (this.#now() < count.tightUntil) return undefined;
      // One of all who wait asks for all of them.
      count.asking ??= this.#replenish(count, demand, most).finally(() => delete count.asking);
      await count.asking;
    }
  }

  async #replenish(count: Count, demand: Demand, most: number): Promise<void> {
    const before = this.#live(count);
    const owed = Math.max(0, -(before?.free ?? 0));
    const { holdMs: _, ...rest } = withSlack(demand);
    const asked = { ...rest, amount: most + owed };
    const askedAt = this.#now();
    const [taking] = await this.#store.take([asked]);
    if (!taking?.granted) {
      count.tightUntil = this.#now() + tightMs;
      return;
    }
    const { start, used, resetMs } = taking;
    if (before && before.start === start) {
      before.free += asked.amount;
      before.used = used;
    } else count.batch = { demand, start, until: askedAt + resetMs, free: asked.amount, used };
  }

  #give(batch: Batch, { amount }: Demand): Given {
    batch.free -= amount;
    const used = Math.max(0, batch.used - batch.free);
    const taking = { granted: true, used, start: batch.start, resetMs: Math.ceil(batch.until - this.#now()) };
    this.#given.set(taking, batch);
    return { batch, taking };
  }

  /** Undone, because another quota refused: what it would have been. */
  giveBack({ batch, taking }: Given, { amount }: Demand): Taking {
    this.#given.delete(taking);
    batch.free += amount;
    return { ...taking, used: Math.max(0, taking.used - amount) };
  }

  /** False for what the store itself gave. Counts once. */
  settle({ demand, taking, spent }: Settlement): boolean {
    if (!this.#given.has(taking)) return false;
    const batch = this.#given.get(taking);
    if (batch) batch.free += demand.amount - spent;
    this.#given.set(taking, undefined);
    return true;
  }

  /** What the store counts as used and lies here unused. */
  unused(count: Pick<Demand, 'key' | 'window'>): number {
    const known = this.#counts.get(nameOf(count));
    return known ? (this.#live(known)?.free ?? 0) : 0;
  }

  async returnAll(): Promise<void> {
    const settlements = [...this.#counts.values()].flatMap((count): Settlement[] => {
      const batch = this.#live(count);
      if (!batch || batch.free === 0) return [];
      const { demand, start, free, used } = batch;
      const { holdMs: _, ...rest } = demand;
      batch.free = 0;
      const taking = { granted: true, used, start, resetMs: 0 };
      return [{ demand: { ...rest, amount: Math.max(0, free) }, taking, spent: Math.max(0, -free) }];
    });
    if (settlements.length > 0) await this.#store.settle(settlements);
  }
}

export function leasing(store: QuotaStore, now: () => number = () => performance.now()): QuotaStore {
  const leases = new Leases(store, now);

  /** The demands that no batch could serve, as one; nothing where it refuses any of them. */
  async function takeRest(demands: readonly Demand[], given: readonly (Given | undefined)[]) {
    const rest = demands.filter((_, index) => !given[index]).map(withSlack);
    const answers = rest.length === 0 ? [] : await store.take(rest);
    const isTaken = answers.every(({ granted }) => granted);
    let next = 0;
    return demands.map((demand, index): Taking => {
      const own = given[index];
      if (own) return isTaken ? own.taking : leases.giveBack(own, demand);
      const answer = answers[next++];
      if (!answer) throw new TypeError('a store answers every demand');
      return answer;
    });
  }

  return {
    async take(demands) {
      if (!demands.some((demand) => batchOf(demand) > 0)) return store.take(demands.map(withSlack));
      const given: (Given | undefined)[] = [];
      try {
        for (const demand of demands) given.push(await leases.draw(demand));
        return await takeRest(demands, given);
      } catch (error) {
        for (const [index, own] of given.entries()) if (own && demands[index]) leases.giveBack(own, demands[index]);
        throw error;
      }
    },

    async settle(settlements) {
      const rest = settlements.filter((each) => !leases.settle(each));
      if (rest.length > 0) await store.settle(rest);
    },

    async read(counts) {
      const readings = await store.read(counts);
      return readings.map((reading, index) => {
        const count = counts[index];
        return { ...reading, used: Math.max(0, reading.used - (count ? leases.unused(count) : 0)) };
      });
    },

    async close() {
      try {
        await leases.returnAll();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
      }
      await store.close();
    },
  };
}
