/** Batches that replicas take where a quota allows slack: how far they exceed it, whom they refuse, and how seldom they ask. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { leasing } from '../../runtime/quota/leasing.ts';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { redisStore } from '../../runtime/quota/redis.ts';
import { StoreUnavailable, type Demand, type QuotaStore } from '../../runtime/quota/store.ts';
import { connectRedis } from '../../runtime/redis/connection.ts';
import { seededRandom } from '../../runtime/seeded-random.ts';
import { fixed, limitOf, sliding } from '../support/quota-stores.ts';
import { skipWithoutRedis, startRedis } from '../support/redis.ts';
import { takeOne } from '../support/taking.ts';

const hourMs = 3_600_000;
/** Batches of 20. */
const tokens = { ...limitOf(1_000, fixed(hourMs)), slack: 320 };
const asks = (amount: number): Demand => ({ ...tokens, amount, holdMs: 60_000 });

/** Each way to the store takes its time, so that others come between. */
function watched(store: QuotaStore): QuotaStore & { asked: number; isDown: boolean } {
  const pass = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    self.asked += 1;
    await new Promise(setImmediate);
    if (self.isDown) throw new StoreUnavailable('away');
    return work();
  };
  const self = {
    asked: 0,
    isDown: false,
    take: (demands: readonly Demand[]) => pass(() => store.take(demands)),
    settle: (settlements: Parameters<QuotaStore['settle']>[0]) => pass(() => store.settle(settlements)),
    read: (counts: Parameters<QuotaStore['read']>[0]) => pass(() => store.read(counts)),
    healthy: () => true,
    close: () => store.close(),
  };
  return self;
}

describe('slack', () => {
  test('four replicas never use more than limit and slack, and refuse nobody who has room', async (t) => {
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(seed);
      const store = memoryStore(() => 0);
      const replicas = [1, 2, 3, 4].map(() => leasing(watched(store)));
      let [used, most, refused] = [0, 0, 0];
      const call = async (replica: QuotaStore) => {
        const demand = asks(1 + Math.floor(random() * 15));
        const before = used;
        const [taking] = await replica.take([demand]);
        assert.ok(taking);
        if (!taking.granted) {
          refused += 1;
          assert.ok(before + demand.amount > tokens.limit, `refused ${demand.amount} with ${before} used`);
          return;
        }
        used += demand.amount;
        most = Math.max(most, used);
        await new Promise(setImmediate);
        const spent = Math.floor(random() * (demand.amount + 1));
        used -= demand.amount - spent;
        await replica.settle([{ demand, taking, spent }]);
      };
      for (let round = 0; round < 120; round += 1)
        await Promise.all(replicas.flatMap((replica) => [call(replica), call(replica)]));
      for (const replica of replicas) await replica.close();
      t.diagnostic(`seed ${seed}: at most ${most} of ${tokens.limit} + ${tokens.slack}, ${refused} refused`);
      assert.ok(most > 900 && most <= tokens.limit + tokens.slack && refused > 0);
    }
  });

  test('what was not used goes back at the stop, and what was is counted exactly', async () => {
    const store = memoryStore(() => 0);
    const replica = leasing(watched({ ...store, close: async () => undefined }));
    const demand = asks(10);
    const [taking] = await replica.take([demand]);
    assert.ok(taking);
    assert.equal((await store.read([tokens]))[0]?.used, 20, 'a batch');
    assert.equal((await replica.read([tokens]))[0]?.used, 10);
    // Said twice, counted once; and more than was held.
    for (const _ of [1, 2]) await replica.settle([{ demand, taking, spent: 13 }]);
    await replica.close();
    assert.equal((await store.read([tokens]))[0]?.used, 13);
    const other = leasing({ ...store, close: async () => undefined });
    const [more] = await other.take([demand]);
    assert.ok(more);
    await other.settle([{ demand, taking: more, spent: 40 }]);
    await other.close();
    assert.equal((await store.read([tokens]))[0]?.used, 53, 'also where more was spent than the batch had');
  });

  test('what another quota refuses is not taken out of the batch', async () => {
    const store = memoryStore(() => 0);
    const replica = leasing(store);
    const tight = { ...limitOf(1, fixed(hourMs)), amount: 1 };
    await store.take([tight]);
    for (let asked = 0; asked < 5; asked += 1) {
      const [own, other] = await replica.take([asks(10), tight]);
      assert.deepEqual([own?.granted, own?.used, other?.granted], [true, 0, false]);
    }
    assert.equal((await store.read([tokens]))[0]?.used, 20);
  });

  test('what calls hold of a batch is told, and settled by whoever says so, once', async () => {
    let now = 0;
    const store = memoryStore(() => 0);
    const replica = leasing(store, () => now);
    const counts = async () => (await replica.read([tokens])).map(({ used, held }) => [used, held])[0];
    const [one = assert.fail()] = await replica.take([asks(10)]);
    assert.deepEqual([one.used, one.held], [10, 10]);
    const [large = assert.fail()] = await replica.take([asks(30)]);
    await takeOne(replica, tokens, 3);
    assert.deepEqual(await counts(), [43, 40]);
    // As a worker says it, which was sent a copy.
    const told = structuredClone([{ demand: asks(10), taking: one, spent: 4 }]);
    for (const _ of [1, 2]) await replica.settle(told);
    await replica.settle([{ demand: asks(30), taking: large, spent: 30 }]);
    assert.deepEqual(await counts(), [37, 0]);
    assert.equal((await store.read([tokens]))[0]?.used, 50, 'the store knows of one batch');

    const [dead = assert.fail()] = await replica.take([asks(5)]);
    assert.deepEqual(await counts(), [42, 5]);
    now = 60_000;
    await takeOne(replica, tokens, 1);
    assert.deepEqual(await counts(), [38, 0]);
    await replica.settle([{ demand: asks(5), taking: dead, spent: 2 }]);
    assert.deepEqual(await counts(), [40, 0], 'it was only slow');
  });

  test('a store that is away is not missed while there is a batch, and all who wait for one learn it at once', async () => {
    const store = watched(memoryStore(() => 0));
    const replica = leasing(store);
    assert.equal((await takeOne(replica, tokens, 5)).granted, true);
    store.isDown = true;
    assert.equal((await takeOne(replica, tokens, 15)).granted, true);
    const before = store.asked;
    const ends = await Promise.allSettled(Array.from({ length: 50 }, () => takeOne(replica, tokens, 5)));
    assert.ok(ends.every((end) => end.status === 'rejected' && end.reason instanceof StoreUnavailable));
    assert.equal(store.asked, before + 1);
  });

  test('a batch ends with its window', async () => {
    let now = 0;
    const replica = leasing(
      memoryStore(() => now),
      () => now,
    );
    await takeOne(replica, tokens, 1);
    now = hourMs;
    const { start, used } = await takeOne(replica, tokens, 1);
    assert.deepEqual([start, used], [hourMs, 1]);
  });

  test('sliding windows, quotas without slack and amounts beyond a batch are asked for one by one', async () => {
    const store = watched(memoryStore(() => 0));
    const replica = leasing(store);
    const { slack: _, ...exact } = tokens;
    for (const each of [{ ...limitOf(9, sliding(hourMs)), slack: 9 }, exact]) {
      const before = store.asked;
      for (const __ of [1, 2, 3]) await takeOne(replica, each, 1);
      assert.equal(store.asked, before + 3);
    }
    const before = store.asked;
    for (const __ of [1, 2]) await takeOne(replica, tokens, 21);
    assert.equal(store.asked, before + 2);
  });
});

test('Redis is asked twice for each call, and hardly at all with slack', { skip: skipWithoutRedis() }, async (t) => {
  const server = await startRedis();
  const connection = connectRedis(server.url, 1_000);
  const replica = leasing(redisStore(server.url));
  t.after(async () => {
    await replica.close();
    await connection.close();
    await server.stop();
  });
  const scripts = async () =>
    [
      ...String(await connection.ask(() => connection.client.info('commandstats'))).matchAll(
        /cmdstat_eval(?:sha)?:calls=(\d+)/g,
      ),
    ].reduce((sum, [, calls]) => sum + Number(calls), 0);
  const perCall: number[] = [];
  for (const slack of [0, 10_000]) {
    const demand = { ...limitOf(1_000_000, fixed(hourMs)), slack, amount: 100, holdMs: 60_000 };
    const before = await scripts();
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const [taking] = await replica.take([demand]);
          assert.ok(taking?.granted);
          await replica.settle([{ demand, taking, spent: 40 }]);
        }),
      );
    perCall.push(((await scripts()) - before) / 400);
  }
  t.diagnostic(`Redis scripts for each call: ${perCall[0]} exact, ${perCall[1]} with a slack of 1 %`);
  assert.ok((perCall[0] ?? 0) >= 2 && (perCall[1] ?? 1) < 0.2);
});
