/** Takes from every quota that applies before anything is spent: all of them, or none. */
import { HeadgateError } from '../errors.ts';
import type { Exchange, Lease, Reserved } from '../exchange.ts';
import type { LiveConsumer, LiveQuota } from '../generation/generation.ts';
import type { Drawn } from '../outcome.ts';
import { StoreUnavailable, type Demand, type QuotaStore, type Taking } from '../quota/store.ts';

type Taken = Lease['takings'][number];

/** The name keeps the count: neither the limit nor the window's length is part of the key. */
const keyOf = (quota: LiveQuota, consumer: LiveConsumer): string =>
  quota.scope === 'gateway' ? quota.name : `${quota.name}:${consumer.name}`;

const demandOf = ({ limit, windowMs }: LiveQuota, key: string): Demand => ({
  key,
  limit,
  window: { kind: 'fixed', ms: windowMs },
  amount: 1,
});

interface Asked {
  readonly quota: LiveQuota;
  readonly demand: Demand;
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

/** Gives back what was taken, for a request that is not served after all. A store that is down has nothing to give back to. */
export async function giveBack(store: QuotaStore, takings: readonly Taken[]): Promise<void> {
  if (takings.length === 0) return;
  await store.settle(takings.map(({ demand, taking }) => ({ demand, taking, spent: 0 }))).catch((error: unknown) => {
    if (!(error instanceof StoreUnavailable)) throw error;
  });
}

const remaining = ({ quota, taking }: Taken): number => Math.max(0, quota.limit - taking.used);
const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** `RateLimit` of the IETF draft for every quota, OpenAI's `x-ratelimit-*` for the one nearest to its end. */
function writeHeaders(exchange: Exchange, takings: readonly Taken[]): void {
  const [first, ...others] = takings;
  if (!first) return;
  const tightest = others.reduce((least, taken) => (remaining(taken) < remaining(least) ? taken : least), first);
  const { reply } = exchange;
  reply.header(
    'ratelimit-policy',
    takings.map(({ quota }) => `"${quota.name}";q=${quota.limit};w=${seconds(quota.windowMs)}`).join(', '),
  );
  reply.header(
    'ratelimit',
    takings.map((taken) => `"${taken.quota.name}";r=${remaining(taken)};t=${seconds(taken.taking.resetMs)}`).join(', '),
  );
  reply.header('x-ratelimit-limit-requests', String(tightest.quota.limit));
  reply.header('x-ratelimit-remaining-requests', String(remaining(tightest)));
  reply.header('x-ratelimit-reset-requests', `${seconds(tightest.taking.resetMs)}s`);
}

const drawn = ({ name, scope, limit, windowMs }: LiveQuota, taking: Taking | undefined): Drawn => ({
  quota: name,
  scope,
  limit,
  windowMs,
  used: taking?.used,
  resetMs: taking?.resetMs,
  granted: taking?.granted ?? false,
});

function refusal({ quota, taking }: Taken, exchange: Exchange & { consumer: LiveConsumer }): HeadgateError {
  const place = exchange.generation.tables.sourceOf(`quotas.${quota.name}`);
  const whose = quota.scope === 'consumer' ? ` for consumer '${exchange.consumer.name}'` : '';
  return new HeadgateError(
    'quota_exceeded',
    `Quota '${quota.name}'${whose} is used up: ${taking.used} of ${quota.limit} requests in ${seconds(quota.windowMs)} s; resets in ${seconds(taking.resetMs)} s${place ? ` (${place})` : ''}.`,
    // An SDK's own quick retries cannot help before the window ends.
    { retryAfterMs: taking.resetMs, noRetry: taking.resetMs > 5_000, object: `quotas.${quota.name}` },
  );
}

export async function reserve<E extends Exchange & { readonly consumer: LiveConsumer }>(
  exchange: E,
  quotas: readonly LiveQuota[],
): Promise<Reserved<E>> {
  const { consumer, house } = exchange;
  // One quota reached by two ways (its consumer and its model) is drawn from once.
  const applying = new Map([...consumer.quotas, ...quotas].map((quota) => [keyOf(quota, consumer), quota]));
  const asked = [...applying].map(([key, quota]) => ({ quota, demand: demandOf(quota, key) }));
  const { takings, down } = await take(house.quotas, asked);
  writeHeaders(exchange, takings);
  exchange.outcome.drawn = asked.map(({ quota }, index) => drawn(quota, takings[index]?.taking));

  const refused = takings.find(({ taking }) => !taking.granted);
  if (refused) {
    house.metrics.quotaRefusals.inc({ quota: refused.quota.name, consumer: consumer.name });
    throw refusal(refused, exchange);
  }
  const closed = down && asked.find(({ quota }) => quota.onStoreDown === 'closed');
  if (closed) {
    throw new HeadgateError(
      'quota_store_unavailable',
      `The store of quota '${closed.quota.name}' does not answer, and the quota is declared closed.`,
      { retryAfterMs: 1_000, cause: down, object: `quotas.${closed.quota.name}` },
    );
  }
  return Object.assign(exchange, { lease: { takings } });
}
