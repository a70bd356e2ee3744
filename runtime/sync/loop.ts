/** Carries out what the machine decides: fetches, verifies, warms, swaps, and goes back when it must. */
import type { Activator } from '../generation/activator.ts';
import type { Verified } from '../generation/provision.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Bar } from './bar.ts';
import { CandidateWork } from './candidate.ts';
import { History } from './history.ts';
import { Lead } from './lead.ts';
import type { Keep } from './keep.ts';
import { clearMarks, firstArtifact, serveFirst } from './keep/boot.ts';
import { step } from './machine.ts';
import { cold, isTried, isUntried, type Effect, type Event, type State } from './states.ts';
import { Operator } from './operator.ts';
import { neverPolled, Poller, type SourceStatus } from './poller.ts';
import { Proving } from './proving.ts';
import type { RawArtifact, RevisionSource } from './source.ts';
import { Sequence } from './sequence.ts';
import { StageWatch } from './stage-watch.ts';
import type { SharedVerdicts } from './verdicts.ts';
import type { Verify } from './verifier.ts';

export interface LoopOptions {
  readonly source: RevisionSource | undefined;
  readonly verify: Verify;
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
  readonly proving: Proving;
  /** Of the replicas that share a store: who tries a revision first. */
  readonly lead: Lead;
  #state: State = cold;
  readonly #candidate: CandidateWork;
  /** Of the rollout that is under way. */
  readonly stage: StageWatch;
  readonly #effects: Sequence;

  constructor(options: LoopOptions) {
    this.#options = options;
    const { source, log, metrics, pollMs } = options;
    this.#effects = new Sequence(log);
    this.history = new History(log, metrics, options.onChange);
    const machine = {
      state: () => this.#state,
      send: (event: Event) => this.#send(event),
      settled: () => this.#effects.settled(),
    };
    const operator = (this.operator = new Operator(options, machine));
    const intervalMs = () => (this.#state.active === undefined ? Math.min(pollMs, coldPollMs) : pollMs);
    const onTip = (tip: string | undefined) => this.#tipSeen(tip);
    this.#poller = source && new Poller({ source, log, metrics, intervalMs, onTip });
    this.lead = new Lead({
      verdicts: options.verdicts,
      isTried: (commit) => isTried(this.#state, commit),
      again: (tip) => this.#tipSeen(tip).catch((error: unknown) => this.#poller?.failed(error)),
    });
    this.proving = new Proving({ ...options, onLed: (commit) => this.lead.passed(commit) }, machine);
    this.stage = new StageWatch(options, machine.send);
    this.#candidate = new CandidateWork({ ...options, operator, poller: this.#poller }, machine);
  }

  get state(): State {
    return this.#state;
  }

  get sourceStatus(): SourceStatus {
    return this.#poller?.status ?? neverPolled;
  }

  /** Whether the replicas can tell each other what they found. */
  get verdictStore(): 'none' | 'reachable' | 'unreachable' {
    const { isReachable } = this.#options.verdicts;
    if (isReachable === undefined) return 'none';
    return isReachable ? 'reachable' : 'unreachable';
  }

  /** Serves what is on disk, or `seed`, before git is asked for anything; then what the source has. */
  async start(seed: Verified | undefined): Promise<void> {
    const { activator, bar, keep, log, verify } = this.#options;
    const { signal } = this.#candidate;
    const open = (raw: RawArtifact) => verify(raw, bar.forKept(), signal);
    const { first, isKept } = await firstArtifact({ keep, log, open }, seed);
    if (first && (await serveFirst(first, activator, { log, isAlone: !this.#poller, signal }))) {
      this.operator.remember(first.artifact);
      this.proving.startWith(first.artifact, isKept);
      await keep.change(bar.afterStart(first.artifact.manifest));
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
    this.#candidate.giveUp('stopping');
    await this.#poller?.stop();
    await this.#effects.settled();
    this.stage.stop();
    this.proving.stop();
    this.operator.stop();
    await this.lead.stop();
    await clearMarks(this.#options.keep);
  }

  async #tipSeen(tip: string | undefined): Promise<void> {
    if (tip === undefined) return this.#send({ type: 'tip_missing' });
    if (this.#state.held?.commit === tip && this.#options.bar.signersChanged)
      this.#send({ type: 'signers_changed', commit: tip });
    // Asked before it is tried: what one replica found bad, the others need not find out.
    const detail = tip === this.#state.tip ? undefined : await this.#options.verdicts.on(tip);
    if (detail !== undefined) this.#send({ type: 'condemned', commit: tip, detail });
    if (!isUntried(this.#state, tip)) this.lead.forget();
    else if (!(await this.lead.mayTry(tip))) return;
    this.#send({ type: 'tip_seen', commit: tip });
  }

  #send(event: Event): void {
    const before = this.#state;
    const { state, effects } = step(before, event);
    this.#state = state;
    if (before.active === undefined && state.active !== undefined) this.#poller?.replan();
    this.history.tell(before, state, this.#options.activator.stable?.revision.short);
    for (const effect of effects) {
      if (effect.do === 'abandon') {
        // At once, not in its turn: what it ends is what the queue is waiting for.
        this.#candidate.giveUp('a newer commit came');
        continue;
      }
      this.#effects.add(effect.do, () => this.#carryOut(effect));
    }
  }

  async #carryOut(effect: Exclude<Effect, { do: 'abandon' }>): Promise<void> {
    switch (effect.do) {
      case 'fetch':
        return this.#candidate.fetch(effect.commit);
      case 'look_back':
        return this.#candidate.lookBack(effect.commit);
      case 'fall_back':
        return this.#fallBack(effect.commit);
      case 'verify':
        return this.#candidate.verify(effect.commit);
      case 'warm':
        return this.#candidate.warm(effect.commit);
      case 'activate':
        return this.#activate(effect.commit, effect.share);
      case 'widen':
        return this.#widen(effect.commit, effect.share);
      case 'promote':
        return this.proving.promote();
      case 'close_way_back':
        return this.proving.closeWayBack();
      case 'roll_back':
        await this.proving.rollBack(effect.from, effect.detail);
        return this.stage.enter(this.#state);
      case 'allow':
        return this.operator.allow(effect.commit);
      case 'poll':
        // Not waited for: what it brings goes through this same queue.
        void this.poke();
        return;
    }
  }

  async #activate(commit: string, share: number): Promise<void> {
    const { keep, bar, activator, log } = this.#options;
    const { artifact } = this.#candidate.take(commit);
    const { seq, source } = artifact.manifest;
    const accepted = bar.afterAccepting(commit, artifact.manifest);
    await keep.change({ pending: commit, building: undefined, ...accepted });
    const generation = activator.activate(commit, share);
    const { number, revision } = generation;
    this.operator.remember(artifact);
    const told = { revision: revision.short, artifact: commit, generation: number, seq, share, ...source };
    log.info({ event: 'swap', ...told }, 'a new revision serves');
    this.proving.begin(artifact, generation);
    this.stage.enter(this.#state);
    // The first has nothing to fall back to: it is what there is, and it is kept at once.
    if (this.#state.lastKnownGood === undefined) this.#send({ type: 'baked', commit, proved: false });
  }

  #widen(commit: string, share: number): void {
    const { activator, log } = this.#options;
    activator.widen(commit, share);
    this.stage.enter(this.#state);
    if (share < 1) return;
    log.info({ event: 'rollout_over', artifact: commit }, 'a new revision serves everyone');
    this.proving.beginAnew();
  }

  async #fallBack(to: string): Promise<void> {
    const { activator, keep, log } = this.#options;
    const { revision } = activator.rollBack();
    const told = { event: 'fall_back', artifact: to, serving: revision.short };
    log.warn(told, 'the tip cannot be served: the newest before it that can be serves');
    const artifact = this.operator.atHand(to);
    if (!artifact) return;
    this.proving.startWith(artifact, false);
    await keep.promote(artifact);
  }
}
