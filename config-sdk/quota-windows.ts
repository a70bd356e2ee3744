/** How long the windows of quotas last, and how many of one kind another can touch: what rules and plans compare limits by. */
import { windowOf, type QuotaSnapshot } from '@headgate/runtime/snapshot';

const hour = 3_600_000;
const day = 24 * hour;

/** Shortest, usual and longest: clocks are changed by an hour, and months have 28 to 31 days. */
const lengths = {
  day: [23 * hour, day, 25 * hour],
  week: [7 * day - hour, 7 * day, 7 * day + hour],
  month: [28 * day - hour, (365.25 / 12) * day, 31 * day + hour],
  year: [365 * day, 365.25 * day, 366 * day],
} as const;

interface Length {
  readonly shortest: number;
  readonly usual: number;
  readonly longest: number;
}

/** Undefined for what is counted in flight. */
export function lengthOf(quota: QuotaSnapshot): Length | undefined {
  const window = windowOf(quota);
  if (window === undefined) return undefined;
  if (typeof window === 'object' && 'calendar' in window) {
    const [shortest, usual, longest] = lengths[window.calendar];
    return { shortest, usual, longest };
  }
  const ms = typeof window === 'number' ? window : window.sliding;
  return { shortest: ms, usual: ms, longest: ms };
}

/** Most windows of `inner` that one of `outer` can touch. Fixed windows begin at multiples of their length. */
export function mostTouched(inner: QuotaSnapshot, outer: QuotaSnapshot): number {
  const [short, long] = [windowOf(inner), windowOf(outer)];
  const [one, span] = [lengthOf(inner), lengthOf(outer)];
  if (!one || !span) return 1;
  if (typeof short === 'number' && typeof long === 'number') {
    if (short % long === 0) return 1;
    return long % short === 0 ? long / short : Math.ceil(long / short) + 1;
  }
  // Any stretch is covered by so many moving windows, wherever it begins.
  if (typeof short === 'object' && 'sliding' in short) return Math.ceil(span.longest / short.sliding);
  const same = JSON.stringify(short) === JSON.stringify(long);
  return same ? 1 : Math.ceil(span.longest / one.shortest) + 1;
}
