/** The production path: CI publishes what a commit holds to a branch on a git host, a runtime elsewhere follows that branch. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyHash, testKey } from '../support/gateway.ts';
import { startGitServer } from '../support/git-server.ts';
import { startHeadgate } from '../support/process.ts';
import {
  commitAll,
  git,
  headgate,
  installHeadgate,
  temporaryFolder,
  writeFiles,
} from '../support/sample-repository.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';

const config = (reply: string) => `import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192, reply: '${reply}' } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['${keyHash(testKey)}'] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
`;

test(
  'from a commit through publish and a git host to a running gateway, and back by git revert',
  { skip: skipWithout(tools.gitHttpBackend), timeout: 120_000 },
  async (context) => {
    const host = await startGitServer({ token: 'a-token' });
    context.after(() => host.close());
    const bare = (await host.createRepository('config')).replace('http://', 'http://x-access-token:a-token@');
    const team = await temporaryFolder(context);
    await git(team, 'init', '--quiet');
    await git(team, 'remote', 'add', 'origin', bare);
    await installHeadgate(team);
    await writeFiles(team, { '.gitignore': 'node_modules/\n', 'gateway.config.ts': config('one') });
    const first = await commitAll(team, 'First');
    await git(team, 'push', '--quiet', 'origin', 'main');

    const published = await headgate(team, ['publish']);
    assert.equal(published.code, 0, published.stderr);
    assert.match(published.stdout, new RegExp(`published ${first} to headgate/compiled as seq 1`));

    const secrets = await temporaryFolder(context);
    await writeFiles(secrets, { token: 'a-token\n' });
    const gateway = startHeadgate(
      [
        'serve',
        '--repo',
        `${host.url}/config.git`,
        '--ref',
        'headgate/compiled',
        '--poll',
        '2s',
        '--git-token-file',
        join(secrets, 'token'),
      ],
      { env: { HEADGATE_LISTEN: '127.0.0.1:0', HEADGATE_ADMIN: '127.0.0.1:0' } },
    );
    context.after(() => gateway.end('SIGKILL'));
    const [, dataUrl] = await gateway.printed(/"event":"listening","dataUrl":"([^"]+)"/);
    const which = async () => {
      const response = await fetch(`${dataUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'x' }] }),
      });
      const body = (await response.json()) as { choices?: { message: { content: string } }[] };
      return { says: body.choices?.[0]?.message.content, revision: response.headers.get('headgate-revision') };
    };
    await until('one is served', async () => (await which()).says === 'one');
    assert.equal((await which()).revision, first.slice(0, 12));

    const live = async (says: string) => {
      const pushed = performance.now();
      await until(`${says} is served`, async () => (await which()).says === says, 6_000);
      return ((performance.now() - pushed) / 1000).toFixed(1);
    };
    await writeFiles(team, { 'gateway.config.ts': config('two') });
    const second = await commitAll(team, 'Second');
    assert.equal((await headgate(team, ['publish'])).code, 0);
    const forward = await live('two');
    assert.equal((await which()).revision, second.slice(0, 12));
    await git(team, 'revert', '--no-edit', 'HEAD');
    assert.equal((await headgate(team, ['publish'])).code, 0);
    const back = await live('one');
    context.diagnostic(`from push to live with --poll 2s: ${forward} s, the revert ${back} s`);

    const log = await git(team, 'ls-remote', 'origin', 'refs/heads/headgate/compiled');
    assert.match(log, /headgate\/compiled/);
    assert.ok(!gateway.output.includes('a-token'), 'the token is in no log line');
    assert.equal(await gateway.end(), 0);
  },
);
