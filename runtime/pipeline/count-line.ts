/** The whole story of a request that asks how many tokens a call has: the vendor's own count, or an estimate that says so. */
import { gathered, type JsonObject } from '../call.ts';
import { messageTokens, tokensBeside } from '../context/message-tokens.ts';
import { HeadgateError } from '../errors.ts';
import type { Guarded, Reserved, SurfaceExchange } from '../exchange.ts';
import { causeInWords } from '../log.ts';
import { accept } from './accept.ts';
import { askCount } from './attempt.ts';
import { guard } from './guard.ts';
import { identify } from './identify.ts';
import { outgoing } from './outgoing.ts';
import { AttemptFailed } from './patience.ts';
import { reserve } from './reserve.ts';
import { conversation, resolve } from './resolve.ts';
import { settle } from './settle.ts';

/** As for any call, but for the context policy: the question is how long the conversation is, not whether it fits. */
export async function admitCount(exchange: SurfaceExchange): Promise<Reserved<Guarded>> {
  const identified = identify(exchange); // who is asking?               401
  const accepted = await accept(identified); // body -> call             400, 413, 415
  const resolved = resolve(accepted, conversation(accepted)); // model, prompt, targets 400, 403, 404
  const guarded = guard(resolved); // what may not leave is not counted  422
  const { quotas, deadlineMs } = guarded.model;
  return reserve(guarded, { quotas, longestMs: deadlineMs }); // as one request   429, 503
}

/** The first target's count, where it speaks the client's dialect and counts in it. */
async function countByVendor(exchange: Reserved<Guarded>): Promise<number | undefined> {
  const { targets, outcome, house, generation, id, reply, signal } = exchange;
  const [target] = targets;
  const sent = target && outgoing({ ...exchange, keep: undefined }, target);
  const key = target && house.upstreams.keys.nextAnyhow(target.provider.live?.keys ?? [], target.model);
  if (!key || !sent?.native || !sent.api.countAddress) return undefined;
  outcome.attempts += 1;
  outcome.target = target.label;
  try {
    const tokens = await askCount(sent, { target, key, signal });
    outcome.tried.push({ target: target.label, ended: 'answered' });
    reply.header('headgate-target', target.label);
    reply.header('headgate-attempts', String(outcome.attempts));
    return tokens;
  } catch (error) {
    if (signal.aborted) throw new HeadgateError('client_closed_request', 'The client left before the answer.');
    if (!(error instanceof AttemptFailed)) throw error;
    const { kind, status } = error.failure;
    outcome.tried.push({ target: target.label, ended: kind });
    const told = { request: id, revision: generation.revision.short, target: target.label, failure: kind, status };
    house.log.warn({ event: 'count_failed', ...told, cause: causeInWords(error.cause) }, 'count failed');
    return undefined;
  }
}

/** What stands in the call and in the model's prompt. */
function estimate({ call, prepend }: Guarded): number {
  const { messages, tools } = gathered(call);
  return [...prepend, ...messages].reduce((sum, message) => sum + messageTokens(message), tokensBeside({ tools }));
}

export async function countLine(exchange: SurfaceExchange, writeCount: (tokens: number) => JsonObject): Promise<void> {
  const reserved = await admitCount(exchange);
  let thrown: unknown;
  try {
    const counted = await countByVendor(reserved);
    if (counted === undefined) reserved.reply.header('headgate-estimate', 'true');
    reserved.reply.whole(200, 'application/json', JSON.stringify(writeCount(counted ?? estimate(reserved))));
  } catch (error) {
    thrown = error;
    throw error;
  } finally {
    await settle(reserved, thrown);
  }
}
