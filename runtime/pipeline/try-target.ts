/** One attempt and what is noted of it: for the client, the log, the metrics, and the health of the upstream and of the revision. */
import type { Failure } from '../call.ts';
import type { Dispatchable, Finish } from '../exchange.ts';
import type { LiveKey, LiveTarget } from '../generation/live.ts';
import { causeInWords } from '../log.ts';
import { droppedInWords } from '../outcome.ts';
import type { Ticket } from '../upstream/breaker.ts';
import type { Asked, Attempted } from './attempt.ts';
import type { Contender } from './contenders.ts';
import type { Deadline } from './deadline.ts';
import { settleUnanswered, spend } from './meter.ts';
import { moves } from './moves.ts';
import { AttemptFailed } from './patience.ts';

/** What is asked of a target: a call, or an operation beside it. */
export type Attempt<E, Answer> = (exchange: E, asked: Asked) => Promise<Attempted<Answer>>;

/** What any answer tells of itself. */
export interface Told {
  readonly target: LiveTarget;
  readonly form: 'whole' | 'stream';
}

export type Found<E, Answer> = E & { readonly answered: Answer; readonly finish: Finish };

export interface Trying {
  readonly contender: Contender;
  readonly key: LiveKey;
  readonly ticket: Ticket;
  readonly deadline: Deadline;
}

/** An answer, and the try that brought it. */
export interface Tried<Answer> extends Attempted<Answer> {
  readonly trying: Trying;
  readonly tookMs: number;
}

/** What failed says of the key that was used. */
function noteKey(
  { house }: Dispatchable,
  { contender: { target }, key }: Trying,
  { kind, retryAfterMs }: Failure,
): void {
  if (kind === 'credential') house.upstreams.keys.refused(key);
  if (kind === 'rate_limited') house.upstreams.keys.limited(key, target.model, retryAfterMs);
}

function warn({ house, generation, id }: Dispatchable, { contender, key }: Trying, error: AttemptFailed): void {
  const { target } = contender;
  const hasOthers = (target.provider.live?.keys.length ?? 1) > 1;
  house.log.warn(
    {
      event: 'attempt_failed',
      request: id,
      revision: generation.revision.short,
      target: target.label,
      key: hasOthers ? key.position : undefined,
      failure: error.failure.kind,
      status: error.failure.status,
      cause: causeInWords(error.cause),
    },
    'attempt failed',
  );
}

/**
 * Returns whom to tell how a stream ended. That it began counts at once, because the next request goes by it; a stream that
 * breaks off takes it back, whatever broke it, unless the vendor says in it what it also says in place of an answer.
 */
function noteAnswer<Answer extends Told>(exchange: Dispatchable, tried: Tried<Answer>): Finish {
  const { outcome, house, generation, call } = exchange;
  const { answered, trying, tookMs, usedUpMs } = tried;
  const { key, ticket } = trying;
  const { target } = trying.contender;
  const stream = ticket.answered();
  house.upstreams.of(target).latency[call.stream ? 'begun' : 'whole'].note(tookMs);
  house.upstreams.keys.answered(key, target.model);
  // Known before the next request runs into it.
  if (usedUpMs !== undefined) house.upstreams.keys.limited(key, target.model, usedUpMs);
  generation.health.answered(target.label);
  const last = outcome.tried.push({ target: target.label, ended: 'answered' }) - 1;
  const count = (ended: string) => house.metrics.attempts.inc({ target: target.label, outcome: ended });
  if (answered.form === 'whole') count('answered');
  return (end) => {
    count(end instanceof AttemptFailed ? end.failure.kind : 'answered');
    if (end === 'complete') stream.ended();
    if (!(end instanceof AttemptFailed)) return;
    const { blame, health } = moves[end.failure.kind];
    if (health !== 'well') stream.brokeOff();
    generation.health.brokeOff(target.label, blame);
    noteKey(exchange, trying, end.failure);
    outcome.tried[last] = { target: target.label, ended: end.failure.kind, begun: true };
    warn(exchange, trying, end);
  };
}

function noteFailure(exchange: Dispatchable, trying: Trying, error: AttemptFailed): void {
  const { outcome, house, generation } = exchange;
  const { ticket } = trying;
  const { target } = trying.contender;
  const { kind } = error.failure;
  const { blame, health } = moves[kind];
  if (health === 'sick') ticket.failed();
  else if (health === 'well') ticket.answered();
  else ticket.unclear();
  noteKey(exchange, trying, error.failure);
  if (blame) generation.health.blamed(target.label, blame);
  // Whoever fell silent read it all the same.
  if (error.begun || kind === 'timeout') spend(exchange, target.label, error.begun?.usage);
  house.metrics.attempts.inc({ target: target.label, outcome: kind });
  outcome.tried.push({ target: target.label, ended: kind });
  warn(exchange, trying, error);
}

/** This is the one that the client gets. */
export function tellAnswer<E extends Dispatchable, Answer extends Told>(
  exchange: E,
  tried: Tried<Answer>,
): Found<E, Answer> {
  const { answered, dropped } = tried;
  const finish = noteAnswer(exchange, tried);
  exchange.outcome.target = answered.target.label;
  exchange.outcome.dropped = dropped;
  const words = droppedInWords(exchange.outcome);
  if (words !== undefined) exchange.reply.header('headgate-dropped', words);
  return Object.assign(exchange, { answered, finish });
}

/** Another was faster: what was read here is spent, and none of it is held against the target. */
export function noteOutrun(exchange: Dispatchable, { label }: LiveTarget): void {
  spend(exchange, label);
  exchange.outcome.tried.push({ target: label, ended: 'outrun' });
}

/** An answer of which the client has seen nothing yet, or why there is none. Throws when there is nobody left to answer. */
export async function tryTarget<E extends Dispatchable, Answer>(
  exchange: E,
  trying: Trying,
  attempt: Attempt<E, Answer>,
): Promise<Tried<Answer> | AttemptFailed> {
  const { outcome } = exchange;
  const { contender, key, ticket, deadline } = trying;
  const { target, signal } = contender;
  const started = performance.now();
  outcome.attempts += 1;
  outcome.target = target.label;
  contender.isUnderWay = true;
  try {
    const attempted = await attempt(exchange, { target, key, signal });
    return { ...attempted, trying, tookMs: performance.now() - started };
  } catch (error) {
    const isOurs = !(error instanceof AttemptFailed);
    if (contender.wasOutrun) {
      ticket.unclear();
      if (isOurs) throw error;
      return error;
    }
    if (deadline.signal.aborted || isOurs) {
      // Who was cut short is not to blame, unless it had most of the time to itself.
      if (!isOurs && deadline.hasPassed && deadline.isMostly(performance.now() - started)) ticket.failed();
      else ticket.unclear();
      if (!isOurs) settleUnanswered(exchange, target.label, error.begun?.usage);
      if (!isOurs && deadline.hasPassed) outcome.tried.push({ target: target.label, ended: 'timeout' });
      deadline.check(error);
      throw error;
    }
    noteFailure(exchange, trying, error);
    return error;
  } finally {
    contender.isUnderWay = false;
  }
}
