/** Limits as a repository declares them: what is counted, how much of it, and over which time. */
import type { Decimal, Duration, Quota } from './handles.ts';
import { declare } from './site.ts';
import type { QuotaUnit } from './fitting.ts';

/** The last so much time, which moves on in steps of a sixtieth of it. */
export interface SlidingWindow {
  sliding: Duration;
}

/** From the beginning of a day, a week (Monday), a month or a year to its end, whatever their length. */
export interface CalendarWindow {
  calendar: 'day' | 'week' | 'month' | 'year';
  /** Where days begin: an IANA name such as `'Europe/Berlin'`. Default `'UTC'`. */
  zone?: string;
}

export interface QuotaSpec {
  /**
   * Whose count it is: each consumer's own, one for the whole gateway, or one for each key, team or organisation. Who belongs to
   * no team or organisation counts alone. Default: `'team'` or `'organisation'` where only such list it, else `'consumer'`.
   */
  scope?: 'consumer' | 'gateway' | 'key' | 'team' | 'organisation';
  /** Share of the limit, such as `0.8`, from which on answers carry the header `headgate-quota-warning`. Default: none do. */
  warnAt?: number;
  /** `'soft'` counts and warns and refuses nothing, also when the store does not answer. Default `'hard'`. */
  mode?: 'hard' | 'soft';
  /** When the store does not answer: refuse with 503 (`'closed'`, default), or serve uncounted (`'open'`). */
  onStoreDown?: 'closed' | 'open';
}

export interface CountQuota extends QuotaSpec {
  /**
   * Requests count when they come. Tokens are those of models, `'tokens'` both sorts together: the most that a call can take is
   * held before it is sent on, and what it took is counted when it has ended.
   */
  unit: 'requests' | 'inputTokens' | 'outputTokens' | 'tokens';
  /** Most units per window. */
  limit: number;
  /**
   * `'1h'`: windows of that length, aligned to the clock (UTC), so that it begins anew on the hour. `{ sliding: '1h' }`: the last
   * hour. `{ calendar: 'month', zone: 'Europe/Berlin' }`: each month there.
   */
  window: Duration | SlidingWindow | CalendarWindow;
}

export interface MoneyQuota extends QuotaSpec {
  /** What tokens cost, in US dollars, held and counted as tokens are. Every target needs a price. */
  unit: 'usd';
  /** Most dollars per window, as a text such as `'250.00'`. */
  limit: Decimal;
  /** As above. */
  window: Duration | SlidingWindow | CalendarWindow;
}

export interface ConcurrencyQuota extends QuotaSpec {
  /** Requests that are being answered. What has ended counts no more, so that there is no window. */
  unit: 'concurrency';
  /** Most at once. */
  limit: number;
}

/** A limit. It is one count: attached in two places, both draw from it. Its name keeps the count when the limit is edited. */
export function quota<const Unit extends QuotaUnit>(
  id: string,
  spec: { unit: Unit } & (CountQuota | MoneyQuota | ConcurrencyQuota),
): Quota<Unit> {
  return declare(quota, id, spec, { kind: 'quota', id });
}
