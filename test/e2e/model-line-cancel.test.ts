/** Clients that leave, and clients that read slowly: what the vendor, the counts and the memory notice of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  done,
  legs,
  piece,
  startEvents,
  startScripted,
  type Received,
  type Script,
} from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

const quota = { unit: 'requests', limit: 2, window: '1h' } as const;

async function behind(context: TestContext, script: Script, leg: { timeout?: `${number}ms`; retries?: number } = {}) {
  const upstream = await startScripted(script);
  const gateway = await startGateway(
    snapshotOf({ ...legs([{ url: upstream.url, ...leg }], { quotas: ['two'] }), quotas: { two: quota } }),
  );
  context.after(async () => {
    await gateway.close();
    await upstream.close();
  });
  return { upstream, gateway };
}

const callOf = (stream: boolean) => ({ model: 'chat', stream, messages: [{ role: 'user', content: 'hello' }] });
const idle = (gateway: TestGateway) =>
  until('nothing is in flight', async () => /^headgate_requests_in_flight 0$/m.test(await gateway.metrics()));
const count = async (gateway: TestGateway, status: number) =>
  Number(
    new RegExp(`^headgate_requests_total\\{[^}]*status="${status}"\\} (\\d+)$`, 'm').exec(
      await gateway.metrics(),
    )?.[1] ?? 0,
  );

/** Asks, lets the client leave once `ready` says so, and tells how long the vendor's connection outlived it. */
async function leave(
  gateway: TestGateway,
  received: Promise<Received>,
  ask: { stream: boolean; ready: (first: Response | undefined) => Promise<void> },
) {
  const client = new AbortController();
  const asked = gateway.post('/v1/chat/completions', callOf(ask.stream), { signal: client.signal });
  const settled = asked.then(
    (response) => response,
    () => undefined,
  );
  const { abandoned } = await received;
  await ask.ready(await Promise.race([settled, wait(60, undefined)]));
  const left = performance.now();
  client.abort();
  return (await abandoned) - left;
}

describe('a client that leaves', () => {
  const cases: readonly (readonly [string, boolean, Script])[] = [
    ['before the first token of a stream', true, () => undefined],
    ['after the head of a stream and before its first token', true, ({ response }) => startEvents(response)],
    ['in the middle of a stream', true, ({ response }) => (startEvents(response), void response.write(piece('half ')))],
    ['before a whole answer', false, () => undefined],
    [
      'in the middle of a whole answer',
      false,
      ({ response }) => (response.writeHead(200, { 'content-type': 'application/json' }), void response.write('{"id"')),
    ],
  ];
  for (const [when, stream, script] of cases) {
    test(`${when} takes the vendor's connection along within half a second`, async (context) => {
      const { upstream, gateway } = await behind(context, (received) =>
        received.number === 1 ? script(received) : answerWell(received),
      );
      const outlived = await leave(gateway, upstream.request(1), { stream, ready: async () => undefined });
      assert.ok(outlived < 500, `${outlived} ms`);
      await idle(gateway);
      assert.equal(await count(gateway, 499), 1);
      assert.equal(upstream.received.length, 1, 'nobody is there for another attempt');
      // It was served as far as it wanted: it counts, once.
      const next = await gateway.post('/v1/chat/completions', callOf(false));
      assert.deepEqual([next.status, next.headers.get('x-ratelimit-remaining-requests')], [200, '0']);
    });
  }

  test('during the pause between two attempts is not waited for', async (context) => {
    const { upstream, gateway } = await behind(context, ({ response }) => answerJson(response, 503, {}), {
      retries: 5,
    });
    const client = new AbortController();
    const asked = gateway.post('/v1/chat/completions', callOf(false), { signal: client.signal });
    asked.catch(() => undefined);
    await upstream.request(1);
    client.abort();
    await idle(gateway);
    assert.ok(upstream.received.length < 4);
    assert.equal(await count(gateway, 499), 1);
  });

  test('while it still sends its request is no fault of the gateway', async (context) => {
    const { upstream, gateway } = await behind(context, answerWell);
    const { port } = new URL(gateway.dataUrl);
    for (let turn = 0; turn < 3; turn += 1) {
      const socket = connect(Number(port), '127.0.0.1');
      const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testKey}\r\n`;
      socket.write(`${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"model":`);
      await until('it is in flight', async () => /^headgate_requests_in_flight 1$/m.test(await gateway.metrics()));
      socket.destroy();
      await idle(gateway);
    }
    assert.equal(await count(gateway, 499), 3);
    assert.equal(await count(gateway, 500), 0);
    assert.equal(upstream.received.length, 0);
  });
});

/** Asks for a stream over a socket that a test can stop reading. */
async function slowClient(gateway: TestGateway): Promise<IncomingMessage> {
  const request = httpRequest(`${gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
  });
  request.end(JSON.stringify(callOf(true)));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pause();
  return response;
}

describe('a client that reads slowly', () => {
  const event = piece('x'.repeat(32 * 1024));
  const total = 3_000;
  let written = 0;
  function* events() {
    for (written = 0; written < total; written += 1) yield event;
    yield done;
  }
  const flood: Script = ({ response }) => {
    startEvents(response);
    Readable.from(events()).pipe(response);
  };

  test('slows the vendor down, is not taken for a silent vendor, and gets everything in the end', async (context) => {
    const { gateway } = await behind(context, flood, { timeout: '300ms' });
    const response = await slowClient(gateway);
    let before = -1;
    const stopped = await until('the vendor stands still', async () => {
      const still = written === before ? written : undefined;
      before = written;
      await wait(250);
      return still;
    });
    assert.ok(stopped < total / 2, `${stopped} of ${total} events went into buffers`);
    await wait(500); // Longer than the target's timeout.
    let size = 0;
    let tail = '';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      tail = (tail + chunk.toString('latin1')).slice(-200);
    }
    assert.ok(tail.endsWith(done), tail);
    assert.equal(size, total * event.length + done.length);
  });

  test('and leaves is noticed all the same', async (context) => {
    const { upstream, gateway } = await behind(context, flood);
    const response = await slowClient(gateway);
    const { abandoned } = await upstream.request(1);
    await wait(50);
    const left = performance.now();
    response.destroy();
    assert.ok((await abandoned) - left < 500);
    await idle(gateway);
    assert.equal(await count(gateway, 499), 1);
  });
});
