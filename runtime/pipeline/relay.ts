/** Sends the answer to the client: untouched when it speaks the target's dialect, translated otherwise. */
import type { Answer, AnswerEvent, Failure } from '../call.ts';
import type { EventWriter, WireError } from '../dialects/dialect.ts';
import { writeExact } from '../dialects/exact-json.ts';
import { asHeadgateError, HeadgateError } from '../errors.ts';
import type { Answered, StreamedAnswer, StreamedEvent, WholeAnswer } from '../exchange.ts';
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

/** The usage event that the gateway asked for on its own account. */
const onlyUsage = (events: readonly AnswerEvent[]) => events.length > 0 && events.every(({ type }) => type === 'usage');

function textOf(exchange: Answered, { block, events }: StreamedEvent, how: Writing): string {
  const { writer, hideUsage } = how;
  if (!writer) return hideUsage && onlyUsage(events) ? '' : block.raw;
  return events
    .map((event) => {
      if (event.type === 'end' || event.type === 'failure') return '';
      return writer.write(event.type === 'start' ? named(event, exchange) : event);
    })
    .join('');
}

/** The header is gone: the log and the trace tell what the client's dialect has no words for. */
function noteLost({ outcome }: Answered, events: readonly AnswerEvent[]): void {
  const lost = events.flatMap((event) => (event.type === 'opaque' ? event.label : []));
  if (lost.length > 0) outcome.dropped = [...new Set([...outcome.dropped, ...lost])];
}

interface Writing {
  /** Absent where the client speaks the target's dialect. */
  readonly writer: EventWriter | undefined;
  readonly hideUsage: boolean;
  readonly meter: Meter;
}

interface Words {
  readonly text: string;
  /** In the event after them. */
  readonly failure?: Failure;
  readonly isLast: boolean;
}

/** What arrived together is one write: up to the end of the answer, or to what it failed with. */
function wordsOf(exchange: Answered, together: readonly StreamedEvent[], how: Writing): Words {
  let text = '';
  for (const streamed of together) {
    how.meter.hear(streamed.events);
    if (how.writer) noteLost(exchange, streamed.events);
    const failed = streamed.events.find((event) => event.type === 'failure');
    if (failed) return { text, failure: failed.failure, isLast: false };
    text += textOf(exchange, streamed, how);
    if (streamed.events.some(({ type }) => type === 'end')) return { text, isLast: true };
  }
  return { text, isLast: false };
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
  const includeUsage = dialect.wantsStreamUsage(exchange.body);
  const told = { includeUsage, asked: exchange.body, estimateInput: () => sentTokens(exchange) };
  const created = Math.floor(Date.now() / 1000);
  const writer = answered.native ? undefined : dialect.eventWriter({ ...told, created });
  let ended = false;
  reply.startStream();
  for await (const together of answered.events) {
    if (ended) continue;
    const { text, failure, isLast } = wordsOf(exchange, together, { writer, hideUsage: answered.hideUsage, meter });
    await untilOver(reply.write(text), deadline);
    if (failure) throw new AttemptFailed(failure);
    ended = isLast;
    if (ended) {
      // At once: a vendor may keep its side open, and that is not the client's to wait for.
      if (writer) await reply.write(writer.end());
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
  const meter = new Meter();
  try {
    await relayStream(exchange, { answered, meter, deadline });
    finish('complete');
  } catch (error) {
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
