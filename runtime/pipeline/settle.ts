/** Pays what was used and frees the rest, however the request ended. The only place where that happens. */
import { asHeadgateError, type ErrorCode } from '../errors.ts';
import type { Exchange, Reserved } from '../exchange.ts';
import type { Spent } from '../outcome.ts';
import { giveBack } from './reserve.ts';

/** Ends that no client can bring about: such a request was not served and costs it nothing. */
const notServed: ReadonlySet<ErrorCode> = new Set([
  'internal_error',
  'upstream_failed',
  'upstream_credential_refused',
  'upstream_model_unknown',
  'upstream_rate_limited',
  'upstream_broken_answer',
  'upstream_timeout',
  'no_target_available',
  'upstream_busy',
]);

function countTokens({ metrics }: Exchange['house'], { target, usage, estimated }: Spent): void {
  metrics.tokens.inc({ target, direction: 'input' }, usage.inputTokens);
  metrics.tokens.inc({ target, direction: 'output' }, usage.outputTokens);
  if (estimated) metrics.usageEstimated.inc({ target });
}

/** `thrown` is what ended the line, or undefined when it came to its end. Never throws: it stands in a `finally`. */
export async function settle(exchange: Reserved<Exchange>, thrown: unknown): Promise<void> {
  const { house, lease, outcome, reply } = exchange;
  const { target, usage, usageEstimated: estimated, spentBefore } = outcome;
  for (const spent of [...spentBefore, ...(usage && target ? [{ target, usage, estimated }] : [])])
    countTokens(house, spent);
  // Once a byte of the answer was sent, the request was served.
  if (thrown === undefined || reply.started || !notServed.has(asHeadgateError(thrown).code)) return;
  await giveBack(house.quotas, lease.takings);
}
