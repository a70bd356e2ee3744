/** Takes from every quota that applies before anything is spent: all of them, or none. */
import { HeadgateError } from '../errors.ts';
import type { AskedOf, Lease, Reserved } from '../exchange.ts';
import type { LiveQuota } from '../generation/live.ts';
import type { Drawn } from '../outcome.ts';
import { StoreUnavailable, type QuotaStore, type Taking } from '../quota/store.ts';
import { isSpentByModels } from '../quota-terms.ts';
import { amountOf, type Estimate } from './estimate.ts';
import { warns, writeQuotaHeaders, writeWarnings } from './quota-headers.ts';
import { neverFits, usedUp, usedUpAlone } from './refusal-of-quota.ts';
import { sharesOf, type Drawing } from './shares.ts';

type Taken = Lease['takings'][number];

/** What a request may take, and for how long at most. */
export interface Reach {
  readonly quotas: readonly LiveQuota[];
  /** Undefined for what spends neither tokens nor money. Asked only where a quota counts those; of one provider's targets, or of all. */
  readonly estimate?: (provider?: string) => Estimate;
  /** It has ended by then, or its process has. */
  readonly longestMs: number;
}

/** After a deadline there is still an answer to be written. */
const graceMs = 60_000;

/** Answers of routes have no deadline: a place that a dead process held is free again after this time. */
export const longestRouteMs = 3_600_000;

/** What refuses nothing is never above its limit, whatever is asked for. */
const endless = Number.MAX_SAFE_INTEGER;
const mostOverSoft = 10;

/** In the unit of the quota; undefined where nothing of that unit is spent. */
function amountAsked({ unit }: LiveQuota, provider: string | undefined, { estimate }: Reach): number | undefined {
  if (!isSpentByModels(unit)) return 1;
  const most = estimate?.(provider);
  return most && amountOf(unit, most);
}

function demands(reach: Reach, drawing: Drawing): readonly AskedOf[] {
  const known = new Map<string | undefined, Estimate | undefined>();
  const estimate = (provider?: string): Estimate => {
    const most = known.get(provider) ?? reach.estimate?.(provider);
    if (!most) throw new TypeError('what spends nothing is not estimated');
    known.set(provider, most);
    return most;
  };
  const asking = reach.estimate ? { ...reach, estimate } : reach;
  // One quota reached by two ways (its consumer and its model) is drawn from once.
  const applying = new Map<string, Pick<AskedOf, 'quota' | 'share'>>();
  for (const quotas of [drawing.consumer.quotas, reach.quotas])
    for (const quota of quotas) for (const share of sharesOf(quota, drawing)) applying.set(share.key, { quota, share });
  return [...applying.values()].flatMap(({ quota, share }): AskedOf[] => {
    const { unit, limit, window, mode, slack } = quota;
    const amount = amountAsked(quota, share.provider, asking);
    if (amount === undefined) return [];
    const asked =
      mode === 'soft' ? { limit: endless, amount: Math.min(amount, mostOverSoft * limit) } : { limit, amount };
    // Of what is counted by provider nobody knows yet which one it will be.
    const isHeld = unit !== 'requests' || share.provider !== undefined;
    const holdMs = isHeld ? { holdMs: reach.longestMs + graceMs } : {};
    return [{ quota, share, demand: { key: share.key, was: share.was, window, slack, ...asked, ...holdMs } }];
  });
}

/** Takes everything or nothing. With the store down there are no takings, and a reason. */
async function take(
  store: QuotaStore,
  asked: readonly AskedOf[],
): Promise<{ readonly takings: readonly Taken[]; readonly down?: StoreUnavailable }> {
  if (asked.length === 0) return { takings: [] };
  try {
    const takings = await store.take(asked.map(({ demand }) => demand));
    return { takings: asked.flatMap((one, index) => ({ ...one, taking: takingAt(takings, index) })) };
  } catch (error) {
    if (error instanceof StoreUnavailable) return { takings: [], down: error };
    throw error;
  }
}

/** While the store is away. */
const isClosed = ({ onStoreDown }: LiveQuota, { alone }: QuotaStore): boolean =>
  onStoreDown === 'closed' || (onStoreDown === 'local' && alone === undefined);

/** While the store is away: from the quotas whose replicas count by themselves. */
async function takeAlone(store: QuotaStore, asked: readonly AskedOf[]): Promise<readonly Taken[]> {
  const counted = asked
    .filter(({ quota }) => quota.onStoreDown === 'local')
    .map((one) => {
      const limit = one.quota.mode === 'soft' ? one.demand.limit : one.quota.localLimit;
      return { ...one, isAlone: true as const, demand: { ...one.demand, limit } };
    });
  if (!store.alone || counted.length === 0) return [];
  const takings = await store.alone.take(counted.map(({ demand }) => demand));
  return counted.map((one, index) => ({ ...one, taking: takingAt(takings, index) }));
}

function takingAt(takings: readonly Taking[], index: number): Taking {
  const taking = takings[index];
  if (!taking) throw new Error('a store answered fewer demands than it was asked');
  return taking;
}

const whose = ({ quota: { scope }, share }: AskedOf, { consumer }: Drawing): string => {
  if (scope.length === 0) return 'all consumers';
  return scope.length === 1 && scope[0] === 'consumer' ? consumer.name : share.words;
};

const drawn = (one: AskedOf, taken: Taken | undefined, drawing: Drawing): Drawn => ({
  quota: one.quota.name,
  unit: one.quota.unit,
  whose: whose(one, drawing),
  limit: taken?.isAlone ? taken.demand.limit : one.quota.limit,
  window: one.quota.window,
  amount: one.demand.amount,
  used: taken?.taking.used,
  resetMs: taken?.taking.resetMs,
  granted: taken?.taking.granted ?? false,
  soft: one.quota.mode === 'soft',
  downgrade: one.quota.downgrade,
  warns: taken !== undefined && warns(taken),
});

function refused(exchange: Drawing, { name }: LiveQuota, why: HeadgateError): HeadgateError {
  exchange.house.metrics.quotaRefusals.inc({ quota: name, consumer: exchange.consumer.name });
  return why;
}

function warn(exchange: Drawing, takings: readonly Taken[]): void {
  const warned = takings.filter(warns);
  writeWarnings(exchange, warned);
  for (const { quota } of warned)
    exchange.house.metrics.quotaWarnings.inc({ quota: quota.name, consumer: exchange.consumer.name });
}

/** Where one provider has no room, its targets are passed over; false where no others are left. */
function passOver(exchange: Drawing, { share: { provider }, quota }: AskedOf): boolean {
  const { targets = [], outcome } = exchange;
  const left = targets.filter((target) => target.provider.name !== provider);
  if (provider === undefined || left.length === 0 || left.length === targets.length) return false;
  for (const target of targets)
    if (target.provider.name === provider) outcome.crowded.push({ target: target.label, quota: quota.name });
  outcome.order.splice(0, outcome.order.length, ...left.map(({ label }) => label));
  Object.assign(exchange, { targets: left });
  return true;
}

/** What refuses for all targets before what refuses for some. */
const firstOf = <Each extends AskedOf>(refusing: readonly Each[]): Each | undefined =>
  refusing.find(({ share }) => share.provider === undefined) ?? refusing[0];

export async function reserve<E extends Drawing>(exchange: E, reach: Reach): Promise<Reserved<E>> {
  const { house, outcome } = exchange;
  const asked = demands(reach, exchange);
  const tooLarge = firstOf(asked.filter(({ demand }) => demand.amount > demand.limit));
  if (tooLarge) {
    if (passOver(exchange, tooLarge)) return reserve(exchange, reach);
    outcome.drawn = [drawn(tooLarge, undefined, exchange)];
    throw refused(exchange, tooLarge.quota, neverFits(tooLarge, exchange));
  }
  const { takings: shared, down } = await take(house.quotas, asked);
  const closed = down && asked.find(({ quota }) => quota.mode === 'hard' && isClosed(quota, house.quotas));
  const takings = down && !closed ? await takeAlone(house.quotas, asked) : shared;
  const full = firstOf(takings.filter(({ taking }) => !taking.granted));
  if (full && passOver(exchange, full)) return reserve(exchange, reach);
  writeQuotaHeaders(exchange, takings);
  const takenOf = new Map(takings.map((each) => [each.share, each]));
  outcome.drawn = asked.map((one) => drawn(one, takenOf.get(one.share), exchange));
  if (full) throw refused(exchange, full.quota, (full.isAlone ? usedUpAlone : usedUp)(full, exchange));
  if (closed) {
    throw new HeadgateError(
      'quota_store_unavailable',
      `The store of quota '${closed.quota.name}' does not answer, and the quota is declared closed.`,
      { retryAfterMs: 1_000, cause: down, object: `quotas.${closed.quota.name}` },
    );
  }
  warn(exchange, takings);
  for (const { quota, isAlone } of takings) if (isAlone) house.metrics.quotaLocal.inc({ quota: quota.name });
  for (const { quota } of down ? asked : [])
    if (quota.onStoreDown === 'open') house.metrics.quotaUncounted.inc({ quota: quota.name });
  return Object.assign(exchange, { lease: { takings } });
}
