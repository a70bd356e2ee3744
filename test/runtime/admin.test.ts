/** The admin plane, and the way out of a gateway as its operator sees it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startAdmin, type AdminOptions } from '../../runtime/admin/admin.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { Pools } from '../../runtime/upstream/pools.ts';
import { snapshotOf, startGateway, startWith, testKey, type TestGateway } from '../support/gateway.ts';
import { RawClient, rawExchange } from '../support/raw-http.ts';
import { collect } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';

async function gatewayFor(context: TestContext, flags: readonly string[] = []): Promise<TestGateway> {
  const gateway = await startGateway(snapshotOf({}), flags);
  context.after(() => gateway.close());
  return gateway;
}

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-admin-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function api(context: TestContext, handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('what it tells', () => {
  test('alive, ready and the status of a gateway that serves', async (context) => {
    const gateway = await gatewayFor(context);
    const alive = await fetch(`${gateway.adminUrl}/healthz`);
    assert.deepEqual([alive.status, await alive.json()], [200, { status: 'ok' }]);
    const head = await fetch(`${gateway.adminUrl}/healthz`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const ready = await fetch(`${gateway.adminUrl}/readyz`);
    assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ready', revision: gateway.revision }]);
    const status = await gateway.status();
    assert.equal(status.state, 'STEADY');
    assert.equal(status.active?.revision, gateway.revision);
    assert.deepEqual([status.draining, status.generationsLive, status.quarantine], [false, 1, []]);
    assert.match(status.replicaId, /^[\w-]{36}$/);
    assert.ok(Date.parse(status.startedAt) <= Date.now());
    for (const field of ['lkg', 'tip', 'source', 'highestSeq', 'verify', 'stateDir', 'history'])
      assert.ok(field in status, field);
  });

  test('cold is alive and not ready, on both planes', async (context) => {
    const gateway = await startWith(['--repo', join(folderOf(context), 'no-such-repository')]);
    context.after(() => gateway.close());
    assert.equal((await fetch(`${gateway.adminUrl}/healthz`)).status, 200);
    const ready = await fetch(`${gateway.adminUrl}/readyz`);
    assert.deepEqual([ready.status, ((await ready.json()) as { status: string }).status], [503, 'cold']);
    assert.equal((await gateway.status()).state, 'COLD');
    const answer = await gateway.ask('/anything');
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
  });

  test('what it does not know is a 404 as problem+json, also for odd methods and targets', async (context) => {
    const gateway = await gatewayFor(context);
    for (const [method, path] of [
      ['GET', '/nothing?secret=1'],
      ['POST', '/status'],
      ['DELETE', '/healthz'],
      ['GET', '/console/'],
    ] as const) {
      const answer = await fetch(gateway.adminUrl + path, { method });
      assert.equal(answer.status, 404, path);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.doesNotMatch(await answer.text(), /secret|stack|node_modules/);
    }
    const odd = await rawExchange(gateway.adminUrl, 'GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal(odd.status, 400);
    assert.match(odd.headers['content-type'] ?? '', /^application\/(problem\+)?json/);
  });

  test('poke looks at the source now and says so', async (context) => {
    const gateway = await gatewayFor(context);
    const answer = await fetch(`${gateway.adminUrl}/poke`, { method: 'POST' });
    assert.equal(answer.status, 202);
    assert.equal((await fetch(`${gateway.adminUrl}/poke`)).status, 404, 'a GET changes nothing');
  });

  test('the console runs its own style and script and nothing else', async (context) => {
    const gateway = await gatewayFor(context);
    const answer = await fetch(`${gateway.adminUrl}/`);
    assert.match(answer.url, /\/console$/);
    const page = await answer.text();
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    for (const [element, directive] of [
      ['style', 'style-src'],
      ['script', 'script-src'],
    ] as const) {
      const found = [...page.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'))];
      assert.equal(found.length, 1);
      const hash = createHash('sha256')
        .update(found[0]?.[1] ?? '')
        .digest('base64');
      assert.ok(policy.includes(`${directive} 'sha256-${hash}'`), directive);
    }
    assert.doesNotMatch(page, /\s(src|href|on\w+|style)=/i, 'nothing from elsewhere, nothing inline');
  });
});

describe('metrics', () => {
  const used = async (context: TestContext): Promise<string> => {
    const { url } = await api(context, (_request, response) => response.end('fine'));
    const gateway = await startGateway(
      snapshotOf({ upstreams: { up: { url } }, routes: { api: { path: '/api/*', upstream: 'up' } } }),
    );
    context.after(() => gateway.close());
    await (await gateway.ask('/api/x')).text();
    await (await gateway.ask('/none')).text();
    return gateway.metrics();
  };

  test('have help and type, snake_case names, and counters that end in _total', async (context) => {
    const text = await used(context);
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
    assert.ok(types.size > 10);
    for (const [name, type] of types) {
      assert.match(name, /^headgate_[a-z0-9_]+$/);
      assert.match(text, new RegExp(`^# HELP ${name} \\S.*\\.$`, 'm'), name);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
    }
    for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
      const [, name = '', labels = ''] = /^([a-z0-9_]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      assert.ok(types.has(name.replace(/_(bucket|sum|count)$/, '')) || types.has(name), line);
      assert.doesNotMatch(labels, /(^|,)[a-z]*[A-Z]\w*="/, line);
    }
    assert.match(text, /headgate_requests_total\{matched="route:api",consumer="tester",status="200"\} 1/);
    assert.match(text, /headgate_requests_total\{matched="none",consumer="",status="404"\} 1/);
    assert.match(text, /headgate_requests_in_flight 0/);
  });

  test('are in order for promtool', async (context) => {
    const missing = skipWithout(tools.promtool);
    if (missing) return context.skip(missing);
    const told = execFileSync('promtool', ['check', 'metrics'], { input: await used(context), encoding: 'utf8' });
    assert.equal(told.trim(), '');
  });
});

describe('orders', () => {
  test('whose body cannot be read are told what is wrong with it, and what to send', async (context) => {
    const gateway = await gatewayFor(context);
    const json = 'application/json';
    const cure = /send JSON with the header content-type: application\/json\.$/;
    for (const [type, body, status, detail] of [
      ['application/x-www-form-urlencoded', 'for=1h', 415, cure],
      ['', '{"for":"1h"}', 415, cure],
      [json, '{"for":', 400, cure],
      [json, '', 400, cure],
      [json, '{"__proto__":{"for":"1h"}}', 400, cure],
      [json, JSON.stringify({ note: 'x'.repeat(1_100_000) }), 413, /too long: .*"commit", "for" and "note"/],
      [json, '{"for":"forever"}', 400, /"for" must be a duration/],
    ] as const) {
      const response = await fetch(`${gateway.adminUrl}/pause`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: Buffer.from(body),
      });
      assert.equal(response.status, status);
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.match(((await response.json()) as { detail: string }).detail, detail);
    }
    assert.equal((await gateway.status()).pause, undefined);
  });
});

describe('who may ask', () => {
  test('without a token, only by a name of this machine', async (context) => {
    const gateway = await gatewayFor(context);
    const status = async (host: string, more = '') =>
      (await rawExchange(gateway.adminUrl, `GET /status HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`))
        .status;
    for (const host of ['127.0.0.1', 'localhost:9090', 'LOCALHOST', '[::1]:9090'])
      assert.equal(await status(host), 200, host);
    for (const host of [
      'evil.test',
      '127.0.0.1.evil.test',
      'localhost.evil.test:9090',
      '127.0.0.1@evil.test',
      '10.0.0.1',
    ])
      assert.equal(await status(host), 403, host);
    assert.equal(await status('localhost', 'Origin: https://evil.test\r\n'), 403);
    assert.equal(await status('localhost', 'Origin: null\r\n'), 403);
    assert.equal(await status('localhost', 'Origin: http://localhost:9090\r\n'), 200);
  });

  test('with a token file, only who has the token, and a new token needs no restart', async (context) => {
    const tokenFile = join(folderOf(context), 'token');
    writeFileSync(tokenFile, 'first\n');
    const gateway = await gatewayFor(context, ['--admin-token-file', tokenFile]);
    const status = async (path: string, authorization?: string, method = 'GET') => {
      const answer = await fetch(gateway.adminUrl + path, { method, headers: authorization ? { authorization } : {} });
      await answer.text();
      return answer.status;
    };
    for (const path of ['/healthz', '/readyz']) assert.equal(await status(path), 200);
    for (const path of ['/status', '/metrics', '/nothing', '/healthz/x', '/healthz?x', '/%68ealthz'])
      assert.equal(await status(path), 401, path);
    assert.equal(await status('/poke', undefined, 'POST'), 401);
    for (const wrong of ['Bearer second', 'Bearer firs', 'Bearer firstt', 'Basic first', 'first', 'Bearer'])
      assert.equal(await status('/status', wrong), 401, wrong);
    assert.equal(await status('/status', 'Bearer first'), 200);
    assert.equal(await status('/nothing', 'Bearer first'), 404);

    writeFileSync(tokenFile, 'second');
    assert.equal(await status('/status', 'Bearer first'), 401);
    assert.equal(await status('/status', 'bearer second'), 200);

    for (const spoil of [() => writeFileSync(tokenFile, '\n'), () => rmSync(tokenFile)]) {
      spoil();
      const answer = await fetch(`${gateway.adminUrl}/status`, { headers: { authorization: 'Bearer second' } });
      assert.equal(answer.status, 503);
      const text = await answer.text();
      assert.match(text, /--admin-token-file/);
      assert.doesNotMatch(text, /ENOENT|stack|\/token/);
      assert.equal(await status('/readyz'), 200, 'what needs no token goes on');
    }
  });

  test('a token file that is missing or empty at the start is an error with the place and the cure', async (context) => {
    const tokenFile = join(folderOf(context), 'token');
    const options: AdminOptions = {
      address: { host: '127.0.0.1', port: 0 },
      tokenFile,
      metrics: createMetrics(),
      reported: {} as AdminOptions['reported'],
    };
    await assert.rejects(startAdmin(options), { message: /admin token file .* cannot be read \(ENOENT\): write/ });
    writeFileSync(tokenFile, '\n');
    await assert.rejects(startAdmin(options), { message: /admin token file .* is empty: write/ });
  });
});

describe('draining', () => {
  test('is told first, answers what still comes for a moment, then takes nothing new, and ends when the last stream has', async (context) => {
    let events: ServerResponse | undefined;
    const { url } = await api(context, (_request, response) => {
      events = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const gateway = await startGateway(
      snapshotOf({ upstreams: { up: { url } }, routes: { api: { path: '/api/*', upstream: 'up' } } }),
      ['--drain', '20s'],
    );
    const stream = await gateway.ask('/api/x');
    const body = stream.text();
    const began = performance.now();
    const drained = gateway.drain();
    const ready = await fetch(`${gateway.adminUrl}/readyz`);
    assert.deepEqual([ready.status, await ready.json()], [503, { status: 'draining' }]);
    assert.equal((await fetch(`${gateway.adminUrl}/healthz`)).status, 200, 'it is alive while it drains');
    assert.equal((await gateway.status()).draining, true);
    const knock = async () => {
      const client = new RawClient(gateway.dataUrl).send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await client.ended();
      await client.leave();
      return client.text;
    };
    assert.match(await knock(), /^HTTP\/1\.1 404/, 'a balancer that has not seen it yet is still served');
    await until('a new connection is refused', async () => (await knock()) === '');
    events?.end('data: 2\n\n');
    assert.equal(await body, 'data: 1\n\ndata: 2\n\n');
    await drained;
    assert.ok(performance.now() - began < 10_000, 'long before the drain time is over');
    await assert.rejects(fetch(`${gateway.adminUrl}/healthz`), 'then the admin plane is gone too');
  });

  test('cuts what is left when its time is over', async (context) => {
    let abandoned = false;
    const { url } = await api(context, (_request, response) => {
      response.once('close', () => (abandoned = true));
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const gateway = await startGateway(
      snapshotOf({ upstreams: { up: { url } }, routes: { api: { path: '/api/*', upstream: 'up' } } }),
      ['--drain', '300ms'],
    );
    const request = ask(`${gateway.dataUrl}/api/x`, { headers: { authorization: `Bearer ${testKey}` } }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const rest = assert.rejects(answer.toArray());
    const began = performance.now();
    await gateway.drain();
    const took = performance.now() - began;
    assert.ok(took >= 290 && took < 3_000, `took ${took} ms`);
    await rest;
    await until('the upstream to be let go', async () => abandoned);
  });
});

describe('connections to upstreams', () => {
  test('are kept over a rebuild that still needs them, and closed once nobody does', async (context) => {
    const { server, url } = await api(context, (_request, response) => response.end('fine'));
    let opened = 0;
    let closed = 0;
    server.on('connection', (socket) => {
      opened += 1;
      socket.once('close', () => (closed += 1));
    });
    const pools = new Pools();
    const { signal } = new AbortController();
    const visit = async (pool: ReturnType<Pools['acquire']>) =>
      collect((await pool.send({ method: 'GET', path: '/', headers: {}, signal })).body);
    const before = pools.acquire(url);
    await visit(before);
    await until('the connection to be free', async () => before.idle === 1);
    const next = pools.acquire(url);
    pools.release(url);
    await visit(next);
    assert.deepEqual([opened, closed], [1, 0], 'the next generation uses the same connection');
    pools.release(url);
    await until('the connection to be closed', async () => closed === 1);
    await visit(pools.acquire(url));
    assert.equal(opened, 2, 'who needs it again gets a new one');
    pools.release('http://never-acquired.test');
    await pools.close();
    await until('all connections to be closed', async () => closed === 2);
  });
});
