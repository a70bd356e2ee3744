/** Forwards API requests with `@fastify/reply-from`: bodies as streams, TLS verified, our own rules for headers and retries. */
import replyFrom from '@fastify/reply-from';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { asHeadgateError, HeadgateError } from '../errors.ts';
import type { LiveRoute } from '../generation/live.ts';
import { noSchemas } from '../no-schemas.ts';
import { requestHeaders, responseHeaders } from './forwarded-headers.ts';
import type { Pools } from './pools.ts';
import { forwardedMethods, hasBody } from './request-shape.ts';

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
  /** `abandoned`: the request came to nothing, and not by the upstream's doing. */
  readonly onAttempt: (outcome: 'answered' | 'network' | 'timeout' | 'abandoned') => void;
}

/** Under this key the signal travels through reply-from to our pools: it knows of no way to cancel. */
const signalKey = Symbol('signal');
type UpstreamHeaders = IncomingHttpHeaders & { [signalKey]?: AbortSignal };

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

/** Fastify's own refusals are about the request. */
function refusalOf(error: FastifyError): HeadgateError {
  if (error.statusCode === 415)
    return new HeadgateError('unsupported_media_type', 'The content-type of the request is not well formed.');
  return asHeadgateError(error);
}

interface Pending extends Forwarding {
  readonly fail: (error: HeadgateError) => void;
  /** Set once an answer has begun; only its body can fail after that. */
  begun?: true;
  /** What the upstream's body failed with. */
  broken?: Error;
}

/** Why the answer ended before its end: the upstream's body failed, or the client went away from a good one. */
function endedEarly({ broken, signal }: Pending): HeadgateError {
  if (!broken && signal.aborted)
    return new HeadgateError('client_closed_request', 'The client left before the end of the answer.');
  return new HeadgateError('upstream_broken_answer', 'The answer ended early: the upstream broke it off.', {
    cause: broken,
  });
}

function relay(pending: Pending, reply: FastifyReply, body: Readable): void {
  pending.onAttempt('answered');
  if (reply.sent) {
    // Given up already, over a status that no answer can have.
    body.on('error', () => undefined).destroy();
    return;
  }
  pending.begun = true;
  // An abort of our own is told here too, but only after the client's end was.
  body.on('error', (error) => (pending.broken = error));
  void reply.send(body);
  // Who waits for events wants to know at once that they will come.
  if (String(reply.getHeader('content-type')).startsWith('text/event-stream')) pending.response.flushHeaders();
}

function send(pending: Pending, reply: FastifyReply): void {
  const { request, route, path, onAttempt, random } = pending;
  reply.from(`${route.upstream.origin}${route.upstream.path}${path}`, {
    timeout: route.upstream.timeoutMs,
    rewriteRequestHeaders: (_request, headers): UpstreamHeaders => ({
      ...requestHeaders(headers, pending.headers),
      [signalKey]: pending.signal,
    }),
    rewriteHeaders: (headers) => responseHeaders(headers, pending.response),
    // reply-from types what it hands on as a raw reply; it is `{ stream }`, and only that is of interest.
    onResponse: (_request, _reply, response) =>
      relay(pending, reply, (response as unknown as { stream: Readable }).stream),
    // Only where no answer came, and only where asking twice is harmless. Never for an answer, whatever its status.
    retryDelay: ({ err, attempt }) => {
      if (!err) return null;
      const { code } = failureOf(err);
      const isTheirs = (code === 'upstream_timeout' || code === 'upstream_failed') && !pending.signal.aborted;
      onAttempt(!isTheirs ? 'abandoned' : code === 'upstream_timeout' ? 'timeout' : 'network');
      const again =
        isTheirs &&
        code === 'upstream_failed' &&
        retriedMethods.has(request.method ?? '') &&
        !hasBody(request) &&
        attempt < route.retries;
      // Zero would mean no retry.
      return again ? 1 + random() * 50 * 2 ** attempt : null;
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
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    schemaController: noSchemas,
  });
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
        pool.undici.request(
          { ...(options as object), headers, signal } as Parameters<typeof pool.undici.request>[0],
          (error, response) => {
            pools.release(options.origin);
            callback(error, response);
          },
        );
      },
    } as object,
  });
  app.route({
    method: forwardedMethods,
    url: '/*',
    handler: (request, reply) => {
      const pending = pendings.get(request.raw);
      if (pending) send(pending, reply);
    },
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    reply.hijack();
    const pending = pendings.get(request.raw);
    pending?.fail(pending.begun ? endedEarly(pending) : refusalOf(error));
  });
  await app.ready();

  return {
    forward: (forwarding) =>
      new Promise((resolve, reject) => {
        const { request, response } = forwarding;
        const said = new Set(response.getHeaderNames());
        const fail = (error: HeadgateError) => {
          // What the upstream said of its answer would be untrue of ours.
          if (!response.headersSent)
            for (const name of response.getHeaderNames()) if (!said.has(name)) response.removeHeader(name);
          reject(error);
        };
        const pending: Pending = { ...forwarding, fail };
        response.once('close', () => {
          if (response.writableFinished) resolve();
          else reject(endedEarly(pending));
        });
        pendings.set(request, pending);
        app.routing(request, response);
      }),
    close: () => app.close(),
  };
}
