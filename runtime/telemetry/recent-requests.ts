/** The last requests and what was decided about them: names and numbers, never content. Bounded; what is older is forgotten. */
import type { Tables } from '../generation/generation.ts';
import type { Outcome } from '../outcome.ts';
import { stepsOf, type Step } from '../trace.ts';

/** About a megabyte. */
const mostKept = 1_000;
/** Generations whose lines of configuration can still be told, the newest included. */
const mostSources = 8;

export interface RecentRequest {
  readonly id: string;
  /** When it ended. */
  readonly at: number;
  /** Undefined where nothing was served yet. */
  readonly revision: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly surface: string | undefined;
  readonly status: number;
  readonly ms: number;
  readonly outcome: Outcome;
}

export interface RequestSummary {
  readonly id: string;
  readonly at: string;
  readonly revision: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly matched: string;
  readonly consumer: string | undefined;
  readonly target: string | undefined;
  readonly attempts: number;
  readonly status: number;
  readonly code: string | undefined;
  readonly ms: number;
}

export interface RequestTrace extends RequestSummary {
  readonly surface: string | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly steps: readonly Step[];
}

function summaryOf(request: RecentRequest): RequestSummary {
  const { id, at, revision, method, path, status, ms, outcome } = request;
  const { matched, consumer, target, attempts, code } = outcome;
  const when = new Date(at).toISOString();
  return { id, at: when, revision, method, path, matched, consumer, target, attempts, status, code, ms };
}

export class RecentRequests {
  readonly #ring: RecentRequest[] = [];
  #next = 0;
  readonly #sources = new Map<string, Tables['sourceOf']>();

  /** `sourceOf` is that of the generation that served it. */
  add(request: RecentRequest, sourceOf: Tables['sourceOf'] | undefined): void {
    this.#ring[this.#next] = request;
    this.#next = (this.#next + 1) % mostKept;
    const { revision } = request;
    if (revision === undefined || !sourceOf || this.#sources.get(revision) === sourceOf) return;
    this.#sources.delete(revision);
    this.#sources.set(revision, sourceOf);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > mostSources && oldest !== undefined) this.#sources.delete(oldest);
  }

  /** Newest first. */
  #newest(): readonly RecentRequest[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }

  list(most: number): readonly RequestSummary[] {
    return this.#newest().slice(0, most).map(summaryOf);
  }

  /** Of several with one id (clients may choose it), the newest. */
  find(id: string): RequestTrace | undefined {
    const request = this.#newest().find((each) => each.id === id);
    if (!request) return undefined;
    const { outcome, surface, revision } = request;
    const sourceOf = (revision === undefined ? undefined : this.#sources.get(revision)) ?? (() => undefined);
    return {
      ...summaryOf(request),
      surface,
      inputTokens: outcome.usage?.inputTokens,
      outputTokens: outcome.usage?.outputTokens,
      steps: stepsOf(request, sourceOf),
    };
  }
}
