/** Forwards API requests with `@fastify/reply-from`: bodies as streams, TLS verified, our own rules for headers and retries. */
import replyFrom from '@fastify/reply-from';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { asHeadgateError, HeadgateError } from '../errors.ts';
import type { LiveRoute } from '../generation/generation.ts';
import type { Pools } from './pools.ts';

export interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: LiveRoute;
  /** Path to ask the upstream for, without the query: that follows as it came. */
  readonly path: string;
  /** Headers of our own, in place of the client's. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly onAttempt: (outcome: 'answered' | 'network' | 'timeout') => void;
}

/** Never forwarded: they speak of one connection, of who we are to the client, or are ours to say. */
const notForwarded = new Set([
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);
const notReturned = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'trailer',
  'upgrade',
  'x-request-id',
]);

/** Under this key the signal travels through reply-from to our pools: it knows of no way to cancel. */
const signalKey = Symbol('signal');
type UpstreamHeaders = IncomingHttpHeaders & { [signalKey]?: AbortSignal };

const isOurs = (name: string) => name.startsWith('headgate-') || name.startsWith('ratelimit');

function requestHeaders({ headers, signal }: Forwarding, original: IncomingHttpHeaders): UpstreamHeaders {
  const kept = Object.entries(original).filter(([name]) => !notForwarded.has(name) && !isOurs(name));
  return { ...Object.fromEntries(kept), ...headers, [signalKey]: signal };
}

function responseHeaders(original: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(original).filter(([name]) => !notReturned.has(name) && !isOurs(name)));
}

/** Fails the body once it is longer than the route takes; a length told in advance was checked before. */
function limited(body: Readable, most: number): Transform {
  let size = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.byteLength;
      if (size > most) done(new HeadgateError('body_too_large', `The body may have at most ${most} bytes.`));
      else done(null, chunk);
    },
  });
  body.on('error', (error) => limit.destroy(error));
  return body.pipe(limit);
}

const retriedMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
const timeouts = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT']);

/** The innermost error: reply-from wraps what happened. */
function rootOf(error: unknown): unknown {
  let root = error;
  for (
    let depth = 0;
    depth < 4 && root instanceof Error && root.cause !== undefined && !(root instanceof HeadgateError);
    depth += 1
  )
    root = root.cause;
  return root;
}

function failureOf(error: unknown): HeadgateError {
  const root = rootOf(error);
  if (root instanceof HeadgateError) return root;
  if (timeouts.has((root as NodeJS.ErrnoException).code ?? ''))
    return new HeadgateError('upstream_timeout', 'The upstream did not answer in time.', { cause: root });
  return new HeadgateError('upstream_failed', 'The upstream could not be reached.', { cause: root });
}

interface Pending extends Forwarding {
  readonly fail: (error: HeadgateError) => void;
}

function send(pending: Pending, reply: FastifyReply): void {
  const { route, path, onAttempt, random } = pending;
  reply.from(`${route.upstream.origin}${route.upstream.path}${path}`, {
    timeout: route.upstream.timeoutMs,
    rewriteRequestHeaders: (_request, headers) => requestHeaders(pending, headers),
    rewriteHeaders: (headers) => responseHeaders(headers),
    onResponse: (_request, _reply, response) => {
      onAttempt('answered');
      // reply-from types what it hands on as a raw reply; it is `{ stream }`, and only that is of interest.
      void reply.send((response as unknown as { stream: Readable }).stream);
    },
    // Only where no answer came, and only where asking twice is harmless. Never for an answer, whatever its status.
    retryDelay: ({ err, attempt }) => {
      if (!err) return null;
      const failure = failureOf(err);
      onAttempt(failure.code === 'upstream_timeout' ? 'timeout' : 'network');
      const again =
        retriedMethods.has(pending.request.method ?? '') &&
        failure.code === 'upstream_failed' &&
        attempt < route.retries;
      // Zero would mean no retry.
      return again && !pending.signal.aborted ? 1 + random() * 50 * 2 ** attempt : null;
    },
    onError: (_reply, { error }) => {
      reply.hijack();
      pending.fail(failureOf(error));
    },
  });
}

export interface Forwarder {
  /** Resolves when the client has the whole answer; throws `HeadgateError`, before or after the first byte. */
  forward(forwarding: Forwarding): Promise<void>;
  close(): Promise<void>;
}

export async function createForwarder(pools: Pools): Promise<Forwarder> {
  const pendings = new WeakMap<IncomingMessage, Pending>();
  const app = fastify({ logger: false, exposeHeadRoutes: false, return503OnClosing: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    (request: FastifyRequest, payload: Readable, done: (error: Error | null, body?: unknown) => void) => {
      const pending = pendings.get(request.raw);
      done(null, pending ? limited(payload, pending.route.maxBodyBytes) : payload);
    },
  );
  await app.register(replyFrom, {
    disableRequestLogging: true,
    // Our pools verify TLS; reply-from's own would not.
    undici: {
      request(
        options: { origin: string; headers: UpstreamHeaders },
        callback: (error: Error | null, response?: unknown) => void,
      ) {
        const { [signalKey]: signal, ...headers } = options.headers;
        const pool = pools.acquire(options.origin);
        pool.request(
          { ...(options as object), headers, signal } as Parameters<typeof pool.request>[0],
          (error, response) => {
            pools.release(options.origin);
            callback(error, response);
          },
        );
      },
    } as object,
  });
  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/*',
    handler: (request, reply) => {
      const pending = pendings.get(request.raw);
      if (pending) send(pending, reply);
    },
  });
  app.setErrorHandler((error, request, reply) => {
    reply.hijack();
    pendings.get(request.raw)?.fail(asHeadgateError(error));
  });
  await app.ready();

  return {
    forward: (forwarding) =>
      new Promise((resolve, reject) => {
        const { request, response } = forwarding;
        response.once('close', () => {
          if (response.writableFinished) resolve();
          else
            reject(new HeadgateError('upstream_broken_answer', 'The answer ended early: the upstream broke it off.'));
        });
        pendings.set(request, { ...forwarding, fail: reject });
        app.routing(request, response);
      }),
    close: () => app.close(),
  };
}
