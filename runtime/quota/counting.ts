/** How amounts are counted: one way for every store that can do several things in one indivisible step. */
import { randomUUID } from 'node:crypto';
import type { Counted, Demand, Former, Settlement, Taking, Window } from './store.ts';
import type { Span } from './calendar.ts';
import { reachOf, rhythmOf, spanAt, windowName } from './window.ts';

/** One count of one window. */
export interface CountName {
  readonly key: string;
  readonly window: string;
}

export interface Hold {
  readonly id: string;
  readonly amount: number;
  readonly holdMs: number;
}

/** What one span of a count holds. */
export interface Filled {
  readonly start: number;
  /** Settled and held. */
  readonly used: number;
  readonly held: number;
}

/** Where counts lie. Its methods are called within one indivisible step. */
export interface Shelf {
  /** The spans that begin between these two, both included, and are not empty; the oldest first. */
  filled(count: CountName, first: number, last: number): readonly Filled[];
  /** Adds to what is settled, or takes from it; never below zero. */
  add(count: CountName, span: Span, amount: number): void;
  hold(count: CountName, span: Span, hold: Hold): void;
  /** False when there is no such hold any more. One that was freed after its time is still there to be settled. */
  release(count: CountName, start: number, id: string): boolean;
}

const countOf = ({ key, window }: Former): CountName => ({ key, window: windowName(window) });

/** NaN passes every comparison with a limit and a negative amount raises it, so neither may reach a count. */
function requireWhole(what: string, amount: number, { key }: Pick<Demand, 'key'>): void {
  if (!(amount >= 0 && Number.isSafeInteger(amount)))
    throw new RangeError(`quota ${key}: ${what} is ${amount}; give a whole number of zero or more`);
}

/** Before anything is taken. Throws `RangeError`. */
export function checkDemands(demands: readonly Demand[]): void {
  for (const [position, demand] of demands.entries()) {
    const { key, limit, amount, window, holdMs } = demand;
    requireWhole('the amount', amount, demand);
    requireWhole('the limit', limit, demand);
    if (window.kind === 'fixed' || window.kind === 'sliding') rhythmOf(window);
    if (holdMs !== undefined) requireWhole('the time it is held', holdMs, demand);
    else if (window.kind === 'none' && amount > 0)
      throw new RangeError(`quota ${key}: without a window only what is held counts; say for how long`);
    for (let before = 0; before < position; before += 1) {
      const other = demands[before];
      if (other?.key === key && windowName(other.window) === windowName(window))
        throw new RangeError(`quota ${key}: is demanded twice; add the amounts up`);
    }
  }
}

export function checkSettlements(settlements: readonly Settlement[]): void {
  for (const { demand, spent } of settlements) requireWhole('what was spent', spent, demand);
}

/** Until enough has left of a sliding window, else until something leaves; of others, until the span ends. */
function untilReset(filled: readonly Filled[], { excess, amount, span, now, window }: Course): number {
  if (window.kind === 'none') return 0;
  if (window.kind !== 'sliding') return span.end - now;
  const lengthMs = span.end - span.start;
  let left = excess;
  for (const { start, used } of filled) {
    left -= used;
    if (left <= 0) return start + lengthMs - now;
  }
  // Nothing leaves, or not enough of it: what is taken now would leave last.
  return filled.length === 0 && amount === 0 ? 0 : span.end - now;
}

interface Course {
  /** By how much the limit would be exceeded. */
  readonly excess: number;
  readonly amount: number;
  readonly span: Span;
  readonly now: number;
  readonly window: Window;
}

function sumOf(filled: readonly Filled[], what: 'used' | 'held'): number {
  let sum = 0;
  for (const each of filled) sum += each[what];
  return sum;
}

/** What a count goes on from, and the mark that it did. */
interface Inheritance {
  readonly filled: readonly Filled[];
  /** In the span that the former count had: what it holds there is not taken over again in later spans of this one. */
  readonly mark?: { readonly count: CountName; readonly span: Span };
}

const noInheritance: Inheritance = { filled: [] };

interface Moment {
  readonly shelf: Shelf;
  /** Of the count that begins. */
  readonly span: Span;
  readonly now: number;
}

/** What is held there counts as used: its settlement goes to the former count. */
function inheritedBy({ key, window }: Demand, was: Former, { shelf, span, now }: Moment): Inheritance {
  const before = spanAt(was.window, now);
  const reach = reachOf(was.window);
  const filled = shelf.filled(countOf(was), before.start - reach, before.start + reach);
  if (filled.length === 0 || windowName(was.window) === windowName(window)) return { filled };
  const count = { key: `${key} after ${was.key}`, window: `${windowName(window)} after ${windowName(was.window)}` };
  if (shelf.filled(count, before.start - reach, before.start + reach).length > 0) return noInheritance;
  // When it was used nobody knows: all of it counts for as long as what is taken now.
  const [used, held] = [sumOf(filled, 'used'), sumOf(filled, 'held')];
  return { filled: [{ start: span.start, used, held }], mark: { count, span: before } };
}

function look(shelf: Shelf, demand: Demand, now: number) {
  const { window, limit, amount } = demand;
  const count = countOf(demand);
  const span = spanAt(window, now);
  const reach = reachOf(window);
  const own = shelf.filled(count, span.start - reach, span.start + reach);
  const isNew = own.length === 0 && demand.was !== undefined && window.kind !== 'none';
  const inherited = isNew ? inheritedBy(demand, demand.was, { shelf, span, now }) : noInheritance;
  const filled = isNew ? inherited.filled : own;
  const [used, held] = [sumOf(filled, 'used'), sumOf(filled, 'held')];
  const resetMs = untilReset(filled, { excess: used + amount - limit, amount, span, now, window });
  return { count, span, used, held, resetMs, inherited, fits: used + amount <= limit };
}

export function takeFrom(shelf: Shelf, demands: readonly Demand[], now: number): readonly Taking[] {
  const looked = demands.map((demand) => ({ demand, ...look(shelf, demand, now) }));
  const isTaken = looked.every(({ fits }) => fits);
  return looked.map(({ demand: { amount, holdMs, window }, count, span, used, held, resetMs, inherited, fits }) => {
    const taking = { granted: fits, used: isTaken ? used + amount : used, held, start: span.start, resetMs };
    if (!isTaken || (amount === 0 && holdMs === undefined)) return taking;
    for (const { start, used: before } of inherited.filled) shelf.add(count, spanAt(window, start), before);
    if (inherited.mark) shelf.add(inherited.mark.count, inherited.mark.span, 1);
    // What was held under the old name is settled there, and never leaves this one.
    const heldBefore = inherited.filled.length > 0 ? 0 : held;
    if (holdMs === undefined) {
      shelf.add(count, span, amount);
      return { ...taking, held: heldBefore };
    }
    const hold = { id: randomUUID(), amount, holdMs };
    shelf.hold(count, span, hold);
    return { ...taking, held: heldBefore + amount, hold: hold.id };
  });
}

export function settleOn(shelf: Shelf, settlements: readonly Settlement[], now: number): void {
  for (const { demand, taking, spent } of settlements) {
    const count = countOf(demand);
    const { start, hold } = taking;
    const change = hold === undefined ? spent - demand.amount : shelf.release(count, start, hold) ? spent : 0;
    const span = spanAt(demand.window, start);
    if (change !== 0 && demand.window.kind !== 'none' && now < span.end) shelf.add(count, span, change);
  }
}

/** A demand that takes nothing and always fits: what reading asks for. */
export function asReading(count: Counted): Demand {
  const { key, window, was } = count;
  return { key, was, window, limit: Number.MAX_SAFE_INTEGER, amount: 0 };
}
