/** What goes out over a socket is what was to go out, to the byte. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { SocketReply } from '../../runtime/reply.ts';

test('an answer arrives as it is, as bytes or as text, short or long, with its headers', async (context) => {
  const words = '{"said":"é, 語, 😀"}';
  const bodies = [words, Buffer.from(words), Buffer.from(words.repeat(2_000)), words.repeat(2_000)];
  const server = createServer((request, response) => {
    const reply = new SocketReply(response);
    reply.header('x-one', 'first');
    reply.header('x-one', 'second');
    reply.whole(201, 'application/json', bodies[Number(request.url?.slice(1))] ?? '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  for (const [at, body] of bodies.entries()) {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${at}`);
    assert.deepEqual([answer.status, answer.headers.get('x-one')], [201, 'second']);
    assert.equal(Buffer.compare(Buffer.from(await answer.arrayBuffer()), Buffer.from(body)), 0, `body ${at}`);
  }
});
