/** Slow clients, malformed requests in odd moments, and the way out. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { CutShort, listen, type Bounds } from '../../runtime/listener.ts';
import type { TlsSide } from '../../runtime/tls/secure-server.ts';
import { Authority } from '../support/certificates.ts';
import { RawClient } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

const anywhere = { host: '127.0.0.1', port: 0 };
const quick = { headMs: 300, requestMs: 600, idleMs: 300, checkMs: 50 };
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const readAll = (request: IncomingMessage, response: ServerResponse) => {
  request.resume().on('end', () => response.end('whole'));
};

const own = new Authority('Test authority').server();
const tls: TlsSide = {
  material: { context: { cert: own.certificate, key: own.key }, ends: { server: Infinity, clientCa: undefined } },
  client: undefined,
  failed: () => undefined,
};

for (const [way, side] of Object.entries({ 'plain HTTP': undefined, TLS: tls }))
  describe(`over ${way}`, () => {
    const open = (handle: (request: IncomingMessage, response: ServerResponse) => void, bounds?: Bounds) =>
      listen(anywhere, handle, bounds, side);

    describe('slow clients', () => {
      const slow: Record<string, { text: string; status: number | undefined }> = {
        'says nothing': { text: '', status: 408 },
        'does not end its head': { text: 'GET / HTTP/1.1\r\nHost: a\r\n', status: 408 },
        'does not end its body': { text: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf', status: 408 },
        'sits on a connection after an answer': { text: get, status: undefined },
      };
      for (const [what, { text, status }] of Object.entries(slow)) {
        test(`one that ${what} loses its connection`, async () => {
          const listener = await open(readAll, quick);
          const client = new RawClient(listener.url).send(text);
          if (status === undefined) assert.equal((await client.answer()).status, 200);
          else assert.equal((await client.answer(2_500)).status, status);
          await client.ended(2_500);
          await client.leave();
          await listener.close();
        });
      }

      test('one that drips a byte at a time does too', async () => {
        const listener = await open(readAll, quick);
        const client = new RawClient(listener.url).send('GET / HTTP/1.1\r\nX-A: ');
        const drip = setInterval(() => client.send('a'), 50);
        await client.ended(2_500);
        clearInterval(drip);
        await client.leave();
        await listener.close();
      });

      test('an answer that takes longer than the bounds is not cut', async () => {
        const listener = await open((_request, response) => setTimeout(() => response.end('late'), 900), quick);
        const client = new RawClient(listener.url).send(get);
        assert.equal((await client.answer()).body, 'late');
        await client.leave();
        await listener.close();
      });
    });

    test('garbage that follows a request in the middle of its answer ends the connection and is not written into the answer', async () => {
      const listener = await open((_request, response) => {
        response.write('begun');
      });
      const client = new RawClient(listener.url).send(get);
      await until('the answer to begin', async () => client.text.includes('begun'));
      client.send('garbage\r\n\r\n');
      await client.ended();
      assert.doesNotMatch(client.text, /400/);
      await client.leave();
      await listener.close();
    });

    test('a client that waits to be told to go on with its body is told', async () => {
      const listener = await open(readAll);
      const client = new RawClient(listener.url);
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
      assert.equal((await client.answer()).status, 100);
      assert.equal((await client.send('body').answer()).body, 'whole');
      await client.leave();
      await listener.close();
    });

    describe('draining', () => {
      test('ends at once when only idle connections are left', async () => {
        const listener = await open(readAll);
        const client = new RawClient(listener.url).send(get);
        await client.answer();
        const began = performance.now();
        await listener.drain(10_000);
        assert.ok(performance.now() - began < 2_000);
        await client.leave();
      });

      test('ends as soon as the last answer does, though its client would keep the connection', async () => {
        let finish: (() => void) | undefined;
        const listener = await open((_request, response) => {
          response.write('begun ');
          finish = () => response.end('and ended');
        });
        const client = new RawClient(listener.url).send(get);
        await until('the answer to begin', async () => client.text.includes('begun'));
        const began = performance.now();
        const drained = listener.drain(10_000);
        finish?.();
        assert.equal((await client.answer()).body, 'begun and ended');
        await drained;
        assert.ok(performance.now() - began < 2_000, 'long before the drain time is over');
        await client.leave();
      });

      test('an answer that begins while draining says that the connection ends', async () => {
        let finish: (() => void) | undefined;
        const listener = await open((_request, response) => {
          finish = () => response.end('late');
        });
        const client = new RawClient(listener.url).send(get);
        await until('the request to arrive', async () => finish !== undefined);
        const drained = listener.drain(10_000);
        finish?.();
        assert.equal((await client.answer()).headers['connection'], 'close');
        await drained;
        await client.leave();
      });

      test('once retired, each answer ends its connection, and new ones are taken still', async () => {
        const listener = await open(readAll);
        const before = new RawClient(listener.url).send(get);
        assert.notEqual((await before.answer()).headers['connection'], 'close');
        listener.retire();
        for (const client of [before.send(get), new RawClient(listener.url).send(get)]) {
          await until('the answer that says so', async () => /connection: close/i.test(client.text));
          await client.ended();
          await client.leave();
        }
        await listener.close();
      });

      test('takes no new connection, and cuts what is left when the time is over', async () => {
        const ends: unknown[] = [];
        const listener = await open((_request, response) => {
          response.write('begun');
          response.on('close', () => ends.push(response.errored));
        });
        const client = new RawClient(listener.url).send(get);
        await until('the answer to begin', async () => client.text.includes('begun'));
        const began = performance.now();
        const drained = listener.drain(300);
        const late = new RawClient(listener.url).send(get);
        await late.ended();
        assert.equal(late.text, '');
        await drained;
        const took = performance.now() - began;
        assert.ok(took >= 290 && took < 2_000, `took ${took} ms`);
        await client.ended();
        await until('whose doing it was to be told', async () => ends[0] instanceof CutShort);
        await client.leave();
      });
    });
  });

test('the usual bounds close a half head within 12 seconds', async () => {
  const listener = await listen(anywhere, readAll);
  const client = new RawClient(listener.url).send('GET / HTTP/1.1\r\nHost: a\r\n');
  assert.equal((await client.answer(12_500)).status, 408);
  await client.leave();
  await listener.close();
});

test('an address that is taken is an error, not a crash', async () => {
  const listener = await listen(anywhere, readAll);
  const port = Number(new URL(listener.url).port);
  await assert.rejects(listen({ host: '127.0.0.1', port }, readAll), { code: 'EADDRINUSE' });
  await listener.close();
});
