/**
 * Watches a new revision while it is on trial, and says how the trial ended. What too few requests have proved by then
 * is watched on, with the same rules, for some more trials.
 */
import type { Artifact } from '../artifact.ts';
import type { Generation } from '../generation/generation.ts';
import { faultOf, type Fault } from '../generation/health-rules.ts';

/** How often its health is looked at: a rollback follows the failure within this time. */
const watchMs = 200;
/** How many trials long what was kept unproved is watched. */
const watchedTrials = 5;

export interface TrialTerms {
  readonly bakeMs: number;
  /** Fewer requests than this prove nothing. */
  readonly bakeSamples: number;
}

export interface TrialEnd {
  readonly onFault: (commit: string, sentence: string, fault: Fault | undefined) => void;
  readonly onOver: (commit: string, proved: boolean) => void;
  /** It was watched for long enough after its trial, or enough requests came at last. */
  readonly onWatched: (commit: string) => void;
  /** It did well, or lasted the time of a trial: what others need to see before they try it too. */
  readonly onLed: (commit: string) => void;
  /** What other replicas say of it. */
  readonly heard: (commit: string) => Promise<string | undefined>;
}

export class Trial {
  readonly artifact: Artifact;
  readonly #generation: Generation;
  readonly #terms: TrialTerms;
  /** On the clock that nobody sets. */
  #over: number;
  #isOver = false;
  #isLed = false;
  readonly #timer: NodeJS.Timeout;

  constructor(artifact: Artifact, generation: Generation, terms: TrialTerms, end: TrialEnd) {
    this.artifact = artifact;
    this.#generation = generation;
    this.#terms = terms;
    this.#over = performance.now() + terms.bakeMs;
    this.#timer = setInterval(() => this.#look(end), watchMs);
  }

  /** For people; moves along when the clock is set. */
  get endsAt(): Date {
    return new Date(Date.now() + Math.max(0, this.#over - performance.now()));
  }

  /** Enough requests went by without a fault. */
  get isProved(): boolean {
    return this.#generation.health.samples >= this.#terms.bakeSamples;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(end: TrialEnd): void {
    const { commit } = this.artifact;
    const { health: record, measure } = this.#generation;
    const fault = measure && faultOf({ record, against: measure.against.health, changes: measure.changes });
    const isTimeOver = performance.now() >= this.#over;
    if (!fault && !this.#isLed && (isTimeOver || this.isProved)) {
      this.#isLed = true;
      end.onLed(commit);
    }
    if (fault) end.onFault(commit, this.#explain(fault), fault);
    else if (this.#isOver && (isTimeOver || this.isProved)) end.onWatched(commit);
    else if (!this.#isOver && isTimeOver) {
      this.#isOver = true;
      this.#over = performance.now() + watchedTrials * this.#terms.bakeMs;
      end.onOver(commit, this.isProved);
    } else void this.#listen(end);
  }

  /** A replica that has had the traffic first may know already. */
  async #listen({ heard, onFault }: TrialEnd): Promise<void> {
    const detail = await heard(this.artifact.commit);
    if (detail !== undefined) onFault(this.artifact.commit, detail, undefined);
  }

  /** One sentence that names the commit, its author, the object at fault and where it is written. */
  #explain({ sentence, object }: Fault): string {
    const { revision, tables, measure } = this.#generation;
    const { author, subject } = this.artifact.manifest.source ?? {};
    const who = author ? ` by ${author} ("${subject}")` : '';
    const told = `revision ${revision.short}${who} was taken back: ${sentence}`;
    if (object === undefined) return told;
    const place = tables.sourceOf(object);
    if (tables.compared.memberOf(object) !== undefined)
      return `${told}; changed object ${object}${place ? ` at ${place}` : ''}`;
    const former = measure?.against.tables.sourceOf(object);
    return `${told}; removed object ${object}${former ? `, before it at ${former}` : ''}`;
  }
}
