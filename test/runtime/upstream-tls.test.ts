/** TLS to upstreams, by our own client as by undici: who is trusted, what the upstream is told, and what is said of one that is not who it should be. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { OriginPool } from '../../runtime/upstream/origin-pool.ts';
import { collect } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';

interface Heard {
  readonly name: string | false | null | undefined;
  readonly alpn: string | false | null;
  readonly isResumed: boolean;
}

describe('an upstream that speaks TLS', { skip: skipWithout(tools.openssl) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-tls-'));
  const heard: Heard[] = [];
  let server: ReturnType<typeof createServer> | undefined;
  let port = 0;
  let certificate = '';
  const trusted = getCACertificates('default');

  before(async () => {
    const [keyFile, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const wanted = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', keyFile, '-out', file, ...wanted], {
      stdio: 'ignore',
    });
    certificate = readFileSync(file, 'utf8');
    server = createServer({ key: readFileSync(keyFile), cert: certificate, ALPNProtocols: ['h2', 'http/1.1'] });
    server.on('request', (request, response) => {
      const socket = request.socket as TLSSocket & { servername?: string | false | null };
      heard.push({ name: socket.servername, alpn: socket.alpnProtocol, isResumed: socket.isSessionReused() });
      // So that the next one needs another connection.
      response.setHeader('connection', 'close').end('fine');
    });
    await once(server.listen(0), 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  after(() => {
    setDefaultCACertificates(trusted);
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  const ask = async (pool: OriginPool): Promise<string> => {
    const { signal } = new AbortController();
    const { body } = await pool.send({ method: 'POST', path: '/', headers: {}, body: 'hello', signal });
    return Buffer.concat(await collect(body)).toString();
  };

  for (const client of ['own', 'undici'] as const)
    test(`is trusted by its authority and its name, and by nothing less, with ${client}`, async () => {
      heard.length = 0;
      const pools = ['localhost', '127.0.0.1'].map((host) => new OriginPool(`https://${host}:${port}`, client));
      const [named, unnamed] = pools as [OriginPool, OriginPool];
      setDefaultCACertificates(trusted);
      const stranger = await ask(named).catch((error: unknown) => error as Error);
      setDefaultCACertificates([...trusted, certificate]);
      const misnamed = await ask(unnamed).catch((error: unknown) => error as Error);
      assert.ok(stranger instanceof Error && misnamed instanceof Error);
      assert.deepEqual(heard, [], 'neither was sent a request');
      if (client === 'own') {
        assert.match(stranger.message, /no TLS with localhost:\d+: its certificate is signed by itself/);
        assert.match(misnamed.message, /no TLS with 127\.0\.0\.1:\d+: its certificate is for another name/);
      }
      assert.equal(await ask(named), 'fine');
      assert.equal(await ask(named), 'fine');
      const [first, second] = heard;
      assert.deepEqual(first, { name: 'localhost', alpn: 'http/1.1', isResumed: false });
      assert.deepEqual(second, { name: 'localhost', alpn: 'http/1.1', isResumed: true });
      await Promise.all(pools.map((pool) => pool.destroy()));
    });
});
