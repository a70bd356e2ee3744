/** Takes from several counts in one step, or says which of them stands in the way. */
import { HeadgateError } from '../errors.ts';
import type { AskedOf, Exchange, Lease } from '../exchange.ts';
import type { LiveQuota } from '../generation/live.ts';
import { StoreUnavailable, type QuotaStore, type Taking } from '../quota/store.ts';
import { neverFits, usedUp, usedUpAlone } from './refusal-of-quota.ts';

export type Taken = Lease['takings'][number];

/** Why nothing was taken. */
export interface Obstacle {
  readonly of: AskedOf;
  /** What was asked for with it. */
  readonly asked: readonly AskedOf[];
  /** What the store said to each of those; nothing where it was not asked, or did not answer. */
  readonly takings: readonly Taken[];
  /** Its store is away, and it is declared closed. */
  readonly isAway?: true;
  readonly why: (exchange: Exchange) => HeadgateError;
}

export type Took = { readonly takings: readonly Taken[] } | { readonly obstacle: Obstacle };

/** Takes everything or nothing. With the store down there are no takings, and a reason. */
async function takeShared(
  store: QuotaStore,
  asked: readonly AskedOf[],
): Promise<{ readonly takings: readonly Taken[]; readonly down?: StoreUnavailable }> {
  if (asked.length === 0) return { takings: [] };
  try {
    const takings = await store.take(asked.map(({ demand }) => demand));
    return {
      takings: asked.map(({ quota, share, demand }, index) => {
        return { quota, share, demand, taking: takingAt(takings, index) };
      }),
    };
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

/** What refuses for all targets before what refuses for some. */
function firstOf<Each extends AskedOf>(all: readonly Each[], refuses: (one: Each) => boolean): Each | undefined {
  const first = all.find(refuses);
  return first && (all.find((one) => one.share.provider === undefined && refuses(one)) ?? first);
}

const closedWords = ({ quota: { name } }: AskedOf, cause: StoreUnavailable) =>
  new HeadgateError(
    'quota_store_unavailable',
    `The store of quota '${name}' does not answer, and the quota is declared closed.`,
    { retryAfterMs: 1_000, cause, object: `quotas.${name}` },
  );

/** Everything or nothing. */
export async function take({ house }: Pick<Exchange, 'house'>, asked: readonly AskedOf[]): Promise<Took> {
  const { quotas: store, metrics } = house;
  const tooLarge = firstOf(asked, ({ demand }) => demand.amount > demand.limit);
  if (tooLarge) {
    const why = (exchange: Exchange) => neverFits(tooLarge, exchange);
    return { obstacle: { of: tooLarge, asked: [tooLarge], takings: [], why } };
  }
  const { takings: shared, down } = await takeShared(store, asked);
  const closed = down && asked.find(({ quota }) => quota.mode === 'hard' && isClosed(quota, store));
  if (closed) {
    const why = () => closedWords(closed, down);
    return { obstacle: { of: closed, asked, takings: [], isAway: true, why } };
  }
  const takings = down ? await takeAlone(store, asked) : shared;
  const full = firstOf(takings, ({ taking }) => !taking.granted);
  if (full) {
    const why = (exchange: Exchange) => (full.isAlone ? usedUpAlone : usedUp)(full, exchange);
    return { obstacle: { of: full, asked, takings, why } };
  }
  for (const { quota, isAlone } of takings) if (isAlone) metrics.quotaLocal.inc({ quota: quota.name });
  for (const { quota } of down ? asked : [])
    if (quota.onStoreDown === 'open') metrics.quotaUncounted.inc({ quota: quota.name });
  return { takings };
}

/** When that obstacle may be gone; never, where no waiting helps. */
function goneInMs({ of, takings, isAway }: Obstacle): number {
  if (isAway) return 0;
  return takings.find(({ share }) => share === of.share)?.taking.resetMs ?? Infinity;
}

/** Each keeps the call from one provider: the first that may be gone. */
export function soonest(obstacles: readonly Obstacle[]): Obstacle | undefined {
  return obstacles.reduce<Obstacle | undefined>(
    (found, each) => (found && goneInMs(found) <= goneInMs(each) ? found : each),
    undefined,
  );
}
