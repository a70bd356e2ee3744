/** `headgate status` as an operator reads it, where something is wrong. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { headgate } from '../support/sample-repository.ts';
import { startScripted } from '../support/scripted-upstream.ts';
import { held, serves } from '../support/trial-stage.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const options = { timeout: 60_000 };

async function stage(context: TestContext) {
  const { path, remove } = await temporaryDirectory();
  const repository = join(path, 'repository.git');
  await initRepository(repository, { bare: true });
  context.after(remove);
  return {
    path,
    branch: artifactBranch(repository),
    async start(...flags: string[]) {
      const gateway = await startWith(['--repo', repository, '--poll', '100ms', ...flags]);
      context.after(() => gateway.close());
      const read = async () => (await headgate(path, ['status', gateway.adminUrl])).stdout;
      return { gateway, read };
    },
  };
}

test(
  'fault 62: a state directory that cannot be written is told by status and by a metric',
  options,
  async (context) => {
    const { path, branch, start } = await stage(context);
    await writeFile(join(path, 'file'), '');
    await branch.publish(versioned(1));
    const { gateway, read } = await start('--bake', '0s', '--state-dir', join(path, 'file', 'state'));
    assert.match(await read(), /^STATE +the state directory \S+ cannot be written \(ENOTDIR.*held in memory only$/m);
    assert.match(await gateway.metrics(), /^headgate_state_dir_problem 1$/m);
    await rm(join(path, 'file'));
    await branch.publish(versioned(2));
    await serves(gateway, 2);
    await until('it is written', async () => (await gateway.status()).stateProblem === undefined);
    assert.doesNotMatch(await read(), /^STATE /m);
    assert.match(await gateway.metrics(), /^headgate_state_dir_problem 0$/m);
  },
);

test('after a rollback it says so, and not that what serves was rolled back', options, async (context) => {
  const { branch, start } = await stage(context);
  const vendor = await startScripted(({ response }) => void response.writeHead(401).end('{}'));
  context.after(() => vendor.close());
  await branch.publish(versioned(1));
  const { gateway, read } = await start('--bake', '60s');
  await branch.publish(versioned(2, { vendorUrl: vendor.url }));
  await serves(gateway, 2);
  for (let failed = 0; failed < 3; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
  await held(gateway, 'bad-health');
  const told = await read();
  assert.match(told, new RegExp(`^serving +${sourceOf(1).slice(0, 12)} .*, seq 1 \\(after a rollback\\)$`, 'm'));
  assert.doesNotMatch(told, /rolled-back/);
});
