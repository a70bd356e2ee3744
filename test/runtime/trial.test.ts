/** The trial on real generations: what no configuration can bring about on purpose, a fault inside the gateway. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Activator } from '../../runtime/generation/activator.ts';
import type { Generation } from '../../runtime/generation/generation.ts';
import type { Fault } from '../../runtime/generation/health-rules.ts';
import type { Verified } from '../../runtime/generation/provision.ts';
import { openParcel, packSnapshot } from '../../runtime/packed.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { Trial } from '../../runtime/sync/trial.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { Pools } from '../../runtime/upstream/pools.ts';
import { versioned } from '../support/versioned.ts';

function verified(snapshot: SnapshotInput, commit: string): Verified {
  const manifest = {
    seq: 1,
    source: { commit: 'c0ffee'.repeat(7), author: 'Ada', subject: 'A change' },
  } as Verified['artifact']['manifest'];
  const artifact = {
    commit,
    manifest,
    snapshot: new Uint8Array(),
    digest: 'sha256:0',
    signer: undefined,
    files: new Map(),
  };
  return { artifact, snapshot: openParcel(packSnapshot(snapshotSchema.parse(snapshot))) };
}

async function twoRevisions(context: TestContext) {
  const pools = new Pools();
  context.after(() => pools.close());
  const activator = new Activator(pools, createMetrics());
  const { signal } = new AbortController();
  const sources = { 'models.which': 'models.ts:2:1' };
  const [first, second] = [
    verified(versioned(1, { parts: { sources } }), 'a'),
    verified(versioned(2, { parts: { sources } }), 'b'),
  ];
  await activator.warm(first, { signal });
  activator.activate('a');
  activator.promote();
  await activator.warm(second, { signal });
  return { activator, generation: activator.activate('b'), artifact: second.artifact };
}

const fail = (generation: Generation, count: number, object: string | undefined) => {
  for (let failed = 0; failed < count; failed += 1)
    generation.health.ended({ object, target: undefined, code: 'internal_error', ownMs: undefined });
};

test('a fault inside the gateway ends the trial within a second, and names what was changed', async (context) => {
  const { activator, generation, artifact } = await twoRevisions(context);
  const ended = Promise.withResolvers<{ sentence: string; fault: Fault | undefined }>();
  const trial = new Trial(
    artifact,
    generation,
    { bakeMs: 60_000, bakeSamples: 1 },
    {
      onFault: (_commit, sentence, fault) => ended.resolve({ sentence, fault }),
      onOver: () => ended.reject(new Error('over')),
      onWatched: () => ended.reject(new Error('watched')),
      onLed: () => undefined,
      heard: () => Promise.resolve(undefined),
    },
  );
  context.after(() => trial.stop());
  fail(generation, 3, 'models.which');
  const broken = performance.now();
  const { sentence, fault } = await ended.promise;
  assert.equal(activator.rollBack().revision.artifact, 'a');
  assert.ok(performance.now() - broken < 1_000);
  assert.equal(fault?.rule, 'internal_faults');
  assert.equal(
    sentence,
    'revision c0ffeec0ffee by Ada ("A change") was taken back: the gateway itself failed 3 times in requests for models.which; changed object providers.sandbox',
  );
});

test('a generation is measured exactly as long as there is a way back', async (context) => {
  const { activator, generation } = await twoRevisions(context);
  assert.equal(generation.measure?.against.revision.artifact, 'a');
  activator.promote();
  assert.ok(generation.measure, 'watched on');
  assert.equal(activator.live, 2);
  activator.closeWayBack();
  assert.equal(generation.measure, undefined);
  assert.equal(activator.live, 1);
});

test('after a promotion that was not proved, the next candidate falls back to what was promoted', async (context) => {
  const { activator, generation } = await twoRevisions(context);
  activator.promote();
  await activator.warm(verified(versioned(3), 'c'), new AbortController());
  const third = activator.activate('c');
  assert.equal(activator.live, 2);
  assert.equal(generation.measure, undefined);
  assert.equal(third.measure?.against, generation);
  await activator.warm(verified(versioned(4), 'd'), new AbortController());
  const fourth = activator.activate('d');
  assert.equal(fourth.measure?.against, generation, 'what never passed a trial is no way back');
  assert.equal(activator.rollBack(), generation);
  assert.equal(activator.live, 1);
});
