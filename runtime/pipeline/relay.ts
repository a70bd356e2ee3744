/** Sends the answer to the client: untouched when it speaks the target's dialect, translated otherwise. */
import type { Answer, AnswerEvent, Failure } from '../call.ts';
import type { EventWriter, WireError } from '../dialects/dialect.ts';
import { writeExact } from '../dialects/exact-json.ts';
import { asHeadgateError, HeadgateError } from '../errors.ts';
import type { Answered, Heard, StreamedAnswer, WholeAnswer } from '../exchange.ts';
import type { Deadline } from './deadline.ts';
import { sentTokens } from './estimate.ts';
import { Meter, settleWhole } from './meter.ts';
import { AttemptFailed } from './patience.ts';
import { tellCost } from './price.ts';

/** Some vendors name neither the answer nor the model, and SDKs leave out what comes without. */
function named<Named extends Pick<Answer, 'id' | 'model'>>(told: Named, { id, answered }: Answered): Named {
  if (told.id !== '' && told.model !== '') return told;
  return { ...told, id: told.id || id, model: told.model || answered.target.model };
}

function relayWhole(exchange: Answered, { answer, bytes }: WholeAnswer): void {
  const { reply, dialect, body: asked } = exchange;
  const created = Math.floor(Date.now() / 1000);
  const body = answer ? writeExact(dialect.writeAnswer(named(answer, exchange), created, asked)) : bytes;
  reply.whole(200, 'application/json', body);
}

/** The header is gone: the log and the trace tell what the client's dialect has no words for. */
function noteLost({ outcome }: Answered, events: readonly AnswerEvent[]): void {
  const lost = events.flatMap((event) => (event.type === 'opaque' ? event.label : []));
  if (lost.length > 0) outcome.dropped = [...new Set([...outcome.dropped, ...lost])];
}

interface Written {
  readonly piece: string | Uint8Array;
  /** In the event after it. */
  readonly failure?: Failure | undefined;
  readonly isLast: boolean;
}

/** Translated, up to the end of the answer, or to what it failed with. */
function written(exchange: Answered, events: readonly AnswerEvent[], writer: EventWriter): Written {
  noteLost(exchange, events);
  let piece = '';
  for (const event of events) {
    if (event.type === 'failure') return { piece, failure: event.failure, isLast: false };
    if (event.type === 'end') return { piece: piece + writer.end(), isLast: true };
    piece += writer.write(event.type === 'start' ? named(event, exchange) : event);
  }
  return { piece, isLast: false };
}

/** Untouched: whoever read it left out what does not pass. */
function passed({ passing, events }: Heard): Written {
  const failure = events.find((event) => event.type === 'failure')?.failure;
  return { piece: passing, failure, isLast: events.some(({ type }) => type === 'end') };
}

/** A client that does not read holds nobody up for longer than the deadline. */
export async function untilOver(written: Promise<void> | undefined, { signal }: Deadline): Promise<void> {
  if (!written || signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const finish = () => over.resolve();
  signal.addEventListener('abort', finish, { once: true });
  await Promise.race([written, over.promise]);
  signal.removeEventListener('abort', finish);
}

interface Relaying {
  readonly answered: StreamedAnswer;
  readonly meter: Meter;
  readonly deadline: Deadline;
}

async function relayStream(exchange: Answered, { answered, meter, deadline }: Relaying): Promise<void> {
  const { reply, dialect, signal } = exchange;
  const { stream } = answered;
  const includeUsage = dialect.wantsStreamUsage(exchange.body);
  const told = { includeUsage, asked: exchange.body, estimateInput: () => sentTokens(exchange) };
  const created = Math.floor(Date.now() / 1000);
  const writer = answered.native ? undefined : dialect.eventWriter({ ...told, created });
  let ended = false;
  reply.startStream();
  for (let heard = await stream.next(); heard; heard = await stream.next()) {
    if (ended) continue;
    meter.hear(heard);
    const { piece, failure, isLast } = writer ? written(exchange, heard.events, writer) : passed(heard);
    // What arrived together is one write. Where there is room for it, nobody waits a turn of the loop.
    const wait = reply.write(piece);
    if (wait) await untilOver(wait, deadline);
    if (failure) throw new AttemptFailed(failure);
    ended = isLast;
    if (ended) {
      // At once: a vendor may keep its side open, and that is not the client's to wait for.
      reply.end();
    } else if (signal.aborted)
      throw new HeadgateError('client_closed_request', 'The client left in the middle of the answer.');
  }
  if (!ended) throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the stream ended without its end mark'));
}

export function wireError(error: HeadgateError): WireError {
  return { status: error.status, code: error.code, type: error.type, message: error.message, param: error.param };
}

export const brokenStream = (error: AttemptFailed): HeadgateError =>
  error.failure.kind === 'timeout'
    ? new HeadgateError('upstream_timeout', 'The provider stopped in the middle of the answer.', { cause: error })
    : new HeadgateError('upstream_broken_answer', 'The answer ended early: the provider broke it off.', {
        cause: error,
      });

/** What a stream that was not relayed to its end says of its target: who was cut short is not to blame. */
export const endOf = (error: unknown, { signal }: Deadline): 'cut_short' | AttemptFailed =>
  error instanceof AttemptFailed && !signal.aborted ? error : 'cut_short';

export async function relay(exchange: Answered, deadline: Deadline): Promise<void> {
  const { answered, reply, outcome, signal, dialect, finish } = exchange;
  reply.header('headgate-target', answered.target.label);
  reply.header('headgate-attempts', String(outcome.attempts));
  if (answered.form === 'whole') {
    settleWhole(exchange, answered.usage, answered.parts);
    tellCost(exchange);
    relayWhole(exchange, answered);
    return;
  }
  const meter = new Meter(answered);
  try {
    await relayStream(exchange, { answered, meter, deadline });
    finish('complete');
  } catch (error) {
    answered.stream.close();
    finish(endOf(error, deadline));
    if (signal.aborted)
      throw new HeadgateError('client_closed_request', 'The client left in the middle of the answer.', {
        cause: error,
      });
    const known = error instanceof AttemptFailed ? brokenStream(error) : asHeadgateError(error);
    // The status is long gone: the failure travels as an event, and the end mark is withheld.
    await untilOver(reply.write(dialect.writeErrorEvent(wireError(known))), deadline);
    reply.end();
    throw known;
  } finally {
    meter.settle(exchange);
  }
}
