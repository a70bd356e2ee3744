/** What follows an activator: it may refuse a revision for all, is taught what the others know, and its records count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ArtifactRefused } from '../../runtime/artifact.ts';
import { Activator } from '../../runtime/generation/activator.ts';
import type { Followers, Lesson } from '../../runtime/generation/followers.ts';
import { HealthRecord } from '../../runtime/generation/health.ts';
import type { Verified } from '../../runtime/generation/provision.ts';
import { openParcel, packSnapshot, parcelOf } from '../../runtime/packed.ts';
import { snapshotSchema } from '../../runtime/snapshot.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { Pools } from '../../runtime/upstream/pools.ts';
import { versioned } from '../support/versioned.ts';

const { signal } = new AbortController();

function verified(n: number): Verified {
  const manifest = { seq: n } as Verified['artifact']['manifest'];
  const commit = String(n).repeat(40).slice(0, 40);
  const artifact = {
    commit,
    manifest,
    snapshot: new Uint8Array(),
    digest: 'sha256:0',
    signer: undefined,
    files: new Map(),
  };
  const packed = openParcel(packSnapshot(snapshotSchema.parse(versioned(n))));
  // As it arrives in another process.
  return { artifact, snapshot: openParcel(structuredClone(parcelOf(packed))) };
}

const activatorWith = (followers?: Followers) => new Activator(new Pools(), createMetrics(), followers);

/** What serves whom, and what there is to go back to. */
const standing = (activator: Activator) => ({
  current: activator.current?.revision.artifact,
  stable: activator.stable?.revision.artifact,
  share: activator.staging?.share,
  measured: activator.current?.measure?.against.revision.artifact,
  live: activator.live,
});

async function learn(activator: Activator, lessons: readonly Lesson[]): Promise<void> {
  for (const lesson of lessons) {
    if ('build' in lesson) await activator.warm(lesson.build, { isAllowed: true, signal });
    else if (lesson.do === 'activate') activator.activate(lesson.commit, lesson.share);
    else if (lesson.do === 'keep_back') activator.keepBack(lesson.commit);
    else if (lesson.do === 'promote') activator.promote();
    else if (lesson.do === 'close_way_back') activator.closeWayBack();
    else if (lesson.do === 'roll_back') activator.rollBack();
    else if (lesson.do === 'widen') activator.widen(lesson.commit, lesson.share);
    else activator.abandon();
  }
}

test('a follower that cannot build a revision refuses it for all, and what serves goes on', async () => {
  const refused = new ArtifactRefused('invalid', 'a worker says no');
  let isWilling = true;
  const activator = activatorWith({
    prepare: () => (isWilling ? Promise.resolve() : Promise.reject(refused)),
    follow: () => undefined,
  });
  await activator.warm(verified(1), { signal });
  activator.activate(verified(1).artifact.commit);
  isWilling = false;
  await assert.rejects(activator.warm(verified(2), { signal }), refused);
  assert.equal(activator.current?.revision.artifact, verified(1).artifact.commit);
  assert.throws(() => activator.activate(verified(2).artifact.commit), /no candidate/);
});

test('one that followed from the start and one that is taught later stand where the leader stands', async () => {
  const told: Lesson[] = [];
  const leader = activatorWith({
    prepare: (build) => Promise.resolve(void told.push({ build })),
    follow: (order) => void told.push(order),
  });
  const agree = async () => {
    const [follower, taught] = [activatorWith(), activatorWith()];
    await learn(follower, told);
    await learn(taught, leader.lessons);
    assert.deepEqual(standing(follower), standing(leader));
    assert.deepEqual({ ...standing(taught), live: leader.live }, standing(leader));
    // Whether it passed its trial shows in what the next one falls back to.
    return taught;
  };
  const swap = async (n: number, share = 1) => {
    await leader.warm(verified(n), { signal });
    leader.activate(verified(n).artifact.commit, share);
  };
  await agree();
  await leader.warm(verified(1), { signal });
  leader.keepBack(verified(1).artifact.commit);
  await agree();
  await swap(2);
  await agree();
  leader.promote();
  leader.closeWayBack();
  await agree();
  await swap(3, 0.25);
  await agree();
  leader.widen(verified(3).artifact.commit, 0.5);
  await agree();
  leader.rollBack();
  await agree();
  await swap(4);
  await leader.warm(verified(5), { signal });
  const taught = await agree();
  for (const activator of [leader, taught]) activator.activate(verified(5).artifact.commit);
  assert.deepEqual({ ...standing(taught), live: 0 }, { ...standing(leader), live: 0 });
});

const deed = fc.constantFrom<(record: HealthRecord) => void>(
  (record) => record.answered('a/m'),
  (record) => record.blamed('a/m', 'network'),
  (record) => record.brokeOff('a/m', undefined),
  (record) => record.passedOver('b/m'),
  (record) => record.lost('models.chat', 'model_not_found'),
  (record) => record.ended({ object: 'models.chat', target: 'a/m', code: 'no_target_available', ownMs: 3 }),
  (record) => record.ended({ object: undefined, target: undefined, code: 'internal_error', ownMs: undefined }),
);

test('records that are handed over in pieces add up to the one that was kept whole', () => {
  fc.assert(
    fc.property(fc.array(fc.array(deed, { maxLength: 6 }), { maxLength: 6 }), (pieces) => {
      const [whole, sum] = [new HealthRecord(), new HealthRecord()];
      // Answers come before they break off, in one piece or an earlier one.
      for (const record of [whole, sum]) for (let n = 0; n < 40; n += 1) record.answered('a/m');
      for (const deeds of pieces) {
        const piece = new HealthRecord();
        for (const act of deeds) for (const record of [whole, piece]) act(record);
        if (!piece.isEmpty) sum.take(structuredClone(piece.figures));
      }
      assert.deepEqual(sum.figures, whole.figures);
    }),
    { numRuns: 300 },
  );
});
