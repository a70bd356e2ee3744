/** One try of an operation at one target: a whole JSON answer, or one whose first bytes have arrived. */
import type { ReservedTask, StreamedTaskAnswer, TaskPiece, WholeTaskAnswer } from '../exchange.ts';
import type { LiveTarget } from '../generation/generation.ts';
import type { UpstreamResponse } from '../providers/provider.ts';
import { readSse } from '../upstream/sse.ts';
import { usedUpMs } from '../upstream/told-wait.ts';
import { responseTo, type Asked, type Attempted } from './attempt.ts';
import { AttemptFailed, Patience, type Begun } from './patience.ts';
import { maxAnswerBytes, maxStreamBytes, parseObject, readAll, whileAlive } from './read-answer.ts';
import { outgoingTask, type OutgoingTask } from './task-outgoing.ts';

interface Trying {
  readonly target: LiveTarget;
  readonly outgoing: OutgoingTask;
  readonly patience: Patience;
}

async function whole(response: UpstreamResponse, { target, outgoing, patience }: Trying): Promise<WholeTaskAnswer> {
  const bytes = await readAll(response, patience, maxAnswerBytes);
  const body = parseObject(bytes);
  if (!body) throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the answer is not a JSON object'));
  const { translate, task } = outgoing;
  if (!translate) return { form: 'whole', target, bytes, usage: task.readAnswer(body) };
  const translated = translate(body);
  return { form: 'whole', target, bytes: JSON.stringify(translated.body), usage: translated.usage };
}

async function* plainPieces(response: UpstreamResponse, { patience }: Trying): AsyncGenerator<TaskPiece> {
  for await (const bytes of whileAlive(response.body, patience, maxStreamBytes)) yield { bytes, usage: undefined };
}

/** Each event as it came. A stream that says of itself that it failed, or that ends without its end, fails. */
async function* events(response: UpstreamResponse, { outgoing, patience }: Trying): AsyncGenerator<TaskPiece> {
  const { sent, task } = outgoing;
  let ended = false;
  for await (const { raw, message } of readSse(whileAlive(response.body, patience, maxStreamBytes))) {
    const data = message && parseObject(Buffer.from(message.data));
    if (data?.['error']) throw new AttemptFailed(sent.api.dialect.readFailure(500, data, {}));
    ended ||= message !== undefined && task.isEnd(message);
    yield { bytes: raw, usage: data && task.readEvent(data) };
  }
  if (!ended) throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the stream ended without its end mark'));
}

async function* ended(pieces: AsyncIterable<TaskPiece>, response: UpstreamResponse, patience: Patience) {
  try {
    yield* pieces;
  } catch (error) {
    throw patience.failure(error, 'broken_answer');
  } finally {
    patience.end();
    response.discard();
  }
}

/** Holds the answer until something of it is there, so that a target that fails at once can still be replaced. */
async function opened(pieces: AsyncGenerator<TaskPiece>): Promise<AsyncIterable<TaskPiece>> {
  const first = await pieces.next();
  if (first.done) throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the answer is empty'));
  return (async function* () {
    try {
      yield first.value;
      yield* pieces;
    } finally {
      await pieces.return(undefined);
    }
  })();
}

/** Resolves with an answer of which the client has seen nothing yet; throws `AttemptFailed`. */
export async function attemptTask(
  exchange: ReservedTask,
  { target, key, signal }: Asked,
): Promise<Attempted<WholeTaskAnswer | StreamedTaskAnswer>> {
  const outgoing = outgoingTask(exchange, target);
  const { sent } = outgoing;
  const patience = new Patience(signal, { idleMs: target.timeoutMs });
  const trying = { target, outgoing, patience };
  let streaming = false;
  let begun: Begun | undefined;
  try {
    const response = await responseTo({ key, sent, stream: exchange.call.stream, patience });
    begun = {};
    const limit = usedUpMs(response.headers);
    const contentType = String(response.headers['content-type'] ?? 'application/octet-stream');
    if (/^application\/json\b/i.test(contentType))
      return { answered: await whole(response, trying), dropped: sent.dropped, usedUpMs: limit };
    streaming = true;
    const isEvents = /^text\/event-stream\b/i.test(contentType);
    const pieces = isEvents ? events(response, trying) : plainPieces(response, trying);
    const answered = {
      form: 'stream',
      target,
      contentType,
      isEvents,
      pieces: await opened(ended(pieces, response, patience)),
    } as const;
    return { answered, dropped: sent.dropped, usedUpMs: limit };
  } catch (error) {
    throw patience.failure(error, 'broken_answer', begun);
  } finally {
    // A stream ends its own patience when it ends.
    if (!streaming) patience.end();
  }
}
