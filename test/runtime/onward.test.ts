/** A request that moves on to another provider, whose quota's store is away, or which has no room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Asked } from '../../runtime/pipeline/attempt.ts';
import type { Exchange } from '../../runtime/exchange.ts';
import { HeldReply } from '../../runtime/held-reply.ts';
import { offlineHouse } from '../../runtime/offline-house.ts';
import { newOutcome } from '../../runtime/outcome.ts';
import { Onward } from '../../runtime/pipeline/onward.ts';
import { AttemptFailed } from '../../runtime/pipeline/patience.ts';
import { settle } from '../../runtime/pipeline/settle.ts';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { StoreUnavailable, type QuotaStore } from '../../runtime/quota/store.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { snapshotOf } from '../support/gateway.ts';
import { ModelWalk } from '../support/model-walk.ts';

const target = (provider: string) => ({ node: { kind: 'target' as const, provider, model: 'm' } });
const box = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192 } } };
const both = { kind: 'group' as const, balance: 'ordered', of: [target('a'), target('b')] };
const limited = { unit: 'requests' as const, limit: 1, scope: 'provider' as const };

const line = await ModelWalk.of(
  snapshotOf({
    providers: { a: box, b: box },
    models: {
      closed: { targets: both, quotas: ['closed'] },
      open: { targets: both, quotas: ['open'] },
      local: { targets: both, quotas: ['local'] },
      moving: { targets: both, quotas: ['moving'] },
      places: { targets: both, quotas: ['places'] },
      atB: { targets: target('b').node, quotas: ['moving'] },
    },
    quotas: {
      closed: { ...limited, window: '24h' },
      open: { ...limited, window: '24h', onStoreDown: 'open' },
      local: { ...limited, window: '24h', onStoreDown: 'local' },
      places: { unit: 'concurrency', limit: 1, scope: 'provider' },
      // Of the last minute: how long it takes to have room depends on when it was taken.
      moving: { ...limited, window: { sliding: '1m' } },
    },
  }),
);

/** Answers once, and is away from then on. */
function awayAfterOne(store: QuotaStore, alone: QuotaStore): QuotaStore {
  let isAway = false;
  return {
    ...store,
    alone,
    async take(demands) {
      if (isAway) throw new StoreUnavailable('away', { isUndone: true });
      isAway = true;
      return store.take(demands);
    },
  };
}

const answerOfB = ({ target: { provider } }: Asked) =>
  provider.name === 'a'
    ? Promise.reject(new AttemptFailed({ kind: 'not_found' }))
    : Promise.resolve({ inputTokens: 1, outputTokens: 1 });

async function usedIn(store: QuotaStore, quota: string): Promise<readonly number[]> {
  const window = { kind: 'fixed', ms: 86_400_000 } as const;
  const readings = await store.read(['a', 'b'].map((name) => ({ key: `${quota}:provider=${name}`, limit: 1, window })));
  return readings.map(({ used }) => used);
}

for (const { model, code, tried, shared, alone, crowded } of [
  {
    model: 'closed',
    code: 'upstream_model_unknown',
    tried: ['a/m'],
    shared: [0, 0],
    alone: [0, 0],
    crowded: [{ target: 'b/m', quota: 'closed', isAway: true }],
  },
  { model: 'open', code: undefined, tried: ['a/m', 'b/m'], shared: [1, 0], alone: [0, 0], crowded: [] },
  { model: 'local', code: undefined, tried: ['a/m', 'b/m'], shared: [1, 0], alone: [0, 1], crowded: [] },
])
  test(`a quota that is ${model} does at the next provider what it declares, when its store has gone away`, async () => {
    const [store, own] = [memoryStore(() => 0), memoryStore(() => 0)];
    const house = offlineHouse(createMetrics(), { quotas: awayAfterOne(store, own) });
    const outcome = newOutcome(0);
    const thrown = await line.walk({ model, house, outcome, vendor: answerOfB });
    assert.equal(thrown?.code, code);
    assert.deepEqual(
      outcome.tried.map((each) => each.target),
      tried,
    );
    assert.deepEqual(outcome.crowded, crowded);
    assert.deepEqual([await usedIn(store, model), await usedIn(own, model)], [shared, alone]);
  });

const headersOf = ({ reply }: Exchange) => (reply instanceof HeldReply ? reply.headers : new Map<string, string>());

test('of several providers without room a refusal tells of the one that has some first', async () => {
  let now = 1_000_000_000_000;
  const house = offlineHouse(createMetrics(), {
    quotas: memoryStore(
      () => now,
      () => now,
    ),
  });
  const vendor = () => Promise.resolve({ inputTokens: 1, outputTokens: 1 });
  assert.equal(await line.walk({ model: 'moving', house, vendor }), undefined);
  now += 30_000;
  assert.equal(await line.walk({ model: 'atB', house, vendor }), undefined);
  const outcome = newOutcome(0);
  const refused = await line.walk({ model: 'moving', house, vendor, outcome });
  assert.match(
    refused?.message ?? '',
    /^Quota 'moving' for provider 'a' is used up: 1 of 1 requests in .*; resets in 31 s/,
  );
  assert.deepEqual(
    outcome.drawn.map(({ whose, granted }) => [whose, granted]),
    [["provider 'a'", false]],
  );
  assert.deepEqual(outcome.crowded, [
    { target: 'a/m', quota: 'moving' },
    { target: 'b/m', quota: 'moving' },
  ]);
});

test('what the store grants when somebody else has answered meanwhile is given back at once', async () => {
  const store = memoryStore(() => 0);
  const reserved = await line.admitted({ model: 'closed', house: offlineHouse(createMetrics(), { quotas: store }) });
  let isOver = false;
  const onward = new Onward(reserved, () => isOver);
  const [, second] = reserved.targets;
  assert.ok(second);
  const entering = onward.enter(second);
  isOver = true;
  assert.equal(await entering, false);
  assert.deepEqual(await usedIn(store, 'closed'), [1, 0]);
  assert.deepEqual(
    reserved.outcome.drawn.map(({ whose }) => whose),
    ["provider 'a'"],
  );
});

test('once a target answers, the others have their places free', async () => {
  const store = memoryStore(() => 0);
  const reserved = await line.admitted({ model: 'places', house: offlineHouse(createMetrics(), { quotas: store }) });
  const onward = new Onward(reserved, () => false);
  const [first, second] = reserved.targets;
  assert.ok(first && second);
  const places = async (): Promise<readonly number[]> => {
    const keys = ['a', 'b'].map((name) => `places/concurrency:provider=${name}`);
    const readings = await store.read(keys.map((key) => ({ key, limit: 1, window: { kind: 'none' } })));
    return readings.map(({ used }) => used);
  };
  await onward.during(first, async () => {
    assert.deepEqual(await places(), [1, 0]);
    assert.equal(await onward.enter(second), true);
    assert.deepEqual(await places(), [1, 1]);
    onward.stay(second);
  });
  assert.deepEqual(await places(), [0, 1]);
  await settle(reserved, undefined);
  assert.deepEqual(await places(), [0, 0]);
});

test('where nobody was asked, because none had room by then, the quota refuses, and nothing is paid', async () => {
  const store = memoryStore(() => 0);
  const house = offlineHouse(createMetrics(), { quotas: store });
  assert.equal(await line.walk({ model: 'atB', house, vendor: answerOfB }), undefined);
  const reserved = await line.admitted({ model: 'moving', house });
  const onward = new Onward(reserved, () => false);
  const [, second] = reserved.targets;
  assert.ok(second && onward.isAhead(second));
  assert.equal(await onward.enter(second), false);
  const refusal = onward.refusal();
  assert.equal(refusal?.code, 'quota_exceeded');
  assert.match(refusal?.message ?? '', /^Quota 'moving' for provider 'b' is used up: 1 of 1 requests/);
  assert.match(headersOf(reserved).get('ratelimit') ?? '', /^"moving";r=0;/);
  await settle(reserved, refusal);
  const again = await line.admitted({ model: 'moving', house });
  assert.deepEqual(again.outcome.crowded, []);
});
