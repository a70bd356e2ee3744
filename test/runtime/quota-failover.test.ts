/** Another Redis takes over: what the one that is gone had not passed on is forgotten, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import type { Demand, QuotaStore, Taking } from '../../runtime/quota/store.ts';
import { failoverInWords, loadWhile } from '../support/quota-failover.ts';
import { fixed, limitOf } from '../support/quota-stores.ts';
import { startFollowedCluster, startSentinel } from '../support/redis-forms.ts';
import { skipWithoutRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const needsRedis = { skip: skipWithoutRedis() };

const demand: Demand = { ...limitOf(1_000, fixed(3_600_000)), amount: 10, holdMs: 60_000 };

async function hold(store: QuotaStore): Promise<Taking> {
  const [taking] = await store.take([demand]);
  assert.ok(taking?.granted);
  return taking;
}

const settle = (store: QuotaStore, taking: Taking, spent: number) => store.settle([{ demand, taking, spent }]);

const usedAt = async (store: QuotaStore): Promise<number | undefined> => {
  const [reading] = await store.read([demand]).catch(() => []);
  return reading?.used;
};

test(
  'behind a sentinel a failover forgets what had ended and was not passed on, to the unit',
  needsRedis,
  async (t) => {
    const fleet = await startSentinel();
    const [store, follower] = [openQuotaStore(fleet.url), openQuotaStore(fleet.servers[1].url)];
    t.after(async () => {
      await Promise.all([store.close(), follower.close()]);
      await fleet.stop();
    });
    for (let call = 0; call < 5; call += 1) await settle(store, await hold(store), 10);
    const known = await hold(store);
    await until('the follower to know all that', async () => (await usedAt(follower)) === 60);

    fleet.link.hold('answered');
    for (let call = 0; call < 4; call += 1) await settle(store, await hold(store), 10);
    const unknown = [await hold(store), await hold(store), await hold(store)];
    assert.equal(await usedAt(store), 130);
    await fleet.servers[0].kill();
    fleet.link.cut();
    await until('the failover', async () => (await usedAt(store)) !== undefined, 20_000);
    assert.equal(await usedAt(store), 60, 'what had ended, 40, is forgotten, and so are three holds');

    for (const taking of [known, ...unknown, known, ...unknown]) await settle(store, taking, 7);
    assert.equal(await usedAt(store), 50 + 4 * 7, 'what was under way is counted when it ends, once');
  },
);

test('a master that hands over behind a sentinel is left while it still answers', needsRedis, async (t) => {
  const fleet = await startSentinel();
  const [store, follower] = [openQuotaStore(fleet.url), openQuotaStore(fleet.servers[1].url)];
  t.after(async () => {
    await Promise.all([store.close(), follower.close()]);
    await fleet.stop();
  });
  await settle(store, await hold(store), 1);
  await until('the follower', async () => (await usedAt(follower)) === 1);
  fleet.link.hold('answered');
  // Refused until the sentinels know that the follower is well.
  const handsOver = () =>
    fleet.handOver().then(
      () => true,
      () => false,
    );
  await until('the master to hand over', handsOver, 5_000);
  const arrives = async () => {
    await store.take([{ ...demand, amount: 1 }]).catch(() => undefined);
    return ((await usedAt(follower)) ?? 0) > 1;
  };
  // The master itself is told to follow after eight seconds.
  await until('what is taken to arrive at the new master', arrives, 5_000);
});

test('a primary of a cluster is killed under load: no more is lost than was at risk', needsRedis, async (t) => {
  const cluster = await startFollowedCluster();
  t.after(() => cluster.stop());
  const load = { callers: 8, callMs: 20, forMs: 200, holdMs: 1_000 };
  const figures = await loadWhile(cluster.url, load, () => cluster.servers[0].kill());
  t.diagnostic(failoverInWords('cluster', figures));
  assert.ok(figures.lost <= figures.atRisk, `${figures.lost} lost, ${figures.atRisk} at risk`);
  assert.equal(figures.over, 0);
  assert.ok(figures.unanswered > 0 && figures.gapMs < 10_000);
});
