/** What a quota store promises: counts that are taken before work is done and given back when it was not. */

/** One window of one quota for one scope, for example `per-minute` for consumer `web`. */
export interface QuotaWindow {
  /** Stable identity of the count: survives edits of the limit, so an edited quota keeps its count. */
  readonly key: string;
  /** Most units that one window may hold. */
  readonly limit: number;
  /** Length of the window in milliseconds. Windows are fixed and aligned to the Unix epoch. */
  readonly windowMs: number;
}

export interface QuotaState {
  /** Units taken in the current window, this taking included when it was granted. */
  readonly used: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

export interface Taking extends QuotaState {
  /** False when `amount` did not fit: then nothing was taken. */
  readonly granted: boolean;
  /** The window the units were taken from; hand it to `giveBack`. */
  readonly windowStart: number;
}

export interface QuotaStore {
  /** Takes `amount` units if they fit. Atomic: two callers never share the last unit. */
  take(window: QuotaWindow, amount: number): Promise<Taking>;
  /** Returns units to the window they came from; nothing happens once that window has ended. Never below zero. */
  giveBack(window: QuotaWindow, windowStart: number, amount: number): Promise<void>;
  /** Milliseconds since the epoch by the store's own clock are its business; this only tells whether it can answer. */
  healthy(): boolean;
  close(): Promise<void>;
}

/** The store could not answer in time. What happens then is each quota's own declaration. */
export class StoreUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
  }
}
