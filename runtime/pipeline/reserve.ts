/** Takes from every quota that applies before anything is spent: all of them, or none. */
import { HeadgateError } from '../errors.ts';
import type { Exchange, Lease, Reserved } from '../exchange.ts';
import type { LiveConsumer, LiveQuota } from '../generation/live.ts';
import type { Drawn } from '../outcome.ts';
import { StoreUnavailable, type Demand, type QuotaStore, type Taking } from '../quota/store.ts';
import { isSpentByModels } from '../snapshot-quotas.ts';
import { amountOf, type Estimate } from './estimate.ts';
import { warns, writeQuotaHeaders, writeWarnings } from './quota-headers.ts';
import { neverFits, usedUp } from './refusal-of-quota.ts';

type Taken = Lease['takings'][number];
type Asking = Exchange & { readonly consumer: LiveConsumer };

/**
 * The name keeps the count: neither the limit nor the window's length is part of the key. What was counted in one unit means
 * nothing in another.
 */
function keyOf({ name, unit, scope }: LiveQuota, consumer: LiveConsumer): string {
  const count = unit === 'requests' ? name : `${name}/${unit}`;
  return scope === 'gateway' ? count : `${count}:${countedFor(scope, consumer)}`;
}

/** Whose count it is. A name of a consumer holds no slash, so that no two of these are ever the same. */
function countedFor(scope: LiveQuota['scope'], { name, team, organisation, credential }: LiveConsumer): string {
  if (scope === 'key') return `key/${credential.id}`;
  const group = scope === 'team' ? team : scope === 'organisation' ? organisation : undefined;
  return group === undefined ? name : `${scope}/${group}`;
}

/** What a request may take, and for how long at most. */
export interface Reach {
  readonly quotas: readonly LiveQuota[];
  /** Undefined for what spends neither tokens nor money. Asked only where a quota counts those. */
  readonly estimate?: () => Estimate;
  /** It has ended by then, or its process has. */
  readonly longestMs: number;
}

/** After a deadline there is still an answer to be written. */
const graceMs = 60_000;

/** Answers of routes have no deadline: a place that a dead process held is free again after this time. */
export const longestRouteMs = 3_600_000;

interface Asked {
  readonly quota: LiveQuota;
  readonly demand: Demand;
}

/** What refuses nothing is never above its limit, whatever is asked for. */
const endless = Number.MAX_SAFE_INTEGER;
const mostOverSoft = 10;

function demands({ quotas, estimate, longestMs }: Reach, consumer: LiveConsumer): readonly Asked[] {
  let known: Estimate | undefined;
  // One quota reached by two ways (its consumer and its model) is drawn from once.
  const applying = new Map([...consumer.quotas, ...quotas].map((quota) => [keyOf(quota, consumer), quota]));
  return [...applying].flatMap(([key, quota]): Asked[] => {
    const { unit, limit, window, mode } = quota;
    if (isSpentByModels(unit) && !estimate) return [];
    if (isSpentByModels(unit)) known ??= estimate?.();
    const amount = (known && amountOf(unit, known)) ?? 1;
    const asked =
      mode === 'soft' ? { limit: endless, amount: Math.min(amount, mostOverSoft * limit) } : { limit, amount };
    const holdMs = unit === 'requests' ? {} : { holdMs: longestMs + graceMs };
    return [{ quota, demand: { key, window, ...asked, ...holdMs } }];
  });
}

/** Takes everything or nothing. With the store down there are no takings, and a reason. */
async function take(
  store: QuotaStore,
  asked: readonly Asked[],
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

function takingAt(takings: readonly Taking[], index: number): Taking {
  const taking = takings[index];
  if (!taking) throw new Error('a store answered fewer demands than it was asked');
  return taking;
}

const drawn = ({ quota, demand }: Asked, taken: Taken | undefined): Drawn => ({
  quota: quota.name,
  unit: quota.unit,
  scope: quota.scope,
  limit: quota.limit,
  window: quota.window,
  amount: demand.amount,
  used: taken?.taking.used,
  resetMs: taken?.taking.resetMs,
  granted: taken?.taking.granted ?? false,
  soft: quota.mode === 'soft',
  warns: taken !== undefined && warns(taken),
});

function refused(exchange: Asking, { name }: LiveQuota, why: HeadgateError): HeadgateError {
  exchange.house.metrics.quotaRefusals.inc({ quota: name, consumer: exchange.consumer.name });
  return why;
}

function warn(exchange: Asking, takings: readonly Taken[]): void {
  const warned = takings.filter(warns);
  writeWarnings(exchange, warned);
  for (const { quota } of warned)
    exchange.house.metrics.quotaWarnings.inc({ quota: quota.name, consumer: exchange.consumer.name });
}

export async function reserve<E extends Asking>(exchange: E, reach: Reach): Promise<Reserved<E>> {
  const { consumer, house, outcome } = exchange;
  const asked = demands(reach, consumer);
  const tooLarge = asked.find(({ demand }) => demand.amount > demand.limit);
  if (tooLarge) {
    outcome.drawn = [drawn(tooLarge, undefined)];
    throw refused(exchange, tooLarge.quota, neverFits(tooLarge, exchange));
  }
  const { takings, down } = await take(house.quotas, asked);
  writeQuotaHeaders(exchange, takings);
  outcome.drawn = asked.map((one, index) => drawn(one, takings[index]));

  const full = takings.find(({ taking }) => !taking.granted);
  if (full) throw refused(exchange, full.quota, usedUp(full, exchange));
  const closed = down && asked.find(({ quota }) => quota.mode === 'hard' && quota.onStoreDown === 'closed');
  if (closed) {
    throw new HeadgateError(
      'quota_store_unavailable',
      `The store of quota '${closed.quota.name}' does not answer, and the quota is declared closed.`,
      { retryAfterMs: 1_000, cause: down, object: `quotas.${closed.quota.name}` },
    );
  }
  warn(exchange, takings);
  return Object.assign(exchange, { lease: { takings } });
}
