/** Declaring a staged rollout: what reaches the snapshot, and what is told at its place. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { snapshotSchema } from '@headgate/runtime/snapshot';
import { check } from '../../config-sdk/check.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const rolledOut = (rollout: string) =>
  sampleConfig().replace('defineGateway({', `defineGateway({\n  rollout: ${rollout},`);

async function checked(context: TestContext, rollout: string) {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': rolledOut(rollout) });
  const { snapshot, findings } = await check(folder);
  return { snapshot, said: findings.map(({ code, message }) => `${code} ${message}`), findings };
}

test('declared stages reach the snapshot as they were written, and the runtime reads them', async (context) => {
  const { snapshot, said } = await checked(
    context,
    "{ stages: [{ share: 0.05, for: '5m' }, { share: 0.25, for: '10m' }] }",
  );
  assert.deepEqual(said, []);
  assert.deepEqual(snapshot?.rollout?.stages[0], { share: 0.05, for: '5m' });
  assert.deepEqual(snapshotSchema.parse(snapshot).rollout?.stages, [
    { share: 0.05, for: 300_000 },
    { share: 0.25, for: 600_000 },
  ]);
});

test('stages that make no sense are told where they stand, all at once', async (context) => {
  const { said, findings } = await checked(
    context,
    "{ stages: [\n    { share: 0.5, for: '5m' },\n    { share: 0.25, for: '10ms' },\n    { share: 1, for: '5m' },\n  ] }",
  );
  assert.deepEqual(said, [
    "invalid_value defineGateway: rollout.stages[1].for: '10ms' is outside 1000 ms to 604800000 ms",
    'invalid_value defineGateway: rollout.stages[2].share: must be less than 1: it serves everyone after the last stage',
  ]);
  const [first, second] = findings;
  assert.equal((second?.line ?? NaN) - (first?.line ?? NaN), 1);

  const shrinking = await checked(context, "{ stages: [{ share: 0.5, for: '5m' }, { share: 0.25, for: '5m' }] }");
  assert.deepEqual(shrinking.said, [
    'invalid_value defineGateway: rollout.stages[1].share: must be more than 0.5, the share of the stage before',
  ]);
});

test('a rollout without stages is no rollout', async (context) => {
  const { said } = await checked(context, '{ stages: [] as never }');
  assert.deepEqual(said, ['invalid_value defineGateway: rollout.stages: must be at least 1 long']);
  const many = await checked(
    context,
    "{ stages: Array.from({ length: 11 }, () => ({ share: 2, for: '5m' })) as never }",
  );
  assert.deepEqual(many.said, ['invalid_value defineGateway: rollout.stages: must be a list of at most 10 stages']);
});
