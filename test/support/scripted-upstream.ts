/** A vendor that does exactly what a test says, byte for byte: cuts, hangs, odd framing, planted secrets. */
import { createServer, type IncomingHttpHeaders, type ServerResponse, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SnapshotInput } from '../../runtime/snapshot.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer<ArrayBuffer>;
  /** The body, parsed. */
  readonly json: Record<string, unknown>;
  /** Which request this is, counted from 1. */
  readonly number: number;
  readonly response: ServerResponse;
  /** Resolves with `performance.now()` when the gateway closed the connection before the answer was complete. */
  readonly abandoned: Promise<number>;
}

export type Script = (received: Received) => void | Promise<void>;

export interface ScriptedUpstream {
  readonly url: string;
  readonly received: readonly Received[];
  /** Connections that were ever opened. */
  readonly connections: number;
  /** Resolves with the n-th request, counted from 1, once it is there. */
  request(number: number): Promise<Received>;
  close(): Promise<void>;
}

function receive(number: number, request: { url?: string; headers: IncomingHttpHeaders }, rest: Answering): Received {
  const abandoned = new Promise<number>((resolve) => {
    rest.response.once('close', () => {
      if (!rest.response.writableFinished) resolve(performance.now());
    });
  });
  return {
    path: request.url ?? '',
    headers: request.headers,
    body: rest.bytes.toString('utf8'),
    bytes: rest.bytes,
    get json() {
      return JSON.parse(rest.bytes.toString('utf8')) as Record<string, unknown>;
    },
    number,
    response: rest.response,
    abandoned,
  };
}

interface Answering {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly response: ServerResponse;
}

export async function startScripted(
  script: Script,
  options: Pick<ServerOptions, 'keepAliveTimeout'> = {},
): Promise<ScriptedUpstream> {
  const received: Received[] = [];
  const waiting = new Map<number, (one: Received) => void>();
  let connections = 0;
  const server = createServer(options, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => undefined);
    request.on('end', () => {
      const one = receive(received.length + 1, request, { bytes: Buffer.concat(pieces), response });
      received.push(one);
      waiting.get(one.number)?.(one);
      void Promise.resolve(script(one)).catch((error: unknown) => response.destroy(error as Error));
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get connections() {
      return connections;
    },
    async request(number) {
      const there = received[number - 1];
      if (there) return there;
      return new Promise((resolve) => {
        waiting.set(number, resolve);
      });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A URL on which nothing listens. */
export async function deadUrl(): Promise<string> {
  const upstream = await startScripted(() => undefined);
  await upstream.close();
  return upstream.url;
}

export const completion = (text: string, more: Record<string, unknown> = {}) => ({
  id: 'chatcmpl-scripted',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  ...more,
});

export const sse = (data: unknown): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const chunk = (more: Record<string, unknown>) =>
  sse({ id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 1, model: 'm', ...more });

export const piece = (content: string): string =>
  chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
export const lastPiece = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
export const usagePiece = chunk({
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
export const done = sse('[DONE]');

export function answerJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export function startEvents(response: ServerResponse, headers = {}): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
  response.flushHeaders();
}

/** What was asked for, well and in full. */
export function answerWell({ response, json }: Received, text = 'fine'): void {
  if (json['stream'] !== true) return answerJson(response, 200, completion(text));
  startEvents(response);
  const { include_usage: usage } = (json['stream_options'] ?? {}) as { include_usage?: boolean };
  response.end(piece(text) + lastPiece + (usage === true ? usagePiece : '') + done);
}

interface Leg {
  readonly url: string;
  readonly kind?: string;
  readonly path?: string;
  readonly timeout?: `${number}ms`;
  readonly retries?: number;
  readonly contextWindow?: number;
}

/** Providers `leg1`, `leg2`, … and a model `chat` that tries them in this order; `model` adds to that model. */
export function legs(
  all: readonly Leg[],
  model: Partial<SnapshotInput['models'][string]> = {},
): Pick<SnapshotInput, 'providers' | 'models'> {
  const node = ({ timeout, retries }: Leg, index: number) => ({
    kind: 'target' as const,
    provider: `leg${index + 1}`,
    model: 'm',
    ...(timeout === undefined ? {} : { timeout }),
    ...(retries === undefined ? {} : { retries }),
  });
  const targets = { kind: 'group', balance: 'ordered', of: all.map((leg, index) => ({ node: node(leg, index) })) };
  const provider = ({ url, kind = 'openai', path = '/v1', contextWindow = 8_192 }: Leg) => ({
    kind,
    options: { baseUrl: `${url}${path}` },
    models: { m: { contextWindow } },
  });
  return {
    providers: Object.fromEntries(all.map((leg, index) => [`leg${index + 1}`, provider(leg)])),
    models: { chat: { targets, ...model } },
  };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
