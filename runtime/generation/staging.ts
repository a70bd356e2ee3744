/** Two generations that serve at once: a new one for a cohort of consumers, the one before it for the others, and how they compare. */
import { isInCohort } from './cohort.ts';
import { isConfigsDoing, type End } from './consumer-record.ts';
import type { Generation } from './generation.ts';
import { SequentialTest } from './sequential-test.ts';

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

  /** A request of a known consumer is over. Neither what the candidate left alone nor what it takes away on purpose is held against it. */
  ended(generation: Generation, { consumer, target, code, lost }: End): void {
    if (generation !== this.candidate && generation !== this.others) return;
    const isUpstreams = code?.startsWith('upstream_') === true;
    const isMeant = lost !== undefined && this.candidate.measure?.changes.isMeant(lost) === true;
    const hasFailed =
      isConfigsDoing(code) && !isMeant && (!isUpstreams || (target !== undefined && this.#hasTouched(target)));
    this.comparison.ended(generation === this.candidate ? 'cohort' : 'rest', consumer, hasFailed);
  }

  #hasTouched(target: string): boolean {
    return this.candidate.measure?.changes.ofTarget(target) !== undefined;
  }
}
