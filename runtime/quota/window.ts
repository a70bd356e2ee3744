/** Arithmetic that every quota store shares: which window it is now, and which amounts make sense. */
import type { QuotaWindow } from './store.ts';

/**
 * A window is remembered for this many of its own lengths after it began. One would do on a perfect clock; the second
 * keeps the count when a clock is set back across a boundary.
 */
export const lengthsRemembered = 2;

export function windowStartAt(window: QuotaWindow, now: number): number {
  if (!(window.windowMs >= 1 && Number.isSafeInteger(window.windowMs))) {
    throw new RangeError(`quota ${window.key}: windowMs is ${window.windowMs}; give a whole number of milliseconds`);
  }
  if (!Number.isFinite(window.limit)) throw new RangeError(`quota ${window.key}: the limit is not a finite number`);
  const whole = Math.floor(now);
  return whole - (whole % window.windowMs);
}

/** NaN passes every comparison with a limit and a negative amount raises it, so neither may reach a store. */
export function checkAmount(window: QuotaWindow, amount: number): void {
  if (!(amount >= 0 && Number.isFinite(amount))) {
    throw new RangeError(`quota ${window.key}: cannot count ${amount} units; give a finite number of zero or more`);
  }
}
