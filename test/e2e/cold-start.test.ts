/** A gateway that starts with nothing on disk: the tip is tried out like any other, with what stood before it as the way back. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith } from '../support/gateway.ts';
import { startGitServer } from '../support/git-server.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { answerWell, startScripted } from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const short = (n: number): string => sourceOf(n).slice(0, 12);

/** `vendor` answers 401 below `/bad`. */
async function stage(context: TestContext) {
  const directory = await temporaryDirectory();
  const server = await startGitServer();
  context.after(async () => {
    await server.close();
    await directory.remove();
  });
  const url = await server.createRepository('team');
  const repository = join(server.root, 'team.git');
  const vendor = await startScripted((received) => {
    if (received.path.startsWith('/good')) answerWell(received);
    else received.response.writeHead(401).end('{}');
  });
  context.after(() => vendor.close());
  const start = async (repo = repository, ...flags: string[]) => {
    const gateway = await startWith(['--repo', repo, '--poll', '100ms', '--bake', '60s', ...flags]);
    context.after(() => gateway.close());
    return gateway;
  };
  return {
    directory: directory.path,
    repository,
    url,
    branch: artifactBranch(repository),
    start,
    good: `${vendor.url}/good`,
    bad: `${vendor.url}/bad`,
  };
}

test('a bad tip at the very first start is taken back to what stood before it', async (context) => {
  const { branch, start, good, bad } = await stage(context);
  await branch.publish(versioned(1, { vendorUrl: good }));
  const commit = await branch.publish(versioned(2, { vendorUrl: bad }));
  const gateway = await start();
  assert.equal(gateway.revision, short(2));
  assert.equal((await gateway.status()).state, 'BAKING');
  for (let failed = 0; failed < 3; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
  await until('it is taken back', async () => gateway.revision === short(1));
  assert.equal((await gateway.status()).held?.commit, commit);
  const response = await gateway.post('/v1/chat/completions', question('vendor'));
  assert.equal(response.status, 200);
  await until('one generation is left', async () => (await gateway.status()).generationsLive === 1);
});

test('a tip that cannot be served at the very first start leaves the newest before it that can be, over HTTP too', async (context) => {
  const { branch, start, directory, repository, url } = await stage(context);
  await branch.publish(versioned(1));
  await branch.publish({ ...versioned(2), models: 7 } as never);
  await branch.publish({ ...versioned(3), models: 8 } as never);
  for (const repo of [repository, url]) {
    const gateway = await start(repo, '--state-dir', join(directory, `state-${repo === repository}`));
    assert.equal(gateway.revision, short(1), repo);
    const { state, held } = await gateway.status();
    assert.equal(state, 'HELD');
    assert.equal(held?.reason, 'schema');
    await gateway.close();
    const again = await start(repo, '--state-dir', join(directory, `state-${repo === repository}`));
    assert.equal((await again.status()).active?.health, 'verified', 'what it fell back to was kept');
  }
});

test('a first revision that has nothing before it serves as it is', async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start();
  assert.equal(gateway.revision, short(1));
  assert.equal((await gateway.status()).generationsLive, 1);
});
