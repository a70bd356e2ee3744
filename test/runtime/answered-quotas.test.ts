/** What a worker held and did not settle is settled for it when it ends: once, and in doubt as used. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import type { Demand, QuotaStore } from '../../runtime/quota/store.ts';
import { AnsweredQuotas } from '../../runtime/workers/answered-quotas.ts';
import { AskedQuotas } from '../../runtime/workers/asked-quotas.ts';
import { fixed, limitOf, noWindow, temporaryFolder } from '../support/quota-stores.ts';
import { until } from '../support/until.ts';

/** A worker, and what answers it. */
function pair(store: QuotaStore) {
  const asked: AskedQuotas = new AskedQuotas((questions) => {
    for (const question of structuredClone(questions)) void answered.hear(question);
  });
  const answered = new AnsweredQuotas(store, (answers) => asked.hear(structuredClone(answers)));
  return { asked, answered };
}

const places: Demand = { ...limitOf(10, noWindow), amount: 1, holdMs: 60_000 };
const tokens: Demand = { ...limitOf(1_000, fixed(3_600_000)), amount: 100, holdMs: 60_000 };
const requests: Demand = { ...limitOf(1_000, fixed(3_600_000)), amount: 1 };
const all = [places, tokens, requests];

const usedIn = async (store: QuotaStore) => (await store.read(all)).map(({ used }) => used);

test('of calls under way the places are free, and what may have been spent is counted', async () => {
  const store = memoryStore();
  const { asked, answered } = pair(store);
  for (const spent of [30, undefined, undefined]) {
    const takings = await asked.take(all);
    const settlements = all.flatMap((demand, index) => {
      const taking = takings[index];
      return taking?.hold === undefined ? [] : [{ demand, taking, spent: demand === tokens ? (spent ?? 0) : 0 }];
    });
    if (spent === undefined) continue;
    // What is said twice counts once.
    await asked.settle(settlements);
    await asked.settle(settlements);
  }
  assert.deepEqual(await usedIn(store), [2, 230, 3]);
  const { calls, inDoubt } = await answered.lose();
  assert.deepEqual([calls, [...inDoubt]], [2, [[tokens.key, 200]]]);
  assert.deepEqual(await usedIn(store), [0, 230, 3]);
  assert.equal((await answered.lose()).calls, 0);
});

test('a word that comes after the end changes nothing', async () => {
  const store = memoryStore();
  const { asked, answered } = pair(store);
  const [place = assert.fail(), taken = assert.fail()] = await asked.take([places, tokens]);
  await answered.lose();
  await asked.settle([
    { demand: places, taking: place, spent: 0 },
    { demand: tokens, taking: taken, spent: 70 },
  ]);
  assert.deepEqual(await usedIn(store), [0, 100, 0]);
});

test('what was taken for one that cannot hear it any more is given back', async () => {
  const store = memoryStore();
  const { answered } = pair(store);
  const heard = answered.hear({ id: 1, take: all });
  const [{ calls }] = await Promise.all([answered.lose(), heard]);
  assert.equal(calls, 0);
  assert.deepEqual(await usedIn(store), [0, 0, 0]);
});

test('a store that is away when a worker ends is told when it is back', async (t) => {
  const folder = temporaryFolder();
  const store = openQuotaStore(folder);
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const { asked, answered } = pair(store);
  await asked.take([places, tokens]);
  const other = new DatabaseSync(join(folder, 'quota.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  const { calls, problem } = await answered.lose();
  assert.equal(calls, 1);
  assert.match(problem ?? '', /locked/);
  other.exec('ROLLBACK');
  other.close();
  await until('the place is free', async () => (await usedIn(store))[0] === 0);
  assert.deepEqual(await usedIn(store), [0, 100, 0]);
});
