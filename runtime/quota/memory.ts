/** Quota counts of a single process: exact, gone on restart. */
import type { Span } from './calendar.ts';
import {
  asReading,
  checkDemands,
  checkSettlements,
  settleOn,
  takeFrom,
  type CountName,
  type Filled,
  type Hold,
  type Shelf,
} from './counting.ts';
import { StoreUnavailable, type QuotaStore } from './store.ts';
import { forgottenAt } from './window.ts';

/** The part of a count that lies in one span. */
interface Cell {
  used: number;
  held: number;
  readonly holds: Map<string, { amount: number; readonly expiresAt: number }>;
  /** No hold expires before. */
  earliest: number;
}

/** What lies in all spans of one window that began together, and is forgotten together. */
interface Epoch {
  readonly start: number;
  /** On the clock that nobody sets. */
  readonly forgetAt: number;
  readonly cells: Map<string, Cell>;
}

class MemoryShelf implements Shelf {
  /** By window, the oldest span first as a rule; a clock that was set back makes exceptions. */
  readonly #epochs = new Map<string, Epoch[]>();
  readonly #now: () => number;
  readonly #elapsed: () => number;

  constructor(now: () => number, elapsed: () => number) {
    this.#now = now;
    this.#elapsed = elapsed;
  }

  filled({ key, window }: CountName, first: number, last: number): readonly Filled[] {
    const found: Filled[] = [];
    for (const { start, cells, forgetAt } of this.#epochs.get(window) ?? []) {
      const cell = start >= first && start <= last ? cells.get(key) : undefined;
      if (!cell) continue;
      this.#expire(cell, Number.isFinite(forgetAt));
      if (cell.used + cell.held > 0) found.push({ start, used: cell.used + cell.held, held: cell.held });
    }
    return found.length < 2 ? found : found.toSorted((one, other) => one.start - other.start);
  }

  add(count: CountName, span: Span, amount: number): void {
    const cell = this.#cell(count, span);
    cell.used = Math.max(0, cell.used + amount);
  }

  hold(count: CountName, span: Span, { id, amount, holdMs }: Hold): void {
    const cell = this.#cell(count, span);
    const expiresAt = this.#elapsed() + holdMs;
    cell.holds.set(id, { amount, expiresAt });
    cell.held += amount;
    cell.earliest = Math.min(cell.earliest, expiresAt);
  }

  release({ key, window }: CountName, start: number, id: string): boolean {
    const epoch = this.#epochs.get(window)?.find((each) => each.start === start);
    const cell = epoch?.cells.get(key);
    const hold = cell?.holds.get(id);
    if (!epoch || !cell || !hold) return false;
    cell.holds.delete(id);
    cell.held -= hold.amount;
    if (cell.used === 0 && cell.holds.size === 0) epoch.cells.delete(key);
    return true;
  }

  clear(): void {
    this.#epochs.clear();
  }

  /** Frees what was held for too long. Where spans end the hold stays, without an amount, for a late settlement. */
  #expire(cell: Cell, isKept: boolean): void {
    const at = this.#elapsed();
    if (at < cell.earliest) return;
    cell.earliest = Number.POSITIVE_INFINITY;
    for (const [id, hold] of cell.holds) {
      if (hold.expiresAt > at) cell.earliest = Math.min(cell.earliest, hold.expiresAt);
      else {
        cell.held -= hold.amount;
        hold.amount = 0;
        if (!isKept) cell.holds.delete(id);
      }
    }
  }

  #cell({ key, window }: CountName, span: Span): Cell {
    const epochs = this.#epochs.get(window) ?? [];
    const epoch = epochs.find(({ start }) => start === span.start) ?? this.#begin(window, span);
    const known = epoch.cells.get(key);
    if (known) return known;
    const cell = { used: 0, held: 0, holds: new Map(), earliest: Number.POSITIVE_INFINITY };
    epoch.cells.set(key, cell);
    return cell;
  }

  // Swept only when a new epoch begins: no timer to leak, and no more than a few epochs of each window are ever held.
  #begin(window: string, span: Span): Epoch {
    const at = this.#elapsed();
    for (const [name, epochs] of this.#epochs) {
      const kept = epochs.filter(({ forgetAt }) => forgetAt > at);
      if (kept.length === 0) this.#epochs.delete(name);
      else this.#epochs.set(name, kept);
    }
    const epoch = { start: span.start, forgetAt: at + forgottenAt(span) - this.#now(), cells: new Map() };
    this.#epochs.set(window, [...(this.#epochs.get(window) ?? []), epoch]);
    return epoch;
  }
}

/**
 * `now` names spans, as it does for people. `elapsed` is a clock that nobody sets, and decides what is old: a wall
 * clock that jumps ahead and comes back finds the counts it left.
 */
export function memoryStore(now: () => number = Date.now, elapsed: () => number = () => performance.now()): QuotaStore {
  const shelf = new MemoryShelf(now, elapsed);
  let open = true;

  function requireOpen(): void {
    if (!open) throw new StoreUnavailable('the in-memory quota store is closed');
  }

  return {
    async take(demands) {
      requireOpen();
      checkDemands(demands);
      return takeFrom(shelf, demands, now());
    },

    async settle(settlements) {
      requireOpen();
      checkSettlements(settlements);
      settleOn(shelf, settlements, now());
    },

    async read(counts) {
      requireOpen();
      const demands = counts.map(asReading);
      checkDemands(demands);
      return takeFrom(shelf, demands, now());
    },

    async close() {
      open = false;
      shelf.clear();
    },
  };
}
