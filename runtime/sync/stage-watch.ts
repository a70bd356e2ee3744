/** Watches one stage of a rollout: says when it has lasted its time, or that the new revision does worse than the one before. */
import type { Activator } from '../generation/activator.ts';
import type { Tally } from '../generation/sequential-test.ts';
import type { Staging } from '../generation/staging.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Event, Rollout, State } from './states.ts';

/** How often it is looked at. */
const watchMs = 200;

export interface StageWatchOptions {
  readonly activator: Activator;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What status says of a rollout. */
export interface RolloutReport {
  readonly candidate: { readonly revision: string; readonly commit: string };
  /** Counted from 1. */
  readonly stage: number;
  readonly stages: number;
  readonly share: number;
  readonly endsAt: string;
  /** Requests of those whom the candidate serves, and of those whom it does not. */
  readonly cohort: Tally;
  readonly others: Tally;
  /** That the candidate does worse: 1 says nothing, at 100 it is dropped. */
  readonly evidence: number;
}

const percent = (share: number): string => `${Math.round(share * 10_000) / 100} %`;

/** One sentence that names the commit, its author, and what was compared. */
function explain({ candidate, share, comparison }: Staging): string {
  const { short, manifest } = candidate.revision;
  const who = manifest.source ? ` by ${manifest.source.author} ("${manifest.source.subject}")` : '';
  return `revision ${short}${who} was taken back while it served ${percent(share)} of the consumers: ${comparison.sentence}`;
}

export class StageWatch {
  readonly #options: StageWatchOptions;
  readonly #send: (event: Event) => void;
  #timer: NodeJS.Timeout | undefined;
  /** On the clock that nobody sets. */
  #over = 0;
  #rollout: Rollout | undefined;

  constructor(options: StageWatchOptions, send: (event: Event) => void) {
    this.#options = options;
    this.#send = send;
  }

  get report(): RolloutReport | undefined {
    const { staging } = this.#options.activator;
    if (!this.#rollout || !staging) return undefined;
    const { candidate, share, comparison } = staging;
    return {
      candidate: { revision: candidate.revision.short, commit: candidate.revision.artifact },
      stage: this.#rollout.at + 1,
      stages: this.#rollout.stages.length,
      share,
      // Moves along when the clock is set.
      endsAt: new Date(Date.now() + Math.max(0, this.#over - performance.now())).toISOString(),
      cohort: { ...comparison.cohort },
      others: { ...comparison.rest },
      evidence: comparison.value,
    };
  }

  /** To be called after each change of what serves: begins to watch the stage that `state` is at, or none. */
  enter({ active, rollout }: State): void {
    this.stop();
    const { activator, log, metrics } = this.#options;
    const { staging } = activator;
    metrics.rolloutShare.set(staging?.share ?? 0);
    const stage = rollout?.stages[rollout.at];
    // The machine is ahead of its effects: what it made of this stage meanwhile, they will do next.
    if (!staging || !rollout || !stage || active !== staging.candidate.revision.artifact) return;
    const { at, stages } = rollout;
    const { revision } = staging.candidate;
    const told = { revision: revision.short, artifact: active, stage: at + 1, of: stages.length, share: stage.share };
    log.info({ event: 'rollout_stage', ...told, forMs: stage.for }, `a new revision serves ${percent(stage.share)}`);
    this.#rollout = rollout;
    this.#over = performance.now() + stage.for;
    this.#timer = setInterval(() => {
      if (staging.comparison.isWorse) this.#send({ type: 'unhealthy', commit: active, detail: explain(staging) });
      else if (performance.now() >= this.#over) this.#send({ type: 'stage_over', commit: active, at });
    }, watchMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#rollout = undefined;
  }
}
