/** From the swap to the verdict: the trial of what serves, its promotion or its rollback, and what a rollback brought. */
import type { Artifact } from '../artifact.ts';
import type { Activator } from '../generation/activator.ts';
import type { Generation } from '../generation/generation.ts';
import type { Fault } from '../generation/health-rules.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Aftermath } from './aftermath.ts';
import type { Keep } from './keep.ts';
import type { Ordered } from './operator.ts';
import { isWatched } from './states.ts';
import { Trial, type TrialTerms } from './trial.ts';
import type { SharedVerdicts } from './verdicts.ts';

export interface ProvingOptions extends TrialTerms {
  readonly activator: Activator;
  readonly keep: Keep;
  readonly verdicts: SharedVerdicts;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Nobody has to wait for this revision any more. */
  readonly onLed: (commit: string) => void;
}

export interface Watch {
  readonly endsAt: string;
  readonly samples: number;
}

export class Proving {
  readonly #options: ProvingOptions;
  readonly #machine: Ordered;
  #trial: Trial | undefined;
  /** Why the trial is about to end badly. */
  #fault: Fault | undefined;
  #aftermath: Aftermath | undefined;
  /** What a start would begin with, and what it would have begun with before that. */
  #kept: Artifact | undefined;
  #spare: Artifact | undefined;
  health: 'verified' | 'unverified' | 'rolled-back' = 'unverified';

  constructor(options: ProvingOptions, machine: Ordered) {
    this.#options = options;
    this.#machine = machine;
  }

  /** The trial of what serves everyone. */
  get bake(): Watch | undefined {
    const state = this.#machine.state();
    return state.rollout || isWatched(state) ? undefined : this.#watch;
  }

  /** What serves was kept after too few requests, and is watched on. */
  get watch(): Watch | undefined {
    return isWatched(this.#machine.state()) ? this.#watch : undefined;
  }

  /** The last rollback, and whether what it was for came to an end; undefined as long as nobody can say. */
  get rollback(): { readonly from: string; readonly helped: boolean | undefined } | undefined {
    return this.#aftermath && { from: this.#aftermath.from, helped: this.#aftermath.helped };
  }

  get #watch(): Watch | undefined {
    const samples = this.#options.activator.current?.health.samples ?? 0;
    return this.#trial && { endsAt: this.#trial.endsAt.toISOString(), samples };
  }

  startWith(artifact: Artifact, isKept: boolean): void {
    this.#kept = artifact;
    this.health = isKept ? 'verified' : 'unverified';
  }

  begin(artifact: Artifact, generation: Generation): void {
    const { verdicts, bakeMs, bakeSamples, onLed } = this.#options;
    const { send } = this.#machine;
    this.stop();
    this.#aftermath = undefined;
    this.health = 'unverified';
    const terms = { bakeMs, bakeSamples };
    this.#trial = new Trial(artifact, generation, terms, {
      onFault: (commit, detail, fault) => {
        this.#fault = fault;
        send({ type: 'unhealthy', commit, detail });
      },
      onOver: (commit, proved) => send({ type: 'baked', commit, proved }),
      onLed,
      onWatched: (commit) => send({ type: 'watched', commit }),
      heard: (commit) => verdicts.on(commit),
    });
  }

  /** After the last stage of a rollout: what it has to stand now is a trial like any other, from its beginning. */
  beginAnew(): void {
    const { current } = this.#options.activator;
    if (this.#trial && current) this.begin(this.#trial.artifact, current);
  }

  /** Nobody looks any more; what serves stays. */
  stop(): void {
    this.#trial?.stop();
    this.#aftermath?.stop();
  }

  async promote(): Promise<void> {
    this.#options.activator.promote();
    const trial = this.#trial;
    if (trial) this.#options.onLed(trial.artifact.commit);
    this.health = trial?.isProved ? 'verified' : 'unverified';
    if (!trial) return;
    if (this.#kept?.commit !== trial.artifact.commit) this.#spare = this.#kept;
    this.#kept = trial.artifact;
    await this.#options.keep.promote(trial.artifact);
  }

  closeWayBack(): void {
    this.#options.activator.closeWayBack();
    if (this.#endTrial()?.isProved) this.health = 'verified';
  }

  async rollBack(from: string, detail: string): Promise<void> {
    const { activator, keep, metrics, verdicts } = this.#options;
    this.#endTrial();
    const back = activator.rollBack();
    const fault = this.#fault;
    this.#fault = undefined;
    this.health = 'rolled-back';
    metrics.rollbacks.inc({ rule: fault?.rule ?? 'condemned' });
    if (fault) this.#lookBack(from, back, fault);
    await verdicts.condemn(from, detail);
    const quarantine = { ...keep.state.quarantine, [from]: detail };
    await keep.change({ pending: undefined, quarantine });
    await this.#unkeep(from);
  }

  #lookBack(from: string, generation: Generation, fault: Fault): void {
    const { log, bakeMs: windowMs } = this.#options;
    this.#aftermath = new Aftermath({ from, generation, fault, windowMs }, () => {
      const { short } = generation.revision;
      const told = { event: 'rollback_did_not_help', artifact: from, serving: short, rule: fault.rule };
      log.error(told, `rollback did not help: ${fault.subject} goes on to fail under ${short}`);
    });
  }

  /** What was kept before its time is nothing to start with: what was kept before it is. */
  async #unkeep(commit: string): Promise<void> {
    if (this.#kept?.commit !== commit || !this.#spare) return;
    this.#kept = this.#spare;
    this.#spare = undefined;
    await this.#options.keep.promote(this.#kept);
  }

  #endTrial(): Trial | undefined {
    const trial = this.#trial;
    trial?.stop();
    this.#trial = undefined;
    return trial;
  }
}
