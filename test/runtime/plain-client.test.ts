/** Our own upstream client on real sockets: what goes on the wire, when a connection is used again, and what every sort of end comes to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { UpstreamResponse } from '../../runtime/providers/provider.ts';
import type { Asked } from '../../runtime/upstream/http1/request-head.ts';
import { seededRandom } from '../../runtime/seeded-random.ts';
import { OriginPool } from '../../runtime/upstream/origin-pool.ts';
import { collect, deadUrl } from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

interface Peer {
  readonly socket: Socket;
  /** Everything that came on this connection. */
  text: string;
}

interface RawServer {
  readonly url: string;
  readonly peers: readonly Peer[];
  /** Connections that are open now. */
  readonly open: number;
}

type Act = (peer: Peer, connection: number, request: number) => void;

/** Acts on each request once it is complete, by its `content-length`. */
async function serverOf(context: TestContext, act: Act): Promise<RawServer> {
  const peers: Peer[] = [];
  const server = createServer((socket) => {
    const peer: Peer = { socket, text: '' };
    const connection = peers.push(peer);
    let taken = 0;
    let requests = 0;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      peer.text += bytes.toString('latin1');
      for (;;) {
        const end = peer.text.indexOf('\r\n\r\n', taken);
        if (end < 0) return;
        const size = Number(/content-length: (\d+)/.exec(peer.text.slice(taken, end))?.[1] ?? 0);
        if (peer.text.length < end + 4 + size) return;
        taken = end + 4 + size;
        requests += 1;
        act(peer, connection, requests);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  context.after(() => {
    for (const { socket } of peers) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    peers,
    get open() {
      return peers.filter(({ socket }) => !socket.destroyed).length;
    },
  };
}

function poolOf(context: TestContext, url: string): OriginPool {
  const pool = new OriginPool(url, 'own');
  context.after(() => pool.destroy());
  return pool;
}

const asked = (more: Partial<Asked> = {}): Asked => ({
  method: 'POST',
  path: '/x?y',
  headers: { authorization: 'Bearer z' },
  body: 'hello',
  signal: new AbortController().signal,
  ...more,
});
const get = (more: Partial<Asked> = {}) => asked({ method: 'GET', body: undefined, ...more });

const textOf = async ({ body }: UpstreamResponse) => Buffer.concat(await collect(body)).toString('latin1');
const answerOf = (text: string, more = '') => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n${more}\r\n${text}`;
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );

describe('a request', () => {
  test('is written whole, its length in bytes', async (context) => {
    const server = await serverOf(context, ({ socket }) => socket.write(answerOf('ok')));
    const pool = poolOf(context, server.url);
    const host = new URL(server.url).host;
    const head = (method: string) =>
      `${method} /x?y HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\nauthorization: Bearer z\r\n`;
    const large = 'ü'.repeat(40_000);
    const bodies: [Asked['body'], string][] = [
      ['hello', 'hello'],
      ['grüß', Buffer.from('grüß').toString('latin1')],
      [Buffer.from('bytes\0'), 'bytes\0'],
      [large, Buffer.from(large).toString('latin1')],
      [Buffer.from(large), Buffer.from(large).toString('latin1')],
      ['', ''],
    ];
    let written = '';
    for (const [body, text] of bodies) {
      assert.equal(await textOf(await pool.send(asked({ body }))), 'ok');
      written += `${head('POST')}content-length: ${text.length}\r\n\r\n${text}`;
    }
    for (const method of ['GET', 'DELETE']) await textOf(await pool.send(asked({ method, body: undefined })));
    written += `${head('GET')}\r\n${head('DELETE')}content-length: 0\r\n\r\n`;
    assert.equal(server.peers.length, 1);
    assert.ok(server.peers[0]?.text === written);
  });

  test('that would end its own lines goes nowhere', async (context) => {
    const server = await serverOf(context, ({ socket }) => socket.write(answerOf('ok')));
    const pool = poolOf(context, server.url);
    const all: Partial<Asked>[] = [
      { path: '/x HTTP/1.1\r\nevil: 1\r\n\r\n' },
      { path: '/a b' },
      { headers: { a: 'b\r\nevil: 1' } },
      { headers: { a: 'b\0' } },
      { headers: { 'a: b\r\nevil': '1' } },
      { headers: { 'transfer-encoding': 'chunked' } },
      { headers: { 'content-length': '99' } },
      { headers: { expect: '100-continue' } },
      { method: 'GET /evil HTTP/1.1\r\n\r\nGET', body: undefined },
    ];
    for (const bad of all) await assert.rejects(pool.send(asked(bad)));
    assert.ok(server.peers.every(({ text }) => text === ''));
  });

  test('with a body that is still on its way goes by undici', async (context) => {
    const server = await serverOf(context, () => undefined);
    const leaving = new AbortController();
    const body = (async function* () {
      yield Buffer.from('piece');
    })();
    const sent = poolOf(context, server.url).send(asked({ body, signal: leaving.signal }));
    await until('the body is there', async () => server.peers[0]?.text.endsWith('5\r\npiece\r\n0\r\n\r\n'));
    leaving.abort();
    await assert.rejects(sent);
  });

  test('waits for no other: streams do not queue', async (context) => {
    let there = 0;
    const server = await serverOf(context, () => {
      there += 1;
      if (there === 40) for (const { socket } of server.peers) socket.write(answerOf('ok'));
    });
    const pool = poolOf(context, server.url);
    const all = await Promise.all(Array.from({ length: 40 }, async () => textOf(await pool.send(asked()))));
    assert.deepEqual(new Set(all), new Set(['ok']));
    assert.equal(pool.idle, 40);
  });
});

describe('a connection', () => {
  test('is used again after answers that end by themselves, and not after others', async (context) => {
    const answers: [string, boolean][] = [
      [answerOf('ok'), true],
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n', true],
      [answerOf('ok', 'keep-alive: timeout=30\r\n'), true],
      [answerOf('ok', 'connection: close\r\n'), false],
      // So short that it might end on the way.
      [answerOf('ok', 'keep-alive: timeout=2\r\n'), false],
      [`${answerOf('ok')}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother`, false],
    ];
    let next = '';
    const server = await serverOf(context, ({ socket }) => socket.write(next));
    const pool = poolOf(context, server.url);
    for (const [answer, isKept] of answers) {
      next = answer;
      assert.equal(await textOf(await pool.send(asked())), 'ok');
      assert.equal(pool.idle, isKept ? 1 : 0, answer);
    }
    await until('those are closed', async () => server.open === 0);
  });

  test('on which something comes unasked is dropped, and the next request gets its own answer', async (context) => {
    const server = await serverOf(context, ({ socket }, connection) => socket.write(answerOf(`of ${connection}`)));
    const pool = poolOf(context, server.url);
    assert.equal(await textOf(await pool.send(asked())), 'of 1');
    server.peers[0]?.socket.write(answerOf('stolen'));
    // Long before it would be too old.
    await until('it is dropped', async () => pool.idle === 0, 2_000);
    assert.equal(await textOf(await pool.send(asked())), 'of 2');
  });

  test('that the upstream closed while it was idle is not used', async (context) => {
    const server = await serverOf(context, ({ socket }, connection) => socket.write(answerOf(`of ${connection}`)));
    const pool = poolOf(context, server.url);
    await textOf(await pool.send(asked()));
    server.peers[0]?.socket.end();
    await until('it is gone', async () => pool.idle === 0);
    assert.equal(await textOf(await pool.send(asked())), 'of 2');
  });

  test('that dies under a request is asked again by another for GET, and never for POST', async (context) => {
    const server = await serverOf(context, ({ socket }, connection, request) => {
      if (request === 2) socket.resetAndDestroy();
      else socket.write(answerOf(`of ${connection}`));
    });
    const pool = poolOf(context, server.url);
    assert.equal(await textOf(await pool.send(get())), 'of 1');
    assert.equal(await textOf(await pool.send(get())), 'of 2', 'asked again');
    assert.equal(await codeOf(pool.send(asked())), 'no_answer');
    assert.equal(server.peers.length, 2);
  });

  test('that dies with half an answer, or was new, is not asked again even for GET', async (context) => {
    const server = await serverOf(context, ({ socket }, connection, request) => {
      if (connection === 2) socket.resetAndDestroy();
      else if (request === 1) socket.write(answerOf('ok'));
      else socket.end('HTTP/1.1 200');
    });
    const pool = poolOf(context, server.url);
    await textOf(await pool.send(get()));
    assert.equal(await codeOf(pool.send(get())), 'closed_early');
    assert.equal(await codeOf(pool.send(get())), 'no_answer');
    assert.equal(server.peers.length, 2);
  });

  test('whose answer came before all of the request was written is not used again', async (context) => {
    const server = await serverOf(context, () => undefined);
    const pool = poolOf(context, server.url);
    const sent = pool.send(asked({ body: Buffer.alloc(32 * 1024 * 1024) }));
    await until('it is there', async () => server.peers[0]);
    const { socket } = server.peers[0] as Peer;
    socket.pause();
    socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    assert.equal((await sent).status, 413);
    assert.equal(pool.idle, 0);
  });

  test('ends with its pool: idle ones at once, busy ones with their answer, all of them when it is destroyed', async (context) => {
    const server = await serverOf(context, ({ socket, text }) => {
      if (!text.includes('/slow')) socket.write(answerOf('ok'));
    });
    const pool = poolOf(context, server.url);
    const [slow, cut] = [pool.send(asked({ path: '/slow' })), pool.send(asked({ path: '/slow' }))];
    await until('both are there', async () => server.peers.filter(({ text }) => text.endsWith('hello')).length === 2);
    await textOf(await pool.send(asked()));
    assert.equal(pool.idle, 1);
    pool.close();
    await until('the idle one is closed', async () => server.open === 2);
    server.peers[0]?.socket.write(answerOf('late'));
    assert.equal(await textOf(await slow), 'late');
    await until('so is the busy one', async () => server.open === 1);
    await pool.destroy();
    assert.equal(await codeOf(cut), 'no_answer');
  });
});

describe('whoever leaves', () => {
  const reason = new Error('left');

  test('before the request, or while a connection is opened, opens none', async (context) => {
    const server = await serverOf(context, () => undefined);
    const gone = AbortSignal.abort(reason);
    assert.equal(await codeOf(poolOf(context, server.url).send(asked({ signal: gone }))), reason);
    assert.equal(server.peers.length, 0);
    // A server that never says a word of TLS.
    const leaving = new AbortController();
    const pool = poolOf(context, server.url.replace('http:', 'https:'));
    const sent = pool.send(asked({ signal: leaving.signal }));
    await until('it is connected', async () => server.peers[0]);
    const left = performance.now();
    leaving.abort(reason);
    assert.equal(await codeOf(sent), reason);
    assert.ok(performance.now() - left < 5_000, 'that was its time to connect');
    await until('it is closed', async () => server.open === 0);
  });

  test('before the head, in the body or by reading no more closes the connection', async (context) => {
    const server = await serverOf(context, ({ socket, text }) => {
      if (text.includes('/begun')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    });
    const pool = poolOf(context, server.url);
    const closed = () => until('it is closed', async () => server.open === 0);

    const early = new AbortController();
    const sent = pool.send(asked({ signal: early.signal }));
    await until('it is there', async () => server.peers[0]?.text.endsWith('hello'));
    early.abort(reason);
    assert.equal(await codeOf(sent), reason);
    await closed();

    const late = new AbortController();
    const begun = await pool.send(asked({ path: '/begun', signal: late.signal }));
    const pieces = begun.body[Symbol.asyncIterator]();
    assert.equal(Buffer.from((await pieces.next()).value as Uint8Array).toString(), 'half');
    const next = pieces.next();
    late.abort(reason);
    assert.equal(await codeOf(next), reason);
    await closed();

    const unread = await pool.send(asked({ path: '/begun' }));
    unread.discard();
    unread.discard();
    await closed();
    for await (const piece of (await pool.send(asked({ path: '/begun' }))).body) if (piece.length > 0) break;
    await closed();
  });

  test('after the answer is complete disturbs nobody, not even the next on the same connection', async (context) => {
    const large = 'x'.repeat(300_000);
    const server = await serverOf(context, ({ socket }, _, request) =>
      socket.write(answerOf(request === 1 ? large : `of ${request}`)),
    );
    const pool = poolOf(context, server.url);
    const leaving = new AbortController();
    const first = await pool.send(asked({ signal: leaving.signal }));
    assert.equal((await textOf(first)).length, large.length);
    const second = pool.send(asked());
    leaving.abort(reason);
    first.discard();
    assert.equal(await textOf(await second), 'of 2');
    assert.equal(server.peers.length, 1);
  });
});

describe('a body', () => {
  test('that nobody reads holds the upstream back, and arrives whole once somebody does', async (context) => {
    const size = 64 * 1024 * 1024;
    const server = await serverOf(context, ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
    });
    const pool = poolOf(context, server.url);
    const answer = await pool.send(asked());
    const { socket } = server.peers[0] as Peer;
    let before = -1;
    await until('nothing moves any more', async () => {
      const left = socket.writableLength;
      const still = left === before;
      before = left;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return still;
    });
    assert.ok(socket.writableLength > size / 2, `only ${socket.writableLength} bytes were held back`);
    let read = 0;
    for await (const piece of answer.body) read += piece.byteLength;
    assert.equal(read, size);
    assert.equal(pool.idle, 1);
  });

  test('that is complete and unread leaves its connection to the next, and stays what it was', async (context) => {
    const server = await serverOf(context, ({ socket, text }) => {
      const letter = text.charAt(text.lastIndexOf('POST /') + 'POST /'.length);
      socket.write(answerOf(letter.repeat(100_000)));
    });
    const pool = poolOf(context, server.url);
    const unread: UpstreamResponse[] = [];
    for (const letter of ['a', 'b', 'c']) {
      unread.push(await pool.send(asked({ path: `/${letter}` })));
      await until('it is complete', async () => pool.idle === 1);
    }
    assert.equal(server.peers.length, 1);
    const texts = await Promise.all(unread.map(textOf));
    assert.ok(texts.every((text, index) => text === 'abc'.charAt(index).repeat(100_000)));
  });

  test('fails where it is cut short, and what came before is read first', async (context) => {
    const ends: [code: string, end: (socket: Socket) => void][] = [
      ['closed_early', (socket) => void socket.end()],
      ['closed_early', (socket) => void socket.resetAndDestroy()],
      ['malformed_answer', (socket) => void socket.write('no chunk')],
    ];
    const server = await serverOf(context, ({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
    );
    const pool = poolOf(context, server.url);
    for (const [code, end] of ends) {
      const { body } = await pool.send(asked());
      const pieces = body[Symbol.asyncIterator]();
      assert.equal(Buffer.from((await pieces.next()).value as Uint8Array).toString(), 'half');
      end(server.peers.at(-1)?.socket as Socket);
      assert.equal(await codeOf(pieces.next()), code, String(end));
    }
    await until('all are closed', async () => server.open === 0);
  });

  test('may end with its connection', async (context) => {
    const server = await serverOf(context, ({ socket }) => void socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    assert.equal(await textOf(await poolOf(context, server.url).send(asked())), 'all of it');
  });
});

/** Ways to answer well and badly, each with the asker's own mark in it. */
function mangled(mark: string, random: () => number): { pieces: string[]; cut: boolean } {
  const pick = <Value>(values: readonly [Value, ...Value[]]) =>
    values[Math.floor(random() * values.length)] ?? values[0];
  const body = mark.repeat(1 + Math.floor(random() * 50));
  const half = body.length >> 1;
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const framed = pick([
    `content-length: ${body.length}\r\n\r\n${body}`,
    `transfer-encoding: chunked\r\n\r\n${chunk(body.slice(0, half))}${chunk(body.slice(half))}0\r\n\r\n`,
    // Lies about where it ends.
    `content-length: ${half}\r\n\r\n${body}`,
    `content-length: ${body.length}\r\ntransfer-encoding: chunked\r\n\r\n${chunk(body)}0\r\n\r\n`,
    `transfer-encoding: chunked\r\n\r\n${(half + 1).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ]);
  const extra = pick(['', '', '', `HTTP/1.1 200 OK\r\ncontent-length: ${mark.length}\r\n\r\n${mark}`, 'junk']);
  const text = `HTTP/1.1 200 OK\r\n${framed}${extra}`;
  const end = text.length - extra.length;
  const drawn = Math.floor(random() * text.length);
  // A second answer in a read of its own, when the next request is out already, is one that no client can tell from its own.
  const place = drawn === end ? end - 1 : drawn;
  const isCut = random() < 0.1;
  return { pieces: isCut ? [text.slice(0, place)] : [text.slice(0, place), text.slice(place)], cut: isCut };
}

test('whatever comes of answers, nobody gets a byte of another’s', async (context) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = seededRandom(seed);
  const server = await serverOf(context, ({ socket, text }) => {
    const mark = /#\d+#/.exec(text.slice(text.lastIndexOf('\r\n\r\n')))?.[0] ?? '';
    const { pieces, cut } = mangled(mark, random);
    const [first = '', second] = pieces;
    socket.write(first, 'latin1', () => {
      // In reads of their own.
      if (second !== undefined) setImmediate(() => socket.write(second, 'latin1'));
      if (cut) socket.resetAndDestroy();
    });
  });
  const pool = poolOf(context, server.url);
  let good = 0;
  let next = 0;
  const one = async () => {
    while (next < 400) {
      next += 1;
      const mark = `#${next}#`;
      const signal = AbortSignal.timeout(3_000);
      const text = await pool
        .send(asked({ body: mark, signal }))
        .then(textOf, () => '')
        .catch(() => '');
      if (text !== '') good += 1;
      for (const [found] of text.matchAll(/#\d+#/g)) assert.equal(found, mark, `seed ${seed}`);
    }
  };
  await Promise.all(Array.from({ length: 6 }, one));
  assert.ok(good > 100, `${good} of 400, seed ${seed}`);
});

describe('an upstream that cannot be reached', () => {
  test('is told by what is wrong with it', async (context) => {
    const codes = await Promise.all(
      [await deadUrl(), 'http://nowhere.invalid', 'http://[::1]:1', 'https://nowhere.invalid'].map((url) =>
        codeOf(poolOf(context, url).send(asked())),
      ),
    );
    assert.deepEqual(codes, ['connect_failed', 'name_not_found', 'connect_failed', 'name_not_found']);
  });

  test('as one that does not speak TLS is told so', async (context) => {
    const server = await serverOf(context, () => undefined);
    const sent = poolOf(context, server.url.replace('http:', 'https:')).send(asked());
    await until('it is connected', async () => server.peers[0]);
    server.peers[0]?.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    await assert.rejects(sent, { code: 'tls_failed', message: /it does not speak TLS on this port/ });
  });
});
