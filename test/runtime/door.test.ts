/** What the door turns away, said byte by byte over bare sockets: each with a clean 4xx, a JSON body, and no doubt left on the wire. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { plainPath } from '../../runtime/door.ts';
import { Authority } from '../support/certificates.ts';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { RawClient, rawExchange } from '../support/raw-http.ts';
import { tlsFolder, type TlsFolder } from '../support/tls-stage.ts';

const host = 'Host: api.test\r\n';
const key = `Authorization: Bearer ${testKey}\r\n`;
/** A request that would be fine but for what a test changes in it. */
const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\n${host}${key}${headers}\r\n`;
const post = (headers: string, body: string, target = '/open/x') =>
  `POST ${target} HTTP/1.1\r\n${host}${key}${headers}\r\n${body}`;

for (const way of ['http', 'https'] as const)
  describe(`the door over ${way}`, () => {
    /** `METHOD target body` of each request that reached the upstream. */
    const seen: string[] = [];
    let upstream: Server;
    let gateway: TestGateway;
    let folder: TlsFolder;

    before(async () => {
      folder = await tlsFolder();
      const authority = new Authority('Test authority');
      await folder.write(authority.server(), authority.certificate);
      upstream = createServer((request, response) => {
        let body = '';
        request.setEncoding('latin1').on('data', (text: string) => (body += text));
        request.on('end', () => {
          seen.push(`${request.method} ${request.url} ${body}`.trim());
          const answer = () => response.end(`${request.url}`);
          // The earlier of two pipelined requests is the slower one.
          if (request.url?.endsWith('/slow')) setTimeout(answer, 60);
          else answer();
        });
      });
      await new Promise<void>((resolve) => {
        upstream.listen(0, '127.0.0.1', resolve);
      });
      const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
      gateway = await startGateway(
        snapshotOf({
          upstreams: { api: { url } },
          routes: {
            open: { path: '/open/*', upstream: 'api' },
            named: { path: '/named/*', upstream: 'api', host: 'api.test' },
            closed: { path: '/open/closed/*', upstream: 'api', stripPrefix: '/open/closed' },
          },
        }),
        way === 'https' ? folder.flags : [],
      );
    });

    after(async () => {
      await gateway.close();
      await folder.remove();
      upstream.closeAllConnections();
      upstream.close();
    });

    const refused: Record<string, { text: string; status?: number }> = {
      'no Host': { text: `GET /open/x HTTP/1.1\r\n${key}\r\n` },
      'no Host in HTTP/1.0': { text: `GET /open/x HTTP/1.0\r\n${key}\r\n` },
      'two Hosts': { text: get('/open/x', 'Host: other.test\r\n') },
      'the same Host twice': { text: get('/open/x', host) },
      'an empty Host': { text: `GET /open/x HTTP/1.1\r\nHost:\r\n${key}\r\n` },
      'a Host with user-info': { text: `GET /open/x HTTP/1.1\r\nHost: user@api.test\r\n${key}\r\n` },
      'a Host with a path': { text: `GET /open/x HTTP/1.1\r\nHost: api.test/x\r\n${key}\r\n` },
      'a Host with a comma': { text: `GET /open/x HTTP/1.1\r\nHost: api.test, other.test\r\n${key}\r\n` },
      'a Host with a bad port': { text: `GET /open/x HTTP/1.1\r\nHost: api.test:80x\r\n${key}\r\n` },
      'HTTP/2.0 in the request line': { text: `GET /open/x HTTP/2.0\r\n${host}${key}\r\n` },
      'the preface of HTTP/2': { text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
      'transfer-encoding in two lines': {
        text: post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      },
      'another transfer-encoding': { text: post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n') },
      'transfer-encoding identity': { text: post('Transfer-Encoding: identity\r\n', 'hello') },
      'transfer-encoding in HTTP/1.0': {
        text: `POST /open/x HTTP/1.0\r\n${host}${key}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      },
      'content-length and transfer-encoding': {
        text: post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      },
      'two content-lengths': { text: post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello') },
      'the same content-length twice': { text: post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello') },
      'a content-length with a sign': { text: post('Content-Length: +5\r\n', 'hello') },
      'a chunk size that is none': { text: post('Transfer-Encoding: chunked\r\n', 'zz\r\nhello\r\n0\r\n\r\n') },
      'a folded header': { text: get('/open/x', 'X-A: 1\r\n 2\r\n') },
      'a header name with a space': { text: get('/open/x', 'X A: 1\r\n') },
      'bare line feeds': { text: `GET /open/x HTTP/1.1\n${host}${key}\n` },
      'two Authorization headers': { text: get('/open/x', key) },
      'an absolute target': { text: get('http://api.test/open/x') },
      'the target *': { text: get('*') },
      'the target * of OPTIONS': { text: `OPTIONS * HTTP/1.1\r\n${host}${key}\r\n` },
      'a fragment in the path': { text: get('/open/x#/../secret') },
      'a fragment in the query': { text: get('/open/x?a#b') },
      'a dot segment': { text: get('/open/../secret') },
      'a single dot segment': { text: get('/open/./secret') },
      'a dot segment at the end': { text: get('/open/..') },
      'an encoded dot segment': { text: get('/open/%2e%2E/secret') },
      'a half encoded dot segment': { text: get('/open/.%2e/secret') },
      'a dot segment with parameters': { text: get('/open/..;v=1/secret') },
      'a name that begins like a dot segment': { text: get('/open/...x') },
      'a backslash': { text: get('/open\\..\\secret') },
      'an encoded backslash': { text: get('/open/%5c..%5csecret') },
      'an encoded slash': { text: get('/open%2fsecret') },
      'an encoded zero byte': { text: get('/open/x%00') },
      'an empty segment': { text: get('/open//secret') },
      'bad percent encoding': { text: get('/open/%zz') },
      'percent encoding that is not UTF-8': { text: get('/open/%ff') },
      'a head that is too large': { text: get('/open/x', `X-A: ${'a'.repeat(20_000)}\r\n`), status: 431 },
      'a target that is too large': { text: get(`/open/${'a'.repeat(20_000)}`), status: 431 },
      'a tunnel': { text: `CONNECT api.test:443 HTTP/1.1\r\n${host}${key}\r\n`, status: 405 },
      'an unknown expectation': { text: post('Expect: banana\r\nContent-Length: 5\r\n', 'hello'), status: 417 },
      'a GET with a body': { text: get('/open/x', 'Content-Length: 5\r\n') + 'hello' },
      'a GET with a chunked body': {
        text: get('/open/x', 'Transfer-Encoding: chunked\r\n') + '5\r\nhello\r\n0\r\n\r\n',
      },
      'a content-type that is none': {
        text: post('Content-Type: garbage\r\nContent-Length: 5\r\n', 'hello'),
        status: 415,
      },
    };

    for (const [what, { text, status = 400 }] of Object.entries(refused)) {
      test(`refuses ${what}`, async () => {
        const reached = seen.length;
        const answer = await rawExchange(gateway.dataUrl, text);
        assert.equal(answer.status, status);
        assert.match(answer.headers['content-type'] ?? '', /^application\/(problem\+)?json$/);
        assert.ok(typeof JSON.parse(answer.body) === 'object');
        assert.ok(answer.closed, 'the connection ends');
        assert.equal(seen.length, reached, 'nothing reaches the upstream');
      });
    }

    for (const method of ['TRACE', 'PROPFIND'])
      test(`refuses the method ${method} in its own words`, async () => {
        const answer = await rawExchange(gateway.dataUrl, `${method} /open/x HTTP/1.1\r\n${host}${key}\r\n`);
        assert.equal(answer.status, 405);
        assert.equal((JSON.parse(answer.body) as { code: string }).code, 'method_not_allowed');
      });

    test('none of that counts as a fault of the gateway, which could roll a revision back', async () => {
      assert.doesNotMatch(await gateway.metrics(), /headgate_requests_total\{.*status="500"/);
    });

    test('takes what is plain, and IPv6 and ports in Host', async () => {
      for (const name of ['api.test', 'API.test:8080', '127.0.0.1:80', '[::1]:8080']) {
        const answer = await rawExchange(gateway.dataUrl, `GET /open/x HTTP/1.1\r\nHost: ${name}\r\n${key}\r\n`);
        assert.equal(answer.status, 200, name);
      }
    });

    test('compares the host without regard to case and port', async () => {
      const ask = (name: string) =>
        rawExchange(gateway.dataUrl, `GET /named/x HTTP/1.1\r\nHost: ${name}\r\n${key}\r\n`);
      assert.equal((await ask('API.Test:8443')).status, 200);
      assert.equal((await ask('other.test')).status, 404);
    });

    test('an escaped letter is no way around a route', async () => {
      // Matched as it stands it would be the open route's; the upstream would read it as the closed one's.
      const answer = await rawExchange(gateway.dataUrl, get('/open/%63losed/x'));
      assert.equal(answer.body, '/x', 'the closed route takes it, and strips its prefix');
    });

    test('passes on escapes that have a meaning, spelled alike', async () => {
      const answer = await rawExchange(gateway.dataUrl, get('/open/%41%20%c3%a9?%41=%zz'));
      assert.deepEqual([answer.status, answer.body], [200, '/open/A%20%C3%A9?%41=%zz']);
      assert.equal(plainPath('/%7e%2D%3b'), '/~-%3B');
    });

    test('pipelined requests are answered in their order, each with its own answer', async () => {
      const client = new RawClient(gateway.dataUrl);
      client.send(get('/open/1/slow') + post('Content-Length: 5\r\n', 'hello', '/open/2') + get('/open/3'));
      const bodies = [await client.answer(), await client.answer(), await client.answer()].map(({ body }) => body);
      await client.leave();
      assert.deepEqual(bodies, ['/open/1/slow', '/open/2', '/open/3']);
    });

    test('the unread body of a refused request is not taken for the next request', async () => {
      const reached = seen.length;
      const inner = get('/open/smuggled');
      for (const credential of ['', 'Authorization: Bearer wrong\r\n']) {
        const client = new RawClient(gateway.dataUrl);
        client.send(
          `POST /open/x HTTP/1.1\r\n${host}${credential}Content-Length: ${inner.length}\r\n\r\n${inner}${get('/open/next')}`,
        );
        assert.equal((await client.answer()).status, 401);
        await client.ended();
        assert.equal(client.text, '', 'nothing but the refusal comes back');
        await client.leave();
      }
      assert.deepEqual(seen.slice(reached), []);
    });

    test('what follows a request in doubt is not acted upon', async () => {
      const reached = seen.length;
      const client = new RawClient(gateway.dataUrl);
      const doubtful = post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n');
      client.send(doubtful + get('/open/next'));
      assert.equal((await client.answer()).status, 400);
      await client.ended();
      assert.equal(client.text, '');
      await client.leave();
      assert.deepEqual(seen.slice(reached), []);
    });

    test('garbage after a good request ends the connection and reaches nobody', async () => {
      const client = new RawClient(gateway.dataUrl).send(get('/open/x'));
      assert.equal((await client.answer()).status, 200);
      client.send('\0\x01 garbage\r\n\r\n');
      assert.equal((await client.answer()).status, 400);
      await client.ended();
      await client.leave();
    });

    test('keeps the request id of a client when it is a sane one', async () => {
      const ask = async (id: string) =>
        (await rawExchange(gateway.dataUrl, get('/open/x', `X-Request-Id: ${id}\r\n`))).headers['x-request-id'];
      assert.equal(await ask('trace-1.a:b'), 'trace-1.a:b');
      assert.match((await ask('a b')) ?? '', /^req_/);
      assert.match((await ask('x'.repeat(200))) ?? '', /^req_/);
    });
  });
