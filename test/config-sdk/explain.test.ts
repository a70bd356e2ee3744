/** Each file of `test/golden/explain/requests` is a request, and beside it what `headgate explain` says. `UPDATE_GOLDEN=1` writes that anew. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { explain } from '../../config-sdk/explain/explain.ts';
import { near } from '../../config-sdk/explain/near.ts';
import { explanationInWords } from '../../config-sdk/explain/words.ts';
import { openDecider, readRequest } from '../../runtime/decide.ts';
import { snapshotOf, startGateway } from '../support/gateway.ts';
import {
  commitAll,
  git,
  headgate,
  installHeadgate,
  sampleConfig,
  temporaryFolder,
  writeFiles,
} from '../support/sample-repository.ts';

const root = join(import.meta.dirname, '..', 'golden', 'explain');
const { findings, snapshot } = await check(root);
const requests = readdirSync(join(root, 'requests')).filter((name) => name.endsWith('.json'));

describe('what explain says', () => {
  test('of a configuration without errors', () =>
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error'),
      [],
    ));
  for (const name of requests) {
    test(name.replace('.json', ''), async () => {
      assert.ok(snapshot);
      const decider = await openDecider(snapshot);
      const asked = readRequest(readFileSync(join(root, 'requests', name), 'utf8'));
      const words = explanationInWords(await explain(decider, asked));
      const file = join(root, 'requests', name.replace('.json', '.txt'));
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, words);
      assert.equal(words, existsSync(file) ? readFileSync(file, 'utf8') : `there is no ${file}`);
    });
  }
});

test('what is near a name is near in spelling, and nothing else is', () => {
  const names = ['gpt-5', 'gpt-5-mini', 'claude-opus-5', 'support'];
  assert.deepEqual(near('gtp-5', names), ['gpt-5']);
  assert.deepEqual(near('gpt-5-mnii', names), ['gpt-5-mini']);
  assert.deepEqual(near('llama', names), []);
});

const hello = {
  path: '/v1/chat/completions',
  consumer: 'team',
  body: { model: 'echo', messages: [{ role: 'user', content: 'Hello' }] },
};

describe('headgate explain', { concurrency: 2 }, () => {
  test('tells of a request file, for people and for machines', async (context) => {
    const folder = await temporaryFolder(context);
    await writeFiles(folder, { 'gateway.config.ts': sampleConfig(), 'request.json': JSON.stringify(hello) });
    const { code, stdout } = await headgate(folder, ['explain', 'request.json']);
    assert.equal(code, 0);
    assert.match(stdout, /^model {5}echo +gateway\.config\.ts:5:14$/m);
    assert.match(stdout, /would be sent to sandbox\/echo\n$/);
    const json = await headgate(folder, ['explain', 'request.json', '--json']);
    const { steps, outcome } = JSON.parse(json.stdout) as { steps: object[]; outcome: { order: string[] } };
    assert.deepEqual(outcome.order, ['sandbox/echo']);
    assert.deepEqual(steps[2], {
      stage: 'model',
      said: 'echo',
      object: 'models.echo',
      at: 'gateway.config.ts:5:14',
    });
  });

  test('says all that is wrong with a request file at once', async (context) => {
    const folder = await temporaryFolder(context);
    const wrong = { pth: '/v1/models', consumer: 7, headers: ['x'] };
    await writeFiles(folder, { 'wrong.json': JSON.stringify(wrong), 'text.json': '{' });
    const { code, stderr } = await headgate(folder, ['explain', 'wrong.json']);
    assert.equal(code, 1);
    assert.deepEqual(stderr.trim().split('\n'), [
      'headgate: wrong.json: "pth" is not known here: write method, path, host, headers, body, consumer, key, claims, issuer, address, at',
      'headgate: wrong.json: "path" is missing: write where the request goes, such as "/v1/chat/completions"',
      'headgate: wrong.json: "consumer" must be a text',
      'headgate: wrong.json: "headers" must be an object of texts',
    ]);
    const text = await headgate(folder, ['explain', 'text.json']);
    assert.equal(text.code, 1);
    assert.match(text.stderr, /text\.json: it is not JSON/);
    assert.equal((await headgate(folder, ['explain', 'nothing.json'])).code, 3);
    assert.equal((await headgate(folder, ['explain'])).code, 2);
    assert.equal((await headgate(folder, ['explain', 'wrong.json', '--id', 'x'])).code, 2);
  });

  test('asks as who is said on the command line, whoever the file names', async (context) => {
    const folder = await temporaryFolder(context);
    const asked = JSON.stringify({ ...hello, consumer: 'nobody' });
    const config = sampleConfig().replace(
      /keys: \['(.*)'\]/,
      "keys: [{ hash: '$1', expires: '2027-01-31', addresses: ['10.0.0.0/8'] }]",
    );
    await writeFiles(folder, { 'gateway.config.ts': config, 'request.json': asked });
    const flags = ['--consumer', 'team', '--key', '0000', '--address', '10.0.0.1', '--at', '2027-02-01'];
    const { code, stdout } = await headgate(folder, ['explain', 'request.json', ...flags]);
    assert.equal(code, 0);
    assert.match(stdout, /^key {7}sha256:000000000000…, until 2027-01-31, from 10\.0\.0\.0\/8 +gateway/m);
    assert.match(stdout, /^refused {3}key_expired \(401\)/m);
    const claims = await headgate(folder, ['explain', 'request.json', '--claims', '{"sub":"x"', '--issuer', 'corp']);
    assert.equal(claims.code, 1);
    assert.match(claims.stderr, /--claims is not JSON/);
    assert.equal((await headgate(folder, ['explain', '--id', 'x', '--at', '2027-02-01'])).code, 2);
  });

  test('names the consumer that was meant', async (context) => {
    const folder = await temporaryFolder(context);
    const asked = JSON.stringify({ ...hello, consumer: 'tema' });
    await writeFiles(folder, { 'gateway.config.ts': sampleConfig(), 'request.json': asked });
    const { code, stderr } = await headgate(folder, ['explain', 'request.json']);
    assert.equal(code, 1);
    assert.equal(stderr, "headgate: request.json: no consumer is named 'tema': did you mean 'team'?\n");
  });

  test('decides nothing under a configuration with errors, and shows them', async (context) => {
    const folder = await temporaryFolder(context);
    const broken = sampleConfig().replace("sandbox.target('echo')", "sandbox.target('ehco')");
    await writeFiles(folder, { 'gateway.config.ts': broken, 'request.json': JSON.stringify(hello) });
    const { code, stdout, stderr } = await headgate(folder, ['explain', 'request.json']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /gateway\.config\.ts:5:\d+ error/);
  });

  test('decides under a commit, whatever the working tree holds', async (context) => {
    const folder = await temporaryFolder(context);
    await git(folder, 'init', '--quiet');
    await installHeadgate(folder);
    const files = { '.gitignore': 'node_modules/\n.headgate/\n', 'request.json': JSON.stringify(hello) };
    await writeFiles(folder, { ...files, 'gateway.config.ts': sampleConfig(3) });
    await commitAll(folder, 'First');
    await writeFile(join(folder, 'gateway.config.ts'), 'not even TypeScript');
    const { code, stdout } = await headgate(folder, ['explain', 'request.json', '--commit', 'HEAD']);
    assert.equal(code, 0);
    assert.match(stdout, /number 1 of 3 requests/);
    assert.equal((await headgate(folder, ['explain', 'request.json', '--commit', 'nowhere'])).code, 2);
  });

  test('tells of a past request by its id', async (context) => {
    const gateway = await startGateway(snapshotOf({ sources: { 'consumers.tester': 'gateway.config.ts:7:3' } }));
    context.after(() => gateway.close());
    const headers = { 'x-request-id': 'past-1' };
    await (
      await gateway.post(
        '/v1/chat/completions',
        { model: 'nothing', messages: [{ role: 'user', content: 'Hi' }] },
        { headers },
      )
    ).text();
    const folder = await temporaryFolder(context);
    const { code, stdout } = await headgate(folder, ['explain', '--id', 'past-1', '--url', gateway.adminUrl]);
    assert.equal(code, 0);
    assert.match(stdout, /^consumer {2}tester +gateway\.config\.ts:7:3$/m);
    assert.match(stdout, /^refused {3}model_not_found \(404\)$/m);
    const unknown = await headgate(folder, ['explain', '--id', 'never', '--url', gateway.adminUrl]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /remembers no request never/);
    const nobody = await headgate(folder, ['explain', '--id', 'x', '--url', 'http://127.0.0.1:1']);
    assert.equal(nobody.code, 3);
  });
});
