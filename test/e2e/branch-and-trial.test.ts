/** A branch that is not there, and a trial that nobody watches. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { artifactBranch } from '../support/artifact-branch.ts';
import { startWith, type TestGateway } from '../support/gateway.ts';
import { startGitServer } from '../support/git-server.ts';
import { runGit, temporaryDirectory } from '../support/repository.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const options = { skip: skipWithout(tools.gitHttpBackend), timeout: 60_000 };

async function stage(context: TestContext) {
  const host = await startGitServer();
  const url = await host.createRepository('config');
  const state = await temporaryDirectory();
  context.after(async () => {
    await host.close();
    await state.remove();
  });
  const repository = join(host.root, 'config.git');
  const start = async (...flags: string[]) => {
    const gateway = await startWith(['--repo', url, '--poll', '100ms', '--state-dir', state.path, ...flags]);
    context.after(() => gateway.close());
    return gateway;
  };
  /** Requests that fetched, and did not only list. */
  const fetches = () => host.requests.filter((one) => one.method === 'POST' && one.gitProtocol !== 'version=2').length;
  return { path: state.path, repository, branch: artifactBranch(repository), start, fetches };
}

async function which(gateway: TestGateway): Promise<string> {
  const response = await gateway.post('/v1/chat/completions', question());
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? `status ${response.status}`;
}

const isIn = (gateway: TestGateway, state: string, reason?: string) =>
  until(`state ${state}`, async () => {
    const status = await gateway.status();
    return status.state === state && status.held?.reason === reason && status;
  });

test(
  'fault 30: a branch that is missing at the start is said, and served as soon as it is there',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const gateway = await start();
    const status = await gateway.status();
    assert.deepEqual(status.held, { reason: 'branch-missing', detail: 'the source has no such branch' });
    assert.equal(status.source.errorCode, undefined, 'an answer, not an error');
    assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 503);
    assert.equal((await fetch(`${gateway.adminUrl}/healthz`)).status, 200);
    await branch.publish(versioned(1));
    await isIn(gateway, 'STEADY');
    assert.equal(await which(gateway), 'version 1');
  },
);

test(
  'fault 31: a branch that is deleted and restored changes nothing for traffic, and is not fetched again',
  options,
  async (context) => {
    const { repository, branch, start, fetches } = await stage(context);
    const tip = await branch.publish(versioned(1));
    const gateway = await start();
    const before = fetches();
    await runGit(repository, ['update-ref', '-d', 'refs/heads/headgate/compiled']);
    await isIn(gateway, 'HELD', 'branch-missing');
    assert.equal(await which(gateway), 'version 1');
    assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);

    // Also over a restart: what is kept serves, and the branch is no rewind when it is back.
    await gateway.close();
    const again = await start();
    await isIn(again, 'HELD', 'branch-missing');
    assert.equal(await which(again), 'version 1');
    await runGit(repository, ['update-ref', 'refs/heads/headgate/compiled', tip]);
    await isIn(again, 'STEADY');
    assert.equal(fetches(), before);
    await branch.publish(versioned(2));
    await until('2 is served', async () => (await which(again)) === 'version 2');
  },
);

test('fault 31: a branch that is deleted during a trial neither ends nor prolongs it', options, async (context) => {
  const { repository, branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start('--bake', '1s');
  const tip = await branch.publish(versioned(2));
  await isIn(gateway, 'BAKING');
  await runGit(repository, ['update-ref', '-d', 'refs/heads/headgate/compiled']);
  await isIn(gateway, 'HELD', 'branch-missing');
  await until('proved', async () => (await gateway.status()).lkg.commit === tip);
  assert.equal(await which(gateway), 'version 2');
});

test('fault 74: a trial without traffic ends as unverified, and is kept', options, async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start('--bake', '500ms', '--bake-samples', '2');
  const second = await branch.publish(versioned(2));
  await until('2 passed its trial', async () => (await gateway.status()).lkg.commit === second);
  assert.equal((await gateway.status()).active?.health, 'unverified');

  const third = await branch.publish(versioned(3));
  await until('3 serves', async () => (await gateway.status()).active?.commit === third);
  for (let asked = 0; asked < 2; asked += 1) assert.equal(await which(gateway), 'version 3');
  await until('3 passed its trial', async () => (await gateway.status()).lkg.commit === third);
  assert.equal((await gateway.status()).active?.health, 'verified');
});

test(
  'fault 57: after falling back to the previous one, the tip is no rewind and is tried again',
  options,
  async (context) => {
    const { path, branch, start } = await stage(context);
    await branch.publish(versioned(1));
    const gateway = await start('--bake', '0s');
    const second = await branch.publish(versioned(2));
    await until('2 passed its trial', async () => (await gateway.status()).lkg.commit === second);
    await gateway.close();
    await writeFile(join(path, 'current', 'snapshot.json'), '{}');
    const again = await start('--bake', '0s');
    await until('2 is served', async () => (await which(again)) === 'version 2');
    await isIn(again, 'STEADY');
  },
);
