/** What a quota store promises: counts that are taken before work is done, and settled when it is known what it took. */

/** Over which time a limit counts. */
export type Window =
  /** Aligned to the Unix epoch. */
  | { readonly kind: 'fixed'; readonly ms: number }
  /** The last `ms`, moving in steps of a 60th of it: what was taken counts for `ms`, and up to one step longer. */
  | { readonly kind: 'sliding'; readonly ms: number }
  /** By the calendar of an IANA zone; a week begins on Monday. */
  | { readonly kind: 'calendar'; readonly unit: 'day' | 'week' | 'month' | 'year'; readonly zone: string }
  /** For what runs at the same time: only what is held counts. */
  | { readonly kind: 'none' };

/** Where a count lay before: under another key, in another window, or both. All that it holds in its own span then counts. */
export interface Former {
  readonly key: string;
  readonly window: Window;
}

/** Amounts and limits are whole numbers: requests, tokens, calls in flight, or money in nano-USD. */
export interface Demand {
  /** Name of the count. It holds neither limit nor window: an edited limit keeps the count, another window has its own. */
  readonly key: string;
  /** The count that it goes on from, once, where it has nothing of its own in the span. */
  readonly was?: Former | undefined;
  readonly limit: number;
  readonly window: Window;
  readonly amount: number;
  /** By so much all replicas together may exceed the limit. Stores that ask nobody are exact all the same. */
  readonly slack?: number;
  /** With it, the amount is held until it is settled, and freed by itself after this time: its process died. */
  readonly holdMs?: number;
}

/** A count, and how it is counted. */
export type Counted = Pick<Demand, 'key' | 'was' | 'limit' | 'window'>;

export interface Reading {
  /** Settled and held in the span. */
  readonly used: number;
  /** Of `used`, what is held: the end of a call may free it before the span ends. */
  readonly held: number;
  /** Until the span ends. Sliding: until enough is free for the amount, else until the oldest slice leaves. None: 0. */
  readonly resetMs: number;
}

export interface Taking extends Reading {
  /** Whether the amount fits. If one demand of several does not, nothing was taken for any, and `used` of none includes it. */
  readonly granted: boolean;
  /** The span it was taken from. */
  readonly start: number;
  /** Names what is held; undefined without `holdMs`, and when nothing was taken. */
  readonly hold?: string;
}

export interface Settlement {
  readonly demand: Demand;
  /** Of a `take` that was granted as a whole. */
  readonly taking: Taking;
  /** May be above what was taken; 0 gives all back. */
  readonly spent: number;
}

export interface QuotaStore {
  /** All or nothing, and atomic: two callers never share the last unit. Answers in the order of the demands. */
  take(demands: readonly Demand[]): Promise<readonly Taking[]>;
  /**
   * Writes what was really spent into the span it was taken from, never below zero. What was held is settled once,
   * however often this is said, also when the hold was freed meanwhile. Of a span that is over only the hold goes.
   * Rejects when the store is away; stores that can be (`open.ts`) are told of what was held again when they are back.
   */
  settle(settlements: readonly Settlement[]): Promise<void>;
  read(counts: readonly Counted[]): Promise<readonly Reading[]>;
  /** Counts of this process by itself, for while the store is away; undefined where it never is. */
  readonly alone?: QuotaStore;
  close(): Promise<void>;
}

/** The store could not answer in time. What happens then is each quota's own declaration. */
export class StoreUnavailable extends Error {
  /** It was never sent, or refused. Otherwise it may have been done, or be done later. */
  readonly isUndone: boolean;

  constructor(message: string, { isUndone = false, ...options }: ErrorOptions & { readonly isUndone?: boolean } = {}) {
    super(message, options);
    this.name = 'StoreUnavailable';
    this.isUndone = isUndone;
  }
}
