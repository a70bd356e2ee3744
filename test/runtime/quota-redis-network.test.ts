/** Between a gateway and its Redis the network gets slow, or lets nothing through in one direction: nothing is lost or counted twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { StoreUnavailable, type Demand } from '../../runtime/quota/store.ts';
import { connectRedis } from '../../runtime/redis/connection.ts';
import { failoverInWords, loadWhile } from '../support/quota-failover.ts';
import { calendar, fixed, limitOf, noWindow, sliding } from '../support/quota-stores.ts';
import { skipWithoutRedis, startRedis } from '../support/redis.ts';
import { startProxy, type Proxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const needsRedis = { skip: skipWithoutRedis() };
const hourMs = 3_600_000;

const troubles: Readonly<Record<string, (network: Proxy) => void>> = {
  'answers later than its deadline': (network) => network.delay('answered', 450),
  'hears too late': (network) => network.delay('asked', 450),
  'is heard of no more': (network) => network.hold('answered'),
  'hears nothing': (network) => network.hold('asked'),
};

test('a network that is slow or cut loses no settlement and counts none twice', needsRedis, async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const load = { callers: 8, callMs: 20, forMs: 150, holdMs: 700 };
  const ends = Object.entries(troubles).map(async ([name, trouble]) => {
    const network = await startProxy(server.port);
    t.after(() => network.close());
    const figures = await loadWhile(`redis://127.0.0.1:${network.port}`, load, async () => {
      trouble(network);
      await wait(1_000);
      network.heal();
    });
    t.diagnostic(failoverInWords(`Redis ${name}`, figures));
    assert.ok(figures.unanswered > 0 && figures.calls > 0, 'it was away, and there before and after');
    assert.deepEqual([name, figures.lost, figures.over], [name, 0, 0]);
  });
  await Promise.all(ends);
});

test('what was used is counted, once, also where the server lost its hold', needsRedis, async (t) => {
  const server = await startRedis();
  const [store, other] = [openQuotaStore(server.url), openQuotaStore(server.url)];
  const connection = connectRedis(server.url, 1_000);
  t.after(async () => {
    await Promise.all([store.close(), other.close(), connection.close()]);
    await server.stop();
  });
  const windows = [fixed(hourMs), sliding(hourMs), calendar('day', 'UTC'), noWindow];
  const demands = windows.map((window): Demand => ({ ...limitOf(100, window), amount: 10, holdMs: 60_000 }));
  const takings = await store.take(demands);
  const settlements = demands.flatMap((demand, at) =>
    takings[at] ? [{ demand, taking: takings[at], spent: 13 }] : [],
  );
  await connection.ask(() => connection.client.flushall());
  // The first as a worker says it, which was sent a copy.
  await store.settle(structuredClone(settlements));
  for (const who of [store, other]) await who.settle(settlements);
  const readings = await other.read(demands);
  assert.deepEqual(
    readings.map(({ used }) => used),
    [13, 13, 13, 0],
  );
});

test('what was said twice and heard in the wrong order is counted once', needsRedis, async (t) => {
  const server = await startRedis();
  const network = await startProxy(server.port);
  const [store, other] = [openQuotaStore(`redis://127.0.0.1:${network.port}`), openQuotaStore(server.url)];
  const connection = connectRedis(server.url, 1_000);
  t.after(async () => {
    await Promise.all([store.close(), other.close(), connection.close(), network.close()]);
    await server.stop();
  });
  const demand: Demand = { ...limitOf(100, fixed(hourMs)), amount: 10, holdMs: 60_000 };
  const usedNow = () => other.read([demand]).then(([reading]) => reading?.used);
  const [taking = assert.fail()] = await store.take([demand]);
  network.strand('asked');
  await assert.rejects(store.settle([{ demand, taking, spent: 3 }]), StoreUnavailable);
  await until('it to be said again', async () => (await usedNow()) === 3);
  const looks = async () =>
    Number(/cmdstat_hexists:calls=(\d+)/.exec(await connection.client.info('commandstats'))?.[1] ?? 0);
  const before = await looks();
  network.heal();
  // A settlement that finds no hold looks for more.
  await until('the first saying to be heard', async () => (await looks()) > before);
  assert.equal(await usedNow(), 3);
});

test('a place that one call took is forgotten when nobody calls again', needsRedis, async (t) => {
  const server = await startRedis();
  const store = openQuotaStore(server.url);
  const connection = connectRedis(server.url, 1_000);
  t.after(async () => {
    await Promise.all([store.close(), connection.close()]);
    await server.stop();
  });
  await store.take([{ ...limitOf(1, noWindow), amount: 1, holdMs: 60_000 }]);
  await connection.ask(() => connection.client.ping());
  const [key = ''] = await connection.client.keys('*');
  const leftMs = await connection.client.pttl(key);
  assert.ok(leftMs > 0 && leftMs <= 60_000, `${leftMs} ms`);
});
