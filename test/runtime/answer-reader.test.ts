/** The reader of upstreams' answers: what it takes, what it refuses, that the cuts between reads change nothing, and that Node's own parser agrees. */
import assert from 'node:assert/strict';
import { request as ask, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AnswerHead } from '../../runtime/upstream/http1/answer-head.ts';
import { AnswerReader } from '../../runtime/upstream/http1/answer-reader.ts';
import { UpstreamError } from '../../runtime/upstream/http1/upstream-error.ts';

interface Seen {
  head?: AnswerHead;
  body: string;
  done: boolean;
  reusable: boolean;
  refused?: string;
}

/** What comes of an answer that arrives in these pieces; `closes`: the upstream ends the connection after them. */
function read(pieces: readonly Buffer[], { method = 'POST', closes = false } = {}): Seen {
  const seen: Seen = { body: '', done: false, reusable: false };
  const reader = new AnswerReader(method, {
    head: (head) => (seen.head = head),
    piece: (bytes) => (seen.body += bytes.toString('latin1')),
  });
  try {
    // What is read may be moved: the original is needed again.
    for (const piece of pieces) reader.read(Buffer.from(piece));
    if (closes) reader.end();
  } catch (error) {
    assert.ok(error instanceof UpstreamError, String(error));
    seen.refused = error.message;
  }
  return { ...seen, done: reader.isDone, reusable: reader.isReusable && seen.refused === undefined };
}

const whole = (text: string, how = {}) => read([Buffer.from(text, 'latin1')], how);
const ok = 'HTTP/1.1 200 OK\r\n';
const sized = `${ok}content-length: 2\r\n`;
const chunked = `${ok}transfer-encoding: chunked\r\n`;

const fine: readonly [name: string, text: string, expected: Partial<Seen>, how?: object][] = [
  ['a length', `${sized}\r\nhi`, { body: 'hi', reusable: true }],
  ['a length of nothing', `${ok}content-length: 0\r\n\r\n`, { body: '', reusable: true }],
  ['leading zeros in a length', `${ok}content-length: 002\r\n\r\nhi`, { body: 'hi', reusable: true }],
  ['chunks', `${chunked}\r\n2\r\nhi\r\n3\r\n yo\r\n0\r\n\r\n`, { body: 'hi yo', reusable: true }],
  [
    'chunks in capitals, sizes with zeros',
    `${ok}Transfer-Encoding: Chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n`,
    { body: '0123456789', reusable: true },
  ],
  ['an extension', `${chunked}\r\n2;a=b;c="d"\r\nhi\r\n0;e\r\n\r\n`, { body: 'hi', reusable: true }],
  ['a trailer', `${chunked}\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\ny: 2\r\n\r\n`, { body: 'hi', reusable: true }],
  ['no reason', `HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi`, { body: 'hi', reusable: true }],
  ['an empty reason', `HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nhi`, { body: 'hi', reusable: true }],
  [
    'informational answers first',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${sized}\r\nhi`,
    { body: 'hi', reusable: true },
  ],
  ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', { body: '', reusable: true }],
  [
    'not modified, with the length of what was not',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n',
    { body: '', reusable: true },
  ],
  ['the answer to HEAD', `${ok}content-length: 9\r\n\r\n`, { body: '', reusable: true }, { method: 'HEAD' }],
  ['the answer to HEAD, in chunks', `${chunked}\r\n`, { body: '', reusable: true }, { method: 'HEAD' }],
  ['connection: close', `${sized}connection: close\r\n\r\nhi`, { body: 'hi', reusable: false }],
  [
    'connection: close among others',
    `${sized}connection: x\r\nconnection: y, Close\r\n\r\nhi`,
    { body: 'hi', reusable: false },
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi', { body: 'hi', reusable: false }],
  [
    'HTTP/1.0 that stays',
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi',
    { body: 'hi', reusable: true },
  ],
  [
    'an end that is the end of the connection',
    `${ok}\r\nall of it`,
    { body: 'all of it', reusable: false },
    { closes: true },
  ],
  ['words after the end', `${sized}\r\nhi there`, { body: 'hi', reusable: false }],
  ['a second answer after the end', `${sized}\r\nhi${sized}\r\nho`, { body: 'hi', reusable: false }],
  ['a second answer after the last chunk', `${chunked}\r\n0\r\n\r\n${sized}\r\nho`, { body: '', reusable: false }],
  [
    'a body where there is none',
    'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nhi',
    { body: '', reusable: false },
  ],
  [
    'no content with a length that is to come',
    'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n',
    { body: '', reusable: false },
  ],
];

describe('what is taken', () => {
  for (const [name, text, expected, how] of fine)
    test(name, () => {
      const { body, done, reusable, refused } = whole(text, how);
      assert.deepEqual(
        { refused, done, body, reusable },
        { refused: undefined, done: true, reusable: false, ...expected },
      );
    });

  test('headers: lower-case names, values without the space around them, lists for what came twice, UTF-8', () => {
    const { head } = whole(
      `${sized}X-One: \t a  b  \r\nset-cookie: a\r\nSet-Cookie: b\r\nset-cookie: c\r\nempty:\r\n__proto__: x\r\nu: caf\xc3\xa9\r\n\r\nhi`,
    );
    assert.deepEqual(Object.entries(head?.headers ?? {}), [
      ['content-length', '2'],
      ['x-one', 'a  b'],
      ['set-cookie', ['a', 'b', 'c']],
      ['empty', ''],
      ['__proto__', 'x'],
      ['u', 'café'],
    ]);
    assert.equal(({} as { x?: unknown }).x, undefined);
  });

  test('how long the upstream keeps the connection', () => {
    const hint = (value: string) => whole(`${sized}keep-alive: ${value}\r\n\r\nhi`).head?.idleMs;
    assert.deepEqual(['timeout=5', 'max=9, Timeout=60', 'max=9', 'timeout=x'].map(hint), [
      5_000,
      60_000,
      undefined,
      undefined,
    ]);
  });
});

const many = (count: number) => Array.from({ length: count }, (_, index) => `x${index}: y\r\n`).join('');
const refused: Readonly<Record<string, string>> = {
  'no HTTP': 'SSH-2.0-OpenSSH\r\n\r\n',
  'another version': 'HTTP/2.0 200 OK\r\n\r\n',
  'a minor version that there is not': 'HTTP/1.2 200 OK\r\n\r\n',
  'a version in small letters': 'http/1.1 200 OK\r\n\r\n',
  'a space before it': ` ${sized}\r\nhi`,
  'an empty line before it': `\r\n${sized}\r\nhi`,
  'two spaces before the status': 'HTTP/1.1  200 OK\r\n\r\n',
  'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
  'a status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
  'a status that no answer can have': 'HTTP/1.1 799 Odd\r\n\r\n',
  'a status that is no number': 'HTTP/1.1 2x0 OK\r\n\r\n',
  'NUL in the reason': 'HTTP/1.1 200 O\0K\r\n\r\n',
  'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n',
  'informational answers without end': 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(30),
  'an informational answer with a body': `HTTP/1.1 103 Early Hints\r\ncontent-length: 2\r\n\r\nhi${sized}\r\nhi`,
  'an informational answer of HTTP/1.0': `HTTP/1.0 103 Early Hints\r\n\r\n${sized}\r\nhi`,
  'a folded line': `${sized}x: a\r\n b\r\n\r\nhi`,
  'a folded first line': `${ok} x: a\r\n\r\nhi`,
  'a space before the colon': `${sized}x : a\r\n\r\nhi`,
  'no colon': `${sized}x\r\n\r\nhi`,
  'no name': `${sized}: a\r\n\r\nhi`,
  'a name with a bracket': `${sized}x[]: a\r\n\r\nhi`,
  'a name beyond ASCII': `${sized}\xe9: a\r\n\r\nhi`,
  'NUL in a value': `${sized}x: a\0b\r\n\r\nhi`,
  'NUL in a name': `${sized}x\0: a\r\n\r\nhi`,
  'DEL in a value': `${sized}x: a\x7fb\r\n\r\nhi`,
  'a bare CR in a value': `${sized}x: a\rb\r\n\r\nhi`,
  'a bare LF in a value': `${sized}x: a\ny: b\r\n\r\nhi`,
  'lines that end in LF': 'HTTP/1.1 200 OK\ncontent-length: 2\n\nhi',
  'a head that ends in LF CR LF': `${ok}content-length: 2\n\r\nhi\r\n\r\n`,
  'a CR at the end of the empty line only': `${sized}\r\r\n\r\nhi`,
  'more headers than anybody has': `${sized}${many(600)}\r\nhi`,
  'a head that is too large': `${sized}x: ${'y'.repeat(20_000)}\r\n\r\nhi`,
  'a head that is too large and does not end': `${sized}x: ${'y'.repeat(20_000)}`,
  'two lengths': `${sized}content-length: 3\r\n\r\nhi`,
  'one length twice': `${sized}content-length: 2\r\n\r\nhi`,
  'a list of lengths': `${ok}content-length: 2, 2\r\n\r\nhi`,
  'a negative length': `${ok}content-length: -2\r\n\r\nhi`,
  'a length with a sign': `${ok}content-length: +2\r\n\r\nhi`,
  'a length with a fraction': `${ok}content-length: 2.0\r\n\r\nhi`,
  'a length in hex': `${ok}content-length: 0x2\r\n\r\nhi`,
  'an empty length': `${ok}content-length:\r\n\r\nhi`,
  'a length beyond all bounds': `${ok}content-length: 9999999999999999\r\n\r\nhi`,
  'a length and chunks': `${sized}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  'chunks and a length': `${chunked}content-length: 2\r\n\r\n0\r\n\r\n`,
  'another transfer-encoding': `${ok}transfer-encoding: gzip\r\n\r\nhi`,
  'another transfer-encoding before chunks': `${ok}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'chunks twice': `${chunked}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  'an encoding that is nearly chunked': `${ok}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'an encoding with a parameter': `${ok}transfer-encoding: chunked;q=1\r\n\r\n0\r\n\r\n`,
  'a tab after chunked, where other readers take it for another encoding': `${ok}transfer-encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  'an empty transfer-encoding': `${ok}transfer-encoding:\r\n\r\nhi`,
  'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
};
const badChunks: Readonly<Record<string, string>> = {
  'no size': '\r\nhi\r\n0\r\n\r\n',
  'a size that is no number': 'zz\r\nhi\r\n0\r\n\r\n',
  'a negative size': '-2\r\nhi\r\n0\r\n\r\n',
  'a size with 0x': '0x2\r\nhi\r\n0\r\n\r\n',
  'a size with a space before it': ' 2\r\nhi\r\n0\r\n\r\n',
  'a size with a space after it': '2 \r\nhi\r\n0\r\n\r\n',
  'a size that ends in LF': '2\nhi\r\n0\r\n\r\n',
  'a size that ends in CR alone': '2\rhi\r\n0\r\n\r\n',
  'a size beyond all bounds': 'fffffffffffffffff\r\nhi',
  'an extension that is too long': `2;${'a'.repeat(300)}\r\nhi\r\n0\r\n\r\n`,
  'extensions that are too long together': `1;${'a'.repeat(200)}\r\nh\r\n`.repeat(100),
  'a bare LF in an extension': '2;a\nhi\r\n0\r\n\r\n',
  'an extension that is none': '2;"a"\r\nhi\r\n0\r\n\r\n',
  'an extension with a quote that stays open': '2;a="b\r\nhi\r\n0\r\n\r\n',
  'NUL in an extension': '2;a\0\r\nhi\r\n0\r\n\r\n',
  'a chunk longer than its size': '2\r\nhiho\r\n0\r\n\r\n',
  'a chunk that ends in LF': '2\r\nhi\n0\r\n\r\n',
  'a chunk that ends in CR alone': '2\r\nhi\r0\r\n\r\n',
  'a trailer that is no header': '0\r\nnonsense\r\n\r\n',
  'a trailer that is folded': '0\r\na: b\r\n c\r\n\r\n',
  'a trailer that ends in LF': '0\r\na: b\n\r\n',
  'a trailer that is too long': `0\r\na: ${'b'.repeat(20_000)}\r\n\r\n`,
  'an empty line that ends in LF': '0\r\n\n',
};

describe('what is refused, whole and byte by byte', () => {
  const cases = {
    ...refused,
    ...Object.fromEntries(
      Object.entries(badChunks).map(([name, text]) => [`chunks: ${name}`, `${chunked}\r\n${text}`]),
    ),
  };
  for (const [name, text] of Object.entries(cases))
    test(name, () => {
      assert.ok(whole(text).refused, 'whole');
      const bytes = Buffer.from(text, 'latin1');
      const { refused: inPieces, done } = read(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)));
      assert.ok(inPieces !== undefined && !done, 'byte by byte');
    });

  for (const [name, text] of Object.entries({
    'nothing at all': '',
    'half a head': 'HTTP/1.1 200 OK\r\ncontent-le',
    'half a body': `${sized}\r\nh`,
    'half a chunk': `${chunked}\r\n5\r\nhi`,
    'chunks without the last one': `${chunked}\r\n2\r\nhi\r\n`,
    'a last chunk without its empty line': `${chunked}\r\n0\r\n`,
    'an informational answer and no other': 'HTTP/1.1 100 Continue\r\n\r\n',
  }))
    test(`a connection that ends after ${name}`, () => assert.ok(whole(text, { closes: true }).refused));
});

const token = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}$/);
const value = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,20}[\x21-\x7e])?$/);
const framing = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'trailer',
  '__proto__',
]);
const field = fc.tuple(token, value).filter(([name]) => !framing.has(name.toLowerCase()));
const bodyText = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', ';', ' ', '\0', '\xff', 'H'), maxLength: 60 });

interface Made {
  readonly bytes: Buffer;
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly closes: boolean;
}

const answers = fc
  .record({
    status: fc.constantFrom(200, 200, 201, 400, 429, 500, 599),
    fields: fc.array(field, { maxLength: 6 }),
    chunks: fc.array(bodyText, { maxLength: 5 }),
    how: fc.constantFrom('length', 'chunked', 'close'),
    early: fc.boolean(),
    extension: fc.constantFrom('', ';a', ';a="b"'),
    trailer: fc.constantFrom('', 'x-sum: 1\r\n'),
  })
  .map(({ status, fields, chunks, how, early, extension, trailer }): Made => {
    const body = chunks.join('');
    const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('');
    const said = { length: `content-length: ${body.length}\r\n`, chunked: 'Transfer-Encoding: chunked\r\n', close: '' }[
      how
    ];
    const pieces = chunks
      .filter((chunk) => chunk !== '')
      .map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`);
    const sent = how === 'chunked' ? `${pieces.join('')}0\r\n${trailer}\r\n` : body;
    const before = early ? 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n' : '';
    const text = `${before}HTTP/1.1 ${status} Any Reason\r\n${lines}${said}\r\n${sent}`;
    return { bytes: Buffer.from(text, 'latin1'), status, fields, body, closes: how === 'close' };
  });

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe('whatever comes', () => {
  test('an answer is the same however it is cut', () => {
    fc.assert(
      fc.property(answers, fc.array(fc.nat(2_000), { maxLength: 8 }), ({ bytes, status, body, closes }, cuts) => {
        const seen = read(cut(bytes, cuts), { closes });
        assert.deepEqual([seen.refused, seen.head?.status, seen.body, seen.done], [undefined, status, body, true]);
        assert.equal(seen.reusable, !closes);
        assert.deepEqual(seen, read([bytes], { closes }));
      }),
      { numRuns: 400 },
    );
  });

  test('of two answers in a row the first is itself, and the connection is not used again', () => {
    fc.assert(
      fc.property(answers, answers, fc.array(fc.nat(4_000), { maxLength: 5 }), (first, second, cuts) => {
        fc.pre(!first.closes);
        const seen = read(cut(Buffer.concat([first.bytes, second.bytes]), cuts));
        assert.deepEqual([seen.refused, seen.body, seen.done, seen.reusable], [undefined, first.body, true, false]);
      }),
      { numRuns: 200 },
    );
  });

  test('bytes that were changed are refused, or read as Node reads them', async () => {
    const flips = fc.array(
      fc.tuple(fc.nat(400), fc.constantFrom('\r', '\n', '\r\n', ' ', ':', '0', '9', ',', '\0', ';', 'x', '\t')),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    await fc.assert(
      fc.asyncProperty(answers, flips, fc.boolean(), async ({ bytes }, changes, replaces) => {
        let text = bytes.toString('latin1');
        for (const [place, byte] of changes) {
          const at = place % text.length;
          text = text.slice(0, at) + byte + text.slice(replaces ? at + 1 : at);
        }
        const changed = Buffer.from(text, 'latin1');
        const ours = read([changed], { closes: true });
        const theirs = await asNodeReads(changed);
        // What follows the end is no business of this answer: its connection is dropped.
        const hasMore = ours.head?.length !== 'until_close' && !ours.reusable && theirs.refused !== undefined;
        if (ours.refused !== undefined || hasMore) return;
        assert.equal(theirs.refused, undefined, `Node: ${theirs.refused}`);
        assert.deepEqual([ours.head?.status, ours.body], [theirs.status, theirs.body]);
      }),
      { numRuns: 500 },
    );
  });
});

interface Theirs {
  readonly status?: number;
  readonly body?: string;
  readonly refused?: string;
}

/** Without a socket: what the request writes is dropped, and these bytes are the answer, with nothing after them. */
function asNodeReads(bytes: Buffer): Promise<Theirs> {
  return new Promise((resolve) => {
    const line = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
      final: (done) => done(),
    });
    const request = ask({ method: 'POST', createConnection: () => line, insecureHTTPParser: false });
    request.on('error', (error) => resolve({ refused: error.message }));
    request.on('upgrade', () => resolve({ refused: 'upgraded' }));
    request.on('response', (answer: IncomingMessage) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', (error) => resolve({ refused: error.message }));
      answer.on('end', () => {
        const body = Buffer.concat(pieces).toString('latin1');
        resolve(answer.complete ? { status: answer.statusCode ?? 0, body } : { refused: 'incomplete' });
      });
    });
    request.end(() => {
      line.push(bytes);
      line.push(null);
    });
  });
}
