/** Everything that was ever published, good and forbidden: what an answer is held against. */
import { sourceOf } from '../test/support/artifact-branch.ts';
import type { HeldReason } from '../runtime/sync/states.ts';
import type { Harm } from './revision.ts';

export interface Publication {
  /** Counted over all publications: it decides the source commit and with it the name in `headgate-revision`. */
  readonly n: number;
  readonly kind: string;
  readonly seq: number;
  /** The artifact commit. */
  readonly commit: string;
  /** False for what must never serve, not even for one answer. */
  readonly servable: boolean;
  readonly harm: Harm | undefined;
  /** Why a gateway that has it as its tip must refuse it; undefined where it serves. */
  readonly refusal: HeldReason | undefined;
}

export const revisionName = (n: number): string => sourceOf(n).slice(0, 12);

export class Ledger {
  readonly all: Publication[] = [];
  readonly #byRevision = new Map<string, Publication>();
  readonly #byCommit = new Map<string, Publication>();

  add(publication: Publication): void {
    this.all.push(publication);
    this.#byRevision.set(revisionName(publication.n), publication);
    this.#byCommit.set(publication.commit, publication);
  }

  /** By the value of `headgate-revision`. */
  named(revision: string): Publication | undefined {
    return this.#byRevision.get(revision);
  }

  at(commit: string): Publication | undefined {
    return this.#byCommit.get(commit);
  }
}
