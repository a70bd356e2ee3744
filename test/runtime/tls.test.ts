/** TLS on the data plane: who comes without it, who never ends a handshake, and files that are renewed while it serves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { Agent } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { listen, type Bounds } from '../../runtime/listener.ts';
import { clientCertificateOf } from '../../runtime/tls/client-certificate.ts';
import type { TlsSide } from '../../runtime/tls/secure-server.ts';
import { Authority, type Pair } from '../support/certificates.ts';
import { startProcess } from '../support/gateway-process.ts';
import { keyHash, snapshotOf, testKey } from '../support/gateway.ts';
import { RawClient } from '../support/raw-http.ts';
import { getOver, tlsFolder } from '../support/tls-stage.ts';
import { until } from '../support/until.ts';

const house = new Authority('House authority');
const server = house.server();
const materialOf = ({ certificate, key }: Pair, ca?: string) => ({
  context: { cert: certificate, key, ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' as const },
  ends: { server: Infinity, clientCa: undefined },
});

interface Stage {
  readonly url: string;
  readonly port: number;
  readonly failures: string[];
  readonly drain: (ms: number) => Promise<void>;
}

async function stage(context: TestContext, bounds?: Bounds, client?: TlsSide['client']): Promise<Stage> {
  const failures: string[] = [];
  const material = materialOf(server, client && house.certificate);
  const tls: TlsSide = { material, client, failed: (code) => failures.push(code) };
  const listener = await listen(
    { host: '127.0.0.1', port: 0 },
    (request, response) => response.end(clientCertificateOf(request.socket)?.refused ?? 'hello'),
    bounds,
    tls,
  );
  context.after(() => listener.close());
  return { ...listener, port: Number(new URL(listener.url).port), failures };
}

const opened = async (port: number, options: ConnectionOptions = {}): Promise<TLSSocket> => {
  const socket = connect({ host: '127.0.0.1', port, ca: house.certificate, ...options });
  await once(socket, 'secureConnect');
  return socket;
};

describe('a connection that is no TLS', () => {
  for (const method of ['GET', 'POST', 'CONNECT'])
    test(`is told so where it is a request with ${method}`, async (context) => {
      const { url, failures } = await stage(context);
      const client = new RawClient(url.replace('https:', 'http:'));
      client.send(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`);
      const { status, body } = await client.answer();
      assert.equal(status, 400);
      assert.deepEqual(JSON.parse(body), {
        error: {
          message: 'This port speaks TLS: use https://.',
          type: 'invalid_request_error',
          param: null,
          code: 'tls_required',
        },
      });
      await client.ended();
      await client.leave();
      assert.equal(failures.length, 1);
    });

  test('is closed without a word where it is anything else', async (context) => {
    const { url, failures } = await stage(context);
    const client = new RawClient(url.replace('https:', 'http:')).send(
      '\0\x01\x02 garbage that is longer than a record',
    );
    await client.ended();
    assert.equal(client.text, '');
    await client.leave();
    assert.equal(failures.length, 1);
  });
});

test('a handshake that drips or never begins is cut when its time is over', async (context) => {
  const { port } = await stage(context, { headMs: 300, requestMs: 600, idleMs: 300, checkMs: 50 });
  const began = performance.now();
  const drip = connectPlain(port, '127.0.0.1');
  const quiet = connectPlain(port, '127.0.0.1');
  // The beginning of a record of 512 bytes that is never whole.
  const bytes = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
  let sent = 0;
  const timer = setInterval(() => drip.write(bytes.subarray(sent, (sent += 1))), 50);
  context.after(() => clearInterval(timer));
  // What is written to a connection that was cut may end in an error before it ends.
  const closed = (socket: typeof drip) =>
    new Promise((resolve) =>
      socket
        .on('error', () => undefined)
        .on('close', resolve)
        .resume(),
    );
  await Promise.all([drip, quiet].map(closed));
  const took = performance.now() - began;
  // A loop that is behind counts from before it was asked to.
  assert.ok(took >= 200 && took < 2_500, `took ${took} ms`);
});

test('handshakes under way hold no drain', async (context) => {
  const { port, drain } = await stage(context);
  const half = connectPlain(port, '127.0.0.1').on('error', () => undefined);
  await once(half, 'connect');
  half.resume().write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  // Whoever came later has been taken in, so that the one before him has too.
  (await opened(port)).destroy();
  const began = performance.now();
  await Promise.all([drain(8_000), once(half, 'close')]);
  assert.ok(performance.now() - began < 2_000);
});

test('nothing older than TLS 1.2 is spoken', async (context) => {
  const { port } = await stage(context);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await opened(port, { minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
    socket.destroy();
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  await assert.rejects(opened(port, old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
});

test('where a certificate is demanded, nobody is answered without one that is good', async (context) => {
  const { url, failures } = await stage(context, undefined, { ca: '', auth: 'required' });
  const ask = (pair?: Pair) =>
    getOver(url, { ca: house.certificate, ...(pair && { cert: pair.certificate, key: pair.key }) });
  assert.equal((await ask(house.issue({ usage: 'client' }))).body, 'hello');
  const ended = { until: new Date(Date.now() - 60_000) };
  const bad = [undefined, new Authority('Foreign authority').issue(), house.issue(ended), house.server()];
  for (const pair of bad) await assert.rejects(ask(pair));
  await until('each to be told', async () => failures.length === bad.length);
});

test('files are renewed by every worker while it serves, what is bad leaves all as it was, and no key is in any line', async (context) => {
  const folder = await tlsFolder();
  await folder.write(server, house.certificate);
  const shop = house.issue({ uri: ['spiffe://corp.example/shop'] });
  const consumers = {
    tester: { keys: [keyHash(testKey)] },
    shop: { keys: [], certificates: ['URI:spiffe://corp.example/shop'] },
  };
  const gateway = await startProcess(snapshotOf({ consumers }), {}, [
    ...folder.flags,
    '--log-level',
    'trace',
    '--drain',
    '1s',
    '--workers',
    '2',
  ]);
  context.after(async () => {
    await gateway.kill();
    await folder.remove();
  });
  const url = `${gateway.dataUrl}/v1/models`;
  const told = (event: string) => gateway.output().split(`"event":"${event}"`).length - 1;
  const metric = async (name: string) => {
    const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    return Number(new RegExp(`^headgate_tls_${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const endOf = (name: string) => metric(`certificate_expiry_timestamp_seconds\\{certificate="${name}"\\}`);
  const successor = new Authority('Next authority');
  const ca = [house.certificate, successor.certificate];
  const kept = new Agent({ ca, cert: shop.certificate, key: shop.key, keepAlive: true, maxSockets: 1 });
  context.after(() => kept.destroy());
  assert.equal((await getOver(url, { agent: kept })).status, 200);
  assert.equal(await metric('renewal_failed'), 0);
  const before = await endOf('server');

  // The key is not written yet.
  const next = successor.server({ until: new Date(Date.now() + 7_200_000) });
  await writeFile(folder.path('cert.pem'), next.certificate);
  gateway.signal('SIGHUP');
  await until('both to tell', async () => told('tls_not_renewed') === 2);
  assert.match(gateway.output(), /does not fit the certificate in/);
  assert.equal(await metric('renewal_failed'), 1);
  const { status, headers } = await getOver(url, { agent: kept });
  assert.deepEqual([status, headers['connection']], [200, 'keep-alive'], 'served as before');

  await folder.write(next, successor.certificate);
  gateway.signal('SIGHUP');
  await until('both to tell', async () => told('tls_renewed') === 2);
  assert.equal(await metric('renewal_failed'), 0);
  assert.equal((await endOf('server')) - before > 3_000, true);
  assert.ok((await endOf('client_ca')) > Date.now() / 1000);
  const last = await getOver(url, { agent: kept });
  assert.deepEqual([last.status, last.headers['connection']], [200, 'close'], 'whoever was there is let go politely');
  // A session that is resumed would bring along what another authority had found.
  const answer = await getOver(url, { agent: kept });
  assert.equal(answer.status, 401, 'the authority of this client is not believed any more');
  assert.match(answer.body, /no authority that is trusted here/);
  assert.equal((await getOver(url, { agent: kept, headers: { 'x-api-key': testKey } })).status, 200);

  gateway.signal('SIGTERM');
  assert.equal(await gateway.ended, 0);
  for (const { key } of [server, next, shop])
    for (const line of key.trim().split('\n').slice(1, -1)) assert.ok(!gateway.output().includes(line));
});

test('a session that is resumed brings along what was found of its certificate, good or bad', async (context) => {
  const { port } = await stage(context, undefined, { ca: '', auth: 'optional' });
  const cases = [
    [house.issue({ usage: 'client' }), /hello$/],
    [
      new Authority('Foreign authority').issue({ usage: 'client' }),
      /no authority that is trusted here vouches for it$/,
    ],
  ] as const;
  for (const [{ certificate: cert, key }, says] of cases) {
    const first = await opened(port, { cert, key });
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const second = await opened(port, { session });
    assert.equal(second.isSessionReused(), true);
    second.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [data] = (await once(second, 'data')) as [Buffer];
    assert.match(String(data), says);
    second.destroy();
  }
});
