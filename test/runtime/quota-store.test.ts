/** One contract for every quota store, and what each store promises beyond it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { redisStore } from '../../runtime/quota/redis.ts';
import { sqliteStore } from '../../runtime/quota/sqlite.ts';
import { StoreUnavailable, type QuotaStore } from '../../runtime/quota/store.ts';
import { skipWithoutRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { settleOne, takeOne, type Limit } from '../support/taking.ts';
import { until } from '../support/until.ts';

const hourMs = 3_600_000;

/** A store under test, with a way to let one window pass. */
interface Subject {
  readonly store: QuotaStore;
  /** A second user of the same counts, where there can be one. */
  readonly sibling?: QuotaStore;
  nextWindow(windowMs: number): Promise<void>;
  close(): Promise<void>;
}

let keys = 0;
const fixed = (ms: number) => ({ kind: 'fixed', ms }) as const;
const quota = (limit: number, windowMs = hourMs): Limit => ({
  key: `quota-${keys++}`,
  limit,
  window: fixed(windowMs),
});

function contract(open: () => Promise<Subject>): void {
  let subject: Subject;
  before(async () => void (subject = await open()));
  after(async () => await subject.close());

  test('grants exactly the limit to 200 concurrent takers', async () => {
    const window = quota(137);
    const other = subject.sibling ?? subject.store;
    const takings = await Promise.all(
      Array.from({ length: 200 }, (_, i) => takeOne(i % 2 === 0 ? subject.store : other, window, 1)),
    );
    const granted = takings.filter((taking) => taking.granted);
    assert.equal(granted.length, 137);
    const counts = granted.map((taking) => taking.used).toSorted((a, b) => a - b);
    assert.deepEqual(
      counts,
      Array.from({ length: 137 }, (_, i) => i + 1),
      'each unit is handed out once',
    );
    assert.ok(takings.every((taking) => taking.granted || taking.used === 137));
  });

  test('takes all of an amount or nothing of it', async () => {
    const window = quota(10);
    assert.deepEqual(await granting(subject.store, window, 7), [true, 7]);
    assert.deepEqual(await granting(subject.store, window, 4), [false, 7]);
    assert.deepEqual(await granting(subject.store, window, 3), [true, 10]);
    assert.deepEqual(await granting(subject.store, window, 0), [true, 10]);
    assert.deepEqual(await granting(subject.store, quota(10), 11), [false, 0]);
  });

  test('counts large amounts without losing digits', async () => {
    const window = quota(2 ** 52);
    assert.deepEqual(await granting(subject.store, window, 2 ** 52 - 1), [true, 2 ** 52 - 1]);
    assert.deepEqual(await granting(subject.store, window, 2), [false, 2 ** 52 - 1]);
  });

  test('starts again from zero in the next window', async () => {
    const window = quota(2, 1_000);
    await subject.nextWindow(1_000);
    const first = await takeOne(subject.store, window, 2);
    assert.equal((await takeOne(subject.store, window, 1)).granted, false);
    await subject.nextWindow(1_000);
    const second = await takeOne(subject.store, window, 1);
    assert.deepEqual([second.granted, second.used], [true, 1]);
    assert.equal(second.start, first.start + 1_000);
  });

  test('takes units back into the window they came from', async () => {
    const window = quota(5);
    const taking = await takeOne(subject.store, window, 5);
    await settleOne(subject.store, { ...window, amount: 5 }, taking, 3);
    assert.deepEqual(await granting(subject.store, window, 3), [false, 3]);
    assert.deepEqual(await granting(subject.store, window, 2), [true, 5]);
  });

  test('ignores units given back to a window that has ended', async () => {
    const window = quota(5, 1_000);
    await subject.nextWindow(1_000);
    const old = await takeOne(subject.store, window, 4);
    await subject.nextWindow(1_000);
    await takeOne(subject.store, window, 4);
    await settleOne(subject.store, { ...window, amount: 4 }, old, 0);
    assert.deepEqual(await granting(subject.store, window, 2), [false, 4]);
  });

  test('never falls below zero', async () => {
    const window = quota(5);
    const taking = await takeOne(subject.store, window, 1);
    await settleOne(subject.store, { ...window, amount: 100 }, taking, 0);
    await settleOne(subject.store, { ...quota(5), amount: 100 }, taking, 0);
    assert.deepEqual(await granting(subject.store, window, 6), [false, 0]);
    assert.deepEqual(await granting(subject.store, window, 5), [true, 5]);
  });

  test('keeps the count when the limit is edited', async () => {
    const window = quota(10);
    await takeOne(subject.store, window, 6);
    assert.deepEqual(await granting(subject.store, { ...window, limit: 5 }, 1), [false, 6]);
    assert.deepEqual(await granting(subject.store, { ...window, limit: 20 }, 14), [true, 20]);
  });

  test('keeps two keys, and two lengths of one key, apart', async () => {
    const one = quota(3);
    await takeOne(subject.store, one, 3);
    assert.deepEqual(await granting(subject.store, quota(3), 3), [true, 3]);
    assert.deepEqual(await granting(subject.store, { ...one, window: fixed(2 * hourMs) }, 3), [true, 3]);
    assert.deepEqual(await granting(subject.store, one, 1), [false, 3]);
  });

  test('says when the window ends', async () => {
    const window = quota(3);
    const taking = await takeOne(subject.store, window, 1);
    assert.ok(taking.resetMs > 0 && taking.resetMs <= hourMs, `resetMs is ${taking.resetMs}`);
    assert.equal(taking.start % hourMs, 0);
  });

  test('refuses amounts and windows that no count can hold', async () => {
    const taking = await takeOne(subject.store, quota(3), 1);
    for (const amount of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(takeOne(subject.store, quota(3), amount), RangeError);
      await assert.rejects(settleOne(subject.store, { ...quota(3), amount: 1 }, taking, amount), RangeError);
    }
    for (const windowMs of [0, -5, 1.5, Number.NaN]) {
      await assert.rejects(takeOne(subject.store, quota(3, windowMs), 1), RangeError);
    }
    await assert.rejects(takeOne(subject.store, quota(Number.NaN), 1), RangeError);
  });

  test('treats a key as a name and never as code', async () => {
    const window = { key: `o'); DROP TABLE quota_span; -- {x} \n "`, limit: 1, window: fixed(hourMs) };
    assert.deepEqual(await granting(subject.store, window, 1), [true, 1]);
    assert.deepEqual(await granting(subject.store, window, 1), [false, 1]);
  });

  test('is healthy while open and unavailable once closed', async () => {
    const own = await open();
    await takeOne(own.store, quota(1), 1);
    assert.equal(own.store.healthy(), true);
    await own.close();
    assert.equal(own.store.healthy(), false);
    await assert.rejects(takeOne(own.store, quota(1), 1), StoreUnavailable);
    await own.store.close();
  });
}

async function granting(store: QuotaStore, window: Limit, amount: number): Promise<[boolean, number]> {
  const { granted, used } = await takeOne(store, window, amount);
  return [granted, used];
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'headgate-quota-'));
}

describe('memory store', () => {
  contract(async () => {
    let now = 1_700_000_000_123;
    const store = memoryStore(() => now);
    return { store, nextWindow: async (ms) => void (now += ms), close: () => store.close() };
  });

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
  contract(async () => {
    let now = 1_700_000_000_123;
    const folder = temporaryFolder();
    const store = sqliteStore(folder, () => now);
    const sibling = sqliteStore(folder, () => now);
    const close = async () => {
      await Promise.all([store.close(), sibling.close()]);
      rmSync(folder, { recursive: true });
    };
    return { store, sibling, nextWindow: async (ms) => void (now += ms), close };
  });

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

  contract(async () => {
    const [store, sibling] = [redisStore(server.url), redisStore(server.url)];
    const nextWindow = async (windowMs: number) => {
      const clock = quota(1, windowMs);
      const { start } = await takeOne(store, clock, 0);
      await until('the next window', async () => (await takeOne(store, clock, 0)).start > start);
    };
    return {
      store,
      sibling,
      nextWindow,
      close: async () => void (await Promise.all([store.close(), sibling.close()])),
    };
  });

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
