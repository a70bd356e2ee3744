/** Two generations that serve at once: a new one for a cohort of consumers, the one before it for the others, and how they compare. */
import type { ErrorCode } from '../errors.ts';
import { isInCohort } from './cohort.ts';
import type { Generation } from './generation.ts';
import { SequentialTest } from './sequential-test.ts';

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
  'route_not_allowed',
]);

/** How a request of a known consumer ended. */
export interface End {
  readonly consumer: string;
  readonly target: string | undefined;
  /** Stable error code, when it did not go well. */
  readonly code: string | undefined;
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
    if (code !== undefined && configCanCause.has(code)) met.failures += 1;
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

export class Staging {
  readonly candidate: Generation;
  /** Serves whoever is not in the cohort. */
  readonly others: Generation;
  readonly comparison: SequentialTest;
  readonly #callers: readonly string[];
  #share = 0;

  constructor({ candidate, others }: { readonly candidate: Generation; readonly others: Generation }) {
    this.candidate = candidate;
    this.others = others;
    const { callers, failedShares } = others.consumers;
    this.#callers = callers;
    this.comparison = new SequentialTest((consumer) => failedShares.get(consumer) ?? 0);
  }

  get share(): number {
    return this.#share;
  }

  widen(share: number): void {
    this.#share = share;
    this.comparison.widen(this.#callers.filter((name) => this.has(name)).length);
  }

  /** Whether this consumer is in the cohort. */
  has(consumer: string): boolean {
    return isInCohort(consumer, this.candidate.revision.artifact, this.#share);
  }

  /** `touched`: whether the candidate brought or changed this target. What it left alone is not held against anybody. */
  ended(generation: Generation, { consumer, target, code }: End, touched: (target: string) => boolean): void {
    if (generation !== this.candidate && generation !== this.others) return;
    const isUpstreams = code?.startsWith('upstream_') === true;
    const counts = code !== undefined && configCanCause.has(code);
    const hasFailed = counts && (!isUpstreams || (target !== undefined && touched(target)));
    this.comparison.ended(generation === this.candidate ? 'cohort' : 'rest', consumer, hasFailed);
  }
}
