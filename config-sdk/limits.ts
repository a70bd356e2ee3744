/** Limits as a repository declares them: what is counted, how much of it, and over which time. */
import type { QuotaScope } from '@headgate/runtime/snapshot';
import type { Decimal, Duration, Model, Quota } from './handles.ts';
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

export interface Downgrade<To extends string = string> {
  /** Share of the limit, such as `0.8`: from it on, what is used and held included, calls go to the other model. */
  at: number;
  /**
   * Its targets, its context policy and its deadlines serve in place of those asked for. Prompt, policies and quotas of the model
   * that was asked for stay, and those of this one come on top. A call that it cannot answer goes where it was meant to go.
   */
  to: Model<To>;
}

/** What a quota was that counted in another window. */
export interface FormerQuota {
  /** The name that it had. Default: the one that it has. */
  name?: string;
  /**
   * The window that it had. All that was used since that one last began counts as if it were used with the first request that comes
   * now: in a shorter window that is more than was used in it. What was used before is not in it, also where the new window, being
   * longer or of another zone, began earlier.
   */
  window: Duration | SlidingWindow | CalendarWindow;
}

export interface QuotaSpec {
  /**
   * Whose count it is: each consumer's own (default), one for the whole `'gateway'`, or one for each of what is named here; of
   * several, such as `['consumer', 'model']`, each combination has its own. An `'endUser'` is whom the body names
   * (`safety_identifier` or `user`, Anthropic's `metadata.user_id`); all requests that name none count as one user. An
   * `'address'` is that of the connection, or what proxies say that the process trusts; of IPv6 its /64. A `'provider'` is
   * counted by what is sent to it, and its targets are passed over when there is no room. Tags are those of consumer, model and route, each with its own count; all
   * requests without one count together. A `'key'` is that of the request, or the subject of its token; who has no `'team'` or
   * `'organisation'` counts alone. Without a scope, a quota that only teams or only organisations list counts for each of those. What has no model, provider or route does not draw from a quota by it.
   */
  scope?: 'gateway' | QuotaScope | readonly [QuotaScope, ...QuotaScope[]];
  /** The header that names the end user, in lower case, in place of the body: for scope `'endUser'`. */
  endUserHeader?: string;
  /** Beyond a share of the limit, calls go to a cheaper model. Default: they go where they were meant to go. */
  downgrade?: Downgrade;
  /**
   * Share of the limit, such as `0.01`, by which all replicas together may exceed it: for that, each takes batches from Redis and
   * answers out of its own memory. Only windows of one length and those of the calendar. Default: none may exceed it by anything.
   */
  slack?: number;
  /**
   * The name that this quota had, or that of the one it was split off: it goes on from what that one has counted. Where its window
   * was another (length, sort or time zone), the window that it had, with the name where that was another too. To be left out once
   * a window has passed. A count in another unit, or of others (`scope`), cannot go on.
   */
  was?: string | FormerQuota;
  /** Share of the limit, such as `0.8`, from which on answers carry the header `headgate-quota-warning`. Default: none do. */
  warnAt?: number;
  /** `'soft'` counts and warns and refuses nothing, also when the store does not answer. Default `'hard'`. */
  mode?: 'hard' | 'soft';
  /**
   * When the store does not answer: refuse with 503 (`'closed'`, default), serve uncounted (`'open'`), or let each replica count by
   * itself (`'local'`) up to the whole limit; with `{ local: { replicas: 4 } }` each of four up to a quarter of it.
   */
  onStoreDown?: 'closed' | 'open' | 'local' | { local: { replicas: number } };
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
  /** As above, and without effect on what is in flight. There is no window that it can have had. */
  was?: string;
}

/** A limit. It is one count: attached in two places, both draw from it. Its name keeps the count when the limit is edited. */
export function quota<const Unit extends QuotaUnit, const To extends string = never>(
  id: string,
  spec: { unit: Unit; downgrade?: Downgrade<To> } & (CountQuota | MoneyQuota | ConcurrencyQuota),
): Quota<Unit, To> {
  return declare(quota, id, spec, { kind: 'quota', id });
}
