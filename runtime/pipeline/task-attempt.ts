/** One try of an operation at one target: a whole JSON answer, or one whose first bytes have arrived. */
import type { ReservedTask, StreamedTaskAnswer, TaskPiece, WholeTaskAnswer } from '../exchange.ts';
import type { Answered } from '../dialects/task-translation.ts';
import type { LiveTarget } from '../generation/live.ts';
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

async function answerIn(response: UpstreamResponse, patience: Patience): Promise<Answered & { bytes: Buffer }> {
  const bytes = await readAll(response, patience, maxAnswerBytes);
  const body = parseObject(bytes);
  if (!body) throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the answer is not a JSON object'));
  return { body, bytes, headers: response.headers };
}

/** The parts of one operation that are asked for at once: the client counts as one of many. */
const partsAtOnce = 8;

/** Answers to all parts but the first, in their order. After a failure nothing more is asked for. */
async function answersToMore({ outgoing, patience }: Trying, key: Asked['key']): Promise<readonly Answered[]> {
  const { more } = outgoing;
  const answers: Answered[] = [];
  const left = more.entries();
  const failures: unknown[] = [];
  const work = async () => {
    for (const [index, sent] of left) {
      if (failures.length > 0) return;
      try {
        const response = await responseTo({ key, sent, stream: false, patience });
        answers[index] = await answerIn(response, patience);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(partsAtOnce, more.length) }, work));
  if (failures.length > 0) throw failures[0];
  return answers;
}

async function whole(response: UpstreamResponse, trying: Trying, key: Asked['key']): Promise<WholeTaskAnswer> {
  const { target, outgoing, patience } = trying;
  const first = await answerIn(response, patience);
  const { join, task } = outgoing;
  if (!join) return { form: 'whole', target, bytes: first.bytes, usage: task.readAnswer(first.body) };
  const joined = join([first, ...(await answersToMore(trying, key))]);
  return { form: 'whole', target, bytes: JSON.stringify(joined.body), usage: joined.usage };
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
      return { answered: await whole(response, trying, key), dropped: sent.dropped, usedUpMs: limit };
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
