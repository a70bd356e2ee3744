/** API routes end to end: what reaches an upstream, what comes back, and what happens when either side fails. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createSocketServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { startProcess } from '../support/gateway-process.ts';
import { keyHash, snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const megabytes = 1_024 * 1_024;

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function listening<S extends Server>(server: S, context: TestContext): Promise<S> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  context.after(() => {
    if ('closeAllConnections' in server) (server.closeAllConnections as () => void)();
    server.close();
  });
  return server;
}

const api = async (context: TestContext, handle: Handle): Promise<string> =>
  `http://127.0.0.1:${portOf(await listening(createServer(handle), context))}`;

/** A server that does with each connection what `take` says; counts them. */
async function sockets(context: TestContext, take: (socket: Socket, count: number) => void) {
  const counted = { url: '', count: 0 };
  const server = createSocketServer((socket) => {
    counted.count += 1;
    socket.on('error', () => undefined);
    take(socket, counted.count);
  });
  counted.url = `http://127.0.0.1:${portOf(await listening(server, context))}`;
  return counted;
}

type Route = SnapshotInput['routes'][string];

/** A gateway with one upstream at `url` and one route `/api/*`, changed as a test needs it. */
async function gatewayTo(
  context: TestContext,
  url: string,
  more: {
    route?: Partial<Route>;
    upstream?: Partial<SnapshotInput['upstreams'][string]>;
    parts?: Partial<SnapshotInput>;
  } = {},
): Promise<TestGateway> {
  const gateway = await startGateway(
    snapshotOf({
      upstreams: { up: { url, ...more.upstream } },
      routes: { api: { path: '/api/*', upstream: 'up', ...more.route } },
      ...more.parts,
    }),
  );
  context.after(() => gateway.close());
  return gateway;
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const echo: Handle = (request, response) => {
  let body = '';
  request.setEncoding('latin1').on('data', (text: string) => (body += text));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });
};

const echoOf = async (answer: Promise<Response>): Promise<Echo> => (await (await answer).json()) as Echo;

async function problemOf(answer: Response): Promise<{ code: string; title: string; detail: string }> {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const problem = (await answer.json()) as { code: string; title: string; detail: string; status: number };
  assert.equal(problem.status, answer.status);
  return problem;
}

describe('what reaches the upstream', () => {
  test('method, path, query and body, as they came', async (context) => {
    const gateway = await gatewayTo(context, `${await api(context, echo)}/base`);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const seen = await echoOf(gateway.ask('/api/a%20b?x=1&x=2&y=%2F..%2F', { method, body: 'hello' }));
      assert.deepEqual([seen.method, seen.url, seen.body], [method, '/base/api/a%20b?x=1&x=2&y=%2F..%2F', 'hello']);
    }
    const seen = await echoOf(gateway.ask('/api?'));
    assert.deepEqual([seen.method, seen.body], ['GET', '']);
  });

  test('the path without the prefix that the route strips', async (context) => {
    const gateway = await gatewayTo(context, await api(context, echo), { route: { stripPrefix: '/api' } });
    const pathAt = async (path: string) => (await echoOf(gateway.ask(path))).url;
    assert.equal(await pathAt('/api/x/y?q'), '/x/y?q');
    assert.equal(await pathAt('/api'), '/');
    assert.equal(await pathAt('/api/'), '/');
    assert.equal(await pathAt('/api/apix'), '/apix');
  });

  test('no credential of the client, and no header that only we may say', async (context) => {
    const gateway = await gatewayTo(context, await api(context, echo), {
      upstream: { headers: { authorization: 'Bearer of-the-upstream', 'x-tenant': 'ours' } },
    });
    const forged = {
      'x-api-key': testKey,
      'x-goog-api-key': testKey,
      'api-key': testKey,
      x_api_key: testKey,
      'proxy-authorization': 'Basic secret',
      'x-tenant': 'theirs',
      x_tenant: 'theirs',
      'headgate-consumer': 'boss',
      headgate_consumer: 'boss',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '666',
      'x-forwarded-prefix': '/evil',
      x_forwarded_for: '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      'x-real-ip': '6.6.6.6',
      'x-original-url': '/admin',
      te: 'trailers',
      'x-kept': 'yes',
      cookie: 'a=1',
    };
    const { headers } = await echoOf(gateway.ask('/api/x', { headers: forged }));
    assert.doesNotMatch(
      JSON.stringify(headers),
      new RegExp(`${testKey}|6\\.6\\.6\\.6|evil|theirs|boss|666|Basic|/admin`),
    );
    assert.equal(headers['authorization'], 'Bearer of-the-upstream');
    assert.equal(headers['x-tenant'], 'ours');
    assert.equal(headers['headgate-consumer'], 'tester');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-forwarded-host'], new URL(gateway.dataUrl).host);
    assert.match(headers['x-request-id'] ?? '', /^req_/);
    assert.deepEqual([headers['x-kept'], headers['cookie'], headers['te']], ['yes', 'a=1', undefined]);
  });

  test('no header that the client named in Connection', async (context) => {
    const url = await api(context, echo);
    const gateway = await gatewayTo(context, url);
    const headers = {
      authorization: `Bearer ${testKey}`,
      connection: 'keep-alive, X-Hop, headgate-consumer',
      'x-hop': '1',
      'keep-alive': 'timeout=1',
    };
    const request = ask(`${gateway.dataUrl}/api/x`, { headers }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const seen = JSON.parse((await answer.toArray()).join('')) as Echo;
    assert.equal(seen.headers['x-hop'], undefined);
    assert.equal(seen.headers['keep-alive'], undefined);
    assert.equal(seen.headers['headgate-consumer'], 'tester', 'our own is not to be named away');
    assert.equal(seen.headers['host'], new URL(url).host);
  });
});

describe('which route is taken', () => {
  const names = async (context: TestContext, routes: SnapshotInput['routes']) => {
    const url = await api(context, echo);
    const headers = (name: string) => ({ url, headers: { 'x-upstream': name } });
    const upstreams = Object.fromEntries(Object.keys(routes).map((name) => [name, headers(name)]));
    const snapshot = snapshotOf({ upstreams, routes });
    const gateway = await startGateway(snapshot);
    context.after(() => gateway.close());
    return gateway;
  };
  const to = (path: string, upstream: string, more: Partial<Route> = {}) => ({ path, upstream, ...more });

  test('an exact path before prefixes, the longest prefix before shorter ones', async (context) => {
    const gateway = await names(context, {
      short: to('/a/*', 'short'),
      long: to('/a/b/*', 'long'),
      exact: to('/a/b/c', 'exact'),
    });
    const taken = async (path: string) => (await echoOf(gateway.ask(path))).headers['x-upstream'];
    assert.equal(await taken('/a'), 'short');
    assert.equal(await taken('/a/x'), 'short');
    assert.equal(await taken('/a/bb'), 'short', 'prefixes end at a slash');
    assert.equal(await taken('/a/b'), 'long');
    assert.equal(await taken('/a/b/c/d'), 'long');
    assert.equal(await taken('/a/b/c'), 'exact');
  });

  test('no match is a 404, a method that no route takes a 405, both as problem+json', async (context) => {
    const gateway = await names(context, { read: to('/a/*', 'read', { methods: ['GET'] }) });
    const missing = await gateway.ask('/b');
    assert.equal(missing.status, 404);
    const { code, title } = await problemOf(missing);
    assert.deepEqual([code, title], ['route_not_found', 'Not Found']);
    const wrong = await gateway.ask('/a/x', { method: 'POST', body: 'x' });
    assert.equal(wrong.status, 405);
    assert.equal((await problemOf(wrong)).code, 'method_not_allowed');
  });

  test('a route without a key is a 401, one that the consumer may not use a 403', async (context) => {
    const key = 'hg_of_the_limited_one';
    const gateway = await gatewayTo(context, await api(context, echo), {
      parts: { consumers: { limited: { keys: [keyHash(key)], routes: [] } } },
    });
    const none = await fetch(`${gateway.dataUrl}/api/x`);
    assert.deepEqual([none.status, (await problemOf(none)).code], [401, 'missing_api_key']);
    const wrong = await fetch(`${gateway.dataUrl}/api/x`, { headers: { authorization: 'Bearer x' } });
    assert.deepEqual([wrong.status, (await problemOf(wrong)).code], [401, 'invalid_api_key']);
    const limited = await fetch(`${gateway.dataUrl}/api/x`, { headers: { 'x-api-key': key } });
    assert.deepEqual([limited.status, (await problemOf(limited)).code], [403, 'route_not_allowed']);
  });
});

describe('what comes back', () => {
  test('status, headers and body, without hop-by-hop headers and without any that are ours to say', async (context) => {
    const url = await api(context, (_request, response) => {
      const forged = ['headgate-revision', 'headgate-cost-usd', 'headgate-target', 'x-request-id', 'ratelimit'];
      for (const name of [...forged, 'x-ratelimit-remaining-requests']) response.setHeader(name, 'forged');
      response.setHeader('connection', 'x-hop, close').setHeader('x-hop', '1').setHeader('proxy-authenticate', 'Basic');
      response.setHeader('x-ratelimit-remaining', '7').setHeader('x-kept', 'yes');
      response.setHeader('set-cookie', ['a=1', 'b=2']).writeHead(418);
      response.end('short and stout');
    });
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x');
    assert.deepEqual([answer.status, await answer.text()], [418, 'short and stout']);
    assert.doesNotMatch(JSON.stringify([...answer.headers]), /forged|x-hop|Basic|headgate-cost/);
    assert.equal(answer.headers.get('headgate-revision'), gateway.revision);
    assert.equal(answer.headers.get('headgate-target'), 'up');
    assert.equal(answer.headers.get('x-kept'), 'yes');
    assert.equal(answer.headers.get('x-ratelimit-remaining'), '7', "the upstream's own limit");
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
  });

  test('answers without a body stay without one', async (context) => {
    const url = await api(context, (request, response) => {
      const status = Number(request.url?.slice('/api/'.length));
      response.writeHead(status, { etag: '"1"', ...(status === 200 ? { 'content-length': '5' } : {}) });
      response.end(status === 200 && request.method !== 'HEAD' ? 'hello' : undefined);
    });
    const gateway = await gatewayTo(context, url);
    for (const [path, method, status] of [
      ['/api/204', 'GET', 204],
      ['/api/304', 'GET', 304],
      ['/api/200', 'HEAD', 200],
      ['/api/200', 'GET', 200],
    ] as const) {
      const answer = await gateway.ask(path, { method });
      assert.equal(answer.status, status);
      assert.equal(await answer.text(), method === 'GET' && status === 200 ? 'hello' : '');
      assert.equal(answer.headers.get('etag'), '"1"');
      if (status === 200) assert.equal(answer.headers.get('content-length'), '5');
    }
  });

  test('redirects are passed on, never followed', async (context) => {
    let asked = 0;
    const url = await api(context, (_request, response) => {
      asked += 1;
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    });
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x', { redirect: 'manual' });
    assert.deepEqual([answer.status, answer.headers.get('location')], [302, 'http://169.254.169.254/latest']);
    assert.equal(asked, 1);
  });

  test('a 503 with Retry-After is passed on once: no answer is ever retried', async (context) => {
    let asked = 0;
    const url = await api(context, (_request, response) => {
      asked += 1;
      response.writeHead(503, { 'retry-after': '1' }).end('busy');
    });
    const gateway = await gatewayTo(context, url, { route: { retries: 5 } });
    const answer = await gateway.ask('/api/x');
    assert.deepEqual([answer.status, answer.headers.get('retry-after'), await answer.text()], [503, '1', 'busy']);
    assert.equal(asked, 1);
  });

  test('a status that no answer can have is a 502', async (context) => {
    const { url } = await sockets(context, (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 799 Odd\r\nContent-Length: 6\r\n\r\nsecret'));
    });
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x');
    assert.equal(answer.status, 502);
    assert.doesNotMatch(await answer.text(), /secret/);
  });
});

describe('streams', () => {
  test('10 MB go up and down while neither side has all of them', async (context) => {
    const half = randomBytes(5 * megabytes);
    const url = await api(context, (request, response) => {
      // The answer begins with the first byte of the question.
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      request.pipe(response);
    });
    const gateway = await gatewayTo(context, url);
    const request = ask(`${gateway.dataUrl}/api/x`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}` },
    });
    request.write(half);
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const digest = createHash('sha256');
    let size = 0;
    answer.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      digest.update(chunk);
    });
    await until('the first half to come back before the second is sent', async () => size === half.byteLength);
    request.end(half);
    await once(answer, 'end');
    assert.equal(digest.digest('hex'), createHash('sha256').update(half).update(half).digest('hex'));
  });

  test('a client that does not read holds the upstream back', async (context) => {
    let sent = 0;
    const url = await api(context, (_request, response) => {
      const block = Buffer.alloc(64 * 1_024);
      const push = () => {
        while (sent < 200 * megabytes && !response.destroyed) {
          sent += block.byteLength;
          if (!response.write(block)) return void response.once('drain', push);
        }
      };
      push();
    });
    const gateway = await gatewayTo(context, url);
    const request = ask(`${gateway.dataUrl}/api/x`, { headers: { authorization: `Bearer ${testKey}` } }).end();
    await once(request, 'response');
    let before = -1;
    await until('the upstream to be held back', async () => {
      const still = sent === before;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return still;
    });
    assert.ok(sent < 60 * megabytes, `${sent} bytes were taken from the upstream`);
    request.destroy();
  });

  test('server-sent events pass one by one, and the head before the first of them', async (context) => {
    let response: ServerResponse | undefined;
    const url = await api(context, (_request, given) => {
      response = given;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
    });
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x');
    assert.equal(answer.status, 200, 'the head is there');
    const reader = answer.body?.getReader();
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      response?.write(event);
      const { value } = (await reader?.read()) ?? {};
      assert.equal(Buffer.from(value ?? []).toString(), event);
    }
    response?.end();
    assert.equal((await reader?.read())?.done, true);
  });

  test('an answer that comes before the body was sent is passed on', async (context) => {
    const url = await api(context, (_request, response) => {
      response.writeHead(403, { 'content-type': 'text/plain' }).end('not you');
    });
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x', { method: 'POST', body: Buffer.alloc(2 * megabytes) });
    assert.deepEqual([answer.status, await answer.text()], [403, 'not you']);
  });
});

describe('sizes', () => {
  test('a body over the limit is a 413, told or not, and the upstream never sees it whole', async (context) => {
    let whole = 0;
    const url = await api(context, (request, response) => {
      request.on('error', () => undefined).resume();
      request.on('end', () => {
        whole += 1;
        response.end('taken');
      });
    });
    const gateway = await gatewayTo(context, url, { route: { maxBodyBytes: 1_000 } });
    const told = await gateway.ask('/api/x', { method: 'POST', body: Buffer.alloc(1_001) });
    assert.deepEqual([told.status, (await problemOf(told)).code], [413, 'body_too_large']);
    const untold = await gateway.ask('/api/x', {
      method: 'POST',
      body: new Blob([Buffer.alloc(600), Buffer.alloc(600)]).stream(),
      duplex: 'half',
    });
    assert.deepEqual([untold.status, (await problemOf(untold)).code], [413, 'body_too_large']);
    assert.equal(whole, 0);
    const fits = await gateway.ask('/api/x', { method: 'POST', body: Buffer.alloc(1_000) });
    assert.equal(await fits.text(), 'taken');
    assert.match(await gateway.metrics(), /upstream_attempts_total\{target="up",outcome="abandoned"\} 1/);
  });
});

describe('quotas', () => {
  test('are shared between API requests and model calls', async (context) => {
    const gateway = await gatewayTo(context, await api(context, echo), {
      parts: {
        quotas: { few: { unit: 'requests', limit: 2, window: '1h' } },
        consumers: { tester: { keys: [keyHash(testKey)], quotas: ['few'] } },
        providers: { sand: { kind: 'sandbox', options: {}, models: { small: { contextWindow: 1_000 } } } },
        models: { small: { targets: { kind: 'target', provider: 'sand', model: 'small' } } },
      },
    });
    const first = await gateway.ask('/api/x');
    assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '1');
    await first.text();
    const call = { model: 'small', messages: [{ role: 'user', content: 'hi' }] };
    assert.equal((await gateway.post('/v1/chat/completions', call)).status, 200);
    const third = await gateway.ask('/api/x');
    assert.deepEqual([third.status, (await problemOf(third)).code], [429, 'quota_exceeded']);
    assert.ok(Number(third.headers.get('retry-after')) > 0);
  });

  test('a request that the upstream could not serve costs nothing', async (context) => {
    const { url } = await sockets(context, (socket) => socket.destroy());
    const gateway = await gatewayTo(context, url, {
      parts: {
        quotas: { few: { unit: 'requests', limit: 1, window: '1h' } },
        consumers: { tester: { keys: [keyHash(testKey)], quotas: ['few'] } },
      },
    });
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await gateway.ask('/api/x')).status, 502);
  });
});

describe('when the upstream fails', () => {
  for (const [method, retries, expected] of [
    ['GET', 2, 3],
    ['HEAD', 1, 2],
    ['GET', 0, 1],
    ['POST', 2, 1],
    ['DELETE', 2, 1],
    ['OPTIONS', 2, 1],
  ] as const)
    test(`a connection that breaks is tried ${expected} time(s) for ${method} with ${retries} retries${method === 'OPTIONS' ? ' and a body' : ''}`, async (context) => {
      const upstream = await sockets(context, (socket) => socket.once('data', () => socket.destroy()));
      const gateway = await gatewayTo(context, upstream.url, { route: { retries } });
      const body = method === 'POST' || method === 'OPTIONS' ? { body: 'x' } : {};
      const answer = await gateway.ask('/api/x', { method, ...body });
      assert.equal(answer.status, 502);
      assert.equal(answer.headers.get('headgate-attempts'), String(expected));
      assert.equal(upstream.count, expected);
    });

  test('a retry that succeeds is the answer', async (context) => {
    const { url } = await sockets(context, (socket, count) =>
      socket.once('data', () => {
        if (count === 1) socket.destroy();
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
      }),
    );
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x');
    assert.deepEqual([answer.status, await answer.text()], [200, 'fine']);
  });

  test('a dead one is a 502 that names neither its address nor its error', async (context) => {
    const server = await listening(createSocketServer(), context);
    const port = portOf(server);
    server.close();
    const gateway = await gatewayTo(context, `http://127.0.0.1:${port}`);
    const answer = await gateway.ask('/api/x');
    assert.equal(answer.status, 502);
    const problem = await problemOf(answer);
    assert.equal(problem.code, 'upstream_failed');
    assert.doesNotMatch(JSON.stringify(problem), new RegExp(`ECONNREFUSED|127\\.0\\.0\\.1|${port}`));
  });

  test('one that does not speak HTTP is a 502 without its words', async (context) => {
    const { url } = await sockets(context, (socket) =>
      socket.once('data', () => socket.end('220 secret.mail ESMTP\r\n')),
    );
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x');
    assert.equal(answer.status, 502);
    assert.doesNotMatch(await answer.text(), /secret/);
  });

  test('one that is silent is a 504 after the timeout, and is not tried again', async (context) => {
    const upstream = await sockets(context, () => undefined);
    const gateway = await gatewayTo(context, upstream.url, { upstream: { timeout: '200ms' }, route: { retries: 3 } });
    const began = performance.now();
    const answer = await gateway.ask('/api/x');
    assert.equal(answer.status, 504);
    assert.equal((await problemOf(answer)).code, 'upstream_timeout');
    assert.ok(performance.now() - began < 3_000);
    assert.equal(upstream.count, 1);
  });

  test('one that dies between the head and the body is a 502, worded in our encoding', async (context) => {
    const { url } = await sockets(context, (socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX-Theirs: 1\r\nContent-Length: 10\r\n\r\n');
        setTimeout(() => socket.destroy(), 100);
      }),
    );
    const gateway = await gatewayTo(context, url);
    const answer = await gateway.ask('/api/x');
    assert.deepEqual([answer.status, (await problemOf(answer)).code], [502, 'upstream_broken_answer']);
    assert.deepEqual([answer.headers.get('content-encoding'), answer.headers.get('x-theirs')], [null, null]);
    assert.equal(answer.headers.get('headgate-target'), 'up');
  });

  test('one whose certificate nobody vouches for is a 502 and never sees the request', async (context) => {
    const missing = skipWithout(tools.openssl);
    if (missing) return context.skip(missing);
    const folder = mkdtempSync(join(tmpdir(), 'headgate-tls-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const wanted = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', keyFile, '-out', certificateFile];
    execFileSync('openssl', ['req', '-x509', ...curve, ...files, ...wanted], { stdio: 'ignore' });
    let asked = 0;
    const server = createTlsServer(
      { key: readFileSync(keyFile), cert: readFileSync(certificateFile) },
      (_request, response) => {
        asked += 1;
        response.end('stolen');
      },
    );
    await listening(server, context);
    const gateway = await gatewayTo(context, `https://127.0.0.1:${portOf(server)}`);
    const answer = await gateway.ask('/api/x');
    assert.equal(answer.status, 502);
    assert.doesNotMatch(JSON.stringify(await problemOf(answer)), /certificate|self.signed|DEPTH/i);
    assert.equal(asked, 0);
  });
});

describe('ends that only the log can tell apart', () => {
  test('an upstream that cuts, a client that leaves, and a client that leaves before the head', async (context) => {
    let left = 0;
    let silent = false;
    const url = await api(context, (request, response) => {
      response.once('close', () => {
        if (!response.writableFinished) left += 1;
      });
      if (request.url === '/api/silent') {
        silent = true;
        return;
      }
      response.writeHead(200, { 'content-length': '100' }).write('begun');
      if (request.url === '/api/cut') setTimeout(() => request.socket.destroy(), 50);
    });
    const gateway = await startProcess(
      snapshotOf({ upstreams: { up: { url } }, routes: { api: { path: '/api/*', upstream: 'up' } } }),
    );
    context.after(() => gateway.kill());
    const start = (path: string) =>
      ask(`${gateway.dataUrl}${path}`, { headers: { authorization: `Bearer ${testKey}` } }).on(
        'error',
        () => undefined,
      );

    const cut = start('/api/cut').end();
    const [answer] = (await once(cut, 'response')) as [IncomingMessage];
    await assert.rejects(answer.toArray(), 'the client sees that the answer is not whole');
    const cutLine = await gateway.logged('/api/cut');
    assert.deepEqual([cutLine['code'], cutLine['status'], cutLine['target']], ['upstream_broken_answer', 200, 'up']);
    assert.equal(left, 1);

    const leaving = start('/api/leave').end();
    await once(leaving, 'response');
    leaving.destroy();
    const leftLine = await gateway.logged('/api/leave');
    assert.deepEqual([leftLine['code'], leftLine['status']], ['client_closed_request', 499]);
    await until('the upstream to be let go', async () => left === 2);

    const early = start('/api/silent').end();
    await until('the upstream to be asked', async () => silent);
    early.destroy();
    const earlyLine = await gateway.logged('/api/silent');
    assert.deepEqual([earlyLine['code'], earlyLine['status']], ['client_closed_request', 499]);
    await until('the upstream to be let go', async () => left === 3);
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    assert.match(metrics, /attempts_total\{target="up",outcome="abandoned"\} 1/);
    assert.doesNotMatch(metrics, /outcome="network"/, 'a client that leaves is no evidence against the upstream');
  });
});
