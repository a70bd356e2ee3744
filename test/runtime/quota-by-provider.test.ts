/** What is counted by provider is taken for the one that is asked: random orders, failures and bursts, against what was really sent to each. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FailureKind, Usage } from '../../runtime/call.ts';
import { askedFor } from '../../runtime/door.ts';
import { asHeadgateError, type HeadgateError } from '../../runtime/errors.ts';
import type { Dispatchable, House, SurfaceExchange } from '../../runtime/exchange.ts';
import { offlineGeneration } from '../../runtime/generation/offline.ts';
import { HeldReply } from '../../runtime/held-reply.ts';
import { offlineHouse } from '../../runtime/offline-house.ts';
import { newOutcome, type Outcome } from '../../runtime/outcome.ts';
import { admit } from '../../runtime/pipeline/admit.ts';
import type { Asked } from '../../runtime/pipeline/attempt.ts';
import { Deadline } from '../../runtime/pipeline/deadline.ts';
import { dispatch } from '../../runtime/pipeline/dispatch.ts';
import { findLine } from '../../runtime/pipeline/find-line.ts';
import { lookup } from '../../runtime/pipeline/lookup.ts';
import { settleWhole } from '../../runtime/pipeline/meter.ts';
import { AttemptFailed } from '../../runtime/pipeline/patience.ts';
import { settle } from '../../runtime/pipeline/settle.ts';
import { memoryStore } from '../../runtime/quota/memory.ts';
import type { Counted, QuotaStore, Window } from '../../runtime/quota/store.ts';
import { headOf } from '../../runtime/request-file.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { snapshotOf } from '../support/gateway.ts';

const providers = ['a', 'b', 'c', 'd'] as const;
const orders = ['ab', 'ba', 'abc', 'bca', 'cab', 'dcb', 'abcd', 'dcba'] as const;
const answered: Usage = { inputTokens: 5, outputTokens: 7 };

const day: Window = { kind: 'fixed', ms: 86_400_000 };
const limits = { calls: 2, places: 1, tokens: 60, all: 6 } as const;
const scope = 'provider' as const;
const quotas: NonNullable<SnapshotInput['quotas']> = {
  calls: { unit: 'requests', limit: limits.calls, window: '24h', scope },
  places: { unit: 'concurrency', limit: limits.places, scope },
  tokens: { unit: 'tokens', limit: limits.tokens, window: '24h', scope },
  all: { unit: 'requests', limit: limits.all, window: '24h', scope: 'gateway' },
};
const sets = [['calls'], ['places'], ['tokens'], ['calls', 'places', 'tokens', 'all']] as const;

const node = (provider: string) => ({ node: { kind: 'target' as const, provider, model: 'm' } });
const nameOf = (order: string, set: number, isHedged: boolean) => `${order}-${set}${isHedged ? '-hedged' : ''}`;
const snapshot = snapshotSchema.parse(
  snapshotOf({
    providers: Object.fromEntries(
      providers.map((name) => [name, { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192 } } }]),
    ),
    models: Object.fromEntries(
      orders.flatMap((order) =>
        sets.flatMap((set, index) =>
          [false, true].map((isHedged) => [
            nameOf(order, index, isHedged),
            {
              targets: { kind: 'group', balance: 'ordered', of: [...order].map(node) },
              quotas: [...set],
              ...(isHedged && { hedge: '1ms' }),
            },
          ]),
        ),
      ),
    ) as SnapshotInput['models'],
    quotas,
  }),
);
const key = 'of-this-test';
const generation = await offlineGeneration(snapshot, () => key);
const metrics = createMetrics();

const counts = providers.flatMap((provider): (Counted & { readonly provider: string })[] => [
  { provider, key: `calls:provider=${provider}`, limit: limits.calls, window: day },
  { provider, key: `places/concurrency:provider=${provider}`, limit: limits.places, window: { kind: 'none' } },
  { provider, key: `tokens/tokens:provider=${provider}`, limit: limits.tokens, window: day },
]);

interface Plan {
  readonly order: (typeof orders)[number];
  readonly set: number;
  readonly isHedged: boolean;
  readonly begins: number;
  /** What becomes of it at each provider, and after how many turns of the event loop. */
  readonly ends: readonly (readonly [end: 'answers' | 'begins' | FailureKind, turns: number])[];
  /** When the client leaves. */
  readonly leaves: number | undefined;
}

interface Course {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly asked: Set<string>;
  /** By provider: how often there was no room for it. */
  readonly refusedAt: Set<string>;
  /** It asks the store, which may have given it what it does not know of yet. */
  isTaking: boolean;
  thrown?: HeadgateError;
}

const providerOf = (count: string): string | undefined => /provider=(\w+)/.exec(count)?.[1];

/** A store that answers some turns later, and notes what one call was told. */
function seenBy(store: QuotaStore, course: Course): QuotaStore {
  return {
    ...store,
    async take(demands) {
      course.isTaking = true;
      await turn();
      const takings = await store.take(demands);
      const named = new Set(demands.flatMap((demand) => providerOf(demand.key) ?? []));
      assert.ok(named.size <= 1, `taken at once for ${[...named].join()}`);
      for (const [index, { granted }] of takings.entries())
        if (!granted) course.refusedAt.add(providerOf(demands[index]?.key ?? '') ?? 'all');
      await withLimits(store);
      await turn();
      course.isTaking = false;
      return takings;
    },
  };
}

async function withLimits(store: QuotaStore) {
  const readings = await store.read(counts);
  return counts.map((count, index) => {
    const used = readings[index]?.used ?? 0;
    assert.ok(used <= count.limit, `${count.key}: ${used} of ${count.limit}`);
    return { ...count, used };
  });
}

const placesIn = async (store: QuotaStore): Promise<number> =>
  (await withLimits(store)).reduce((sum, { key: name, used }) => sum + (name.startsWith('places') ? used : 0), 0);

async function answer({ plan }: Course, { target, signal }: Asked) {
  const provider = target.provider.name;
  const [end, turns] = plan.ends[plan.order.indexOf(provider)] ?? ['answers', 0];
  for (let left = turns; left > 0; left -= 1) {
    await turn(undefined, { signal }).catch((cause: unknown) => {
      throw new AttemptFailed({ kind: 'network' }, cause);
    });
  }
  if (end === 'begins') throw new AttemptFailed({ kind: 'broken_answer' }, undefined, { usage: answered });
  if (end !== 'answers') throw new AttemptFailed({ kind: end });
  return { answered: { target, form: 'whole' as const }, dropped: [], usedUpMs: undefined };
}

/** The line of a model, with vendors that do as planned. `live` are those that hold something. */
async function walk(course: Course, house: House, live: Set<Course>): Promise<void> {
  const { plan, outcome } = course;
  for (let left = plan.begins; left > 0; left -= 1) await turn();
  const body = {
    model: nameOf(plan.order, plan.set, plan.isHedged),
    max_tokens: 10,
    messages: [{ role: 'user', content: 'hello' }],
  };
  const { request, body: bytes } = headOf({ path: '/v1/chat/completions', body }, key);
  const found = findLine(request, askedFor(request), generation.tables);
  assert.ok(found.line === 'call');
  const { surface, dialect, says } = found;
  const client = new AbortController();
  const store = house.quotas;
  const exchange: SurfaceExchange = {
    id: 'x',
    house: { ...house, quotas: seenBy(store, course) },
    generation,
    request,
    address: undefined,
    reply: new HeldReply(),
    signal: client.signal,
    outcome,
    surface,
    dialect,
    says,
    readBody: () => Promise.resolve(bytes),
  };
  const isPlain = () => [...live].every((each) => !each.plan.isHedged);
  live.add(course);
  let reserved;
  try {
    reserved = await admit(exchange);
  } catch (error) {
    course.thrown = asHeadgateError(error);
    live.delete(course);
    return;
  }
  const deadline = new Deadline(client.signal, 5_000);
  // Where two are asked at once, what the other one says after its client has left may come too late to be counted.
  if (plan.leaves !== undefined && !plan.isHedged) void leaveAfter(plan.leaves, client);
  let thrown: unknown;
  try {
    const done = await dispatch<Dispatchable, Awaited<ReturnType<typeof answer>>['answered']>(
      lookup(reserved),
      deadline,
      async (_, asked) => {
        course.asked.add(asked.target.provider.name);
        // Who hedges may be at several; of all others each is at one, or on its way from it, and holds a place nowhere else.
        const places = await placesIn(store);
        const most = [...live].reduce((sum, { isTaking }) => sum + (isTaking ? 2 : 1), 0);
        assert.ok(!isPlain() || places <= most, `${places} places, where ${most} are needed`);
        return answer(course, asked);
      },
    );
    settleWhole(done, answered, []);
    done.reply.whole(200, 'application/json', '{}');
    done.finish('complete');
  } catch (error) {
    thrown = error;
    course.thrown = asHeadgateError(error);
  } finally {
    deadline.end();
    await settle(reserved, thrown);
    live.delete(course);
  }
}

async function leaveAfter(turns: number, client: AbortController): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await turn();
  client.abort();
}

/** What was sent to `provider`, as its counts must say: nothing of calls that were not served by no fault of their clients. */
function sentTo(provider: string, courses: readonly Course[]) {
  const charged = courses.filter(
    ({ thrown }) => thrown === undefined || (thrown.status < 500 && thrown.status !== 429),
  );
  const counting = (quota: string) =>
    charged.filter(({ plan }) => (sets[plan.set] as readonly string[] | undefined)?.includes(quota));
  const tokens = counting('tokens').flatMap(({ outcome: { spentBefore, usage, target = '' } }) => [
    ...spentBefore,
    ...(usage ? [{ usage, target }] : []),
  ]);
  return {
    calls: counting('calls').filter(({ asked }) => asked.has(provider)).length,
    places: 0,
    tokens: tokens
      .filter(({ target }) => target.startsWith(`${provider}/`))
      .reduce((sum, { usage }) => sum + usage.inputTokens + usage.outputTokens, 0),
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
    leaves: fc.option(fc.nat(12), { nil: undefined, freq: 8 }),
  }),
  { minLength: 4, maxLength: 16 },
);

test('no provider is overspent, nobody is refused while one of its providers has room, and each counts what was sent to it', async () => {
  const seen = { refused: 0, crowded: 0, elsewhere: 0, served: 0 };
  await fc.assert(
    fc.asyncProperty(plans, fc.boolean(), async (given, isPlain) => {
      const house = offlineHouse(metrics, { quotas: memoryStore(() => 0) });
      const live = new Set<Course>();
      const courses = given.map((plan): Course => ({
        plan: isPlain ? { ...plan, isHedged: false } : plan,
        outcome: newOutcome(0),
        asked: new Set(),
        refusedAt: new Set(),
      }));
      await Promise.all(courses.map((course) => walk(course, house, live)));
      for (const { plan, thrown, refusedAt, asked, outcome } of courses) {
        if (thrown === undefined) seen.served += 1;
        if (outcome.crowded.length > 0 && asked.size > 0) seen.crowded += 1;
        if (asked.size > 1) seen.elsewhere += 1;
        assert.notEqual(thrown?.code, 'internal_error', String(thrown?.cause));
        if (thrown?.code !== 'quota_exceeded') continue;
        seen.refused += 1;
        assert.equal(asked.size, 0, 'who was asked somewhere is not refused by a quota');
        if (!refusedAt.has('all')) assert.deepEqual([...refusedAt].toSorted(), [...plan.order].toSorted());
      }
      // Who was outrun may still be on its way to its end.
      for (let left = 12; left > 0; left -= 1) await turn();
      for (const { key: name, provider, used } of await withLimits(house.quotas))
        assert.equal(used, sentTo(provider, courses)[name.split(/[:/]/)[0] as 'calls'], name);
    }),
    { numRuns: 200, seed: 6, endOnFailure: true },
  );
  for (const [what, often] of Object.entries(seen)) assert.ok(often > 30, `${what}: ${often}`);
});
