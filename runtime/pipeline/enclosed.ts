/**
 * Decides about a call inside of a batch as if it had come by itself: who may use its model, what policies say, how it is cut. What
 * comes out is the body for the vendor that keeps the batch; nothing is translated.
 */
import type { JsonObject } from '../call.ts';
import type { EnclosedCall, Enclosing } from '../dialects/holdings.ts';
import { HeadgateError } from '../errors.ts';
import type { AccountKnown, AcceptedTask } from '../exchange.ts';
import type { LiveModel, LiveTarget } from '../generation/live.ts';
import { HeldReply } from '../held-reply.ts';
import { conversationKinds } from '../model-kind.ts';
import { newOutcome } from '../outcome.ts';
import { Pace } from '../pace.ts';
import { read } from './accept.ts';
import { callOf } from './accept-task.ts';
import { callAt, taskAt, type CallLine, type TaskLine } from './find-line.ts';
import { fit } from './fit.ts';
import { guard } from './guard.ts';
import { outgoing, speaks } from './outgoing.ts';
import { resolve, type Purpose } from './resolve.ts';
import { isAnsweredAs } from './task-outgoing.ts';

/** What is noted of the call is forgotten: the log tells of the request that brought it. */
const apart = (exchange: AccountKnown) => ({ ...exchange, outcome: newOutcome(), reply: new HeldReply() });

function purposeOf(
  { account }: AccountKnown,
  kinds: Purpose['kinds'],
  answers: (target: LiveTarget) => boolean,
): Purpose {
  return {
    kinds,
    answers: (target) => target.provider.name === account.name && answers(target),
    refusal: ({ name }) =>
      new HeadgateError(
        'operation_not_supported',
        `Model '${name}' has no target that takes this request at '${account.name}', where your batches run.`,
        { param: 'model', object: `models.${name}` },
      ),
  };
}

/** What a consumer sends to a vendor in a file it can read again there. */
function refusePrompts({ name, render }: LiveModel): void {
  if (!render) return;
  throw new HeadgateError(
    'operation_not_supported',
    `Model '${name}' has a prompt, and a batch would show it to whoever reads the batch's file.`,
    { param: 'model', object: `models.${name}` },
  );
}

function changedCall(exchange: AccountKnown, { surface, dialect, says }: CallLine, sent: JsonObject): JsonObject {
  const body = { ...sent, ...says };
  const call = read(() => dialect.readCall(body));
  if (call.stream) throw new HeadgateError('invalid_request', 'A batch has no streams.', { param: 'stream' });
  const readBody = () => Promise.resolve(Buffer.alloc(0));
  const accepted = { ...apart(exchange), surface, dialect, says, readBody, body, call };
  const kinds = purposeOf(exchange, conversationKinds, (target) => speaks(target, dialect));
  const fitted = fit(guard(resolve(accepted, kinds)));
  refusePrompts(fitted.model);
  const [target] = fitted.targets;
  if (!target) throw new TypeError('a call that was resolved has a target');
  return outgoing(fitted, target).body;
}

function changedTask(exchange: AccountKnown, { surface, asked, says }: TaskLine, sent: JsonObject): JsonObject {
  const { task, kind } = asked;
  const body = { ...sent, ...says };
  const call = callOf(read(() => task.readTask(body)));
  const readBody = () => Promise.resolve(Buffer.alloc(0));
  const payloadFor: AcceptedTask['payloadFor'] = () => ({ contentType: 'application/json', bytes: '' });
  const accepted = { ...apart(exchange), surface, asked, says, readBody, body, call, payloadFor };
  const { targets } = guard(resolve(accepted, purposeOf(exchange, [kind], isAnsweredAs(task))));
  const [target] = targets;
  if (!target) throw new TypeError('a task that was resolved has a target');
  return task.rewrite ? task.rewrite(body, target.model) : { ...body, model: target.model };
}

/** The same refusal, saying which of many calls is meant. */
export function toldOf(place: string, error: unknown): unknown {
  if (!(error instanceof HeadgateError)) return error;
  const { code, message, param, object, cause } = error;
  const more = object === undefined ? {} : { object };
  return new HeadgateError(code, `${place}: ${message}`, { param, noRetry: true, cause, ...more });
}

/** All calls inside of a body, with other requests in between where they are many. */
export async function changedIn(exchange: AccountKnown, body: JsonObject, encloses: Enclosing): Promise<JsonObject> {
  const bodies: JsonObject[] = [];
  await new Pace(exchange.signal).each(
    read(() => encloses.callsIn(body)),
    (call) => {
      try {
        bodies.push(changedFor(exchange, call));
      } catch (error) {
        throw toldOf(encloses.placeOf(bodies.length), error);
      }
    },
  );
  return encloses.withBodies(body, bodies);
}

/** Throws `HeadgateError`. */
export function changedFor(exchange: AccountKnown, { path, body }: EnclosedCall): JsonObject {
  const call = callAt(path);
  if (call && call.surface === exchange.surface && !call.writeCount) return changedCall(exchange, call, body);
  const task = taskAt(path);
  if (task && task.surface === exchange.surface) return changedTask(exchange, task, body);
  throw new HeadgateError('invalid_request', 'No model is asked at the path that the request is for.', {
    param: 'url',
  });
}
