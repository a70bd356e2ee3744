/** The admin plane: alive, ready, status, metrics, poke, and the console page. Reads only; what git owns is changed in git. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isLoopback } from '../settings.ts';
import type { Address } from '../listener.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { consolePage, consolePolicy } from './console-page.ts';
import { addOrders } from './orders.ts';
import { addRequests } from './requests.ts';
import { statusOf, type Reported } from './status.ts';
import { addUsage } from './usage.ts';

export interface AdminOptions {
  readonly address: Address;
  readonly tokenFile: string | undefined;
  readonly reported: Reported;
  readonly metrics: Metrics;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** Read at each request, so that a rotated token needs no restart. Throws with the place and the cure. */
function readToken(tokenFile: string): string {
  let token: string;
  try {
    token = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new Error(`the admin token file ${tokenFile} cannot be read (${code}): write the token into it`);
  }
  if (token === '') throw new Error(`the admin token file ${tokenFile} is empty: write the token into it`);
  return token;
}

/** A page from elsewhere can make a browser ask loopback under a name of its own: only our own names are answered. */
function isOurName(host: string, address: Address): boolean {
  const name = host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return name === address.host || isLoopback({ host: name, port: 0 });
}

/** A browser tells on whose behalf it asks. No page but our own may. */
function isOurPage({ headers: { origin } }: FastifyRequest, address: Address): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && isOurName(new URL(origin).host, address);
}

type Refusal = readonly [status: number, detail: string];

function refusalOf(request: FastifyRequest, address: Address, tokenFile: string | undefined): Refusal | undefined {
  if (!tokenFile) {
    return isOurName(request.headers.host ?? '', address) && isOurPage(request, address)
      ? undefined
      : [403, 'Ask for the admin plane by the address it listens on.'];
  }
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  try {
    return timingSafeEqual(sha256(readToken(tokenFile)), sha256(given))
      ? undefined
      : [401, 'Send the admin token as "Authorization: Bearer <token>".'];
  } catch {
    return [503, 'The admin token cannot be read: see to the file that --admin-token-file names.'];
  }
}

function problem(reply: FastifyReply, status: number, detail: string) {
  return reply.code(status).type('application/problem+json').send({ type: 'about:blank', status, detail });
}

const bodyCure = 'send JSON with the header content-type: application/json';

/** Why a body was not read, by the status that Fastify gives to it. */
const bodyProblems: Readonly<Record<number, string>> = {
  400: `The body is not JSON: ${bodyCure}.`,
  413: 'The body is too long: an order needs only "commit", "for" and "note".',
  415: `The body is not said to be JSON: ${bodyCure}.`,
};

export async function startAdmin({
  address,
  tokenFile,
  reported,
  metrics,
}: AdminOptions): Promise<{ url: string; close: () => Promise<void> }> {
  if (tokenFile) readToken(tokenFile);
  const app: FastifyInstance = fastify({
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    requestTimeout: 10_000,
    http: { headersTimeout: 5_000 },
  });
  // The page holds no data: what it shows, it asks for with the token that a person gives it.
  const open = new Set(['/healthz', '/readyz', ...(tokenFile ? ['/', '/console'] : [])]);
  app.addHook('onRequest', async (request, reply) => {
    if (open.has(request.url)) return;
    const refusal = refusalOf(request, address, tokenFile);
    if (refusal) return problem(reply, ...refusal);
  });

  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const { activator, serving, draining } = reported;
    if (draining()) return reply.code(503).send({ status: 'draining' });
    if (!activator.stable)
      return reply.code(503).send({ status: 'cold', detail: 'no verified configuration is active yet' });
    if (!serving.isListening())
      return reply.code(503).send({ status: 'starting', detail: 'no connection is taken yet' });
    return { status: 'ready', revision: activator.stable.revision.short };
  });
  app.get('/status', async () => statusOf(reported, await reported.serving.load()));
  app.get('/metrics', async (_request, reply) => {
    metrics.stateDirProblem.set(reported.keep.problem === undefined ? 0 : 1);
    return reply.type(metrics.registry.contentType).send(await reported.serving.metrics());
  });
  app.post('/poke', async (_request, reply) => {
    await reported.loop.poke();
    return reply.code(202).send({ polled: true, tip: reported.loop.state.tip });
  });
  addOrders(app, reported.loop.operator);
  addRequests(app, reported.serving);
  addUsage(app, reported.ledger);
  app.get('/console', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', consolePolicy).send(consolePage),
  );
  app.get('/', (_request, reply) => reply.redirect('/console'));
  app.setNotFoundHandler((request, reply) =>
    problem(reply, 404, `Nothing is served at ${request.method} ${request.url.split('?', 1)[0]}.`),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const { statusCode = 500 } = error;
    return problem(reply, statusCode, bodyProblems[statusCode] ?? 'The admin plane could not answer.');
  });

  const url = await app.listen({ host: address.host, port: address.port });
  return { url, close: () => app.close() };
}
