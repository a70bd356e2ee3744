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
  /** In JSON: what is many objects is moved about by the collector one by one, under load for more than all else here costs. */
  readonly #ring: string[] = [];
  readonly #ids: string[] = [];
  #next = 0;
  readonly #sources = new Map<string, Tables['sourceOf']>();

  /** `sourceOf` is that of the generation that served it. */
  add(request: RecentRequest, sourceOf: Tables['sourceOf'] | undefined): void {
    // What was paid is for the ledger, and its money is no JSON.
    this.#ring[this.#next] = JSON.stringify({ ...request, outcome: { ...request.outcome, paid: [] } });
    this.#ids[this.#next] = request.id;
    this.#next = (this.#next + 1) % mostKept;
    const { revision } = request;
    if (revision === undefined || !sourceOf || this.#sources.get(revision) === sourceOf) return;
    this.#sources.delete(revision);
    this.#sources.set(revision, sourceOf);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > mostSources && oldest !== undefined) this.#sources.delete(oldest);
  }

  /** The place of the one so many before the newest. */
  #back(by: number): number {
    const size = this.#ids.length;
    return (this.#next - 1 - by + 2 * size) % size;
  }

  #at(place: number): RecentRequest {
    return JSON.parse(this.#ring[place] ?? '') as RecentRequest;
  }

  /** Newest first. */
  list(most: number): readonly RequestSummary[] {
    const length = Math.min(most, this.#ids.length);
    return Array.from({ length }, (_, back) => summaryOf(this.#at(this.#back(back))));
  }

  /** Of several with one id (clients may choose it), the newest. */
  find(id: string): RequestTrace | undefined {
    let back = 0;
    while (back < this.#ids.length && this.#ids[this.#back(back)] !== id) back += 1;
    if (back === this.#ids.length) return undefined;
    const request = this.#at(this.#back(back));
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
