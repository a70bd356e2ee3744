/** Quotas in a Redis Cluster, and the addresses of all forms of Redis. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { StoreUnavailable } from '../../runtime/quota/store.ts';
import { parseRedisAddress } from '../../runtime/redis/address.ts';
import { calendar, fixed, limitOf, noWindow, sliding } from '../support/quota-stores.ts';
import { startCluster } from '../support/redis-forms.ts';
import { skipWithoutRedis } from '../support/redis.ts';
import { takeOne } from '../support/taking.ts';
import { until } from '../support/until.ts';

const needsRedis = { skip: skipWithoutRedis() };
const hour = fixed(3_600_000);

test(
  'a cluster takes from several counts as one, also with many callers, and heals when its nodes stand still',
  needsRedis,
  async (t) => {
    const cluster = await startCluster();
    t.after(() => cluster.stop());
    const store = openQuotaStore(cluster.url);
    t.after(() => store.close());
    const limits = [
      limitOf(100, hour),
      limitOf(60, sliding(60_000)),
      limitOf(80, noWindow),
      limitOf(90, calendar('day', 'UTC')),
    ];
    const demands = limits.map((limit) => ({ ...limit, amount: 1, holdMs: 60_000 }));
    // Finding all of its nodes may take longer than an answer.
    await until('the cluster to answer', () => store.read(limits).catch(() => undefined), 10_000);
    const taken = await Promise.all(Array.from({ length: 120 }, () => store.take(demands)));
    const granted = taken.filter((takings) => takings.every((taking) => taking.granted));
    assert.equal(granted.length, 60);
    await store.settle(
      granted.flatMap((takings) =>
        demands.flatMap((demand, i) => (takings[i] ? [{ demand, taking: takings[i], spent: 1 }] : [])),
      ),
    );
    assert.deepEqual(
      (await store.read(limits)).map(({ used }) => used),
      [60, 60, 0, 60],
    );

    for (const server of cluster.servers) server.freeze();
    const began = performance.now();
    await assert.rejects(takeOne(store, limitOf(1, hour), 1), StoreUnavailable);
    assert.ok(performance.now() - began < 1_000);
    for (const server of cluster.servers) server.continue();
    const [first] = limits;
    assert.ok(first);
    const healed = await until('the store to heal', () => takeOne(store, first, 1).catch(() => undefined), 10_000);
    assert.ok(healed.used >= 61 && healed.used <= 62);
  },
);

test('an address says what it is the address of', () => {
  assert.deepEqual(parseRedisAddress('redis://localhost'), {
    form: 'server',
    master: '',
    places: [{ host: 'localhost', port: 6379 }],
    db: 0,
    isSecure: false,
  });
  assert.deepEqual(parseRedisAddress('rediss://u:p%40:q@a:7000,[::1],c:7002?cluster'), {
    form: 'cluster',
    master: '',
    places: [
      { host: 'a', port: 7000 },
      { host: '::1', port: 6379 },
      { host: 'c', port: 7002 },
    ],
    db: 0,
    username: 'u',
    password: 'p@:q',
    isSecure: true,
  });
  assert.deepEqual(parseRedisAddress('redis://:secret@a,b:5000/3?sentinel=my.master-1'), {
    form: 'sentinel',
    master: 'my.master-1',
    places: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 5000 },
    ],
    db: 3,
    password: 'secret',
    isSecure: false,
  });
});

test('an address that is not understood is told without its password', () => {
  for (const rest of [
    'a,b',
    'a/1?cluster',
    'a?cluster=1',
    'a?sentinel',
    'a?sentinel=',
    'a?db=3',
    'a,?cluster',
    'a/x',
    'a#b',
    '',
    'a:99999',
  ])
    assert.throws(
      () => parseRedisAddress(`redis://u:hunter2@${rest}`),
      (error: Error) => /write redis\[s\]:/.test(error.message) && !String(error.stack).includes('hunter2'),
      rest,
    );
  assert.throws(() => parseRedisAddress('redis://u:%zz@host'), /write redis\[s\]:/);
});
