/** One attempt and what is noted of it: for the client, the log, the metrics, and the health of the upstream and of the revision. */
import type { Dispatchable } from '../exchange.ts';
import type { LiveKey, LiveTarget } from '../generation/generation.ts';
import { causeInWords } from '../log.ts';
import type { Ticket } from '../upstream/breaker.ts';
import type { Asked, Attempted } from './attempt.ts';
import type { Deadline } from './deadline.ts';
import { settleOutrun, settleUnanswered } from './meter.ts';
import { moves } from './moves.ts';
import { AttemptFailed } from './patience.ts';

/** A client can send any number of unknown fields; a header has its limits. */
const mostDropped = 20;

function droppedInWords(dropped: readonly string[]): string {
  const more = dropped.length - mostDropped;
  return dropped.slice(0, mostDropped).join(', ') + (more > 0 ? `, and ${more} more` : '');
}

/** What is asked of a target: a call, or an operation beside it. */
export type Attempt<E, Answer> = (exchange: E, asked: Asked) => Promise<Attempted<Answer>>;

export type Found<E, Answer> = E & { readonly answered: Answer };

export interface Trying {
  readonly target: LiveTarget;
  readonly key: LiveKey;
  readonly ticket: Ticket;
  readonly deadline: Deadline;
  /** Aborted with the deadline's, and when another target was faster. */
  readonly signal: AbortSignal;
}

type Noted = Trying & { readonly usedUpMs: number | undefined; readonly tookMs: number };

function noteAnswer(exchange: Dispatchable, { target, key, ticket, usedUpMs, tookMs }: Noted): void {
  const { outcome, house, generation, call } = exchange;
  ticket.answered();
  house.upstreams.of(target).latency[call.stream ? 'begun' : 'whole'].note(tookMs);
  house.upstreams.keys.answered(key, target.model);
  // Known before the next request runs into it.
  if (usedUpMs !== undefined) house.upstreams.keys.limited(key, target.model, usedUpMs);
  generation.health.answered(target.label);
  house.metrics.attempts.inc({ target: target.label, outcome: 'answered' });
  outcome.tried.push({ target: target.label, ended: 'answered' });
}

function noteFailure(exchange: Dispatchable, { target, key, ticket }: Trying, error: AttemptFailed): void {
  const { outcome, house, generation } = exchange;
  const { kind, status, retryAfterMs } = error.failure;
  const { blame, health } = moves[kind];
  if (health === 'sick') ticket.failed();
  else if (health === 'well') ticket.answered();
  else ticket.unclear();
  if (kind === 'credential') house.upstreams.keys.refused(key);
  if (kind === 'rate_limited') house.upstreams.keys.limited(key, target.model, retryAfterMs);
  if (blame) generation.health.blamed(target.label, blame);
  house.metrics.attempts.inc({ target: target.label, outcome: kind });
  outcome.tried.push({ target: target.label, ended: kind });
  const hasOthers = (target.provider.live?.keys.length ?? 1) > 1;
  house.log.warn(
    {
      event: 'attempt_failed',
      request: exchange.id,
      revision: generation.revision.short,
      target: target.label,
      key: hasOthers ? key.position : undefined,
      failure: kind,
      status,
      cause: causeInWords(error.cause),
    },
    'attempt failed',
  );
}

/** This is the one that the client gets. */
export function tellAnswer<E extends Dispatchable, Answer extends { readonly target: LiveTarget }>(
  exchange: E,
  { answered, dropped }: Attempted<Answer>,
): Found<E, Answer> {
  exchange.outcome.target = answered.target.label;
  if (dropped.length > 0) exchange.reply.header('headgate-dropped', droppedInWords(dropped));
  return Object.assign(exchange, { answered });
}

/** An answer of which the client has seen nothing yet, or why there is none. Throws when there is nobody left to answer. */
export async function tryTarget<E extends Dispatchable, Answer>(
  exchange: E,
  trying: Trying,
  attempt: Attempt<E, Answer>,
): Promise<Attempted<Answer> | AttemptFailed> {
  const { outcome } = exchange;
  const { target, key, ticket, deadline, signal } = trying;
  const started = performance.now();
  outcome.attempts += 1;
  outcome.target = target.label;
  try {
    const attempted = await attempt(exchange, { target, key, signal });
    noteAnswer(exchange, { ...trying, usedUpMs: attempted.usedUpMs, tookMs: performance.now() - started });
    return attempted;
  } catch (error) {
    const isOurs = !(error instanceof AttemptFailed);
    if (deadline.signal.aborted || isOurs) {
      // Who was cut short is not to blame, unless it had most of the time to itself.
      if (!isOurs && deadline.hasPassed && deadline.isMostly(performance.now() - started)) ticket.failed();
      else ticket.unclear();
      if (!isOurs && outcome.usage === undefined) settleUnanswered(exchange);
      if (!isOurs && deadline.hasPassed) outcome.tried.push({ target: target.label, ended: 'timeout' });
      deadline.check(error);
      throw error;
    }
    if (signal.aborted) {
      ticket.unclear();
      settleOutrun(exchange, target.label);
      outcome.tried.push({ target: target.label, ended: 'outrun' });
    } else noteFailure(exchange, trying, error);
    return error;
  }
}
