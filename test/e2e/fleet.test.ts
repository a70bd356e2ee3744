import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const short = (n: number): string => sourceOf(n).slice(0, 12);

test('fault 86: three replicas converge on each publication within the poll interval', async (context) => {
  await using directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository);
  await branch.publish(versioned(1));
  const replicas = await Promise.all([1, 2, 3].map(() => startWith(['--repo', repository, '--poll', '300ms'])));
  context.after(() => Promise.all(replicas.map((replica) => replica.close())));
  for (let n = 2; n <= 5; n += 1) {
    await branch.publish(versioned(n));
    // The interval, and some for fetching and building on a busy machine.
    await until(`all serve ${n}`, async () => replicas.every(({ revision }) => revision === short(n)), 3_000);
  }
  const ids = await Promise.all(replicas.map(async (replica) => (await replica.status()).replicaId));
  assert.equal(new Set(ids).size, 3);
});

test('fault 90: a replica that was away while much was published catches up with the newest alone', async (context) => {
  await using directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository);
  await branch.publish(versioned(1));
  const flags = ['--repo', repository, '--poll', '100ms', '--bake', '0s', '--state-dir', join(directory.path, 'state')];
  const before = await startWith(flags);
  await until('1 proved itself', async () => (await before.status()).state === 'STEADY');
  await before.close();
  for (let n = 2; n <= 12; n += 1) await branch.publish(versioned(n));
  const after = await startWith(flags);
  context.after(() => after.close());
  await until('12 is served', async () => after.revision === short(12));
  // The kept one, and the newest: none of those in between was ever built.
  assert.equal((await after.status()).active?.generation, 2);
});
