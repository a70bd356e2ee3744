/** The emergency orders as an operator gives them: from a terminal, to a gateway that runs. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { commitMeant } from '../../config-sdk/commands/orders.ts';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith, type TestGateway } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { headgate } from '../support/sample-repository.ts';
import { deadUrl, startScripted } from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

async function stage(context: TestContext) {
  const directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  context.after(() => directory.remove());
  return {
    path: directory.path,
    branch: artifactBranch(repository),
    async start(...flags: string[]) {
      const gateway = await startWith(['--repo', repository, '--poll', '100ms', ...flags]);
      context.after(() => gateway.close());
      const say = (...words: string[]) => headgate(directory.path, [...words, '--url', gateway.adminUrl]);
      return { gateway, say };
    },
  };
}

const serves = (gateway: TestGateway, n: number) =>
  until(`${n} serves`, async () => gateway.revision === sourceOf(n).slice(0, 12));

test('a commit that served is pinned by the first digits of its source commit, until it is unpinned', async (context) => {
  const { branch, start } = await stage(context);
  const first = await branch.publish(versioned(1));
  const { gateway, say } = await start('--bake', '0s');
  await branch.publish(versioned(2));
  await serves(gateway, 2);
  await until('2 is accepted', async () => (await gateway.status()).state === 'STEADY');
  const pinned = await say('pin', sourceOf(1).slice(0, 7), '--for', '30m', '--note', 'incident 7');
  assert.deepEqual([pinned.code, pinned.stderr], [0, '']);
  assert.match(pinned.stdout, new RegExp(`^pinned ${first.slice(0, 12)} until 20\\d\\d-.*\n$`));
  await serves(gateway, 1);
  assert.equal((await gateway.status()).pause?.note, 'incident 7');
  assert.equal((await say('unpin')).code, 0);
  await serves(gateway, 2);
  const again = await say('unpin', '--json');
  assert.equal(again.code, 1);
  assert.deepEqual(JSON.parse(again.stdout), { order: 'unpin', done: false, detail: 'nothing is paused or pinned' });
});

test('a pause keeps what serves, and unpin does not end it', async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const { gateway, say } = await start('--bake', '0s');
  const { code, stdout } = await say('pause', '--for', '1h', '--json');
  assert.equal(code, 0);
  assert.match((JSON.parse(stdout) as { detail: string }).detail, new RegExp(`${sourceOf(1).slice(0, 12)} serves`));
  const tip = await branch.publish(versioned(2));
  await until('the tip is seen', async () => (await gateway.status()).tip.commit === tip);
  const refused = await say('unpin');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /nothing is pinned; it is paused: headgate resume/);
  assert.equal((await say('resume')).code, 0);
  await serves(gateway, 2);
});

test('a held rewind is accepted by its first digits; what nobody holds is not', async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1), { seq: 5 });
  const { gateway, say } = await start('--bake', '0s');
  const none = await say('accept', 'abcdef1');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no commit that begins with 'abcdef1' can be meant; it could be: nothing/);
  const rewound = await branch.publish(versioned(2), { seq: 2, parents: [] });
  await until('it is held', async () => (await gateway.status()).held?.reason === 'rewind');
  assert.equal((await say('accept', rewound.slice(0, 8))).code, 0);
  await serves(gateway, 2);
});

test('a quarantined tip is retried; one that is past is refused in words', { timeout: 30_000 }, async (context) => {
  const { branch, start } = await stage(context);
  let status = 401;
  const vendor = await startScripted(({ response }) => void response.writeHead(status).end('{}'));
  context.after(() => vendor.close());
  await branch.publish(versioned(1));
  const { gateway, say } = await start('--bake', '60s');
  const bad = await branch.publish(versioned(2, { vendorUrl: vendor.url }));
  await serves(gateway, 2);
  for (let failed = 0; failed < 4; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
  await serves(gateway, 1);
  status = 200;
  assert.equal((await say('retry', sourceOf(2).slice(0, 9))).code, 0);
  await serves(gateway, 2);
  status = 401;
  for (let failed = 0; failed < 4; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
  await serves(gateway, 1);
  await branch.publish(versioned(3));
  await serves(gateway, 3);
  const late = await say('retry', bad);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /is not the tip of the branch any more/);
});

test('digits that may mean two commits are not guessed at, whether artifact or source', () => {
  const [first, second] = ['abcd1'.padEnd(40, '0'), 'abcd2'.padEnd(40, '0')];
  const source = 'f'.repeat(40);
  const told = { event: 'accepted', time: '', replica: '', host: '', detail: '', commit: source } as const;
  const recent = [first, second].map((artifact) => ({ ...told, artifact }));
  const status = { active: undefined, word: { recent, webhook: undefined, commitStatus: undefined } };
  const meant = (given: string, ...candidates: string[]) => commitMeant(given, candidates, status);
  assert.deepEqual(meant('abcd', first, second), {
    problem: `'abcd' may mean abcd10000000, abcd20000000: write more of it`,
  });
  assert.deepEqual(meant('ABCD2', first, second), { commit: second });
  assert.deepEqual(meant('abcd', second, second), { commit: second });
  assert.ok('problem' in meant('ffff', first, second));
  assert.deepEqual(meant('ffff', first), { commit: first });
});

test('wrong usage is told at once before anybody is asked; what does not answer is the environment', async (context) => {
  const { path } = await stage(context);
  const dead = await deadUrl();
  const run = (...words: string[]) => headgate(path, words);
  for (const [words, pattern] of [
    [['pin'], /missing required argument 'commit'/],
    [['pin', 'xyz!', '--for', 'long', '--url', 'nowhere'], /no http\(s\) address[\s\S]*no duration[\s\S]*no commit/],
    [['retry', 'abc'], /at least the first 4 digits/],
    [['pause', '--for', '8d', '--note', 'x'.repeat(501)], /from 1s to 7d[\s\S]*more than 500/],
    [['resume', 'now'], /too many arguments/],
    [['accept', 'abcdef1', '--for', '1h'], /unknown option '--for'/],
  ] as const) {
    const { code, stderr } = await run(...words);
    assert.equal(code, 2, words.join(' '));
    assert.match(stderr, pattern);
  }
  for (const words of [
    ['pin', 'abcdef1'],
    ['unpin'],
    ['pause'],
    ['resume'],
    ['accept', 'abcdef1'],
    ['retry', 'abcd'],
  ]) {
    const { code, stderr } = await run(...words, '--url', dead);
    assert.equal(code, 3, words.join(' '));
    assert.match(stderr, /^headgate: .* does not answer/);
  }
  const lost = await run('resume', '--token-file', join(path, 'nowhere'), '--url', dead);
  assert.deepEqual([lost.code, /--token-file .* cannot be read \(ENOENT\)/.test(lost.stderr)], [3, true]);
  const page = await startScripted(({ response }) => void response.end('<html>'));
  context.after(() => page.close());
  assert.equal((await run('resume', '--url', page.url)).code, 3);
});

test('an admin plane that demands a token gets it from a file', async (context) => {
  const { path, branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const token = join(path, 'token');
  await writeFile(token, 'open-sesame\n');
  const { say } = await start('--admin-token-file', token);
  const without = await say('pause');
  assert.equal(without.code, 3);
  assert.match(without.stderr, /wants a token: give one with --token-file/);
  assert.equal((await say('pause', '--token-file', token)).code, 0);
  await writeFile(join(path, 'other'), 'hunter2');
  const wrong = await say('resume', '--token-file', join(path, 'other'));
  assert.equal(wrong.code, 3);
  assert.doesNotMatch(wrong.stderr, /hunter2/);
});
