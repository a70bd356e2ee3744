/** Reads what a target sends: one body or a stream, bounded in size and in the time that it may be silent. */
import type { AnswerEvent, JsonObject } from '../call.ts';
import { AnswerFailed, type SseMessage } from '../dialects/dialect.ts';
import { parseExact } from '../dialects/exact-json.ts';
import type { StreamedEvent, WholeAnswer } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { Api, UpstreamResponse } from '../providers/provider.ts';
import { readSse, type SseBlock } from '../upstream/sse.ts';
import type { Outgoing } from './outgoing.ts';
import { AttemptFailed, type Begun, type Patience } from './patience.ts';

/** An answer larger than this is no chat answer. */
export const maxAnswerBytes = 64 * 1024 * 1024;
/** And a stream larger than this none that anybody reads. */
export const maxStreamBytes = 512 * 1024 * 1024;
/** Of a stream that has not said anything yet. */
const maxHeldChars = 1024 * 1024;
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
    const value: unknown = parseExact(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

export async function whole(
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
    const { parts, usage } = answer;
    return { form: 'whole', target, bytes, body, answer: sent.native ? undefined : answer, parts, usage };
  } catch (error) {
    throw new AttemptFailed(error instanceof AnswerFailed ? error.failure : { kind: 'broken_answer' }, error);
  }
}

const isEnd = (events: readonly AnswerEvent[]): boolean => events.some(({ type }) => type === 'end');

/** Framings other than server-sent events exist at vendors only: no client is sent them as they came. */
async function* framed(messages: AsyncIterable<SseMessage>): AsyncGenerator<SseBlock> {
  for await (const message of messages) yield { raw: '', message };
}

export async function* readEvents(
  response: UpstreamResponse,
  { dialect }: Api,
  patience: Patience,
): AsyncGenerator<StreamedEvent> {
  const reader = dialect.eventReader();
  const bytes = whileAlive(response.body, patience, maxStreamBytes);
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
export async function opened(
  events: AsyncGenerator<StreamedEvent>,
  begun: Begun,
): Promise<AsyncIterable<StreamedEvent>> {
  const held: StreamedEvent[] = [];
  let size = 0;
  let isAnswering = false;
  const silent = new Set<AnswerEvent['type']>(['start', 'usage', 'opaque', 'end']);
  const says = ({ type }: AnswerEvent) => !silent.has(type);
  for (;;) {
    const next = await events.next();
    if (next.done || (isEnd(next.value.events) && !next.value.events.some(says))) {
      await events.return(undefined);
      throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the stream ended before it said anything'));
    }
    begun.usage = next.value.events.findLast((event) => event.type === 'usage')?.usage ?? begun.usage;
    const failed = next.value.events.find((event) => event.type === 'failure');
    if (failed) {
      await events.return(undefined);
      throw new AttemptFailed(failed.failure);
    }
    held.push(next.value);
    size += next.value.block.raw.length;
    isAnswering ||= next.value.events.some((event) => event.type === 'opaque');
    // An image alone may be larger than what is held.
    if (size > maxHeldChars && isAnswering) break;
    if (size > maxHeldChars && !next.value.events.some(says)) {
      await events.return(undefined);
      throw new AttemptFailed({ kind: 'broken_answer' }, new Error(`${maxHeldChars} characters came and said nothing`));
    }
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
