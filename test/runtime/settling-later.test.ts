/** What was spent while the store was away is counted when it is back, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { StoreUnavailable, type Taking } from '../../runtime/quota/store.ts';
import { fixed, limitOf } from '../support/quota-stores.ts';
import { skipWithoutRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const hour = fixed(3_600_000);

test(
  'settlements of an outage are made when it is over, with nobody asking',
  { skip: skipWithoutRedis() },
  async (t) => {
    const server = await startRedis('--appendonly', 'yes');
    t.after(() => server.stop());
    const [store, other] = [openQuotaStore(server.url), openQuotaStore(server.url)];
    t.after(() => Promise.all([store.close(), other.close()]));
    const limit = limitOf(100_000, hour);
    const demand = { ...limit, amount: 10, holdMs: 60_000 };
    const takings: Taking[] = [];
    // All at once would take a busy machine longer than an answer may.
    while (takings.length < 450)
      takings.push(...(await Promise.all(Array.from({ length: 50 }, () => store.take([demand])))).flat());
    const usedNow = () => other.read([limit]).then(([reading]) => reading?.used);
    assert.equal(await usedNow(), 4_500);

    // Frozen, it hears some of them and answers too late; killed, it hears nothing.
    for (const away of [async () => server.freeze(), () => server.kill()]) {
      await away();
      const outcomes = await Promise.allSettled(takings.map((taking) => store.settle([{ demand, taking, spent: 3 }])));
      assert.ok(
        outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable),
      );
      server.continue();
    }
    await server.start();
    await until('all to be settled', async () => (await usedNow().catch(() => undefined)) === 1_350, 10_000);
    await store.settle([{ demand, taking: takings[0] ?? assert.fail(), spent: 3 }]);
    assert.equal(await usedNow(), 1_350);
  },
);

test('a gateway that stops says once more what was not heard', { skip: skipWithoutRedis() }, async (t) => {
  const server = await startRedis('--appendonly', 'yes');
  t.after(() => server.stop());
  const store = openQuotaStore(server.url);
  const limit = limitOf(100, hour);
  const demand = { ...limit, amount: 10, holdMs: 60_000 };
  const [taking = assert.fail()] = await store.take([demand]);
  server.freeze();
  await assert.rejects(store.settle([{ demand, taking, spent: 3 }]), StoreUnavailable);
  server.continue();
  const answers = async () => (await store.read([limit]).catch(() => undefined)) !== undefined;
  await until('the connection', answers);
  await store.close();
  const other = openQuotaStore(server.url);
  t.after(() => other.close());
  assert.deepEqual(
    (await other.read([limit])).map(({ used }) => used),
    [3],
  );
});
