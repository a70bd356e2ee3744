/** While the store is away, each replica counts by itself up to its share; when it is back, it is told what was used, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countingAlone, withAlone } from '../../runtime/quota/alone.ts';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { StoreUnavailable, type Demand, type QuotaStore } from '../../runtime/quota/store.ts';
import { AnsweredQuotas } from '../../runtime/workers/answered-quotas.ts';
import { AskedQuotas } from '../../runtime/workers/asked-quotas.ts';
import { calendar, fixed, limitOf, MovedClock, noWindow, sliding } from '../support/quota-stores.ts';
import { skipWithoutRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const hourMs = 3_600_000;

test(
  'two replicas use no more than a limit that is shared out, and Redis learns of it',
  { skip: skipWithoutRedis() },
  async (t) => {
    const server = await startRedis();
    const replicas = [openQuotaStore(server.url), openQuotaStore(server.url)];
    t.after(async () => {
      await Promise.all(replicas.map((each) => each.close()));
      await server.stop();
    });
    const windows = [fixed(hourMs), sliding(hourMs), calendar('month', 'UTC'), noWindow];
    const whole = windows.map((window): Demand => ({ ...limitOf(8, window), amount: 1, holdMs: 60_000 }));
    const share = whole.map((demand) => ({ ...demand, limit: 4 }));
    const usedIn = async (store: QuotaStore) => (await store.read(whole)).map(({ used }) => used);
    for (const store of replicas) await store.take(whole);

    server.freeze();
    let granted = 0;
    for (const store of replicas) {
      const { alone = assert.fail('Redis can be away') } = store;
      await assert.rejects(store.take(whole), StoreUnavailable);
      for (let call = 0; call < 6; call += 1) {
        const takings = await alone.take(share);
        if (!takings.every((taking) => taking.granted)) continue;
        granted += 1;
        const settlements = share.flatMap((demand, at) =>
          takings[at] ? [{ demand, taking: takings[at], spent: 1 }] : [],
        );
        for (const _ of ['said', 'said again']) if (call < 3) await alone.settle(settlements);
      }
    }
    assert.equal(granted, 8, 'four each, which are the limit');
    server.continue();
    const [one = assert.fail()] = replicas;
    const three = 3 * replicas.length;
    // The first two, and those that were refused an answer, were held and are not settled.
    await until(
      'Redis to know what has ended',
      async () => {
        const used = await usedIn(one).catch(() => []);
        return (used[0] ?? 0) >= three + 2 && used[0];
      },
      5_000,
    );
    const [held = 0] = (await usedIn(one)).slice(-1);
    assert.ok(held >= 2 && held <= 4);
    assert.deepEqual(await usedIn(one), [three + held, three + held, three + held, held]);
    const { alone = assert.fail() } = one;
    assert.deepEqual(
      (await alone.take(share)).map((taking) => taking.granted),
      [false, false, false, true],
    );
  },
);

/** Counts as it should, and lets nobody know where it is told to be silent. */
function unreliable(store: QuotaStore): QuotaStore & { silent: number; takings: number } {
  const self = {
    ...store,
    silent: 0,
    takings: 0,
    async take(demands: readonly Demand[]) {
      self.takings += 1;
      const takings = await store.take(demands);
      if (self.silent-- > 0) throw new StoreUnavailable('the answer was lost');
      return takings;
    },
  };
  return self;
}

test('what was told and not acknowledged is told again, and counted once', async (t) => {
  const clock = new MovedClock();
  const shared = unreliable(memoryStore(clock.now, clock.passed));
  const alone = countingAlone(shared, clock.now, clock.passed);
  t.after(() => alone.close());
  const demand: Demand = { ...limitOf(10, fixed(hourMs)), amount: 4, holdMs: 60_000 };
  const counted: Demand = { ...limitOf(10, sliding(60_000)), amount: 1 };
  const used = async () => (await shared.read([demand, counted])).map((reading) => reading.used);
  const takings = await alone.take([demand, counted]);
  shared.silent = 1;
  await alone.settle([{ demand, taking: takings[0] ?? assert.fail(), spent: 7 }]);
  await until('it to be told twice', async () => shared.takings === 2, 5_000);
  assert.deepEqual(await used(), [14, 2], 'the first may have been heard');
  clock.advance(10_000);
  assert.deepEqual(await used(), [7, 1]);
  // Of a span that is over nobody wants to know.
  const [late = assert.fail()] = await alone.take([{ ...demand, amount: 1 }]);
  clock.advance(hourMs);
  await alone.settle([{ demand: { ...demand, amount: 1 }, taking: late, spent: 1 }]);
  await alone.close();
  assert.deepEqual([await used(), shared.takings], [[0, 0], 2]);
});

test('a worker asks the process that counts, and counts alone once that is gone', async (t) => {
  const counts = memoryStore();
  const asked: AskedQuotas = new AskedQuotas((questions) => {
    for (const question of questions) void answered.hear(question);
  });
  const answered = new AnsweredQuotas(counts, (answers) => asked.hear(answers));
  const store = withAlone(asked);
  t.after(async () => {
    await store.close();
    await counts.close();
  });
  const demand = { ...limitOf(8, fixed(hourMs)), amount: 1, holdMs: 60_000 };
  const [taking = assert.fail()] = await store.take([demand]);
  await store.settle([{ demand, taking, spent: 3 }]);
  assert.deepEqual(
    (await store.read([demand])).map(({ used }) => used),
    [3],
  );

  asked.lose();
  await assert.rejects(store.take([demand]), StoreUnavailable);
  const [alone = assert.fail()] = (await store.alone?.take([demand])) ?? [];
  assert.deepEqual([alone.granted, alone.used], [true, 1]);
});
