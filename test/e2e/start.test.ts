import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { artifactBranch } from '../support/artifact-branch.ts';
import { artifactFiles, startWith } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

/** A local repository with an artifact branch, and a state directory that two good revisions have left behind. */
async function stage(context: TestContext) {
  const directory = await temporaryDirectory();
  context.after(() => directory.remove());
  const [repository, state] = [join(directory.path, 'repository.git'), join(directory.path, 'state')];
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository);
  const flags = ['--repo', repository, '--poll', '100ms', '--bake', '0s', '--state-dir', state];
  const start = async (...more: string[]) => {
    const gateway = await startWith([...flags, ...more]);
    context.after(() => gateway.close());
    return gateway;
  };
  return { path: directory.path, repository, state, branch, start };
}

type Stage = Awaited<ReturnType<typeof stage>>;

async function which(gateway: Awaited<ReturnType<Stage['start']>>): Promise<string> {
  const response = await gateway.post('/v1/chat/completions', question());
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? `status ${response.status}`;
}

/** Serves two revisions to the end of their trials, then takes the repository away. */
async function afterTwoRevisions(context: TestContext): Promise<Stage> {
  const staged = await stage(context);
  await staged.branch.publish(versioned(1));
  const gateway = await staged.start();
  await staged.branch.publish(versioned(2));
  await until(
    '2 proved itself',
    async () => (await which(gateway)) === 'version 2' && (await gateway.status()).state === 'STEADY',
  );
  await gateway.close();
  await rm(staged.repository, { recursive: true });
  return staged;
}

test('fault 56: starts from the last known good when git cannot be reached', async (context) => {
  const { start } = await afterTwoRevisions(context);
  const gateway = await start();
  assert.equal(await which(gateway), 'version 2');
  const status = await gateway.status();
  assert.equal(status.state, 'STEADY');
  assert.equal(status.active?.health, 'verified');
  assert.equal(status.source.errorCode, 'GIT_NOT_FOUND');
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
});

test('fault 57: a corrupt last known good falls back to the one before it', async (context) => {
  const { state, start } = await afterTwoRevisions(context);
  await writeFile(join(state, 'current', 'snapshot.json'), '{"format":"headgate/snapshot.v1"}');
  const gateway = await start();
  assert.equal(await which(gateway), 'version 1');
});

test('fault 58: with both corrupt it starts cold, says 503, and still follows git when it comes back', async (context) => {
  const { state, start, repository } = await afterTwoRevisions(context);
  await writeFile(join(state, 'current', 'manifest.json'), '');
  await rm(join(state, 'previous'), { recursive: true });
  const gateway = await start();
  assert.equal(await which(gateway), 'status 503');
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 503);
  await initRepository(repository, { bare: true });
  await artifactBranch(repository).publish(versioned(3), { seq: 9 });
  await until('3 is served', async () => (await which(gateway)) === 'version 3');
});

test('fault 61: a revision that was on trial when the process died is not tried again', async (context) => {
  const { branch, start, state } = await stage(context);
  await branch.publish(versioned(1));
  const first = await start();
  await first.close();
  const suspect = await branch.publish(versioned(2));
  const path = join(state, 'state.json');
  const kept = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...kept, pending: suspect }));
  const gateway = await start();
  assert.equal(await which(gateway), 'version 1');
  const status = await gateway.status();
  assert.deepEqual(status.held, {
    commit: suspect,
    reason: 'bad-health',
    detail: 'the gateway died while this revision was on trial',
  });
  await branch.publish(versioned(3));
  await until('3 is served', async () => (await which(gateway)) === 'version 3');
});

test('fault 62: an unreadable state directory costs the memory of good revisions, not the traffic', async (context) => {
  const { branch, start, path } = await stage(context);
  await branch.publish(versioned(1));
  await writeFile(join(path, 'a-file'), '');
  const gateway = await start('--state-dir', join(path, 'a-file', 'below'));
  assert.equal(await which(gateway), 'version 1');
  assert.equal((await gateway.status()).stateDir, 'memory');
});

test('fault 59: starts from a seed, and leaves it for what git has', async (context) => {
  const { path, branch, start } = await stage(context);
  const seed = join(path, 'seed');
  await mkdir(seed);
  for (const [name, bytes] of artifactFiles(versioned(7))) await writeFile(join(seed, name), bytes);
  await chmod(seed, 0o555);
  const gateway = await start('--seed', seed);
  assert.equal(await which(gateway), 'version 7');
  await branch.publish(versioned(8));
  await until('8 is served', async () => (await which(gateway)) === 'version 8');
});
