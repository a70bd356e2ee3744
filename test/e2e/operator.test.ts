import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith, type TestGateway } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

async function stage(context: TestContext) {
  const directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const start = async (...flags: string[]) => {
    const state = join(directory.path, 'state');
    const gateway = await startWith([
      '--repo',
      repository,
      '--poll',
      '100ms',
      '--bake',
      '0s',
      '--state-dir',
      state,
      ...flags,
    ]);
    context.after(() => gateway.close());
    return gateway;
  };
  context.after(() => directory.remove());
  return { branch: artifactBranch(repository), start };
}

const serves = (gateway: TestGateway, n: number) =>
  until(`${n} is served`, async () => gateway.revision === sourceOf(n).slice(0, 12));

async function order(gateway: TestGateway, path: string, body: object = {}, method: 'POST' | 'DELETE' = 'POST') {
  const answer = await fetch(`${gateway.adminUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as { detail?: string } };
}

test('fault 65: while paused the tip stays in sight and nothing moves; resuming acts on it', async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start();
  assert.equal((await order(gateway, '/pause', { for: '1h', note: 'freeze' })).status, 202);
  const tip = await branch.publish(versioned(2));
  const status = await until('the tip is seen', async () => {
    const now = await gateway.status();
    return now.tip.commit === tip && now;
  });
  assert.equal(status.state, 'PAUSED');
  assert.equal(status.pause?.note, 'freeze');
  assert.equal(gateway.revision, sourceOf(1).slice(0, 12));
  assert.match(await gateway.metrics(), /headgate_config_paused\{kind="pause"\} 1/);
  assert.equal((await order(gateway, '/resume')).status, 202);
  await serves(gateway, 2);
  assert.equal((await order(gateway, '/resume')).status, 409);
});

test('fault 66: a pin serves an earlier revision until it runs out, survives a restart, and the branch is followed after it', async (context) => {
  const { branch, start } = await stage(context);
  const good = await branch.publish(versioned(1));
  const gateway = await start();
  await branch.publish(versioned(2));
  await serves(gateway, 2);
  assert.equal((await order(gateway, '/pin', { commit: 'a'.repeat(40) })).status, 409);
  assert.equal((await order(gateway, '/pin', { commit: good, for: '1h', note: 'incident 7' })).status, 202);
  assert.equal(gateway.revision, sourceOf(1).slice(0, 12), 'who is told that it is pinned can rely on it');
  assert.equal((await gateway.status()).state, 'PAUSED');
  assert.match(await gateway.metrics(), /headgate_config_paused\{kind="pin"\} 1/);
  await gateway.close();

  const again = await start();
  assert.equal(again.revision, sourceOf(1).slice(0, 12));
  assert.equal((await again.status()).pause?.pinned, good);
  assert.equal((await order(again, '/pin', { commit: good, for: '1s' })).status, 202);
  await serves(again, 2);
  assert.equal((await again.status()).pause, undefined);
});

test('a rewind is followed when an operator accepts it, this once', async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1), { seq: 5 });
  const gateway = await start();
  const rewound = await branch.publish(versioned(2), { seq: 2, parents: [] });
  await until('it is held', async () => (await gateway.status()).held?.reason === 'rewind');
  assert.equal((await order(gateway, '/accept', { commit: 'b'.repeat(40) })).status, 409);
  assert.equal((await order(gateway, '/accept', { commit: rewound })).status, 202);
  await until('it is served', async () => (await gateway.status()).active?.commit === rewound);
  // The next is judged by the highest that was ever seen.
  await branch.publish(versioned(3), { seq: 3 });
  await until('it is held', async () => (await gateway.status()).held?.reason === 'rewind');
});

test('orders that make no sense are refused with the cure', async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start();
  for (const [path, body, status, detail] of [
    ['/pin', {}, 400, /which "commit"/],
    ['/pin', { commit: '../x' }, 400, /full id/],
    ['/pause', { for: 'long' }, 400, /duration such as/],
    ['/pause', { for: '30d' }, 400, /at most 7d/],
    ['/retry', { commit: 'c'.repeat(40) }, 409, /not in quarantine/],
    ['/accept', { commit: 'c'.repeat(40) }, 409, /not what is held/],
  ] as const) {
    const answer = await order(gateway, path, body);
    assert.equal(answer.status, status, path);
    assert.match(answer.body.detail ?? '', detail);
  }
  assert.equal((await order(gateway, '/pin', {}, 'DELETE')).status, 409);
});

test('a shrink that was accepted once is not asked to be accepted again after a pin', async (context) => {
  const { branch, start } = await stage(context);
  const target = { kind: 'target', provider: 'sandbox', model: 'small' } as const;
  const models = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, { targets: target }]));
  const before = await branch.publish(versioned(1, { parts: { models } }));
  const gateway = await start();
  const small = await branch.publish(versioned(2));
  await until('it is held', async () => (await gateway.status()).held?.reason === 'shrink');
  assert.match(await gateway.metrics(), /^headgate_config_seq 1\n(?:.*\n)*headgate_config_tip_seq 2$/m);
  assert.equal((await order(gateway, '/accept', { commit: small })).status, 202);
  await serves(gateway, 2);
  assert.equal((await order(gateway, '/pin', { commit: before, for: '1h' })).status, 202);
  assert.equal((await order(gateway, '/pin', {}, 'DELETE')).status, 202);
  await serves(gateway, 2);
  assert.equal((await gateway.status()).held, undefined);
});
