/** What each way to fail means: what to do next, what the client is told, and whose fault it can be. */
import type { FailureKind } from '../call.ts';
import { HeadgateError, type ErrorCode } from '../errors.ts';
import type { Blame } from '../generation/health.ts';
import type { AttemptFailed } from './patience.ts';

export interface Move {
  /**
   * `same`: the same target again after a pause, while it has retries; then the next one. `key`: the provider's next key,
   * then the next target. `larger`: the same once more with less of the
   * conversation, where a context policy says what to leave out; then a target with a larger window. `stop`: no other target would do better.
   */
  readonly next: 'same' | 'key' | 'next' | 'larger' | 'stop';
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether the configuration can be the cause. */
  readonly blame?: Blame;
  /** What it says of the upstream's health; nothing where a request or the configuration can bring it about. */
  readonly health: 'well' | 'sick' | 'unclear';
}

export const moves: Readonly<Record<FailureKind, Move>> = {
  credential: {
    next: 'key',
    code: 'upstream_credential_refused',
    message: "The provider refused the gateway's credential.",
    blame: 'credential',
    health: 'well',
  },
  rate_limited: {
    next: 'key',
    code: 'upstream_rate_limited',
    message: 'Every target is rate limited by its provider.',
    health: 'well',
  },
  overloaded: {
    next: 'same',
    code: 'upstream_failed',
    message: 'The provider failed to answer.',
    health: 'sick',
  },
  context_too_long: {
    next: 'larger',
    code: 'context_length_exceeded',
    message: 'The conversation is longer than the model takes.',
    health: 'well',
  },
  bad_request: {
    next: 'stop',
    code: 'upstream_rejected_request',
    message: 'The provider finds the request wrong.',
    health: 'well',
  },
  not_found: {
    next: 'next',
    code: 'upstream_model_unknown',
    message: 'The provider does not know the configured model or path.',
    blame: 'not_found',
    health: 'well',
  },
  content_refused: {
    next: 'stop',
    code: 'upstream_content_refused',
    message: "The provider's content rules refused the request.",
    health: 'well',
  },
  broken_answer: {
    next: 'same',
    code: 'upstream_broken_answer',
    message: 'The provider sent an answer that cannot be understood.',
    blame: 'broken_answer',
    health: 'unclear',
  },
  network: {
    next: 'same',
    code: 'upstream_failed',
    message: 'The provider could not be reached.',
    blame: 'network',
    health: 'sick',
  },
  timeout: {
    next: 'next',
    code: 'upstream_timeout',
    message: 'The provider did not answer in time.',
    health: 'sick',
  },
};

/** What a client is told once nothing is left to try. */
export function refusal(failures: readonly AttemptFailed[]): HeadgateError {
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
