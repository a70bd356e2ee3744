/** Watches a new revision while it is on trial, and says how the trial ended. */
import type { Artifact } from '../artifact.ts';
import type { Activator } from '../generation/activator.ts';
import { faultOf, type Fault } from '../generation/health.ts';

/** How often its health is looked at: a rollback follows the failure within this time. */
const watchMs = 200;

export interface TrialEnd {
  readonly onFault: (commit: string, sentence: string) => void;
  readonly onOver: (commit: string) => void;
  /** What other replicas say of it. */
  readonly heard: (commit: string) => Promise<string | undefined>;
}

export class Trial {
  readonly artifact: Artifact;
  /** On the clock that nobody sets. */
  readonly #over: number;
  readonly #activator: Activator;
  readonly #timer: NodeJS.Timeout;

  constructor(artifact: Artifact, bakeMs: number, activator: Activator, end: TrialEnd) {
    this.artifact = artifact;
    this.#over = performance.now() + bakeMs;
    this.#activator = activator;
    this.#timer = setInterval(() => {
      const { current } = activator;
      if (current?.revision.artifact !== artifact.commit) return;
      const fault = faultOf(current.health, (label) => activator.touched(label));
      if (fault) end.onFault(artifact.commit, this.#explain(fault));
      else if (performance.now() >= this.#over) end.onOver(artifact.commit);
      else void this.#listen(end);
    }, watchMs);
  }

  /** For people; moves along when the clock is set. */
  get endsAt(): Date {
    return new Date(Date.now() + Math.max(0, this.#over - performance.now()));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A replica that has had the traffic first may know already. */
  async #listen({ heard, onFault }: TrialEnd): Promise<void> {
    const detail = await heard(this.artifact.commit);
    if (detail !== undefined) onFault(this.artifact.commit, detail);
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
