/** Ways that requests can take through a snapshot, one at a time, and what is asked of all of them. */
import type { QuotaSnapshot, QuotaWindowSnapshot } from './snapshot-quotas.ts';

/** Who asks, with the team and organisation it belongs to. */
export interface PathConsumer extends PathNode {
  readonly team: string | undefined;
  readonly organisation: string | undefined;
}

export interface PathNode {
  readonly name: string;
  readonly tags: readonly string[];
}

export interface PathQuota {
  readonly name: string;
  readonly unit: QuotaSnapshot['unit'];
  /** Units; of money, US dollars. */
  readonly limit: number;
  /** Undefined where there is none: what is in flight. */
  readonly window: QuotaWindowSnapshot | undefined;
  readonly scope: QuotaSnapshot['scope'];
  /** What is soft refuses nothing. */
  readonly mode: QuotaSnapshot['mode'];
}

export interface Path {
  readonly consumer: PathConsumer;
  /** What is asked for: `files` goes by the name of the provider that keeps them. */
  readonly entry: PathNode & { readonly sort: 'model' | 'route' | 'files' };
  /** Where it ends; `model` is the vendor's. */
  readonly end: PathNode & { readonly sort: 'provider' | 'upstream'; readonly model: string | undefined };
  /** How likely this end is tried first, with everything in rotation; 0 for what is only ever a fallback. */
  readonly chance: number;
  /** The cheaper model that serves, where so much of a quota is used. */
  readonly downgradedTo?: string;
  /** What it draws from: its consumer's quotas and those of what is asked for. */
  readonly quotas: readonly PathQuota[];
  /** Names of the policies that must let it pass. */
  readonly policies: readonly string[];
}

/** All paths, one at a time: of many consumers and models there are too many to hold. */
export class Paths implements Iterable<Path> {
  readonly #walk: () => Iterable<Path>;
  #counterexample: Path | undefined;

  constructor(walk: () => Iterable<Path>) {
    this.#walk = walk;
  }

  [Symbol.iterator](): Iterator<Path> {
    return this.#walk()[Symbol.iterator]();
  }

  /** The path at which the last `every` ended, when it did not hold. */
  get counterexample(): Path | undefined {
    return this.#counterexample;
  }

  every(holds: (path: Path) => boolean): boolean {
    this.#counterexample = this.find((path) => !holds(path));
    return this.#counterexample === undefined;
  }

  some(holds: (path: Path) => boolean): boolean {
    return this.find(holds) !== undefined;
  }

  find(wanted: (path: Path) => boolean): Path | undefined {
    for (const path of this.#walk()) if (wanted(path)) return path;
    return undefined;
  }

  filter(wanted: (path: Path) => boolean): readonly Path[] {
    const found: Path[] = [];
    for (const path of this.#walk()) if (wanted(path)) found.push(path);
    return found;
  }
}
