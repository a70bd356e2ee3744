/** Carries out what the machine decides: fetches, verifies, warms, swaps, and goes back when it must. */
import { ArtifactRefused, type Artifact } from '../artifact.ts';
import type { Activator } from '../generation/activator.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Bar } from './bar.ts';
import { History } from './history.ts';
import type { Keep } from './keep.ts';
import { clearMarks, firstArtifact, serveFirst } from './keep/boot.ts';
import { step } from './machine.ts';
import { cold, type Effect, type Event, type State } from './states.ts';
import { Operator } from './operator.ts';
import { neverPolled, Poller, type SourceStatus } from './poller.ts';
import type { RawArtifact, RevisionSource } from './source.ts';
import { Sequence } from './sequence.ts';
import { Trial } from './trial.ts';
import type { SharedVerdicts } from './verdicts.ts';
import { verdictOn } from './verdict.ts';

export interface LoopOptions {
  readonly source: RevisionSource | undefined;
  readonly activator: Activator;
  readonly keep: Keep;
  readonly verdicts: SharedVerdicts;
  /** What artifacts must prove. */
  readonly bar: Bar;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly pollMs: number;
  readonly bakeMs: number;
  /** Fewer requests than this during the trial leave a revision unverified. */
  readonly bakeSamples: number;
  /** Called after each change of what serves or of why something does not. */
  readonly onChange?: (() => void) | undefined;
}

/** With nothing to serve there is nothing to be patient for. */
const coldPollMs = 1_000;

export class Loop {
  readonly #options: LoopOptions;
  readonly #poller: Poller | undefined;
  readonly history: History;
  readonly operator: Operator;
  #state: State = cold;
  #raw: RawArtifact | undefined;
  #candidate: Artifact | undefined;
  #trial: Trial | undefined;
  #fetching = new AbortController();
  readonly #effects: Sequence;
  health: 'verified' | 'unverified' | 'rolled-back' = 'unverified';

  constructor(options: LoopOptions) {
    this.#options = options;
    const { source, log, metrics, pollMs } = options;
    this.#effects = new Sequence(log);
    this.history = new History(log, metrics, options.onChange);
    const intervalMs = () => (this.#state.active === undefined ? Math.min(pollMs, coldPollMs) : pollMs);
    const onTip = (tip: string | undefined) => this.#tipSeen(tip);
    this.operator = new Operator(options, { state: () => this.#state, send: (event) => this.#send(event) });
    this.#poller = source && new Poller({ source, log, metrics, intervalMs, onTip });
  }

  get state(): State {
    return this.#state;
  }

  get sourceStatus(): SourceStatus {
    return this.#poller?.status ?? neverPolled;
  }

  get bake(): { readonly endsAt: string; readonly samples: number } | undefined {
    const samples = this.#options.activator.current?.health.samples ?? 0;
    return this.#trial && { endsAt: this.#trial.endsAt.toISOString(), samples };
  }

  /** Serves what is on disk, or `seed`, before git is asked for anything; then what the source has. */
  async start(seed: Artifact | undefined): Promise<void> {
    const { activator, bar, keep, log } = this.#options;
    const { first, isKept } = await firstArtifact({ keep, log, demands: bar.forKept() }, seed);
    if (first && serveFirst(first, activator, { log, isAlone: !this.#poller })) {
      this.operator.remember(first);
      this.health = isKept ? 'verified' : 'unverified';
      await keep.change(bar.afterStart(first.manifest));
    }
    const { quarantine } = keep.state;
    this.#send({ type: 'booted', lastKnownGood: activator.current?.revision.artifact, quarantine });
    await this.operator.start();
    await this.poke();
    await this.#effects.settled();
  }

  /** Looks at the source now. */
  async poke(): Promise<void> {
    await this.#poller?.poke();
  }

  /** Ends all work on revisions; what serves stays. An end on purpose condemns nobody: marks are taken away. */
  async stop(): Promise<void> {
    this.#fetching.abort(new Error('stopping'));
    await this.#poller?.stop();
    await this.#effects.settled();
    this.#trial?.stop();
    this.operator.stop();
    await clearMarks(this.#options.keep);
  }

  async #tipSeen(tip: string | undefined): Promise<void> {
    if (tip === undefined) return this.#send({ type: 'tip_missing' });
    // Asked before it is tried: what one replica found bad, the others need not find out.
    const detail = tip === this.#state.tip ? undefined : await this.#options.verdicts.on(tip);
    if (detail !== undefined) this.#send({ type: 'condemned', commit: tip, detail });
    this.#send({ type: 'tip_seen', commit: tip });
  }

  #send(event: Event): void {
    const before = this.#state;
    const { state, effects } = step(before, event);
    this.#state = state;
    this.history.tell(before, state, this.#options.activator.current?.revision.short);
    for (const effect of effects) {
      if (effect.do === 'abandon') {
        // At once, not in its turn: what it ends is what the queue is waiting for.
        this.#fetching.abort(new Error('a newer commit came'));
        this.#options.activator.abandon();
        continue;
      }
      this.#effects.add(effect.do, () => this.#carryOut(effect));
    }
  }

  async #carryOut(effect: Exclude<Effect, { do: 'abandon' }>): Promise<void> {
    switch (effect.do) {
      case 'fetch':
        return this.#fetch(effect.commit);
      case 'verify':
        return this.#judge(effect.commit, 'verified', () => this.#verify(effect.commit));
      case 'warm':
        return this.#warm(effect.commit);
      case 'activate':
        return this.#activate(effect.commit);
      case 'promote':
        return this.#promote();
      case 'roll_back':
        return this.#rollBack(effect.from, effect.detail);
      case 'allow':
        return this.operator.allow(effect.commit);
      case 'poll':
        // Not waited for: what it brings goes through this same queue.
        void this.poke();
        return;
    }
  }

  async #fetch(commit: string): Promise<void> {
    // A newer commit may have come while this one waited for its turn.
    if (this.#state.work?.commit !== commit || !this.#poller) return;
    const { signal } = (this.#fetching = new AbortController());
    try {
      this.#raw = await this.#options.source?.fetch(commit, AbortSignal.any([signal, this.#poller.stopped]));
      this.#send({ type: 'fetched', commit });
    } catch (error) {
      if (error instanceof ArtifactRefused) {
        this.#send({ type: 'refused', commit, reason: error.reason, detail: error.message });
        return;
      }
      if (signal.aborted) return;
      this.#poller.failed(error);
      this.#send({ type: 'fetch_failed', commit });
    }
  }

  /** Runs one step of judgement; what it throws is the verdict. */
  #judge(commit: string, passed: 'verified' | 'warmed', question: () => void): void {
    this.#send(verdictOn(commit, passed, question, this.#options.log));
  }

  #verify(commit: string): void {
    const raw = this.#raw?.commit === commit ? this.#raw : this.operator.atHand(commit);
    if (!raw) throw new Error('nothing was fetched');
    this.#raw = undefined;
    this.#candidate = this.#options.bar.open(raw, { isAllowed: this.operator.isAllowed(commit) });
  }

  async #warm(commit: string): Promise<void> {
    const { keep, activator } = this.#options;
    await keep.change({ building: commit });
    const options = { isAllowed: this.operator.isAllowed(commit) };
    this.#judge(commit, 'warmed', () => activator.warm(this.#candidateOf(commit), options));
    // When it is to serve, the mark goes in the same write that says so.
    if (this.#state.active !== commit) await keep.change({ building: undefined });
  }

  #candidateOf(commit: string): Artifact {
    if (this.#candidate?.commit !== commit) throw new Error(`candidate ${commit} is gone`);
    return this.#candidate;
  }

  async #activate(commit: string): Promise<void> {
    const { keep, bar, activator, log, bakeMs, verdicts } = this.#options;
    const artifact = this.#candidateOf(commit);
    const { seq, source } = artifact.manifest;
    const accepted = bar.afterAccepting(commit, artifact.manifest);
    await keep.change({ pending: commit, building: undefined, ...accepted });
    const { number, revision } = activator.activate(commit);
    this.operator.remember(artifact);
    this.health = 'unverified';
    const told = { revision: revision.short, artifact: commit, generation: number, seq, ...source };
    log.info({ event: 'swap', ...told }, 'a new revision serves');
    this.#trial?.stop();
    this.#trial = new Trial(artifact, bakeMs, activator, {
      onFault: (failed, detail) => this.#send({ type: 'unhealthy', commit: failed, detail }),
      onOver: (baked) => this.#send({ type: 'baked', commit: baked }),
      heard: (tried) => verdicts.on(tried),
    });
    // The first has nothing to fall back to: it is what there is, and it is kept at once.
    if (this.#state.lastKnownGood === undefined) this.#send({ type: 'baked', commit });
  }

  async #promote(): Promise<void> {
    const { activator, keep, bakeSamples } = this.#options;
    activator.promote();
    this.health = (activator.current?.health.samples ?? 0) >= bakeSamples ? 'verified' : 'unverified';
    const trial = this.#endTrial();
    if (trial) await keep.promote(trial.artifact);
  }

  async #rollBack(from: string, detail: string): Promise<void> {
    const { activator, keep, metrics, verdicts } = this.#options;
    this.#endTrial();
    activator.rollBack();
    this.health = 'rolled-back';
    metrics.rollbacks.inc({ rule: 'bad-health' });
    await verdicts.condemn(from, detail);
    const quarantine = { ...keep.state.quarantine, [from]: detail };
    await keep.change({ pending: undefined, quarantine });
  }

  #endTrial(): Trial | undefined {
    const trial = this.#trial;
    trial?.stop();
    this.#trial = undefined;
    return trial;
  }
}
