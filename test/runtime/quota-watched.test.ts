/** The log says once that the store of quotas is away, and once that it is back. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { pino } from 'pino';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { StoreUnavailable, type QuotaStore } from '../../runtime/quota/store.ts';
import { watched } from '../../runtime/quota/watched.ts';
import { fixed, limitOf } from '../support/quota-stores.ts';

test('an outage is told once, and its end', async () => {
  const lines: string[] = [];
  const log = pino({}, new Writable({ write: (line, _encoding, done) => (lines.push(String(line)), done()) }));
  const memory = memoryStore();
  let isAway = false;
  const store: QuotaStore = {
    ...memory,
    read: (counts) => (isAway ? Promise.reject(new StoreUnavailable('no answer')) : memory.read(counts)),
  };
  const quotas = watched(store, log);
  const read = () => quotas.read([limitOf(1, fixed(1_000))]);
  const told = () => lines.map((line) => (JSON.parse(line) as { event: string }).event);
  await read();
  assert.deepEqual(told(), []);
  isAway = true;
  await assert.rejects(read(), StoreUnavailable);
  await assert.rejects(read(), StoreUnavailable);
  assert.deepEqual(told(), ['quota_store_away']);
  isAway = false;
  await read();
  await read();
  assert.deepEqual(told(), ['quota_store_away', 'quota_store_back']);
});
