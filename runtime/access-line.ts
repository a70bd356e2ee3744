/** What the log tells of a request that has ended: names and numbers only, never content. */
import { droppedInWords, warningsOf } from './outcome.ts';
import type { RecentRequest } from './telemetry/recent-requests.ts';

/** `method` and `host` as they came; undefined where the door let nothing in. */
export function accessLine(told: RecentRequest, method: string | undefined, host: string | undefined): object {
  const { outcome } = told;
  return {
    event: 'request',
    request: told.id,
    revision: told.revision,
    method,
    host: host?.slice(0, 256),
    path: host === undefined ? undefined : told.path,
    surface: told.surface,
    matched: outcome.matched,
    consumer: outcome.consumer,
    target: outcome.target,
    attempts: outcome.attempts,
    dropped: droppedInWords(outcome),
    status: told.status,
    code: outcome.code,
    ms: told.ms,
    // What `plan --traffic` decides again: sizes, never content.
    messages: outcome.size?.messages,
    conversation_tokens: outcome.size?.tokens,
    max_output_tokens: outcome.size?.maxOutputTokens,
    stream: outcome.size?.stream,
    input_tokens: outcome.usage?.inputTokens,
    output_tokens: outcome.usage?.outputTokens,
    usage_estimated: outcome.usageEstimated || undefined,
    cost_usd: outcome.costUsd,
    quota_warnings: warningsOf(outcome),
    downgraded: outcome.downgraded.length > 0 ? outcome.downgraded : undefined,
  };
}
