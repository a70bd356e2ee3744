/** What each consumer met under a generation, as far as configuration can be the cause: what a rollout is measured against. */
import type { ErrorCode } from '../errors.ts';

/**
 * Ends that configuration can bring about. A vendor's outage is none of them: which consumers it hits is a matter of what
 * they ask for, and would look like a difference between revisions.
 */
const configCanCause: ReadonlySet<string> = new Set<ErrorCode>([
  'internal_error',
  'no_target_available',
  'upstream_credential_refused',
  'upstream_model_unknown',
  'upstream_rejected_request',
  'prompt_variable_missing',
  'context_length_exceeded',
  'route_not_found',
  'model_not_found',
  'method_not_allowed',
  'model_not_allowed',
  'prompt_not_allowed',
  'route_not_allowed',
  'files_not_allowed',
]);

/** Whether configuration can have caused that a request ended with `code`. */
export const isConfigsDoing = (code: string | undefined): boolean => code !== undefined && configCanCause.has(code);

/** How a request of a known consumer ended. */
export interface End {
  readonly consumer: string;
  readonly target: string | undefined;
  /** Stable error code, when it did not go well. */
  readonly code: string | undefined;
  /** What it was refused that the revision before would have served: `collection.name`. */
  readonly lost?: string | undefined;
}

/** With fewer requests than this, a failure says little about what a consumer usually meets. */
const fewRequests = 20;

/** What consumers met under one generation. */
export class ConsumerRecord {
  readonly #met = new Map<string, { requests: number; failures: number }>();

  ended({ consumer, code }: End): void {
    let met = this.#met.get(consumer);
    if (!met) this.#met.set(consumer, (met = { requests: 0, failures: 0 }));
    met.requests += 1;
    if (isConfigsDoing(code)) met.failures += 1;
  }

  /** Those who called. */
  get callers(): readonly string[] {
    return [...this.#met.keys()];
  }

  /** The share of their requests that failed, of those who met failures. */
  get failedShares(): ReadonlyMap<string, number> {
    const failing = [...this.#met].filter(([, { failures }]) => failures > 0);
    return new Map(failing.map(([name, { requests, failures }]) => [name, failures / Math.max(requests, fewRequests)]));
  }
}
