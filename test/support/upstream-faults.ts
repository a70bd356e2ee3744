/** Everything an upstream can do wrong, as scripts, each with what a client must be told. Done-line 9 of the chaos matrix. */
import { gzipSync } from 'node:zlib';
import {
  answerJson,
  completion,
  done,
  lastPiece,
  piece,
  sse,
  startEvents,
  usagePiece,
  type Received,
} from './scripted-upstream.ts';

/** Stands in whatever the upstream says beside its answer, and must never reach a client. */
export const planted = 'sk-live-PLANTED-0815';

/** The words of one dialect. */
export interface Wire {
  readonly name: string;
  /** The kind of provider that speaks it. */
  readonly kind: string;
  /** Whether a stream says that it is complete; otherwise its end in good order does. */
  readonly hasEndMark: boolean;
  readonly whole: object;
  readonly error: (type: string) => object;
  readonly first: string;
  readonly more: string;
  /** What ends a good stream, and its end mark alone. */
  readonly rest: string;
  readonly end: string;
  readonly errorEvent: string;
}

const event = (body: { readonly type: string }): string => `event: ${body.type}\n${sse(body)}`;
const delta = (text: string) =>
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as never);
const messagesEnd = event({ type: 'message_stop' });

/** One piece of a generateContent answer (ai.google.dev/api/generate-content). */
const candidate = (text: string | undefined, more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts: text === undefined ? [] : [{ text }] }, ...more }],
  modelVersion: 'm',
  responseId: 'r1',
});
const counted = { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 } };

export const wires: readonly Wire[] = [
  {
    name: 'openai-chat',
    kind: 'openai',
    hasEndMark: true,
    whole: completion('fine'),
    error: (type) => ({ error: { message: planted, type, param: null, code: null } }),
    first: piece('half '),
    more: piece('more '),
    rest: lastPiece + usagePiece + done,
    end: done,
    errorEvent: sse({ error: { message: planted, type: 'server_error' } }),
  },
  {
    name: 'anthropic-messages',
    kind: 'anthropic',
    hasEndMark: true,
    whole: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'fine' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 2 },
    },
    error: (type) => ({ type: 'error', error: { type, message: planted } }),
    first:
      event({
        type: 'message_start',
        message: { id: 'msg_1', model: 'm', content: [], usage: { input_tokens: 3, output_tokens: 1 } },
      } as never) +
      event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as never) +
      delta('half '),
    more: delta('more '),
    rest:
      event({ type: 'content_block_stop', index: 0 } as never) +
      event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } } as never) +
      messagesEnd,
    end: messagesEnd,
    errorEvent: event({ type: 'error', error: { type: 'overloaded_error', message: planted } } as never),
  },
  {
    name: 'gemini',
    kind: 'google',
    hasEndMark: false,
    whole: { ...candidate('fine', { finishReason: 'STOP' }), ...counted },
    error: () => ({ error: { message: planted } }),
    first: sse(candidate('half ')),
    more: sse(candidate('more ')),
    rest: sse({ ...candidate(undefined, { finishReason: 'STOP' }), ...counted }),
    end: sse(candidate(undefined, { finishReason: 'STOP' })),
    errorEvent: sse({ error: { code: 503, message: planted, status: 'UNAVAILABLE' } }),
  },
];

/** Which of them a request is written in. */
export const wireAt = (path: string): Wire | undefined =>
  wires.find(
    ({ name }) =>
      name ===
      (path === '/v1/messages' ? 'anthropic-messages' : path.startsWith('/v1beta/') ? 'gemini' : 'openai-chat'),
  );

export interface Acting {
  readonly received: Received;
  readonly wire: Wire;
  readonly stream: boolean;
}

/** What a client is told: a status and code, an error event after `half `, or that all is well. */
export type Expected = `${number} ${string}` | `event ${string}` | 'fine';

export interface Fault {
  readonly act: (acting: Acting) => void;
  readonly whole?: Expected;
  readonly stream?: Expected;
  /** Dialects that know no such thing. */
  readonly isUnknownTo?: (wire: Wire) => boolean;
}

const failed = '502 upstream_failed';
const broken = '502 upstream_broken_answer';
const late = '504 upstream_timeout';
const brokenOff = 'event upstream_broken_answer';
const lateEvent = 'event upstream_timeout';

const both = (expected: Expected, act: Fault['act']): Fault => ({ act, whole: expected, stream: expected });

const reset = ({ response }: Received) => response.socket?.resetAndDestroy();
/** Bytes in place of an answer; the connection stays unless something ends it. */
const raw =
  (bytes: string | Buffer, end = false): Fault['act'] =>
  ({ received: { response } }) => {
    response.socket?.write(bytes);
    if (end) response.socket?.end();
  };
const jsonHead = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const status =
  (code: number, type = 'x', headers: object = {}): Fault['act'] =>
  ({ received, wire }) =>
    answerJson(received.response, code, wire.error(type), { 'x-debug': planted, ...headers });
const body =
  (text: string | Buffer, headers: object = {}): Fault['act'] =>
  ({ received: { response }, stream }) => {
    const type = stream ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'content-type': type, ...headers });
    response.end(text);
  };

/** Writes again and again until the gateway has had enough. */
function onAndOn({ response }: Received, text: string, everyMs: number): void {
  const timer = setInterval(() => response.write(text), everyMs);
  response.once('close', () => clearInterval(timer));
}

function flood({ response }: Received, text: string): void {
  const pour = () => {
    while (!response.destroyed && response.write(text));
  };
  response.on('drain', pour);
  pour();
}

/** Begins well, as a stream or as one body, and goes on as told. */
function begins(acting: Acting, then: (response: Received['response']) => void): void {
  const { received, wire, stream } = acting;
  const { response } = received;
  if (stream) startEvents(response);
  else response.writeHead(200, { 'content-type': 'application/json' });
  response.write(stream ? wire.first : JSON.stringify(wire.whole).slice(0, 20), () => then(response));
}

const onlyStream = (expected: Expected, act: Fault['act']): Fault => ({ act, stream: expected });
const afterTheMark = (act: Fault['act']): Fault => ({
  ...onlyStream('fine', act),
  isUnknownTo: ({ hasEndMark }) => !hasEndMark,
});
const mid = (act: (acting: Acting) => string): Fault =>
  onlyStream(brokenOff, (acting) => begins(acting, (response) => response.end(act(acting))));

const goodBody = ({ wire, stream }: Acting): string => (stream ? wire.first + wire.rest : JSON.stringify(wire.whole));
const sized = (acting: Acting, extra: string): string => {
  const text = goodBody(acting);
  const type = acting.stream ? 'text/event-stream' : 'application/json';
  return `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}${extra}`;
};

const megabyte = 'x'.repeat(1024 * 1024);

export const faults: Readonly<Record<string, Fault>> = {
  'reset before the head': both(failed, ({ received }) => void reset(received)),
  'close before the head': both(failed, raw('', true)),
  'hang before the head': both(late, () => undefined),
  'half a head, then silence': both(late, raw('HTTP/1.1 200 OK\r\ncontent-ty')),
  'half a head, then close': both(failed, raw('HTTP/1.1 200 OK\r\ncontent-ty', true)),
  'a head that drips': both(late, ({ received: { response } }) => {
    const { socket } = response;
    socket?.write('HTTP/1.1 200 OK\r\nx-slow: ');
    const timer = setInterval(() => socket?.write('y'), 10);
    socket?.once('close', () => clearInterval(timer));
  }),
  'no HTTP': both(failed, raw('SSH-2.0-OpenSSH_9.2\r\n\r\n', true)),
  'a status that is no number': both(failed, raw('HTTP/1.1 abc OK\r\n\r\n')),
  'huge headers': both(failed, raw(`${jsonHead}x-huge: ${'y'.repeat(64 * 1024)}\r\n\r\n{}`)),
  'ten thousand headers': both(failed, raw(`${jsonHead}${'x-many: y\r\n'.repeat(10_000)}\r\n{}`)),
  'a length that is no number': both(failed, raw(`${jsonHead}content-length: many\r\n\r\n{}`)),
  'two lengths': both(failed, raw(`${jsonHead}content-length: 2\r\ncontent-length: 900\r\n\r\n{}`)),
  'a length and chunks': both(
    failed,
    raw(`${jsonHead}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
  ),
  'another protocol': both(
    failed,
    raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
  ),
  'informational answers first': both('fine', (acting) => {
    const { socket } = acting.received.response;
    socket?.write(`HTTP/1.1 103 Early Hints\r\nlink: <${planted}>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n`);
    // Node's own answer to this request is still due: the connection is of no further use.
    socket?.end(sized(acting, '').replace('\r\n', '\r\nconnection: close\r\n'));
  }),
  'a redirect': both(broken, ({ received: { response, headers } }) => {
    answerJson(response, 307, {}, { location: `http://${headers.host}/trap?${planted}` });
  }),
  'a redirect elsewhere': both(broken, status(302, 'x', { location: 'http://127.0.0.1:1/trap' })),
  'no content': both(broken, ({ received: { response } }) => void response.writeHead(204).end()),
  'status 400': both('400 upstream_rejected_request', status(400, 'invalid_request_error')),
  'status 401': both('502 upstream_credential_refused', status(401, 'authentication_error')),
  'status 402': { ...both('429 upstream_rate_limited', status(402)), isUnknownTo: ({ name }) => name === 'gemini' },
  'status 403': both('502 upstream_credential_refused', status(403, 'permission_error')),
  'status 404': both('502 upstream_model_unknown', status(404, 'not_found_error')),
  'status 408': both(late, status(408)),
  'status 413': both('400 context_length_exceeded', status(413, 'request_too_large')),
  'status 429': both('429 upstream_rate_limited', status(429, 'rate_limit_error', { 'retry-after': '3' })),
  'status 500': both(failed, status(500, 'api_error')),
  'status 502 in HTML': both(failed, ({ received: { response } }) => {
    response.writeHead(502, { 'content-type': 'text/html' }).end(`<h1>${planted}</h1>`);
  }),
  'status 503': both(failed, status(503, 'overloaded_error')),
  'status 529': both(failed, status(529, 'overloaded_error')),
  'a status that nobody knows': both(failed, status(599)),
  'an error body that never ends': both(failed, ({ received: { response } }) => {
    response.writeHead(500).write('{"error":');
  }),
  'an error body that floods': both(failed, ({ received }) => {
    received.response.writeHead(500);
    flood(received, megabyte);
  }),
  '200 with an error inside': both(broken, ({ received, wire }) => answerJson(received.response, 200, wire.error('x'))),
  'a page of HTML': both(broken, body(`<html>${planted}</html>`, { 'content-type': 'text/html' })),
  'nothing at all': both(broken, body('')),
  'JSON that is a list': both(broken, body('[]')),
  'JSON that is another object': both(broken, body('{"status":"ok"}')),
  'JSON cut short': both(broken, body('{"id":"chatcmpl-1","choices":[{"mess')),
  'a body that is reset': {
    act: (acting) => begins(acting, () => reset(acting.received)),
    whole: broken,
    stream: brokenOff,
  },
  'a body shorter than its length': {
    act: (acting) => {
      const [head = '', text = ''] = sized(acting, '').split('\r\n\r\n');
      const kept = acting.stream ? acting.wire.first : text.slice(0, 20);
      acting.received.response.socket?.end(`${head}\r\n\r\n${kept}`);
    },
    whole: broken,
    stream: brokenOff,
  },
  'a body that stalls': { act: (acting) => begins(acting, () => undefined), whole: late, stream: lateEvent },
  'a body that drips for ever': {
    act: (acting) => begins(acting, () => onAndOn(acting.received, acting.stream ? acting.wire.more : ' ', 30)),
    whole: late,
    stream: lateEvent,
  },
  'chunks that are none': {
    act: ({ received: { response }, wire, stream }) => {
      const text = stream ? wire.first : '{"id":';
      const type = stream ? 'text/event-stream' : 'application/json';
      const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`;
      response.socket?.write(`${head}${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`, () =>
        setTimeout(() => response.socket?.write('zz\r\nno chunk\r\n'), 30),
      );
    },
    whole: broken,
    stream: brokenOff,
  },
  'a body that floods': {
    act: (acting) => begins(acting, () => flood(acting.received, megabyte)),
    whole: broken,
    stream: brokenOff,
  },
  'gzip nobody asked for': both(broken, (acting) =>
    body(gzipSync(goodBody(acting)), { 'content-encoding': 'gzip' })(acting),
  ),
  'gzip that is none': both(broken, body('not gzip', { 'content-encoding': 'gzip' })),
  'an encoding nobody knows': both(broken, (acting) => body(goodBody(acting), { 'content-encoding': 'zstd' })(acting)),
  'garbage after the end': both('fine', (acting) => raw(sized(acting, `HTTP/1.1 200 OK\r\n\r\n${planted}`))(acting)),
  'a second answer after the end': both('fine', (acting) =>
    raw(sized(acting, `${jsonHead}content-length: 2\r\n\r\n{}`))(acting),
  ),
  'usage that cannot be': both('fine', ({ received: { response }, wire, stream }) => {
    const odd = (text: string) =>
      text
        .replaceAll(/"(prompt_tokens|input_tokens|promptTokenCount)":3/g, '"$1":-3')
        .replaceAll(/"(completion_tokens|output_tokens|candidatesTokenCount)":2/g, '"$1":1e400');
    response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
    response.end(odd(stream ? wire.first + wire.rest : JSON.stringify(wire.whole)));
  }),
  'a body in place of a stream': onlyStream(broken, ({ received, wire }) =>
    answerJson(received.response, 200, wire.whole),
  ),
  'a stream of nothing but its end': {
    ...onlyStream(broken, (acting) => body(acting.wire.end)(acting)),
    // Without a mark, a reason to end is an answer, if an empty one.
    isUnknownTo: ({ hasEndMark }) => !hasEndMark,
  },
  'a stream that only pings': onlyStream(late, ({ received }) => {
    startEvents(received.response);
    onAndOn(received, ': ping\n\n', 30);
  }),
  'a flood of pings': onlyStream(broken, ({ received }) => {
    startEvents(received.response);
    flood(received, ': ping\n\n'.repeat(1_000));
  }),
  'an error event at once': onlyStream(failed, (acting) => body(acting.wire.errorEvent)(acting)),
  'an error event with the first words': onlyStream(brokenOff, (acting) =>
    body(acting.wire.first + acting.wire.errorEvent)(acting),
  ),
  'no JSON with the first words': onlyStream(brokenOff, (acting) =>
    body(`${acting.wire.first}data: <html>${planted}\n\n${acting.wire.end}`)(acting),
  ),
  'an error event in the middle': mid(({ wire }) => wire.errorEvent),
  'an end without its mark': mid(() => ''),
  'an event that is no JSON': mid(({ wire }) => `data: <html>${planted}\n\n${wire.end}`),
  'an event cut short': mid(() => 'data: {"choices":[{"del'),
  'silence after the end mark': afterTheMark((acting) =>
    begins(acting, (response) => response.write(acting.wire.rest)),
  ),
  'a reset after the end mark': afterTheMark((acting) =>
    begins(acting, (response) => response.write(acting.wire.rest, () => setTimeout(() => reset(acting.received), 30))),
  ),
  'words after the end mark': afterTheMark((acting) =>
    begins(acting, (response) => response.end(acting.wire.rest + acting.wire.more.replace('more', planted))),
  ),
};
