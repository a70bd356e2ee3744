/** Tries the targets in order until one answers. Only before the client's first byte: after it there is no way back. */
import type { FailureKind } from '../call.ts';
import { HeadgateError, type ErrorCode } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Blame } from '../generation/health.ts';
import type { LiveTarget } from '../generation/generation.ts';
import { causeInWords } from '../log.ts';
import type { Attempted } from './attempt.ts';
import { AttemptFailed } from './patience.ts';

interface Move {
  /** What to do next: the same target again (while it has retries), the next one, or nothing. */
  readonly next: 'same' | 'next' | 'stop';
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether the configuration can be the cause. */
  readonly blame?: Blame;
}

const moves: Readonly<Record<FailureKind, Move>> = {
  credential: {
    next: 'next',
    code: 'upstream_credential_refused',
    message: "The provider refused the gateway's credential.",
    blame: 'credential',
  },
  rate_limited: {
    next: 'next',
    code: 'upstream_rate_limited',
    message: 'Every target is rate limited by its provider.',
  },
  overloaded: { next: 'same', code: 'upstream_failed', message: 'The provider failed to answer.' },
  context_too_long: {
    next: 'next',
    code: 'context_length_exceeded',
    message: 'The conversation is longer than the model takes.',
  },
  bad_request: { next: 'stop', code: 'upstream_rejected_request', message: 'The provider finds the request wrong.' },
  not_found: {
    next: 'next',
    code: 'upstream_model_unknown',
    message: 'The provider does not know the configured model or path.',
    blame: 'not_found',
  },
  content_refused: {
    next: 'stop',
    code: 'upstream_content_refused',
    message: "The provider's content rules refused the request.",
  },
  broken_answer: {
    next: 'same',
    code: 'upstream_broken_answer',
    message: 'The provider sent an answer that cannot be understood.',
    blame: 'broken_answer',
  },
  network: { next: 'same', code: 'upstream_failed', message: 'The provider could not be reached.', blame: 'network' },
  timeout: { next: 'next', code: 'upstream_timeout', message: 'The provider did not answer in time.' },
};

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** Full jitter, so that many clients do not come back at the same moment. */
function pause(tried: number, random: () => number, signal: AbortSignal): Promise<void> {
  const ms = random() * Math.min(longestPauseMs, firstPauseMs * 2 ** tried);
  return new Promise((done) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish, { once: true });
  });
}

function leftByClient(signal: AbortSignal): void {
  if (signal.aborted) throw new HeadgateError('client_closed_request', 'The client left before the answer.');
}

/** A client can send any number of unknown fields; a header has its limits. */
const mostDropped = 20;

function droppedInWords(dropped: readonly string[]): string {
  const more = dropped.length - mostDropped;
  return dropped.slice(0, mostDropped).join(', ') + (more > 0 ? `, and ${more} more` : '');
}

/** What can be asked of one target after the other. */
type Dispatched = Exchange & { readonly targets: readonly LiveTarget[] };
type Attempt<E, Answer> = (exchange: E, target: LiveTarget) => Promise<Attempted<Answer>>;

async function tryOnce<E extends Dispatched, Answer>(
  exchange: E,
  target: LiveTarget,
  attempt: Attempt<E, Answer>,
): Promise<(E & { readonly answered: Answer }) | AttemptFailed> {
  const { outcome, house, generation, reply } = exchange;
  outcome.attempts += 1;
  outcome.target = target.label;
  try {
    const { answered, dropped } = await attempt(exchange, target);
    generation.health.answered(target.label);
    house.metrics.attempts.inc({ target: target.label, outcome: 'answered' });
    outcome.tried.push({ target: target.label, ended: 'answered' });
    if (dropped.length > 0) reply.header('headgate-dropped', droppedInWords(dropped));
    return Object.assign(exchange, { answered });
  } catch (error) {
    leftByClient(exchange.signal);
    if (!(error instanceof AttemptFailed)) throw error;
    const { kind, status } = error.failure;
    const { blame } = moves[kind];
    if (blame) generation.health.blamed(target.label, blame);
    house.metrics.attempts.inc({ target: target.label, outcome: kind });
    outcome.tried.push({ target: target.label, ended: kind });
    house.log.warn(
      {
        event: 'attempt_failed',
        request: exchange.id,
        revision: generation.revision.short,
        target: target.label,
        failure: kind,
        status,
        cause: causeInWords(error.cause),
      },
      'attempt failed',
    );
    return error;
  }
}

function refusal(failures: readonly AttemptFailed[]): HeadgateError {
  const last = failures.at(-1);
  if (!last) return new HeadgateError('internal_error', 'No target was tried.');
  const { failure } = last;
  const move = moves[failure.kind];
  // Waiting helps as soon as the first of them is ready again.
  const waits = failures.flatMap((one) => one.failure.retryAfterMs ?? []);
  const retryAfterMs = failure.kind === 'rate_limited' && waits.length > 0 ? Math.min(...waits) : undefined;
  return new HeadgateError(move.code, move.message, {
    param: failure.param,
    retryAfterMs,
    noRetry: move.next === 'stop',
    cause: last,
  });
}

export async function dispatch<E extends Dispatched, Answer>(
  exchange: E,
  attempt: Attempt<E, Answer>,
): Promise<E & { readonly answered: Answer }> {
  const failures: AttemptFailed[] = [];
  for (const target of exchange.targets) {
    for (let tried = 0; tried <= target.retries; tried += 1) {
      const result = await tryOnce(exchange, target, attempt);
      if (!(result instanceof AttemptFailed)) return result;
      failures.push(result);
      const { next } = moves[result.failure.kind];
      if (next === 'stop') throw refusal(failures);
      if (next === 'next') break;
      if (tried < target.retries) await pause(tried, exchange.house.random, exchange.signal);
      leftByClient(exchange.signal);
    }
  }
  throw refusal(failures);
}
