/** Where secrets come from, and every place where none of them may turn up. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { readSecret, SecretMissing } from '../../runtime/secrets.ts';
import { startProcess } from '../support/gateway-process.ts';
import { snapshotOf, testKey } from '../support/gateway.ts';

const token = { $secret: 'VENDOR_KEY' };

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-secrets-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function refusalOf(environment: NodeJS.ProcessEnv): string {
  try {
    readSecret(token, environment);
  } catch (error) {
    assert.ok(error instanceof SecretMissing);
    return error.message;
  }
  return assert.fail('it was read');
}

describe('a secret', () => {
  test('is the variable of its name, else the content of the file that NAME_FILE points at', (context) => {
    const file = join(folderOf(context), 'key');
    writeFileSync(file, '  from-the-file\n');
    assert.equal(readSecret(token, { VENDOR_KEY: 'from-the-variable', VENDOR_KEY_FILE: file }), 'from-the-variable');
    assert.equal(readSecret(token, { VENDOR_KEY_FILE: file }), 'from-the-file');
    assert.equal(readSecret(token, { VENDOR_KEY: '', VENDOR_KEY_FILE: file }), 'from-the-file');
    assert.equal(readSecret(token, { VENDOR_KEY: 'with-a-line-end\n' }), 'with-a-line-end');
  });

  test('that cannot be had is an error that names the place and the cure, never a value', (context) => {
    const folder = folderOf(context);
    const [empty, twoLines] = [join(folder, 'empty'), join(folder, 'two')];
    writeFileSync(empty, ' \n');
    writeFileSync(twoLines, 'hunter2\nX-Admin: 1\n');
    assert.match(refusalOf({}), /VENDOR_KEY is absent: set VENDOR_KEY, or VENDOR_KEY_FILE/);
    assert.match(refusalOf({ VENDOR_KEY_FILE: join(folder, 'none') }), /cannot be read \(ENOENT\)/);
    assert.match(refusalOf({ VENDOR_KEY_FILE: folder }), /cannot be read \(EISDIR\)/);
    assert.match(refusalOf({ VENDOR_KEY_FILE: empty }), /is empty/);
    assert.match(refusalOf({ VENDOR_KEY: '  ' }), /is blank/);
    for (const environment of [{ VENDOR_KEY_FILE: twoLines }, { VENDOR_KEY: 'hunter2\r\nX-Admin: 1' }]) {
      const told = refusalOf(environment);
      assert.match(told, /line break/);
      assert.doesNotMatch(told, /hunter2/);
    }
  });
});

test('no planted secret turns up in an answer, the status, the metrics, the console or the log', async (context) => {
  const planted = {
    header: 'planted-upstream-header-5f1c',
    provider: 'planted-provider-key-9a2e',
    admin: 'planted-admin-token-77b0',
  };
  const tokenFile = join(folderOf(context), 'token');
  writeFileSync(tokenFile, planted.admin);
  const received: string[] = [];
  /** Gives back everything it was told, as vendors do in their error texts. */
  const upstream = createServer((request, response) => {
    const said = JSON.stringify({ error: { message: `bad credential ${JSON.stringify(request.headers)}` } });
    received.push(said);
    request.resume();
    if (request.url?.includes('cut')) {
      response.writeHead(200, { 'content-length': '999' }).write('begun');
      setTimeout(() => response.destroy(), 20);
    } else if (request.url?.includes('drop')) request.socket.destroy();
    else response.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': 'Basic' }).end(said);
  });
  await new Promise<void>((resolve) => {
    upstream.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const apiKey = { $secret: 'PLANTED_KEY' };
  const gateway = await startProcess(
    snapshotOf({
      providers: {
        vendor: { kind: 'openai', options: { baseUrl: url, apiKey }, models: { m: { contextWindow: 99_000 } } },
      },
      models: { m: { targets: { kind: 'target', provider: 'vendor', model: 'm' } } },
      upstreams: {
        up: { url, headers: { 'x-token': { $secret: 'PLANTED_HEADER' } } },
        dead: { url: 'http://127.0.0.1:1', headers: { 'x-token': { $secret: 'PLANTED_HEADER' } } },
      },
      routes: { api: { path: '/api/*', upstream: 'up' }, dead: { path: '/dead/*', upstream: 'dead' } },
    }),
    { PLANTED_HEADER: planted.header, PLANTED_KEY: planted.provider },
    ['--log-level', 'trace', '--admin-token-file', tokenFile],
  );
  context.after(async () => {
    await gateway.kill();
    upstream.closeAllConnections();
    upstream.close();
  });

  const surface: string[] = [];
  const look = async (address: string, init: RequestInit = {}) => {
    const answer = await fetch(address, init);
    const body = await answer.text().catch((error: unknown) => `cut: ${String(error)}`);
    surface.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${body}`);
  };
  const authorization = { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' };
  const call = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
  await look(`${gateway.dataUrl}/v1/chat/completions`, { method: 'POST', body: call, headers: authorization });
  await look(`${gateway.dataUrl}/v1/models`, { headers: authorization });
  for (const path of ['/dead/x', '/api/drop', '/api/cut', '/none'])
    await look(gateway.dataUrl + path, { headers: authorization });
  await look(`${gateway.dataUrl}/api/x`, { headers: { authorization: 'Bearer wrong-key-of-a-client' } });
  const admin = { authorization: `Bearer ${planted.admin}` };
  for (const path of ['/healthz', '/readyz', '/status', '/metrics', '/console', '/none'])
    for (const headers of [admin, {}]) await look(gateway.adminUrl + path, { headers });
  await gateway.logged('/api/x');
  gateway.signal('SIGTERM');
  assert.equal(await gateway.ended, 0, 'a drained process ends well');

  assert.ok(
    received.some((text) => text.includes(planted.header)),
    'the upstream was sent its secret',
  );
  assert.ok(
    received.some((text) => text.includes(planted.provider)),
    'the provider was sent its key',
  );
  assert.ok(
    received.every((text) => !text.includes(testKey)),
    'none was sent the key of the client',
  );
  const output = gateway.output();
  for (const secret of [...Object.values(planted), testKey, 'wrong-key-of-a-client']) {
    for (const spelled of [secret, Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')]) {
      assert.ok(!output.includes(spelled), `${secret} is in the log`);
      assert.ok(
        surface.every((text) => !text.includes(spelled)),
        `${secret} is in an answer`,
      );
    }
  }
});
