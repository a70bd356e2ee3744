/** Reads what a target sends: one body or a stream, bounded in size and in the time that it may be silent. */
import type { AnswerEvent, JsonObject } from '../call.ts';
import { AnswerFailed, type SseMessage } from '../dialects/dialect.ts';
import { parseExact } from '../dialects/exact-json.ts';
import type { StreamedEvent, WholeAnswer } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { Api, UpstreamResponse } from '../providers/provider.ts';
import { readSseTogether, type SseBlock } from '../upstream/sse.ts';
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

const tooLarge = (most: number) =>
  new AttemptFailed({ kind: 'broken_answer' }, new Error(`the answer has more than ${most} bytes`));

export async function* whileAlive(
  body: AsyncIterable<Uint8Array>,
  patience: Patience,
  most: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    patience.renew();
    size += chunk.byteLength;
    if (size > most) throw tooLarge(most);
    patience.rest();
    yield chunk;
    patience.renew();
  }
}

export async function readAll(response: UpstreamResponse, patience: Patience, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    patience.renew();
    size += chunk.byteLength;
    if (size > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  const [first] = chunks;
  return chunks.length === 1 && first ? Buffer.from(first.buffer, first.byteOffset, size) : Buffer.concat(chunks);
}

export function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = parseExact(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
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
async function* framed(messages: AsyncIterable<SseMessage>): AsyncGenerator<readonly SseBlock[]> {
  for await (const message of messages) yield [{ raw: '', message }];
}

/** Events that arrived together. */
type Together = readonly StreamedEvent[];

export async function* readEvents(
  response: UpstreamResponse,
  { dialect }: Api,
  patience: Patience,
): AsyncGenerator<Together> {
  const reader = dialect.eventReader();
  const bytes = whileAlive(response.body, patience, maxStreamBytes);
  let lingering: NodeJS.Timeout | undefined;
  try {
    for await (const blocks of dialect.frames ? framed(dialect.frames(bytes)) : readSseTogether(bytes)) {
      const together = blocks.map((block) => ({ block, events: block.message ? reader.read(block.message) : [] }));
      if (together.some(({ events }) => isEnd(events))) lingering ??= setTimeout(() => response.discard(), lingerMs);
      yield together;
    }
    const last = reader.finish?.() ?? [];
    if (last.length > 0) yield [{ block: { raw: '', message: undefined }, events: last }];
  } catch (error) {
    // Once the answer is complete, how its connection ends is of no interest.
    if (lingering === undefined) throw patience.failure(error, 'broken_answer');
  } finally {
    clearTimeout(lingering);
    patience.end();
    response.discard();
  }
}

const silent: ReadonlySet<AnswerEvent['type']> = new Set(['start', 'usage', 'opaque', 'end']);
const says = (events: readonly AnswerEvent[]): boolean => events.some(({ type }) => !silent.has(type));

/** What has been heard of a stream that has not said anything yet. */
class Opening {
  readonly held: StreamedEvent[] = [];
  readonly #begun: Begun;
  #size = 0;
  #isAnswering = false;

  constructor(begun: Begun) {
    this.#begun = begun;
  }

  /** Whether it can go to the client; throws `AttemptFailed` where it never will. */
  hear(together: Together): boolean {
    let isOpen = false;
    for (const streamed of together) {
      this.held.push(streamed);
      // What comes with the first word is judged as what comes after it.
      isOpen ||= this.#isSaid(streamed);
    }
    return isOpen;
  }

  #isSaid({ block, events }: StreamedEvent): boolean {
    const hasSaid = says(events);
    if (isEnd(events) && !hasSaid) throw endedSilently();
    this.#begun.usage = events.findLast((event) => event.type === 'usage')?.usage ?? this.#begun.usage;
    const failed = events.find((event) => event.type === 'failure');
    if (failed) throw new AttemptFailed(failed.failure);
    this.#size += block.raw.length;
    this.#isAnswering ||= events.some((event) => event.type === 'opaque');
    if (hasSaid || this.#size <= maxHeldChars) return hasSaid;
    // An image alone may be larger than what is held.
    if (this.#isAnswering) return true;
    throw new AttemptFailed({ kind: 'broken_answer' }, new Error(`${maxHeldChars} characters came and said nothing`));
  }
}

const endedSilently = () =>
  new AttemptFailed({ kind: 'broken_answer' }, new Error('the stream ended before it said anything'));

/** Holds the stream until it has said something, so that a target that fails at once can still be replaced. */
export async function opened(events: AsyncGenerator<Together>, begun: Begun): Promise<AsyncIterable<Together>> {
  const opening = new Opening(begun);
  try {
    for (let isOpen = false; !isOpen;) {
      const next = await events.next();
      if (next.done) throw endedSilently();
      isOpen = opening.hear(next.value);
    }
  } catch (error) {
    await events.return(undefined);
    throw error;
  }
  return (async function* () {
    try {
      yield opening.held;
      yield* events;
    } finally {
      await events.return(undefined);
    }
  })();
}
