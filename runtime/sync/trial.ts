/** Watches a new revision while it is on trial, and says how the trial ended. */
import type { Artifact } from '../artifact.ts';
import type { Activator } from '../generation/activator.ts';
import { faultOf, type Fault } from '../generation/health.ts';

/** How often its health is looked at: a rollback follows the failure within this time. */
const watchMs = 200;

export interface TrialEnd {
  readonly onFault: (commit: string, sentence: string) => void;
  readonly onOver: (commit: string) => void;
}

export class Trial {
  readonly artifact: Artifact;
  readonly endsAt: Date;
  readonly #activator: Activator;
  readonly #timer: NodeJS.Timeout;

  constructor(artifact: Artifact, bakeMs: number, activator: Activator, end: TrialEnd) {
    this.artifact = artifact;
    this.endsAt = new Date(Date.now() + bakeMs);
    this.#activator = activator;
    const started = performance.now();
    this.#timer = setInterval(() => {
      const { current } = activator;
      if (current?.revision.artifact !== artifact.commit) return;
      const fault = faultOf(current.health, (label) => activator.touched(label));
      if (fault) end.onFault(artifact.commit, this.#explain(fault));
      else if (performance.now() - started >= bakeMs) end.onOver(artifact.commit);
    }, watchMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One sentence that names the commit, its author, the object at fault and where it is written. */
  #explain({ sentence, object }: Fault): string {
    const { current } = this.#activator;
    const { author, subject } = this.artifact.manifest.source ?? {};
    const place = object && current?.tables.sourceOf(object);
    const who = author ? ` by ${author} ("${subject}")` : '';
    const what = object ? `; changed object ${object}${place ? ` at ${place}` : ''}` : '';
    return `revision ${current?.revision.short}${who} was taken back: ${sentence}${what}`;
  }
}
