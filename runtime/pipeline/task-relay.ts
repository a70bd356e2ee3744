/** Sends the answer of an operation to the client: JSON, or bytes as they arrive. */
import { asHeadgateError, HeadgateError } from '../errors.ts';
import type { AnsweredTask, StreamedTaskAnswer } from '../exchange.ts';
import type { Deadline } from './deadline.ts';
import { AttemptFailed } from './patience.ts';
import { brokenStream, endOf, untilOver, wireError } from './relay.ts';

async function relayStream(
  { reply, outcome, signal }: AnsweredTask,
  answered: StreamedTaskAnswer,
  deadline: Deadline,
): Promise<void> {
  reply.startStream(answered.isEvents ? undefined : answered.contentType);
  for await (const { bytes, usage } of answered.pieces) {
    outcome.usage = usage ?? outcome.usage;
    await untilOver(reply.write(bytes), deadline);
    if (signal.aborted) throw new Error('the client is gone');
  }
  reply.end();
}

export async function relayTask(exchange: AnsweredTask, deadline: Deadline): Promise<void> {
  const { answered, reply, outcome, signal, surface, finish } = exchange;
  reply.header('headgate-target', answered.target.label);
  reply.header('headgate-attempts', String(outcome.attempts));
  if (answered.form === 'whole') {
    outcome.usage = answered.usage;
    reply.whole(200, 'application/json', answered.bytes);
    return;
  }
  try {
    await relayStream(exchange, answered, deadline);
    finish('complete');
  } catch (error) {
    finish(endOf(error, deadline));
    if (signal.aborted)
      throw new HeadgateError('client_closed_request', 'The client left in the middle of the answer.', {
        cause: error,
      });
    const known = error instanceof AttemptFailed ? brokenStream(error) : asHeadgateError(error);
    // Audio has no place for words: there the connection breaks, so that nobody takes half of it for the whole.
    if (answered.isEvents) {
      await reply.write(`data: ${JSON.stringify(surface.writeError(wireError(known)))}\n\n`);
      reply.end();
    }
    throw known;
  }
}
