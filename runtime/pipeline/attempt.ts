/** One try at one target: from the call to a usable answer, or to a failure that says what to do next. */
import type { Answer, AnswerEvent, Call, JsonObject } from '../call.ts';
import { AnswerFailed, type SseMessage } from '../dialects/dialect.ts';
import type { LookedUp, StreamedAnswer, StreamedEvent, WholeAnswer } from '../exchange.ts';
import type { LiveTarget } from '../generation/generation.ts';
import { CredentialUnavailable, type Api, type UpstreamResponse } from '../providers/provider.ts';
import { readSse, type SseBlock } from '../upstream/sse.ts';
import { outgoing, translated, type Outgoing } from './outgoing.ts';
import { AttemptFailed, Patience } from './patience.ts';

/** An answer larger than this is no chat answer. */
export const maxAnswerBytes = 64 * 1024 * 1024;
/** Of an error body only the beginning is of interest. */
const maxFailureBytes = 64 * 1024;
/** How long a stream may stay open after its end mark, so that its connection can be used again. */
const lingerMs = 1_000;

export async function* whileAlive(
  body: AsyncIterable<Uint8Array>,
  patience: Patience,
  most: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    patience.renew();
    size += chunk.byteLength;
    if (size > most)
      throw new AttemptFailed({ kind: 'broken_answer' }, new Error(`the answer has more than ${most} bytes`));
    patience.rest();
    yield chunk;
    patience.renew();
  }
}

export async function readAll(response: UpstreamResponse, patience: Patience, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of whileAlive(response.body, patience, most)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` is seconds, or an HTTP date. */
export function retryAfterMs(header: string | readonly string[] | undefined, now = Date.now()): number | undefined {
  const text = typeof header === 'string' ? header.trim() : undefined;
  if (!text) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, Math.min(ms, 86_400_000)) : undefined;
}

async function whole(
  response: UpstreamResponse,
  sent: Outgoing,
  attempt: { target: LiveTarget; patience: Patience },
): Promise<WholeAnswer> {
  const { target, patience } = attempt;
  const bytes = await readAll(response, patience, maxAnswerBytes);
  const body = parseObject(bytes);
  if (!body) throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the answer is not a JSON object'));
  const { dialect } = sent.api;
  try {
    // Read even when it passes untouched: some vendors say 200 to an error, and that is no answer.
    const answer = dialect.readAnswer(body);
    return { form: 'whole', target, bytes, body, answer: sent.native ? undefined : answer, usage: answer.usage };
  } catch (error) {
    throw new AttemptFailed(error instanceof AnswerFailed ? error.failure : { kind: 'broken_answer' }, error);
  }
}

const isEnd = (events: readonly AnswerEvent[]): boolean => events.some(({ type }) => type === 'end');

/** Framings other than server-sent events exist at vendors only: no client is sent them as they came. */
async function* framed(messages: AsyncIterable<SseMessage>): AsyncGenerator<SseBlock> {
  for await (const message of messages) yield { raw: '', message };
}

async function* readEvents(
  response: UpstreamResponse,
  { dialect }: Api,
  patience: Patience,
): AsyncGenerator<StreamedEvent> {
  const reader = dialect.eventReader();
  const bytes = whileAlive(response.body, patience, Infinity);
  let lingering: NodeJS.Timeout | undefined;
  try {
    for await (const block of dialect.frames ? framed(dialect.frames(bytes)) : readSse(bytes)) {
      const events = block.message ? reader.read(block.message) : [];
      if (isEnd(events)) lingering ??= setTimeout(() => response.discard(), lingerMs);
      yield { block, events };
    }
    const last = reader.finish?.() ?? [];
    if (last.length > 0) yield { block: { raw: '', message: undefined }, events: last };
  } catch (error) {
    // Once the answer is complete, how its connection ends is of no interest.
    if (lingering === undefined) throw patience.failure(error, 'broken_answer');
  } finally {
    clearTimeout(lingering);
    patience.end();
    response.discard();
  }
}

/** Holds the stream until it has said something, so that a target that fails at once can still be replaced. */
async function opened(events: AsyncGenerator<StreamedEvent>): Promise<AsyncIterable<StreamedEvent>> {
  const held: StreamedEvent[] = [];
  const says = ({ type }: AnswerEvent) => type !== 'start' && type !== 'usage' && type !== 'end';
  for (;;) {
    const next = await events.next();
    if (next.done || (isEnd(next.value.events) && !next.value.events.some(says))) {
      await events.return(undefined);
      throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the stream ended before it said anything'));
    }
    const failed = next.value.events.find((event) => event.type === 'failure');
    if (failed) {
      await events.return(undefined);
      throw new AttemptFailed(failed.failure);
    }
    held.push(next.value);
    if (next.value.events.some(says)) break;
  }
  return (async function* () {
    try {
      yield* held;
      yield* events;
    } finally {
      await events.return(undefined);
    }
  })();
}

async function refusedBy(response: UpstreamResponse, sent: Outgoing, patience: Patience): Promise<AttemptFailed> {
  const bytes = await readAll(response, patience, maxFailureBytes).catch(() => Buffer.alloc(0));
  response.discard();
  const read = sent.api.dialect.readFailure(response.status, parseObject(bytes), sent.body);
  // After translation the field's path speaks of a body that the client never wrote.
  const { param, ...rest } = read;
  const failure = sent.native && param !== undefined ? { ...rest, param } : rest;
  // What the dialect knows of the failure comes first: an account without credit is not back in the second that is sent.
  const wait = failure.retryAfterMs ?? retryAfterMs(response.headers['retry-after']);
  return new AttemptFailed(wait === undefined ? failure : { ...failure, retryAfterMs: wait });
}

export interface Attempted<Answer = WholeAnswer | StreamedAnswer> {
  readonly answered: Answer;
  /** What the target's dialect could not carry. */
  readonly dropped: readonly string[];
}

interface Asking {
  readonly target: LiveTarget;
  readonly sent: Outgoing;
  readonly stream: boolean;
  readonly patience: Patience;
}

/** A good answer of which nothing has been read yet. */
export async function responseTo({ target, sent, stream, patience }: Asking): Promise<UpstreamResponse> {
  const { live } = target.provider;
  if (!live) throw new AttemptFailed({ kind: 'credential' });
  const address = sent.api.address(sent.body);
  const headers = {
    ...sent.headers,
    'content-type': 'application/json',
    accept: stream ? 'text/event-stream' : 'application/json',
    // A compressed stream would arrive in lumps.
    'accept-encoding': 'identity',
    ...address.headers,
  };
  const request = {
    path: address.path,
    headers,
    body: sent.bytes ?? JSON.stringify(address.body),
    signal: patience.signal,
  };
  const response = await live.transport(request).catch((error: unknown) => {
    throw patience.failure(error, error instanceof CredentialUnavailable ? 'credential' : 'network');
  });
  patience.renew();
  if (response.status < 200 || response.status > 299) throw await refusedBy(response, sent, patience);
  return response;
}

/** Resolves with an answer of which the client has seen nothing yet; throws `AttemptFailed`. */
export async function attempt(exchange: LookedUp, target: LiveTarget): Promise<Attempted> {
  const sent = outgoing(exchange, target);
  const { stream } = exchange.call;
  const patience = new Patience(exchange.signal, target.timeoutMs);
  let streaming = false;
  try {
    const response = await responseTo({ target, sent, stream, patience });
    if (!stream) return { answered: await whole(response, sent, { target, patience }), dropped: sent.dropped };
    streaming = true;
    const events = await opened(readEvents(response, sent.api, patience));
    const { native, dropped } = sent;
    const hideUsage = native && !exchange.dialect.wantsStreamUsage(exchange.body);
    return { answered: { form: 'stream', target, native, events, hideUsage }, dropped };
  } catch (error) {
    throw patience.failure(error, 'broken_answer');
  } finally {
    // A stream ends its own patience when it ends.
    if (!streaming) patience.end();
  }
}

/** Asks a target in the gateway's own name, with no client behind it; throws `AttemptFailed`. */
export async function askTarget(call: Call, target: LiveTarget, signal: AbortSignal): Promise<Answer> {
  const sent = translated(call, target);
  const patience = new Patience(signal, target.timeoutMs);
  try {
    const response = await responseTo({ target, sent, stream: false, patience });
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
export async function askCount(sent: Outgoing, target: LiveTarget, signal: AbortSignal): Promise<number> {
  const { countAddress: address, dialect } = sent.api;
  if (!address || !dialect.readCount) throw new AttemptFailed({ kind: 'not_found' });
  const patience = new Patience(signal, target.timeoutMs);
  try {
    const asked = { ...sent, api: { ...sent.api, address } };
    const response = await responseTo({ target, sent: asked, stream: false, patience });
    return dialect.readCount(parseObject(await readAll(response, patience, maxFailureBytes)) ?? {});
  } catch (error) {
    throw patience.failure(error, 'broken_answer');
  } finally {
    patience.end();
  }
}
