/** Where word goes: told from the settings, and every mistake at once. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSettings } from '../../runtime/settings.ts';
import { addressesFrom, apiOf } from '../../runtime/sync/word/addresses.ts';
import { temporaryDirectory } from '../support/repository.ts';

const problemsOf = (...flags: string[]) =>
  addressesFrom(readSettings(['--repo', 'https://github.com/team/gateway.git', ...flags], [], {})).problems.join('\n');

test('the API of the git host is told from the address of the repository', () => {
  for (const [host, repo, api] of [
    ['github', 'https://github.com/team/gateway.git', 'https://api.github.com/repos/team/gateway'],
    ['github', 'https://acme.ghe.com/team/gateway', 'https://api.acme.ghe.com/repos/team/gateway'],
    ['github', 'https://git.acme.test:8443/team/gateway/', 'https://git.acme.test:8443/api/v3/repos/team/gateway'],
    ['gitlab', 'https://gitlab.com/a/b/c.git', 'https://gitlab.com/api/v4/projects/a%2Fb%2Fc'],
    ['gitea', 'https://acme.test/git/team/gateway.git', 'https://acme.test/git/api/v1/repos/team/gateway'],
    ['github', 'https://github.com/gateway', undefined],
    ['github', '/srv/gateway.git', undefined],
    ['gitlab', undefined, undefined],
  ] as const)
    assert.equal(apiOf(host, repo), api);
});

test('plain http beyond loopback is refused with the cure, unless a webhook is signed', async (context) => {
  const directory = await temporaryDirectory();
  context.after(() => directory.remove());
  const secret = join(directory.path, 'secret');
  await writeFile(secret, `whsec_${Buffer.alloc(24).toString('base64')}\n`);
  assert.match(problemsOf('--webhook', 'http://ops.test/in'), /use https:\/\/, or sign it with --webhook-secret-file/);
  assert.equal(problemsOf('--webhook', 'http://ops.test/in', '--webhook-secret-file', secret), '');
  for (const url of ['http://127.0.0.1:1/', 'http://localhost/', 'http://[::1]:1/', 'https://ops.test'])
    assert.equal(problemsOf('--webhook', url), '', url);
  const status = ['--commit-status', 'gitea', '--commit-status-token-file', '/dev/null'];
  assert.match(
    problemsOf(...status, '--commit-status-url', 'http://git.test/x'),
    /token over http:\/\/ beyond loopback/,
  );
  assert.equal(problemsOf(...status, '--commit-status-url', 'http://127.0.0.1/x'), '');
});

test('the token for git stands in for one of its own', () => {
  const flags = ['--repo', 'https://gitlab.com/a/b', '--commit-status', 'gitlab', '--git-token-file', '/dev/null'];
  assert.deepEqual(addressesFrom(readSettings(flags, [], {})).addresses.commitStatus, {
    host: 'gitlab',
    url: 'https://gitlab.com/api/v4/projects/a%2Fb',
    tokenFile: '/dev/null',
  });
});

test('everything that is wrong is told at once, without secrets', async (context) => {
  const directory = await temporaryDirectory();
  context.after(() => directory.remove());
  const secret = join(directory.path, 'secret');
  for (const text of ['', 'hunter2', 'whsec_', `whsec_${Buffer.alloc(23, 7).toString('base64')}`, 'whsec_hunter2!!']) {
    await writeFile(secret, text);
    const told = problemsOf(
      '--webhook',
      'https://ops.test',
      '--webhook-secret-file',
      secret,
      '--commit-status',
      'github',
    );
    assert.match(told, /must hold whsec_ and 24 to 64 bytes in base64.*openssl rand -base64 32/);
    assert.match(told, /--commit-status needs a token/);
    assert.doesNotMatch(told, /hunter2/);
  }
  const local = addressesFrom(readSettings(['--repo', '/srv/gateway', '--commit-status', 'github'], [], {}));
  assert.match(local.problems.join('\n'), /give --commit-status-url, the repository in the API/);
  assert.equal(local.problems.length, 2);
  const idle = [
    '--webhook-secret-file',
    secret,
    '--commit-status-context',
    'x',
    '--commit-status-token-file',
    '/dev/null',
  ];
  assert.equal(problemsOf(...idle).split('\n').length, 3);
});
