/** What Redis took while its answer was lost is given back, and what was granted to a caller never is. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { redisStore } from '../../runtime/quota/redis.ts';
import { StoreUnavailable, type Demand, type QuotaStore, type Taking } from '../../runtime/quota/store.ts';
import { connectRedis } from '../../runtime/redis/connection.ts';
import { AnsweredQuotas } from '../../runtime/workers/answered-quotas.ts';
import { AskedQuotas } from '../../runtime/workers/asked-quotas.ts';
import { calendar, fixed, limitOf, noWindow, sliding } from '../support/quota-stores.ts';
import { startCluster } from '../support/redis-forms.ts';
import { skipWithoutRedis, startRedis } from '../support/redis.ts';
import { startProxy, type Proxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const needsRedis = { skip: skipWithoutRedis() };
const hourMs = 3_600_000;
const endless = Number.MAX_SAFE_INTEGER;
const held = { holdMs: 600_000 };
const month = calendar('month', 'Asia/Tokyo');

/** Takings of all sorts: nothing held, some of it, all of it, and out of batches. */
const shapes = (): Demand[][] => [
  [{ ...limitOf(endless, fixed(hourMs)), amount: 1 }],
  [
    { ...limitOf(endless, sliding(hourMs)), amount: 2 },
    { ...limitOf(endless, month), amount: 3 },
  ],
  [
    { ...limitOf(endless, month), amount: 1 },
    { ...limitOf(endless, sliding(hourMs)), amount: 7, ...held },
    { ...limitOf(endless, noWindow), amount: 1, ...held },
  ],
  [{ ...limitOf(1_000, fixed(hourMs)), slack: 64, amount: 1 }],
  [{ ...limitOf(1_000, fixed(hourMs)), slack: 160, amount: 2, ...held }],
];

/** As a worker has it from the process that counts. */
function asWorker(store: QuotaStore): QuotaStore {
  const asked: AskedQuotas = new AskedQuotas((questions) => {
    for (const question of questions) void answered.hear(question);
  });
  const answered = new AnsweredQuotas(store, (answers) => asked.hear(structuredClone(answers)));
  return asked;
}

async function orLost<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}

/** What callers were granted, and what of it they spent. */
class Course {
  readonly granted = new Map<string, number>();
  lost = 0;
  running = true;

  async call(store: QuotaStore, demands: readonly Demand[]): Promise<void> {
    const takings = await orLost(store.take(demands));
    if (!takings) this.lost += 1;
    else if (takings.every(({ granted }) => granted)) await this.#spend(store, demands, takings);
    await wait(10);
  }

  async #spend(store: QuotaStore, demands: readonly Demand[], takings: readonly Taking[]): Promise<void> {
    // Some calls go on, and hold what they hold.
    const hasEnded = Math.random() < 0.5;
    const settlements = demands.flatMap((demand, at) => {
      const taking = takings[at];
      const spent = hasEnded && demand.holdMs !== undefined ? 1 : demand.amount;
      const leaves = hasEnded && demand.window.kind === 'none' ? 0 : spent;
      this.granted.set(demand.key, (this.granted.get(demand.key) ?? 0) + leaves);
      return taking && hasEnded && demand.holdMs !== undefined ? [{ demand, taking, spent }] : [];
    });
    if (settlements.length > 0) await orLost(store.settle(settlements));
  }
}

/** Ends when the store counts what was granted, neither more nor less. */
async function assertCounted(store: QuotaStore, all: readonly Demand[], course: Course): Promise<void> {
  const expected = all.map(({ key }) => course.granted.get(key) ?? 0);
  let counted: number[] = [];
  const isCounted = async () => {
    counted = ((await orLost(store.read(all))) ?? []).map(({ used }) => used);
    return JSON.stringify(counted) === JSON.stringify(expected);
  };
  await until('the counts', isCounted, 8_000).catch(() => undefined);
  assert.deepEqual(counted, expected);
}

const troubles: Readonly<Record<string, (network: Proxy) => void>> = {
  'answers later than its deadline': (network) => network.delay('answered', 400),
  'hears too late': (network) => network.delay('asked', 400),
  'is heard of no more': (network) => network.hold('answered'),
  'is cut off, and hears what was on its way when that is over': (network) => network.hold('asked'),
};

test('after any trouble of the network the counts are what was granted', needsRedis, async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const ends = Object.entries(troubles).map(async ([name, trouble]) => {
    const network = await startProxy(server.port);
    const store = openQuotaStore(`redis://127.0.0.1:${network.port}`);
    t.after(async () => {
      await store.close();
      await network.close();
    });
    const asked = shapes();
    const course = new Course();
    const users = [store, asWorker(store)];
    const calling = asked.flatMap((demands) =>
      users.map(async (user) => {
        while (course.running) await course.call(user, demands);
      }),
    );
    await wait(150);
    for (const _ of ['once', 'again']) {
      trouble(network);
      await wait(500);
      network.heal();
      await wait(150);
    }
    course.running = false;
    await Promise.all(calling);
    assert.ok(course.lost > 0 && course.granted.size === asked.flat().length, `${name}: ${course.lost} lost`);
    await assertCounted(store, asked.flat(), course);
  });
  await Promise.all(ends);
});

/** A store behind a network, and how often a command was called at its server. */
async function behindNetwork(t: TestContext) {
  const server = await startRedis();
  const network = await startProxy(server.port);
  const [store, other] = [redisStore(`redis://127.0.0.1:${network.port}`), redisStore(server.url)];
  const direct = connectRedis(server.url, 1_000);
  t.after(async () => {
    await Promise.all([store.close(), other.close(), direct.close(), network.close()]);
    await server.stop();
  });
  await direct.ask(() => direct.client.ping());
  const calls = async (command: string) =>
    Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await direct.client.info('commandstats'))?.[1] ?? 0);
  const [counted = [], , mixed = []] = shapes();
  const usedNow = async () => (await other.read([...counted, ...mixed])).map(({ used }) => used);
  // What is taken here is granted, and stays.
  for (const demands of [counted, mixed]) await store.take(demands);
  const granted = await usedNow();
  const lose = () => Promise.all([counted, mixed].map((each) => assert.rejects(store.take(each), StoreUnavailable)));
  return { network, lose, calls, usedNow, granted };
}

test('a taking that arrives after it was given back is given back again', needsRedis, async (t) => {
  const { network, lose, calls, usedNow, granted } = await behindNetwork(t);
  network.strand('asked');
  await lose();
  await until('a first try at giving it back, in vain', async () => (await calls('get')) > 0);
  network.heal();
  await until('the taking to arrive', async () => (await calls('set')) > 1);
  await until('it to be given back', async () => String(await usedNow()) === String(granted));
});

test('what is given back and not heard of is given back once', needsRedis, async (t) => {
  const { network, lose, calls, usedNow, granted } = await behindNetwork(t);
  network.delay('answered', 400);
  await lose();
  await until('it to be said again', async () => (await calls('get')) > 1);
  assert.deepEqual(await usedNow(), granted);
  network.heal();
});

test('a gateway that stops gives back at once', needsRedis, async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const [store, other] = [redisStore(server.url), redisStore(server.url)];
  t.after(() => other.close());
  const all = shapes().slice(0, 3).flat();
  await store.read(all);
  server.freeze();
  await assert.rejects(store.take(all.slice(0, 3)), StoreUnavailable);
  server.continue();
  await until('the connection', async () => orLost(store.read(all)));
  await store.close();
  assert.ok((await other.read(all)).every(({ used }) => used === 0));
});

test('receipts are few, and are written only where nothing is held', needsRedis, async (t: TestContext) => {
  const server = await startRedis();
  const store = redisStore(server.url);
  const { client, ask, close } = connectRedis(server.url, 1_000);
  t.after(async () => {
    await Promise.all([store.close(), close()]);
    await server.stop();
  });
  await ask(() => client.ping());
  const receipts = () => client.keys('*:taken:*');
  const [counted = [], , mixed = []] = shapes();
  for (const _ of [1, 2, 3]) await store.take(mixed);
  await store.read(counted);
  assert.deepEqual(await receipts(), []);
  for (let round = 0; round < 5; round += 1) await Promise.all([1, 2, 3, 4].map(() => store.take(counted)));
  const keys = await receipts();
  assert.equal(keys.length, 4, 'one for each taking at the same time');
  const leftMs = await client.pttl(keys[0] ?? '');
  assert.ok(leftMs > 60_000 && leftMs <= 120_000, `${leftMs} ms`);
});

test('a cluster whose nodes stand still counts what was granted', needsRedis, async (t) => {
  const cluster = await startCluster();
  const store = openQuotaStore(cluster.url);
  t.after(async () => {
    await store.close();
    await cluster.stop();
  });
  const asked = shapes();
  const course = new Course();
  await until('the cluster to answer', () => orLost(store.read(asked.flat())), 10_000);
  for (const demands of asked) await course.call(store, demands);
  for (const server of cluster.servers) server.freeze();
  await Promise.all(asked.map((demands) => course.call(store, demands)));
  assert.ok(course.lost >= 3, `${course.lost} lost`);
  for (const server of cluster.servers) server.continue();
  await until('the cluster to answer', () => orLost(store.read(asked.flat())), 10_000);
  await assertCounted(store, asked.flat(), course);
});
