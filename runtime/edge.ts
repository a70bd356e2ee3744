/** One request from its head to its log line: finds what it asks for, walks that line, and words every failure. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { accessLine } from './access-line.ts';
import type { ClientDialect } from './dialects/dialect.ts';
import { askedFor, refusedPath, requestId, type Asked } from './door.ts';
import { asHeadgateError, HeadgateError } from './errors.ts';
import { toCome, type Exchange, type House } from './exchange.ts';
import type { Generation } from './generation/generation.ts';
import { faultInWords, type AccessLog } from './log.ts';
import { masked } from './masked.ts';
import type { End } from './generation/consumer-record.ts';
import type { Ledger } from './ledger/ledger.ts';
import { callerOf, newOutcome, objectOf, statusOf, type Outcome } from './outcome.ts';
import { bodyPieces, readBytes } from './pipeline/accept.ts';
import { apiLine } from './pipeline/api-line.ts';
import { countLine } from './pipeline/count-line.ts';
import { findLine, surfaceFor, surfaceName } from './pipeline/find-line.ts';
import { holdingsLine } from './pipeline/holdings-line.ts';
import { consumerOf } from './pipeline/credentials.ts';
import { challenge } from './pipeline/identify.ts';
import { CutShort } from './listener.ts';
import { modelLine } from './pipeline/model-line.ts';
import { noteLostRoute } from './pipeline/losses.ts';
import { modelsLine } from './pipeline/models-line.ts';
import { taskLine } from './pipeline/task-line.ts';
import { wireError } from './pipeline/relay.ts';
import { SocketReply } from './reply.ts';
import type { Surface } from './surfaces/surface.ts';
import type { Forwarder } from './upstream/forward.ts';
import type { RecentRequests } from './telemetry/recent-requests.ts';
import { hasBody } from './upstream/request-shape.ts';

export interface Edge {
  readonly house: House;
  readonly forwarder: Forwarder;
  readonly recent: RecentRequests;
  readonly access: AccessLog;
  /** Requests being answered now. */
  inFlight: number;
  readonly ledger: Ledger;
  /** Why nothing is served now, or the generation that serves whoever sent these headers. */
  readonly serving: (headers: IncomingHttpHeaders) => Serving | Promise<Serving>;
  readonly addressOf: (request: IncomingMessage) => string | undefined;
  /** Told of each request whose consumer is known. */
  readonly ended: (generation: Generation, end: End) => void;
}

type Serving = Generation | HeadgateError;

interface Visit {
  readonly id: string;
  readonly started: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly reply: SocketReply;
  readonly outcome: Outcome;
  asked: Asked | undefined;
  generation: Generation | undefined;
  surface: Surface | undefined;
  dialect: ClientDialect | undefined;
}

async function walk(edge: Edge, visit: Visit, exchange: Exchange): Promise<void> {
  const { request } = visit;
  const asked = visit.asked ?? askedFor(request);
  const found = findLine(request, asked, exchange.generation.tables);
  if (found.line === 'route') {
    const { path } = asked;
    const { route } = found;
    return apiLine(
      Object.assign(exchange, { request, response: visit.reply.handOver(), route, path, forwarder: edge.forwarder }),
    );
  }
  visit.surface = found.surface;
  if (found.surface?.idHeader) visit.reply.header(found.surface.idHeader, visit.id);
  if (found.line === 'none') {
    visit.outcome.matched = found.matched;
    if (found.allow.length > 0) visit.reply.header('allow', found.allow.join(', '));
    throw found.error;
  }
  if (found.line === 'models') {
    visit.outcome.matched = 'models';
    return modelsLine(Object.assign(exchange, { surface: found.surface }), found.name);
  }
  const readBody = () => readBytes(request);
  if (found.line === 'task') return taskLine(Object.assign(exchange, { ...found, readBody }));
  if (found.line === 'holdings')
    return holdingsLine(Object.assign(exchange, { ...found, readBody, streamBody: () => bodyPieces(request) }));
  const { surface, dialect, says, writeCount } = found;
  visit.dialect = dialect;
  const called = Object.assign(exchange, { surface, dialect, says, readBody });
  return writeCount ? countLine(called, writeCount) : modelLine(called);
}

function writeError(visit: Visit, error: HeadgateError): void {
  const { reply, request, outcome } = visit;
  if (error.retryAfterMs !== undefined) reply.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  if (error.noRetry) reply.header('x-should-retry', 'false');
  if (error.status === 401) reply.header('www-authenticate', challenge(error.code));
  if (outcome.attempts > 0) reply.header('headgate-attempts', String(outcome.attempts));
  // What is left of a body that nobody reads would be taken for the next request; and of a request that was refused at
  // the door nobody knows where it ends.
  if (!visit.asked || (hasBody(request) && !request.complete)) reply.endConnection();
  const words =
    visit.dialect ?? visit.surface ?? surfaceFor(visit.asked?.path ?? refusedPath(request), request.headers);
  if (words) reply.whole(error.status, 'application/json', JSON.stringify(words.writeError(wireError(error))));
  else {
    const problem = {
      type: 'about:blank',
      // What RFC 9457 asks for where the type is no page of its own.
      title: STATUS_CODES[error.status] ?? error.code,
      status: error.status,
      detail: error.message,
      code: error.code,
    };
    reply.whole(error.status, 'application/problem+json', JSON.stringify(problem));
  }
}

const stopped = (cause: unknown): HeadgateError =>
  new HeadgateError('gateway_stopped', 'The gateway stopped before the answer.', { cause });

function fail(edge: Edge, visit: Visit, thrown: unknown): void {
  const told = asHeadgateError(thrown);
  const isCut = told.code === 'client_closed_request' && visit.response.errored instanceof CutShort;
  const error = isCut ? stopped(told) : told;
  visit.outcome.code = error.code;
  visit.outcome.endedBy = error.object;
  if (error.code === 'internal_error') {
    edge.house.log.error(
      {
        event: 'internal_error',
        request: visit.id,
        revision: visit.generation?.revision.short,
        cause: faultInWords(error.cause),
      },
      'internal error',
    );
  }
  if (visit.generation && visit.asked && visit.outcome.matched === 'none')
    visit.outcome.lost ??= noteLostRoute(visit.generation, visit.request, { ...visit.asked, code: error.code });
  if (told.code === 'client_closed_request') visit.reply.destroy();
  else if (!visit.reply.started) writeError(visit, error);
  else if (!visit.response.writableEnded) visit.reply.destroy();
}

function finish(edge: Edge, visit: Visit): void {
  const { house } = edge;
  const { outcome, generation, request, reply } = visit;
  const seconds = (performance.now() - visit.started) / 1000;
  const status = statusOf(outcome, reply.status);
  house.metrics.requests.inc({ matched: outcome.matched, consumer: outcome.consumer ?? '', status });
  house.metrics.requestSeconds.observe({ matched: outcome.matched }, seconds);
  // What was found nowhere came to no stage that asks who it is; a key that was refused is not looked up again.
  if (generation && outcome.code !== undefined && status !== 401 && !outcome.caller) {
    const found = consumerOf(generation.tables, request.headers);
    outcome.consumer ??= found?.name;
    outcome.caller = found && callerOf(found);
  }
  const { target, code, lost, ownMs, consumer } = outcome;
  generation?.health.ended({ object: objectOf(outcome), target, code, ownMs });
  if (generation && consumer !== undefined) edge.ended(generation, { consumer, target, code, lost });
  const told = {
    id: visit.id,
    at: Date.now(),
    revision: generation?.revision.short,
    method: request.method ?? '',
    path: visit.asked ? masked(visit.asked.path).slice(0, 256) : '',
    surface: visit.surface && surfaceName(visit.surface),
    status,
    ms: Math.round(seconds * 1e6) / 1e3,
    firstMs: reply.firstAt && reply.firstAt - visit.started,
    outcome,
  };
  edge.recent.add(told, generation?.tables.sourceOf);
  edge.ledger.add(told);
  edge.access(accessLine(told, request.method, visit.asked?.host));
}

function exchangeFor(edge: Edge, visit: Visit, generation: Generation): Exchange {
  const gone = new AbortController();
  visit.response.on('close', () => {
    if (!visit.response.writableFinished) gone.abort(new Error('the client left'));
  });
  visit.reply.header('headgate-revision', generation.revision.short);
  return {
    id: visit.id,
    house: edge.house,
    generation,
    request: visit.request,
    reply: visit.reply,
    address: edge.addressOf(visit.request),
    signal: gone.signal,
    outcome: visit.outcome,
    ...toCome,
  };
}

/** Answers one request. Never rejects. */
export async function visitEdge(edge: Edge, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const visit: Visit = {
    id: requestId(request, () => `req_${randomUUID()}`),
    started: performance.now(),
    request,
    response,
    reply: new SocketReply(response),
    outcome: newOutcome(),
    asked: undefined,
    generation: undefined,
    surface: undefined,
    dialect: undefined,
  };
  visit.reply.header('x-request-id', visit.id);
  edge.inFlight += 1;
  let leave: (() => void) | undefined;
  try {
    visit.asked = askedFor(request);
    const asked = edge.serving(request.headers);
    // Nobody waits a turn where nothing is to be found out.
    const serving = asked instanceof Promise ? await asked : asked;
    if (serving instanceof HeadgateError) throw serving;
    if (response.closed) throw new HeadgateError('client_closed_request', 'The client left.');
    visit.generation = serving;
    leave = serving.enter();
    await walk(edge, visit, exchangeFor(edge, visit, serving));
  } catch (error) {
    fail(edge, visit, error);
  } finally {
    finish(edge, visit);
    leave?.();
    edge.inFlight -= 1;
  }
}
