/** The whole story of a request for files or batches: the client's own, passed to the vendor that keeps them, with names in place of ids. */
import type { Usage } from '../call.ts';
import { writeExact } from '../dialects/exact-json.ts';
import { HeadgateError } from '../errors.ts';
import type { AccountKnown, HoldingsExchange, Reserved } from '../exchange.ts';
import { boundaryOf } from '../form.ts';
import type { LiveKey } from '../generation/live.ts';
import { causeInWords } from '../log.ts';
import { CredentialUnavailable, type UpstreamResponse } from '../providers/provider.ts';
import { toldWaitMs } from '../upstream/told-wait.ts';
import { parseJson, refuseEncoded, refuseOtherThanJson } from './accept.ts';
import { admitHoldings } from './admit-holdings.ts';
import { changedFor, changedIn } from './enclosed.ts';
import { moves } from './moves.ts';
import { AttemptFailed, Patience } from './patience.ts';
import { maxAnswerBytes, parseObject, readAll } from './read-answer.ts';
import { ResultsMeter } from './results-meter.ts';
import { notFound, SealedIds } from './sealed-ids.ts';
import { settle } from './settle.ts';
import { lineChanger, Upload } from './upload.ts';

export interface BodiedHoldings extends HoldingsExchange {
  readonly readBody: () => Promise<Buffer>;
  /** Each piece of the body as it comes. */
  readonly streamBody: () => AsyncIterable<Buffer>;
}

/** Without a sign of life from the vendor; a body that is still on its way is one. */
const idleMs = 60_000;
const mostFailureBytes = 64 * 1024;
/** Vendors count these apart from calls: a key that is limited for one may serve the other. */
const keptModel = 'files';

type Asking = Reserved<AccountKnown> & BodiedHoldings;

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<Uint8Array> | undefined;
}

async function sentJson(exchange: Asking, ids: SealedIds): Promise<Sent> {
  refuseOtherThanJson(exchange.request);
  refuseEncoded(exchange.request);
  const body = ids.openIn(parseJson(await exchange.readBody()));
  const { encloses } = exchange.asked.request;
  const changed = encloses ? await changedIn(exchange, body, encloses) : body;
  return { headers: { 'content-type': 'application/json' }, body: writeExact(changed) };
}

/** What failed while a body was sent is the reason, and not that its sending ended. */
interface Watched {
  failure: Error | undefined;
  /** Has nobody wait for what is left of the body. */
  end: () => void;
}

async function* watched(pieces: AsyncIterable<Uint8Array>, patience: Patience, watch: Watched) {
  try {
    for await (const bytes of pieces) {
      patience.renew();
      yield bytes;
    }
  } catch (error) {
    watch.failure = error instanceof Error ? error : new Error('the body failed', { cause: error });
    throw error;
  }
}

async function* following(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

async function sentForm(exchange: Asking, send: { patience: Patience; watch: Watched }): Promise<Sent> {
  const { headers } = exchange.request;
  const contentType = headers['content-type'] ?? '';
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) throw new HeadgateError('unsupported_media_type', 'Send a form: multipart/form-data.');
  refuseEncoded(exchange.request);
  const { callFiles } = exchange.place.holdings;
  const upload = new Upload(callFiles, callFiles ? lineChanger(callFiles, (call) => changedFor(exchange, call)) : same);
  const pieces = upload.pass(exchange.streamBody(), boundary);
  send.watch.end = () => void pieces.return(undefined);
  const body = following(await pieces.next(), pieces);
  const length = upload.isChanged ? undefined : headers['content-length'];
  return {
    headers: { 'content-type': contentType, ...(length !== undefined && { 'content-length': length }) },
    body: watched(body, send.patience, send.watch),
  };
}

const same = <Line>(line: Line): Line => line;

interface Answered {
  readonly response: UpstreamResponse;
  readonly key: LiveKey;
}

async function refusedBy({ response, key }: Answered, exchange: Asking, patience: Patience): Promise<HeadgateError> {
  const bytes = await readAll(response, patience, mostFailureBytes).catch(() => Buffer.alloc(0));
  response.discard();
  const { status } = response;
  if (status === 404) return notFound();
  if (status === 413) return new HeadgateError('body_too_large', 'The provider takes no file or batch of this size.');
  const [api] = exchange.account.live?.connection.apis ?? [];
  const body = parseObject(bytes);
  const { kind, retryAfterMs } = api?.dialect.readFailure(status, body, {}) ?? { kind: 'overloaded' };
  const { code, message, next } = moves[kind];
  const wait = kind === 'rate_limited' ? (retryAfterMs ?? toldWaitMs(response.headers, body)) : undefined;
  const { keys } = exchange.house.upstreams;
  if (kind === 'credential') keys.refused(key);
  if (kind === 'rate_limited') keys.limited(key, keptModel, wait);
  return new HeadgateError(code, message, {
    retryAfterMs: wait,
    noRetry: next === 'stop',
    cause: new AttemptFailed({ kind, status }),
  });
}

/** One try: what is kept is at one place, and a second upload would be a second file. */
async function answered(exchange: Asking, ids: SealedIds, patience: Patience): Promise<Answered> {
  const { asked, account, place, house, request, name } = exchange;
  const watch: Watched = { failure: undefined, end: () => undefined };
  const path = asked.request.path.replace('{id}', name === undefined ? '' : encodeURIComponent(ids.open(name)));
  const query = ids.openQuery(request.url ?? '');
  const { sends, method } = asked.request;
  const sent: Sent =
    sends === 'json'
      ? await sentJson(exchange, ids)
      : sends === 'form'
        ? await sentForm(exchange, { patience, watch })
        : { headers: {}, body: undefined };
  const key = house.upstreams.keys.nextAnyhow(account.live?.keys ?? [], keptModel);
  if (!key?.pass) throw new HeadgateError('no_target_available', `'${account.name}' is out of rotation.`);
  const passed = (place.passes ?? []).flatMap((header): [string, string][] => {
    const value = request.headers[header];
    return typeof value === 'string' ? [[header, value]] : [];
  });
  const headers = { accept: '*/*', 'accept-encoding': 'identity', ...Object.fromEntries(passed), ...sent.headers };
  exchange.outcome.attempts += 1;
  try {
    const address = place.at(path) + query;
    const response = await key.pass({ method, path: address, headers, body: sent.body, signal: patience.signal });
    patience.renew();
    return { response, key };
  } catch (error) {
    if (watch.failure) throw watch.failure;
    throw failureOf(error, patience);
  } finally {
    watch.end();
  }
}

function failureOf(error: unknown, patience: Patience): HeadgateError {
  const failed = patience.failure(error, error instanceof CredentialUnavailable ? 'credential' : 'network');
  const { code, message } = moves[failed.failure.kind];
  return new HeadgateError(code, message, { cause: failed });
}

/** What was asked for, in the client's words; the usage of results is counted as they pass. */
async function tell(exchange: Asking, response: UpstreamResponse, pass: { ids: SealedIds; patience: Patience }) {
  const { reply, asked, outcome, signal, place } = exchange;
  const { ids, patience } = pass;
  if (asked.request.answers !== 'bytes') {
    const body = parseObject(await readAll(response, patience, maxAnswerBytes));
    if (!body) throw new HeadgateError('upstream_broken_answer', moves.broken_answer.message);
    return reply.whole(200, 'application/json', writeExact(ids.closeIn(body)));
  }
  const meter = new ResultsMeter((line): Usage | undefined => place.holdings.readUsage(line));
  reply.startStream(String(response.headers['content-type'] ?? 'application/octet-stream'));
  for await (const bytes of response.body) {
    patience.renew();
    meter.hear(bytes);
    patience.rest();
    await reply.write(bytes);
    if (signal.aborted) throw new HeadgateError('client_closed_request', 'The client left in the middle of a file.');
    patience.renew();
  }
  outcome.usage = meter.end();
  return reply.end();
}

async function pass(exchange: Asking): Promise<void> {
  const { account, consumer, outcome, reply, seal, place, signal } = exchange;
  const label = `${account.name}/files`;
  outcome.target = label;
  const ids = new SealedIds(seal, { account: account.name, consumer: consumer.name }, place.holdings);
  const patience = new Patience(signal, { idleMs });
  let response: UpstreamResponse | undefined;
  try {
    const got = await answered(exchange, ids, patience);
    ({ response } = got);
    if (response.status < 200 || response.status > 299) throw await refusedBy(got, exchange, patience);
    reply.header('headgate-target', label);
    reply.header('headgate-attempts', '1');
    await tell(exchange, response, { ids, patience });
    outcome.tried.push({ target: label, ended: 'answered' });
  } catch (error) {
    if (signal.aborted)
      throw new HeadgateError('client_closed_request', 'The client left before the answer.', { cause: error });
    if (error instanceof HeadgateError) throw error;
    throw failureOf(error, patience);
  } finally {
    patience.end();
    response?.discard();
  }
}

function tellFailure({ outcome, house, id, generation, account }: Asking, error: unknown): void {
  if (!(error instanceof HeadgateError) || !(error.cause instanceof AttemptFailed)) return;
  const { kind, status } = error.cause.failure;
  outcome.tried.push({ target: `${account.name}/files`, ended: kind });
  const told = { request: id, revision: generation.revision.short, target: `${account.name}/files`, failure: kind };
  house.log.warn(
    { event: 'attempt_failed', ...told, status, cause: causeInWords(error.cause.cause) },
    'attempt failed',
  );
}

export async function holdingsLine(exchange: BodiedHoldings): Promise<void> {
  const reserved = Object.assign(exchange, await admitHoldings(exchange)); // who, whose account, how much   4xx, 503
  let thrown: unknown;
  try {
    await pass(reserved); // one try; bodies as streams                  404, 502, 504
  } catch (error) {
    thrown = error;
    tellFailure(reserved, error);
    throw error;
  } finally {
    await settle(reserved, thrown);
  }
}
