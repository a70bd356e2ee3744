/** One try at one target: from the call to a usable answer, or to a failure that says what to do next. */
import type { Answer, Call } from '../call.ts';
import { writeExact } from '../dialects/exact-json.ts';
import type { LookedUp, StreamedAnswer, WholeAnswer } from '../exchange.ts';
import type { LiveKey, LiveTarget } from '../generation/live.ts';
import { CredentialUnavailable, type UpstreamResponse } from '../providers/provider.ts';
import { toldShare } from '../upstream/told-length.ts';
import { limitResetMs, toldWaitMs, usedUpMs } from '../upstream/told-wait.ts';
import { outgoing, translated, type Outgoing } from './outgoing.ts';
import { AttemptFailed, Patience, type Begun } from './patience.ts';
import { parseObject, readAll, whole } from './read-answer.ts';
import { AnswerStream } from './read-stream.ts';

/** Of an error body only the beginning is of interest. */
const maxFailureBytes = 64 * 1024;

async function refusedBy(response: UpstreamResponse, sent: Outgoing, patience: Patience): Promise<AttemptFailed> {
  const bytes = await readAll(response, patience, maxFailureBytes).catch(() => Buffer.alloc(0));
  response.discard();
  const body = parseObject(bytes);
  const read = sent.api.dialect.readFailure(response.status, body, sent.body);
  // After translation the field's path speaks of a body that the client never wrote.
  const { param, ...rest } = read;
  const failure = sent.native && param !== undefined ? { ...rest, param } : rest;
  // What the dialect knows of the failure comes first: an account without credit is not back in the second that is sent.
  const told = failure.retryAfterMs ?? toldWaitMs(response.headers, body);
  const wait = told ?? (failure.kind === 'rate_limited' ? limitResetMs(response.headers) : undefined);
  const share = failure.kind === 'context_too_long' ? toldShare(body) : undefined;
  return new AttemptFailed({
    ...failure,
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(share !== undefined && { fittingShare: share }),
  });
}

export interface Attempted<Answer = WholeAnswer | StreamedAnswer> {
  readonly answered: Answer;
  /** What the target's dialect could not carry, and of a whole answer what the client's cannot. */
  readonly dropped: readonly string[];
  /** This was the last that the vendor's limit allows; the time until the next one. */
  readonly usedUpMs: number | undefined;
}

/** What of an answer has no place in the words of the client, such as an image or thinking that its vendor hides. */
const lostOf = ({ answer }: WholeAnswer): readonly string[] => [
  ...new Set(answer?.parts.flatMap((part) => (part.type === 'opaque' ? part.label : []))),
];

/** Whom to ask, with which of its keys, and until when. */
export interface Asked {
  readonly target: LiveTarget;
  readonly key: LiveKey;
  readonly signal: AbortSignal;
}

interface Asking {
  readonly key: LiveKey;
  readonly sent: Outgoing;
  readonly stream: boolean;
  readonly patience: Patience;
}

/** What every request says. Frozen: what is made of them further on is made once. */
const usualHeaders = (accept: string): Readonly<Record<string, string>> =>
  Object.freeze({
    'content-type': 'application/json',
    accept,
    // A compressed stream would arrive in lumps.
    'accept-encoding': 'identity',
  });
const wholeHeaders = usualHeaders('application/json');
const streamHeaders = usualHeaders('text/event-stream');

/** A good answer of which nothing has been read yet. */
export async function responseTo({ key, sent, stream, patience }: Asking): Promise<UpstreamResponse> {
  const address = sent.api.address(sent.body);
  const usual = stream ? streamHeaders : wholeHeaders;
  const headers = sent.headers || address.headers ? { ...sent.headers, ...usual, ...address.headers } : usual;
  const request = {
    path: address.path,
    headers,
    body: sent.bytes ?? writeExact(address.body),
    signal: patience.signal,
  };
  const response = await key.transport(request).catch((error: unknown) => {
    throw patience.failure(error, error instanceof CredentialUnavailable ? 'credential' : 'network');
  });
  patience.renew();
  if (response.status < 200 || response.status > 299) throw await refusedBy(response, sent, patience);
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    response.discard();
    throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the answer is encoded, though none was asked for'));
  }
  return response;
}

/** Resolves with an answer of which the client has seen nothing yet; throws `AttemptFailed`. */
export async function attempt(exchange: LookedUp, { target, key, signal }: Asked): Promise<Attempted> {
  const sent = outgoing(exchange, target);
  const isStream = exchange.call.stream;
  const firstTokenMs = isStream ? target.firstTokenTimeoutMs : undefined;
  const patience = new Patience(signal, { idleMs: target.timeoutMs, firstTokenMs });
  let streaming = false;
  let begun: Begun | undefined;
  try {
    const response = await responseTo({ key, sent, stream: isStream, patience });
    begun = {};
    const limit = usedUpMs(response.headers);
    if (!isStream) {
      const answered = await whole(response, sent, { target, patience });
      return { answered, dropped: [...sent.dropped, ...lostOf(answered)], usedUpMs: limit };
    }
    streaming = true;
    const { native, dropped, api } = sent;
    const hideUsage = native && !exchange.dialect.wantsStreamUsage(exchange.body);
    const stream = new AnswerStream({ response, patience, dialect: api.dialect, native, hideUsage, begun });
    await stream.open();
    patience.begun();
    return { answered: { form: 'stream', target, native, dialect: api.dialect, stream }, dropped, usedUpMs: limit };
  } catch (error) {
    throw patience.failure(error, 'broken_answer', begun);
  } finally {
    // A stream ends its own patience when it ends.
    if (!streaming) patience.end();
  }
}

/** Asks a target in the gateway's own name, with no client behind it; throws `AttemptFailed`. */
export async function askTarget(call: Call, { target, key, signal }: Asked): Promise<Answer> {
  const sent = translated(call, target);
  const patience = new Patience(signal, { idleMs: target.timeoutMs });
  try {
    const response = await responseTo({ key, sent, stream: false, patience });
    const { answer } = await whole(response, sent, { target, patience });
    if (!answer) throw new AttemptFailed({ kind: 'broken_answer' });
    return answer;
  } catch (error) {
    throw patience.failure(error, 'broken_answer');
  } finally {
    patience.end();
  }
}

/** Asks a target for the tokens of a call that is written in its own dialect; throws `AttemptFailed`. */
export async function askCount(sent: Outgoing, { target, key, signal }: Asked): Promise<number> {
  const { countAddress: address, dialect } = sent.api;
  if (!address || !dialect.readCount) throw new AttemptFailed({ kind: 'not_found' });
  const patience = new Patience(signal, { idleMs: target.timeoutMs });
  try {
    const asked = { ...sent, api: { ...sent.api, address } };
    const response = await responseTo({ key, sent: asked, stream: false, patience });
    return dialect.readCount(parseObject(await readAll(response, patience, maxFailureBytes)) ?? {});
  } catch (error) {
    throw patience.failure(error, 'broken_answer');
  } finally {
    patience.end();
  }
}
