/** Takes from every quota that applies before anything is spent: all of them, or none. */
import { HeadgateError } from '../errors.ts';
import type { Exchange, Lease, Reserved } from '../exchange.ts';
import type { LiveConsumer, LiveQuota } from '../generation/generation.ts';
import type { Drawn } from '../outcome.ts';
import { StoreUnavailable, type QuotaStore } from '../quota/store.ts';

type Taken = Lease['takings'][number];
type Tried = Taken | { readonly quota: LiveQuota; readonly down: StoreUnavailable };

/** The name keeps the count: neither the limit nor the window's length is part of the key. */
const keyOf = (quota: LiveQuota, consumer: LiveConsumer): string =>
  quota.scope === 'gateway' ? quota.name : `${quota.name}:${consumer.name}`;

async function take(store: QuotaStore, quota: LiveQuota, key: string): Promise<Tried> {
  try {
    return { quota, key, taking: await store.take({ key, limit: quota.limit, windowMs: quota.windowMs }, 1) };
  } catch (error) {
    if (error instanceof StoreUnavailable) return { quota, down: error };
    throw error;
  }
}

/** Gives back what was taken, for a request that is not served after all. A store that is down has nothing to give back to. */
export async function giveBack(store: QuotaStore, takings: readonly Taken[]): Promise<void> {
  await Promise.allSettled(
    takings
      .filter(({ taking }) => taking.granted)
      .map(({ quota, key, taking }) =>
        store.giveBack({ key, limit: quota.limit, windowMs: quota.windowMs }, taking.windowStart, 1),
      ),
  );
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

function drawn(tried: Tried): Drawn {
  const { name, scope, limit, windowMs } = tried.quota;
  const { granted, used, resetMs } =
    'taking' in tried ? tried.taking : { granted: false, used: undefined, resetMs: undefined };
  return { quota: name, scope, limit, windowMs, used, resetMs, granted };
}

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
  const tried = await Promise.all([...applying].map(([key, quota]) => take(house.quotas, quota, key)));
  const takings = tried.filter((one): one is Taken => 'taking' in one);
  writeHeaders(exchange, takings);
  exchange.outcome.drawn = tried.map(drawn);

  const closed = tried.find((one) => 'down' in one && one.quota.onStoreDown === 'closed');
  const refused = takings.find(({ taking }) => !taking.granted);
  if (closed || refused) await giveBack(house.quotas, takings);
  if (refused) {
    house.metrics.quotaRefusals.inc({ quota: refused.quota.name, consumer: consumer.name });
    throw refusal(refused, exchange);
  }
  if (closed && 'down' in closed) {
    throw new HeadgateError(
      'quota_store_unavailable',
      `The store of quota '${closed.quota.name}' does not answer, and the quota is declared closed.`,
      { retryAfterMs: 1_000, cause: closed.down, object: `quotas.${closed.quota.name}` },
    );
  }
  return Object.assign(exchange, { lease: { takings } });
}
