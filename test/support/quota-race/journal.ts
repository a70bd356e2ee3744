/** What processes that share quotas write down while they race, so that it is there when they are killed. */
import type { Window } from '../../../runtime/quota/store.ts';

/** A quota that all calls draw on. */
export interface RaceLimit {
  readonly key: string;
  readonly limit: number;
  readonly window: Window;
  /** By so much all processes together may exceed it, so that each takes batches. */
  readonly slack?: number;
  /** A call asks for up to this, and spends no more than it asked for. */
  readonly most: number;
  /** Nothing is held: what a call takes it spends. */
  readonly isCounted?: true;
}

export interface CallerOptions {
  readonly store: string;
  readonly journal: string;
  readonly limits: readonly RaceLimit[];
  /** Calls at the same time. */
  readonly callers: number;
  readonly holdMs: number;
  /** A call lasts up to this. */
  readonly callMs: number;
}

/** Lists go by the index of the limit. `at` is in milliseconds, by the clock that all processes of a machine share. */
export type Line =
  | { readonly is: 'asked'; readonly call: string; readonly at: number; readonly amounts: readonly number[] }
  | { readonly is: 'took'; readonly call: string; readonly at: number; readonly starts: readonly number[] }
  | {
      readonly is: 'refused';
      readonly call: string;
      readonly at: number;
      readonly starts: readonly number[];
      readonly granted: readonly boolean[];
    }
  /** No answer came; unless it is known to be undone, whether anything was taken nobody knows. */
  | { readonly is: 'lost'; readonly call: string; readonly at: number; readonly isUndone: boolean }
  | { readonly is: 'spent'; readonly call: string; readonly at: number; readonly amounts: readonly number[] }
  /** About to be settled, and settled. */
  | { readonly is: 'settling'; readonly call: string; readonly at: number }
  | { readonly is: 'settled'; readonly call: string; readonly at: number }
  /** All calls of a process, whose id stands before the names of its calls: what was lost is given back. */
  | { readonly is: 'ended'; readonly call: string; readonly at: number };

export const machineTime = (): number => Number(process.hrtime.bigint()) / 1e6;
