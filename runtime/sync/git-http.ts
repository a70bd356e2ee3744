/** The only way git speaks HTTP here: bounded in time and bytes, tied to one origin, and silent about its token. */
// undici rather than node:http: it never follows redirects or inflates bodies on its own, notices a body that stops
// short of its length, reads HTTP(S)_PROXY and NO_PROXY, and is what the data plane already uses.
import { EnvHttpProxyAgent, request as sendRequest, type Dispatcher } from 'undici';
import type { GitHttpRequest, HttpClient } from 'isomorphic-git';
import { headerOf, redirectTarget, refuseStatus, unreachable } from './git-status.ts';
import { truncated } from './git-packets.ts';
import { SourceError } from './source.ts';

export interface HttpLimits {
  readonly idleMs: number;
  readonly maxBytes: number;
}

/** One question to the remote; all its requests share the signal, which also carries the total deadline. */
export interface HttpCall {
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  readonly authorization: string | undefined;
  /** Checks a whole body and says what the git library gets to see of it. */
  readonly screen: (service: Service, body: Buffer) => Uint8Array;
}

export type Service = 'advertisement' | 'result';

export interface GitHttp {
  /** A fresh plug-in for one call. */
  client(call: HttpCall): HttpClient;
  close(): Promise<void>;
}

const forwardedHeaders = ['accept', 'content-type', 'git-protocol'];
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const advertisementPath = '/info/refs';
const reusableSocketMs = 4_000;

export function openGitHttp(limits: HttpLimits): GitHttp {
  const dispatcher = new EnvHttpProxyAgent({
    connect: { timeout: limits.idleMs },
    // Our own timers are exact and cover the proxy too; two clocks for one thing would race.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: reusableSocketMs,
    keepAliveMaxTimeout: reusableSocketMs,
  });
  return {
    client: (call) => openClient({ call, limits, dispatcher }),
    close: () => dispatcher.destroy(),
  };
}

interface Exchange {
  readonly call: HttpCall;
  readonly limits: HttpLimits;
  readonly dispatcher: Dispatcher;
}

interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body: Buffer | null;
  readonly service: Service;
}

function openClient(exchange: Exchange): HttpClient {
  // A repository that moved answers its listing elsewhere; what follows must go there too, as git itself does.
  let moved: { from: string; to: string } | undefined;
  return {
    async request(asked) {
      const outgoing = await prepare(asked, exchange.call);
      const url = moved === undefined ? asked.url : asked.url.replace(moved.from, moved.to);
      const { bytes, finalUrl } = await followOnce(exchange, url, outgoing);
      if (outgoing.service === 'advertisement' && finalUrl !== url) moved = { from: baseOf(url), to: baseOf(finalUrl) };
      const screened = exchange.call.screen(outgoing.service, bytes);
      return {
        url: finalUrl,
        method: outgoing.method,
        headers: { 'content-type': contentTypeOf(outgoing.service) },
        body: once(screened),
        statusCode: 200,
        statusMessage: 'OK',
      };
    },
  };
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes;
}

async function prepare(asked: GitHttpRequest, call: HttpCall): Promise<Outgoing> {
  const headers: Record<string, string> = { 'user-agent': 'git/headgate' };
  for (const [name, value] of Object.entries(asked.headers ?? {})) {
    if (forwardedHeaders.includes(name.toLowerCase())) headers[name.toLowerCase()] = value;
  }
  // Sent at once: waiting for a 401 costs a round trip per poll and trips lock-outs.
  if (call.authorization !== undefined) headers['authorization'] = call.authorization;
  if (asked.method !== 'POST') return { method: 'GET', headers, body: null, service: 'advertisement' };
  const parts: Uint8Array[] = [];
  if (asked.body !== undefined) for await (const part of asked.body) parts.push(part);
  return { method: 'POST', headers, body: Buffer.concat(parts), service: 'result' };
}

async function followOnce(
  exchange: Exchange,
  url: string,
  outgoing: Outgoing,
): Promise<{ bytes: Buffer; finalUrl: string }> {
  const first = await exchangeOnce(exchange, url, outgoing);
  if (first.bytes !== undefined) return { bytes: first.bytes, finalUrl: url };
  const target = redirectTarget(url, first.location);
  if (outgoing.service === 'advertisement' && !new URL(target).pathname.endsWith(advertisementPath)) {
    throw new SourceError(
      'GIT_REDIRECT',
      `The remote redirects to ${new URL(target).pathname}, which is no git listing; use the address of the repository itself.`,
    );
  }
  const second = await exchangeOnce(exchange, target, outgoing);
  if (second.bytes !== undefined) return { bytes: second.bytes, finalUrl: target };
  throw new SourceError(
    'GIT_REDIRECT',
    'The remote redirects more than once; use the final address of the repository.',
  );
}

type Answer = { readonly bytes: Buffer } | { readonly bytes?: undefined; readonly location: string | undefined };

async function exchangeOnce(exchange: Exchange, url: string, outgoing: Outgoing): Promise<Answer> {
  const { call, limits, dispatcher } = exchange;
  const idle = new IdleTimer(limits.idleMs);
  let started = false;
  try {
    const answer = await sendRequest(url, {
      dispatcher,
      method: outgoing.method,
      headers: outgoing.headers,
      body: outgoing.body,
      signal: AbortSignal.any([call.signal, idle.signal]),
    });
    started = true;
    idle.restart();
    // The body is dropped on every path that does not read it, or its socket would stay busy.
    answer.body.on('error', () => {});
    try {
      if (redirectStatuses.has(answer.statusCode)) return { location: headerOf(answer.headers, 'location') };
      if (answer.statusCode !== 200) throw refuseStatus(answer.statusCode, answer.headers);
      checkHeaders(answer.headers, outgoing.service, call.maxBytes);
      return { bytes: await readBody(answer.body, call.maxBytes, idle) };
    } finally {
      answer.body.destroy();
    }
  } catch (error) {
    if (error instanceof SourceError) throw error;
    if (call.signal.aborted) throw call.signal.reason;
    if (idle.signal.aborted) throw idle.signal.reason;
    throw started ? truncated() : unreachable(url, error);
  } finally {
    idle.stop();
  }
}

function checkHeaders(headers: Dispatcher.ResponseData['headers'], service: Service, maxBytes: number): void {
  const type = headerOf(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  const encoding = headerOf(headers, 'content-encoding') ?? 'identity';
  if (type !== contentTypeOf(service) || encoding !== 'identity') {
    throw new SourceError(
      'GIT_NOT_GIT',
      `The remote answered with ${safeType(type)} where git data was due; check the URL and any login page or proxy in between.`,
    );
  }
  if (Number(headerOf(headers, 'content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

async function readBody(body: AsyncIterable<Buffer>, maxBytes: number, idle: IdleTimer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    idle.restart();
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Ends a connection that has gone silent long before the total deadline would. */
class IdleTimer {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(idleMs: number) {
    this.#timer = setTimeout(() => {
      this.#controller.abort(
        new SourceError('GIT_IDLE', `The remote sent nothing for ${idleMs} ms; the answer so far is ignored.`),
      );
    }, idleMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function contentTypeOf(service: Service): string {
  return `application/x-git-upload-pack-${service}`;
}

function baseOf(url: string): string {
  return url.slice(0, url.indexOf(advertisementPath));
}

function safeType(type: string | undefined): string {
  return type !== undefined && /^[\w.+/-]{1,80}$/.test(type) ? type : 'an unnamed type';
}

function tooLarge(maxBytes: number): SourceError {
  return new SourceError(
    'GIT_PACK_LIMIT',
    `The answer of the remote is larger than ${maxBytes} bytes; follow a branch that holds only the compiled artifact.`,
  );
}
