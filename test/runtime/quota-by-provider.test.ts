/** What is counted by provider is taken for the one that is asked: random orders, failures and bursts, against what was really sent to each. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FailureKind, Usage } from '../../runtime/call.ts';
import type { HeadgateError } from '../../runtime/errors.ts';
import type { House } from '../../runtime/exchange.ts';
import { offlineHouse } from '../../runtime/offline-house.ts';
import { newOutcome, type Outcome } from '../../runtime/outcome.ts';
import type { Asked } from '../../runtime/pipeline/attempt.ts';
import { AttemptFailed } from '../../runtime/pipeline/patience.ts';
import { memoryStore } from '../../runtime/quota/memory.ts';
import type { Counted, QuotaStore, Window } from '../../runtime/quota/store.ts';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { snapshotOf } from '../support/gateway.ts';
import { ModelWalk } from '../support/model-walk.ts';

const providers = ['a', 'b', 'c', 'd'] as const;
type Name = (typeof providers)[number];
const orders: readonly (readonly Name[])[] = [
  ['a', 'b'],
  ['b', 'a'],
  ['a', 'b', 'c'],
  ['c', 'a', 'b'],
  ['d', 'c', 'b'],
  ['a', 'b', 'c', 'd'],
  ['d', 'c', 'b', 'a'],
];
const answered: Usage = { inputTokens: 5, outputTokens: 7 };

const day: Window = { kind: 'fixed', ms: 86_400_000 };
const limits = { calls: 2, places: 1, tokens: 60, all: 6 } as const;
const byProvider = { window: '24h', scope: 'provider' } as const;
const quotas: NonNullable<SnapshotInput['quotas']> = {
  calls: { unit: 'requests', limit: limits.calls, ...byProvider },
  places: { unit: 'concurrency', limit: limits.places, scope: 'provider' },
  tokens: { unit: 'tokens', limit: limits.tokens, ...byProvider },
  all: { unit: 'requests', limit: limits.all, window: '24h', scope: 'gateway' },
};
const sets: readonly (readonly string[])[] = [['calls'], ['places'], ['tokens'], ['calls', 'places', 'tokens', 'all']];

const modelOf = (order: readonly Name[], drawsFrom: readonly string[], isHedged = false) => ({
  targets: {
    kind: 'group' as const,
    balance: 'ordered',
    of: order.map((provider) => ({ node: { kind: 'target' as const, provider, model: 'm' } })),
  },
  quotas: [...drawsFrom],
  ...(isHedged && { hedge: '1ms' as const }),
});
const nameOf = (order: readonly Name[], set: number, isHedged: boolean) =>
  `${order.join('')}-${set}${isHedged ? '-hedged' : ''}`;
const box = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192 } } };
const line = await ModelWalk.of(
  snapshotOf({
    providers: Object.fromEntries(providers.map((name) => [name, box])),
    models: Object.fromEntries(
      orders.flatMap((order) =>
        sets.flatMap((set, index) =>
          [false, true].map((isHedged) => [nameOf(order, index, isHedged), modelOf(order, set, isHedged)] as const),
        ),
      ),
    ),
    quotas,
  }),
);
const metrics = createMetrics();

const counts = providers.flatMap((provider): (Counted & { readonly provider: Name; readonly quota: Counting })[] => [
  { provider, quota: 'calls', key: `calls:provider=${provider}`, limit: limits.calls, window: day },
  {
    provider,
    quota: 'places',
    key: `places/concurrency:provider=${provider}`,
    limit: limits.places,
    window: { kind: 'none' },
  },
  { provider, quota: 'tokens', key: `tokens/tokens:provider=${provider}`, limit: limits.tokens, window: day },
]);
type Counting = 'calls' | 'places' | 'tokens';

interface Plan {
  readonly order: readonly Name[];
  readonly set: number;
  readonly isHedged: boolean;
  /** After how many turns of the event loop; so below. */
  readonly begins: number;
  /** What becomes of it at each provider. */
  readonly ends: readonly (readonly [end: 'answers' | 'begins' | FailureKind, turns: number])[];
  /** When the client leaves. */
  readonly leaves: number | undefined;
}

interface Course {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly asked: Set<string>;
  /** Providers that the store said have no room for it. */
  readonly refusedAt: Set<string>;
  /** It asks the store, which may have given it what it does not know of yet. */
  isTaking: boolean;
  thrown?: HeadgateError | undefined;
}

async function turns(number: number): Promise<void> {
  for (let left = number; left > 0; left -= 1) await turn();
}

async function withLimits(store: QuotaStore) {
  const readings = await store.read(counts);
  return counts.map((count, index) => {
    const used = readings[index]?.used ?? 0;
    assert.ok(used <= count.limit, `${count.key}: ${used} of ${count.limit}`);
    return { ...count, used };
  });
}

/** A store that answers some turns later, and notes what one call was told. */
function seenBy(store: QuotaStore, course: Course): QuotaStore {
  return {
    ...store,
    async take(demands) {
      course.isTaking = true;
      await turn();
      const takings = await store.take(demands);
      const named = demands.map((demand) => /provider=(\w+)/.exec(demand.key)?.[1] ?? 'all');
      const atOnce = new Set(named.filter((name) => name !== 'all'));
      assert.ok(atOnce.size <= 1, `taken at once for ${[...atOnce].join()}`);
      for (const [index, { granted }] of takings.entries()) if (!granted) course.refusedAt.add(named[index] ?? 'all');
      await withLimits(store);
      await turn();
      course.isTaking = false;
      return takings;
    },
  };
}

/** `live` are those that may hold something. */
async function run(course: Course, house: House, live: Set<Course>): Promise<void> {
  const { plan, outcome, asked } = course;
  await turns(plan.begins);
  live.add(course);
  const client = new AbortController();
  if (plan.leaves !== undefined) void turns(plan.leaves).then(() => client.abort());
  const vendor = async ({ target, signal }: Asked): Promise<Usage> => {
    const provider = target.provider.name;
    asked.add(provider);
    const places = (await withLimits(house.quotas)).reduce(
      (sum, { quota, used }) => sum + (quota === 'places' ? used : 0),
      0,
    );
    // Who hedges may be at several. Of all others each is at one, or on its way from it, and has no place anywhere else.
    const most = [...live].reduce((sum, { isTaking }) => sum + (isTaking ? 2 : 1), 0);
    const isPlain = [...live].every((each) => !each.plan.isHedged);
    assert.ok(!isPlain || places <= most, `${places} places, where ${most} are needed`);
    const [end, after] = plan.ends[plan.order.findIndex((name) => name === provider)] ?? ['answers', 0];
    for (let left = after; left > 0; left -= 1)
      await turn(undefined, { signal }).catch((cause: unknown) => {
        throw new AttemptFailed({ kind: 'network' }, cause);
      });
    if (end === 'answers') return answered;
    if (end === 'begins') throw new AttemptFailed({ kind: 'broken_answer' }, undefined, { usage: answered });
    throw new AttemptFailed({ kind: end });
  };
  const own = { ...house, quotas: seenBy(house.quotas, course) };
  const model = nameOf(plan.order, plan.set, plan.isHedged);
  course.thrown = await line.walk({ model, house: own, outcome, vendor, signal: client.signal });
  live.delete(course);
}

/** What was sent there, as its counts must say: nothing of calls that were not served by no fault of their clients. */
function sentTo(provider: string, courses: readonly Course[]): Readonly<Record<Counting, number>> {
  const charged = courses.filter(({ thrown }) => !thrown || (thrown.status < 500 && thrown.status !== 429));
  const counting = (quota: Counting) => charged.filter(({ plan }) => sets[plan.set]?.includes(quota));
  const spent = counting('tokens').flatMap(({ outcome: { spentBefore, usage, target = '' } }) =>
    [...spentBefore, ...(usage ? [{ usage, target }] : [])].filter((each) => each.target === `${provider}/m`),
  );
  return {
    calls: counting('calls').filter(({ asked }) => asked.has(provider)).length,
    places: 0,
    tokens: spent.reduce((sum, { usage }) => sum + usage.inputTokens + usage.outputTokens, 0),
  };
}

const end = fc.constantFrom(
  ...(['answers', 'answers', 'answers', 'not_found', 'timeout', 'begins', 'overloaded', 'bad_request'] as const),
);
const plans = fc.array(
  fc.record({
    order: fc.constantFrom(...orders),
    set: fc.nat(sets.length - 1),
    isHedged: fc.boolean(),
    begins: fc.nat(12),
    ends: fc.array(fc.tuple(end, fc.nat(9)), { minLength: 4, maxLength: 4 }),
    leaves: fc.option(fc.nat(16), { nil: undefined, freq: 8 }),
  }),
  { minLength: 4, maxLength: 16 },
);

test('a quota by provider is never overspent, refuses nobody while a provider has room, and counts what was sent to each', async () => {
  const seen = { refused: 0, crowded: 0, elsewhere: 0, served: 0 };
  await fc.assert(
    fc.asyncProperty(plans, fc.boolean(), async (given, isPlain) => {
      const house = offlineHouse(metrics, { quotas: memoryStore(() => 0) });
      const live = new Set<Course>();
      const courses = given.map((plan): Course => {
        const own = isPlain ? { ...plan, isHedged: false } : plan;
        return { plan: own, outcome: newOutcome(0), asked: new Set(), refusedAt: new Set(), isTaking: false };
      });
      await Promise.all(courses.map((course) => run(course, house, live)));
      for (const { plan, thrown, refusedAt, asked, outcome } of courses) {
        if (thrown === undefined) seen.served += 1;
        if (outcome.crowded.length > 0 && asked.size > 0) seen.crowded += 1;
        if (asked.size > 1) seen.elsewhere += 1;
        assert.notEqual(thrown?.code, 'internal_error', String(thrown?.cause));
        if (thrown?.code !== 'quota_exceeded') continue;
        seen.refused += 1;
        assert.equal(asked.size, 0, 'who was asked somewhere is not refused by a quota');
        if (!refusedAt.has('all')) assert.deepEqual([...refusedAt].toSorted(), plan.order.toSorted());
      }
      // Who was outrun may still be on its way to its end.
      await turns(12);
      for (const { key, quota, provider, used } of await withLimits(house.quotas))
        assert.equal(used, sentTo(provider, courses)[quota], key);
    }),
    { numRuns: 200, seed: 6, endOnFailure: true },
  );
  for (const [what, often] of Object.entries(seen)) assert.ok(often > 30, `${what}: ${often}`);
});
