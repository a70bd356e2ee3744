/** One contract for every quota store, and what each store promises beyond it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { redisStore } from '../../runtime/quota/redis.ts';
import { sqliteStore } from '../../runtime/quota/sqlite.ts';
import { connectRedis } from '../../runtime/redis/connection.ts';
import { skipWithoutRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { countsContract } from '../support/quota-contract/counts.ts';
import { formerWindowsContract } from '../support/quota-contract/former-windows.ts';
import { holdsContract } from '../support/quota-contract/holds.ts';
import { modelContract } from '../support/quota-contract/model.ts';
import { movesContract } from '../support/quota-contract/moves.ts';
import { windowsContract } from '../support/quota-contract/windows.ts';
import {
  calendar,
  fixed,
  limitOf,
  noWindow,
  openMemory,
  openRedis,
  openSqlite,
  sliding,
  temporaryFolder,
  type Open,
} from '../support/quota-stores.ts';
import { granting, settleOne, takeOne, type Limit } from '../support/taking.ts';
import { until } from '../support/until.ts';

const hourMs = 3_600_000;
const quota = (limit: number, windowMs = hourMs): Limit => limitOf(limit, fixed(windowMs));

function contract(open: Open): void {
  countsContract(open);
  holdsContract(open);
  windowsContract(open);
  movesContract(open);
  formerWindowsContract(open);
  modelContract(open);
}

describe('memory store', () => {
  contract(openMemory);

  test('keeps the count when the clock is set back across a boundary', async () => {
    let now = 9_999;
    const store = memoryStore(() => now);
    const window = quota(1, 1_000);
    await takeOne(store, window, 1);
    now = 10_000;
    await takeOne(store, window, 1);
    now = 9_999;
    assert.equal((await takeOne(store, window, 1)).granted, false);
  });
});

describe('sqlite store', () => {
  contract(openSqlite);

  test('finds its counts again after a restart', async (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    const window = quota(5);
    const first = sqliteStore(folder, () => 5_000);
    await takeOne(first, window, 4);
    await first.close();
    const second = sqliteStore(folder, () => 5_000);
    assert.deepEqual(await granting(second, window, 2), [false, 4]);
    await second.close();
  });

  test('keeps its folder and files from other users', async (t) => {
    const parent = temporaryFolder();
    t.after(() => rmSync(parent, { recursive: true }));
    const folder = join(parent, 'state', 'quota');
    const store = sqliteStore(folder);
    await takeOne(store, quota(1), 1);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    const files = readdirSync(folder);
    assert.ok(files.includes('quota.sqlite'));
    for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
    await store.close();
  });

  test('loses no acknowledged taking when its process is killed', async (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    const child = taker(folder, 1_000_000);
    let acknowledged = 0;
    for await (const line of child.lines) {
      acknowledged = Number(line);
      if (acknowledged === 200) child.process.kill('SIGKILL');
    }
    const store = sqliteStore(folder, () => 5_000);
    const { used } = await takeOne(store, { key: 'shared', limit: 1_000_000, window: fixed(hourMs) }, 0);
    assert.ok(acknowledged >= 200 && used >= acknowledged, `${acknowledged} acknowledged, ${used} kept`);
    await store.close();
  });

  test('shares the last unit with no other process', async (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    const counts = await Promise.all([taker(folder, 300), taker(folder, 300)].map((child) => lines(child.lines)));
    const all = counts
      .flat()
      .map(Number)
      .toSorted((a, b) => a - b);
    assert.deepEqual(
      all,
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
  });

  test('removes windows that ended long ago', async (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    let now = 0;
    const store = sqliteStore(
      folder,
      () => now,
      () => now,
    );
    for (let i = 0; i < 1_200; i++) await takeOne(store, { key: `${i}`, limit: 1, window: fixed(1_000) }, 1);
    now = 10 * hourMs;
    for (let i = 0; i < 4; i++) await takeOne(store, { key: 'late', limit: 9, window: fixed(hourMs) }, 1);
    now = 0;
    assert.deepEqual(
      await granting(store, { key: '0', limit: 1, window: fixed(1_000) }, 1),
      [true, 1],
      'the row is gone',
    );
    assert.deepEqual(await granting(store, { key: '1199', limit: 1, window: fixed(1_000) }, 1), [true, 1]);
    await store.close();
  });

  test('keeps the counts of a file from before windows had names', async (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    writeOldFile(join(folder, 'quota.sqlite'));
    // As a rolling start does: both find the old table.
    const stores = [1, 2].map(() => sqliteStore(folder, () => 5_000));
    for (const store of stores) {
      assert.deepEqual(await granting(store, { key: 'free:web', limit: 10, window: fixed(hourMs) }, 4), [false, 7]);
      assert.deepEqual(await granting(store, { key: 'free:web', limit: 10, window: fixed(60_000) }, 9), [false, 3]);
      await store.close();
    }
    const again = sqliteStore(folder, () => 5_000);
    assert.deepEqual(await granting(again, { key: 'free:web', limit: 10, window: fixed(hourMs) }, 3), [true, 10]);
    await again.close();
  });

  test('sets a damaged file aside and counts on', async (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'quota.sqlite'), 'not a database, whatever its name says'.repeat(100));
    const warned = once(process, 'warning');
    const store = sqliteStore(folder);
    assert.deepEqual(await granting(store, quota(1), 1), [true, 1]);
    assert.match(readFileSync(join(folder, 'quota.sqlite.damaged'), 'utf8'), /^not a database/);
    const [warning] = await warned;
    assert.match(String(warning), /is damaged/);
    await store.close();
  });

  test('names the file and the cure when it cannot open', (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => sqliteStore(join(folder, 'file')), /cannot open the quota store .*file.*name a directory/);
  });
});

describe('redis store', { skip: skipWithoutRedis() }, () => {
  let server: TestRedis;
  before(async () => void (server = await startRedis()));
  after(async () => await server.stop());

  contract(() => openRedis(server.url));

  test('shares counts between clients with the same prefix and no others', async () => {
    const [one, two] = [redisStore(server.url), redisStore(server.url)];
    const stranger = redisStore(server.url, { keyPrefix: 'elsewhere:' });
    const window = quota(3);
    const taking = await takeOne(one, window, 2);
    assert.deepEqual(await granting(two, window, 2), [false, 2]);
    await settleOne(two, { ...window, amount: 2 }, taking, 1);
    assert.deepEqual(await granting(one, window, 2), [true, 3]);
    assert.deepEqual(await granting(stranger, window, 3), [true, 3]);
    await Promise.all([one.close(), two.close(), stranger.close()]);
  });

  test('goes by the clock of the server, however wrong its own is', async (t) => {
    const store = redisStore(server.url);
    t.after(() => store.close());
    const limits = [limitOf(3, calendar('day', 'Asia/Tokyo')), limitOf(3, fixed(60_000)), limitOf(3, sliding(60_000))];
    const demands = limits.map((limit) => ({ ...limit, amount: 2, holdMs: 60_000 }));
    const right = await store.take(demands);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 400 * 86_400_000 });
    const wrong = await store.take(demands);
    const [moved] = await store.read(limits.slice(0, 1).map((was) => ({ ...limitOf(3, sliding(60_000)), was })));
    t.mock.timers.reset();
    assert.equal(moved?.used, 2, 'also for the window that a count had before');
    assert.deepEqual(
      wrong.map(({ granted, used, start }) => [granted, used, start]),
      right.map(({ used, start }) => [false, used, start]),
    );
  });

  test('leaves nothing behind for longer than it counts', async (t) => {
    const store = redisStore(server.url, { keyPrefix: 'brief:' });
    const { client } = connectRedis(server.url, 1_000);
    t.after(() => (client.disconnect(), store.close()));
    const limits = [limitOf(9, fixed(40)), limitOf(9, sliding(40)), limitOf(9, noWindow)];
    const demands = limits.map((limit) => ({ ...limit, amount: 2, holdMs: 50 }));
    const takings = await store.take(demands);
    await store.settle(demands.flatMap((demand, i) => (takings[i] ? [{ demand, taking: takings[i], spent: 3 }] : [])));
    await store.take(demands);
    assert.equal((await client.keys('brief:*')).length, 3);
    await until('the keys to go', async () => (await client.keys('brief:*')).length === 0);
  });

  test('logs in, chooses a database and loads its script again after the server forgot it', async (t) => {
    const guarded = await startRedis('--requirepass', 'p@ss:word/%');
    t.after(() => guarded.stop());
    const url = `redis://:${encodeURIComponent('p@ss:word/%')}@127.0.0.1:${guarded.port}/3`;
    const store = redisStore(url);
    const window = quota(2);
    assert.deepEqual(await granting(store, window, 1), [true, 1]);
    await guarded.kill();
    await guarded.start();
    await until('the store to heal', () =>
      takeOne(store, window, 1).then(
        () => true,
        () => false,
      ),
    );
    await store.close();
  });
});

describe('openQuotaStore', () => {
  test('a directory that nobody can make is an error at once', { timeout: 10_000 }, (t) => {
    if (!existsSync('/proc')) return t.skip('there is no /proc here');
    assert.throws(() => openQuotaStore('/proc/headgate'), /cannot open the quota store/);
  });

  test('opens memory and a directory', async (t) => {
    const folder = temporaryFolder();
    t.after(() => rmSync(folder, { recursive: true }));
    for (const where of ['memory', folder]) {
      const store = openQuotaStore(where);
      assert.deepEqual(await granting(store, quota(1), 1), [true, 1]);
      await store.close();
    }
    assert.ok(readdirSync(folder).includes('quota.sqlite'));
  });

  test('refuses what it does not know without repeating a password', () => {
    for (const where of [
      '',
      ' ',
      'valkey://u:hunter2@host',
      'redis://u:hunter2@host:port',
      'redis://:hunter2@h/x?a=1',
    ]) {
      assert.throws(
        () => openQuotaStore(where),
        (error: Error) =>
          /give memory|write redis/.test(error.message) && !JSON.stringify(inspectable(error)).includes('hunter2'),
      );
    }
  });
});

function inspectable(error: Error): unknown[] {
  return [error.message, error.stack, error.cause, Object.entries(error)];
}

function writeOldFile(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE quota_window (
      key TEXT NOT NULL,
      window_ms INTEGER NOT NULL,
      window_start INTEGER NOT NULL,
      used REAL NOT NULL,
      forget_at INTEGER NOT NULL,
      PRIMARY KEY (key, window_ms, window_start)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO quota_window VALUES ('free:web', ${hourMs}, 0, 7.0, ${2 * hourMs}), ('free:web', 60000, 0, 2.5, 120000);
  `);
  database.close();
}

/** Another process that takes one unit after another from quota `shared` and prints each count it was granted. */
function taker(folder: string, limit: number) {
  const source = `
    import { sqliteStore } from ${JSON.stringify(new URL('../../runtime/quota/sqlite.ts', import.meta.url).href)};
    const store = sqliteStore(${JSON.stringify(folder)}, () => 5_000);
    for (;;) {
      const [taking] = await store.take([{ key: 'shared', limit: ${limit}, window: { kind: 'fixed', ms: ${hourMs} }, amount: 1 }]);
      if (!taking.granted) break;
      process.stdout.write(taking.used + '\\n');
      await new Promise(setImmediate);
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { process: child, lines: createInterface({ input: child.stdout }) };
}

async function lines(source: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of source) all.push(line);
  return all;
}
