/** The batches of one replica: what lies in them, what calls hold of it, and when more is asked for. */
import { randomUUID } from 'node:crypto';
import type { Demand, QuotaStore, Reading, Settlement, Taking } from './store.ts';
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
  /** As the store told, which knows of no call that draws from a batch. */
  heldThere: number;
  /** By calls that draw from this batch. */
  held: number;
}

/** What one call holds of a batch. */
interface Part {
  readonly batch: Batch;
  /** On the clock that nobody sets: who held it has died by then. */
  readonly until: number;
  /** Nothing after that time; it may still be settled. */
  amount: number;
}

interface Count {
  batch?: Batch;
  asking?: Promise<void>;
  tightUntil: number;
}

export interface Given {
  readonly batch: Batch;
  readonly taking: Taking;
}

/** What is in flight has no span for a batch to lie in, and out of a sliding window a batch would leave too soon. */
export const batchOf = ({ slack = 0, window }: Demand): number =>
  window.kind === 'fixed' || window.kind === 'calendar' ? Math.floor(slack / batchesInSlack) : 0;

export const withSlack = (demand: Demand): Demand => ({
  ...demand,
  limit: Math.min(Number.MAX_SAFE_INTEGER, demand.limit + (demand.slack ?? 0)),
});

const nameOf = ({ key, window }: Pick<Demand, 'key' | 'window'>): string => `${key}:${windowName(window)}`;

export class Leases {
  readonly #store: QuotaStore;
  readonly #now: () => number;
  readonly #counts = new Map<string, Count>();
  /** By name, because a settlement may come from another process. */
  readonly #held = new Map<string, Part>();
  /** By what was given and not held; without a batch once that was settled. */
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
    for (const [hold, part] of this.#held)
      if (part.batch.until <= now) this.#held.delete(hold);
      else if (part.until <= now) this.#pay(part, 0);
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
    const { start, used, held, resetMs } = taking;
    if (before && before.start === start) {
      before.free += asked.amount;
      before.used = used;
      before.heldThere = held;
    } else {
      const until = askedAt + resetMs;
      count.batch = { demand, start, until, free: asked.amount, used, heldThere: held, held: 0 };
    }
  }

  #give(batch: Batch, { amount, holdMs }: Demand): Given {
    const now = this.#now();
    const hold = holdMs === undefined ? undefined : randomUUID();
    batch.free -= amount;
    if (hold !== undefined && holdMs !== undefined) {
      batch.held += amount;
      this.#held.set(hold, { batch, until: now + holdMs, amount });
    }
    const used = Math.max(0, batch.used - batch.free);
    const held = Math.min(used, batch.heldThere + batch.held);
    const counted = { granted: true, used, held, start: batch.start, resetMs: Math.ceil(batch.until - now) };
    const taking = { ...counted, ...(hold !== undefined && { hold }) };
    if (hold === undefined) this.#given.set(taking, batch);
    return { batch, taking };
  }

  /** Undone, because another quota refused: what it would have been. */
  giveBack({ batch, taking }: Given, { amount }: Demand): Taking {
    const { hold, ...undone } = taking;
    const part = hold === undefined ? undefined : this.#held.get(hold);
    if (hold === undefined) batch.free += amount;
    else if (part) this.#pay(part, 0);
    this.#held.delete(hold ?? '');
    this.#given.delete(taking);
    const held = undone.held - (hold === undefined ? 0 : amount);
    return { ...undone, used: Math.max(0, undone.used - amount), held: Math.max(0, held) };
  }

  /** Of what was freed after its time, what was spent is counted all the same. */
  #pay(part: Part, spent: number): void {
    part.batch.free += part.amount - spent;
    part.batch.held -= part.amount;
    part.amount = 0;
  }

  /** False for what the store itself gave. Counts once. */
  settle({ demand, taking, spent }: Settlement): boolean {
    const part = this.#held.get(taking.hold ?? '');
    if (part) {
      this.#pay(part, spent);
      return this.#held.delete(taking.hold ?? '');
    }
    if (!this.#given.has(taking)) return false;
    const batch = this.#given.get(taking);
    if (batch) batch.free += demand.amount - spent;
    this.#given.set(taking, undefined);
    return true;
  }

  /** With what the store does not know: that some of what it counts as used lies here, and some is held here. */
  known<Known extends Reading>(reading: Known, count: Pick<Demand, 'key' | 'window'>): Known {
    const known = this.#counts.get(nameOf(count));
    const batch = known && this.#live(known);
    if (!batch) return reading;
    const used = Math.max(0, reading.used - batch.free);
    return { ...reading, used, held: Math.min(used, reading.held + batch.held) };
  }

  async returnAll(): Promise<void> {
    const settlements = [...this.#counts.values()].flatMap((count): Settlement[] => {
      const batch = this.#live(count);
      if (!batch || batch.free === 0) return [];
      const { demand, start, free, used } = batch;
      const { holdMs: _, ...rest } = demand;
      batch.free = 0;
      const taking = { granted: true, used, held: 0, start, resetMs: 0 };
      return [{ demand: { ...rest, amount: Math.max(0, free) }, taking, spent: Math.max(0, -free) }];
    });
    if (settlements.length > 0) await this.#store.settle(settlements);
  }
}
