/** Whatever becomes of the Redis server, a quota call is answered within a second and the store heals by itself. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { redisStore, type RedisStoreOptions } from '../../runtime/quota/redis.ts';
import { StoreUnavailable, type QuotaStore } from '../../runtime/quota/store.ts';
import { skipWithoutRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { settleOne, takeOne, type Limit } from '../support/taking.ts';
import { until } from '../support/until.ts';

const window: Limit = { key: 'fault', limit: 1_000_000, window: { kind: 'fixed', ms: 3_600_000 } };
const needsRedis = { skip: skipWithoutRedis() };

test('answers at once when the server refuses', async (t) => {
  const port = await closedPort();
  const store = opened(t, `redis://:hunter2@127.0.0.1:${port}`);
  await assertUnavailable(store, /ECONNREFUSED/);
  await timed(assertUnavailable(store, /ECONNREFUSED/), 100);
});

for (const scheme of ['redis', 'rediss']) {
  test(`answers in time when a ${scheme} server accepts and says nothing`, async (t) => {
    const silent = await listening(t, () => undefined);
    const store = opened(t, `${scheme}://user:hunter2@127.0.0.1:${silent}`);
    await Promise.all(Array.from({ length: 20 }, () => assertUnavailable(store)));
    await assertUnavailable(store);
  });
}

test('answers in time when the server talks nonsense', async (t) => {
  const port = await listening(t, (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const store = opened(t, `redis://127.0.0.1:${port}`);
  for (let i = 0; i < 3; i++) await assertUnavailable(store);
});

test('answers in time when the host name does not exist', async (t) => {
  await assertUnavailable(opened(t, 'redis://:hunter2@no-such-host.invalid'));
});

test('keeps the password to itself when the login is refused', needsRedis, async (t) => {
  const server = await started(t, '--requirepass', 'other');
  const store = opened(t, `redis://admin:hunter2@127.0.0.1:${server.port}`);
  await assertUnavailable(store, /WRONGPASS/);
});

test('serves no plain text to a rediss address', needsRedis, async (t) => {
  const server = await started(t);
  await assertUnavailable(opened(t, server.url.replace('redis:', 'rediss:')));
});

test('says unavailable, not refused, when the server cannot store', needsRedis, async (t) => {
  const server = await started(t, '--maxmemory', '1');
  const store = opened(t, server.url);
  await assertUnavailable(store, /OOM/);
});

test('answers in time while the server is frozen and heals when it goes on', needsRedis, async (t) => {
  const server = await started(t);
  const store = opened(t, server.url);
  const taking = await takeOne(store, window, 1);
  server.freeze();
  await Promise.all(Array.from({ length: 50 }, () => assertUnavailable(store)));
  await assertUnavailable(store);
  await timed(assert.rejects(settleOne(store, { ...window, amount: 1 }, taking, 0), StoreUnavailable));
  server.continue();
  const healed = await heal(store);
  assert.ok(healed.used >= taking.used, 'the count goes on where it was');
});

test('never gives a late reply to a later call', needsRedis, async (t) => {
  const server = await started(t);
  const store = opened(t, server.url, { commandTimeoutMs: 80 });
  const amounts = [3, 5, 7, 11, 13];
  for (const round of [1, 2, 3]) {
    server.freeze();
    await assertUnavailable(store);
    server.continue();
    await heal(store);
    const takings = amounts.map((amount) => takeOne(store, { ...window, key: `${round}-${amount}` }, amount));
    assert.deepEqual(
      (await Promise.all(takings)).map((taking) => taking.used),
      amounts,
    );
  }
});

test('answers in time while the server is gone and heals when it is back', needsRedis, async (t) => {
  const server = await started(t);
  const store = opened(t, server.url);
  await takeOne(store, window, 5);
  const flying = Array.from({ length: 20 }, () => timed(takeOne(store, window, 1).catch(requireUnavailable)));
  await server.kill();
  await Promise.all(flying);
  await assertUnavailable(store);
  await server.start();
  assert.equal((await heal(store)).used, 0, 'a server without a disk begins anew');
});

test('takes an answer that waited for a busy event loop', needsRedis, async (t) => {
  const server = await started(t);
  const store = opened(t, server.url, { commandTimeoutMs: 60 });
  await heal(store);
  const taking = takeOne(store, { ...window, key: 'busy' }, 1);
  // What is asked in one turn is sent at its end.
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
  const busyUntil = performance.now() + 100;
  while (performance.now() < busyUntil);
  assert.equal((await taking).used, 1);
});

test('takes nothing for a caller whose deadline passed while connecting', needsRedis, async (t) => {
  const server = await started(t);
  const held = Promise.withResolvers<void>();
  const port = await listening(t, async (socket) => {
    await held.promise;
    socket.pipe(connect(server.port, '127.0.0.1')).pipe(socket);
  });
  const store = opened(t, `redis://127.0.0.1:${port}`);
  await assertUnavailable(store);
  held.resolve();
  assert.equal((await heal(store)).used, 0);
});

test('closes at once, even while the server is frozen', needsRedis, async (t) => {
  const server = await started(t);
  const store = opened(t, server.url);
  await takeOne(store, window, 1);
  server.freeze();
  await timed(store.close());
  await assertUnavailable(store);
});

function opened(t: TestContext, url: string, options?: RedisStoreOptions): QuotaStore {
  const store = redisStore(url, options);
  t.after(() => store.close());
  return store;
}

async function started(t: TestContext, ...settings: string[]): Promise<TestRedis> {
  const server = await startRedis(...settings);
  t.after(() => server.stop());
  return server;
}

async function assertUnavailable(store: QuotaStore, words = /^redis /): Promise<void> {
  await timed(
    takeOne(store, window, 1).then(
      () => assert.fail('the taking was answered'),
      (error: unknown) => {
        requireUnavailable(error);
        assert.match(error.message, words);
      },
    ),
  );
}

function requireUnavailable(error: unknown): asserts error is StoreUnavailable {
  assert.ok(error instanceof StoreUnavailable, inspect(error));
  assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /hunter2/);
}

async function timed(work: Promise<unknown>, withinMs = 1_000): Promise<void> {
  const began = performance.now();
  await work;
  const tookMs = performance.now() - began;
  assert.ok(tookMs < withinMs, `answered after ${tookMs.toFixed(0)} ms`);
}

async function heal(store: QuotaStore) {
  return await until('the store to heal', () => takeOne(store, window, 0).catch(() => undefined));
}

async function listening(t: TestContext, greet: (socket: Socket) => unknown): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    greet(socket);
  });
  const port = await portOf(server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return port;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
