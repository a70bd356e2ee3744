/** Carries out what the machine decides: fetches, verifies, warms, swaps, and goes back when it must. */
import { ArtifactRefused } from '../artifact.ts';
import type { Activator } from '../generation/activator.ts';
import type { Verified } from '../generation/provision.ts';
import { causeInWords, faultInWords, type Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { History } from './history.ts';
import type { Keep, Verify } from './keep.ts';
import { judge } from './judgement.ts';
import { cold, step, type Effect, type Event, type State } from './machine.ts';
import { neverPolled, Poller, type SourceStatus } from './poller.ts';
import { refuseShrink } from './shrink-guard.ts';
import type { RawArtifact, RevisionSource } from './source.ts';
import { Trial } from './trial.ts';

export interface LoopOptions {
  readonly source: RevisionSource | undefined;
  readonly verify: Verify;
  readonly activator: Activator;
  readonly keep: Keep;
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
  #state: State = cold;
  #raw: RawArtifact | undefined;
  #candidate: Verified | undefined;
  #trial: Trial | undefined;
  /** Of the candidate at hand: ends its fetch, its verification or its building. */
  #work = new AbortController();
  /** Effects run one after the other, in the order the machine asked for them. */
  #queue: Promise<void> = Promise.resolve();
  health: 'verified' | 'unverified' | 'rolled-back' = 'unverified';

  constructor(options: LoopOptions) {
    this.#options = options;
    const { source, log, metrics, pollMs } = options;
    this.history = new History(log, metrics, options.onChange);
    const intervalMs = () => (this.#state.active === undefined ? Math.min(pollMs, coldPollMs) : pollMs);
    const onTip = (tip: string | undefined) =>
      this.#send(tip === undefined ? { type: 'tip_missing' } : { type: 'tip_seen', commit: tip });
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
  async start(seed: Verified | undefined): Promise<void> {
    const { activator, keep, log, verify } = this.#options;
    const { verified, problems } = await keep.load(verify);
    for (const problem of problems) log.warn({ event: 'state_problem', problem }, problem);
    const quarantine = { ...keep.state.quarantine };
    if (keep.state.pending !== undefined) {
      quarantine[keep.state.pending] = 'the gateway died while this revision was on trial';
      await keep.change({ pending: undefined, quarantine });
    }
    const first = verified ?? seed;
    if (first) {
      try {
        await activator.warm(first, this.#work.signal);
        activator.activate(first.artifact.commit);
        this.health = verified ? 'verified' : 'unverified';
      } catch (error) {
        const told = { event: 'start_refused', artifact: first.artifact.commit, cause: causeInWords(error) };
        log.error(told, 'what was kept cannot be served');
        if (!this.#poller) throw error;
      }
    }
    this.#send({ type: 'booted', lastKnownGood: activator.current?.revision.artifact, quarantine });
    await this.poke();
    await this.settled();
  }

  /** Looks at the source now. */
  async poke(): Promise<void> {
    await this.#poller?.poke();
  }

  /** Resolves when nothing is left to do for the tips seen so far. */
  async settled(): Promise<void> {
    for (let queue; queue !== this.#queue;) {
      queue = this.#queue;
      await queue;
    }
  }

  async stop(): Promise<void> {
    this.#trial?.stop();
    this.#work.abort(new Error('stopping'));
    await this.#poller?.stop();
    await this.settled();
    this.#trial?.stop();
  }

  #send(event: Event): void {
    const before = this.#state;
    const { state, effects } = step(before, event);
    this.#state = state;
    this.history.tell(before, state, this.#options.activator.current?.revision.short);
    for (const effect of effects) {
      if (effect.do === 'abandon') {
        // At once, not in its turn: what it ends is what the queue is waiting for.
        this.#work.abort(new Error('a newer commit came'));
        this.#options.activator.abandon();
        continue;
      }
      this.#queue = this.#queue
        .then(() => this.#carryOut(effect))
        .catch((error: unknown) => {
          const told = { event: 'effect_failed', effect: effect.do, cause: faultInWords(error) };
          this.#options.log.error(told, 'a step of the revision life cycle failed');
        });
    }
  }

  async #carryOut(effect: Exclude<Effect, { do: 'abandon' }>): Promise<void> {
    switch (effect.do) {
      case 'fetch':
        return this.#fetch(effect.commit);
      case 'verify':
        return this.#judge(effect.commit, 'verified', (signal) => this.#verify(signal));
      case 'warm':
        return this.#judge(effect.commit, 'warmed', (signal) =>
          this.#options.activator.warm(this.#candidateOf(effect.commit), signal),
        );
      case 'activate':
        return this.#activate(effect.commit);
      case 'promote':
        return this.#promote();
      case 'roll_back':
        return this.#rollBack(effect.from, effect.detail);
    }
  }

  async #fetch(commit: string): Promise<void> {
    // A newer commit may have come while this one waited for its turn.
    if (this.#state.work?.commit !== commit || !this.#poller) return;
    const { signal } = (this.#work = new AbortController());
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

  /** Runs one step of judgement on the candidate at hand. What comes of one that was given up is no verdict. */
  async #judge(commit: string, passed: 'verified' | 'warmed', ask: (signal: AbortSignal) => Promise<void>) {
    const { signal } = this.#work;
    if (signal.aborted) return;
    const refusal = await judge(() => ask(signal), { commit, signal, log: this.#options.log });
    if (refusal) this.#raw = this.#candidate = undefined;
    if (!signal.aborted) this.#send(refusal ? { type: 'refused', commit, ...refusal } : { type: passed, commit });
  }

  async #verify(signal: AbortSignal): Promise<void> {
    if (!this.#raw) throw new Error('nothing was fetched');
    const verified = await this.#options.verify(this.#raw, signal);
    this.#raw = undefined;
    const { seq } = verified.artifact.manifest;
    const { highestSeq } = this.#options.keep.state;
    // 0 is an artifact that was built and not published: it has no place in the order.
    if (seq > 0 && seq <= highestSeq) {
      const detail = `sequence ${seq} is not above ${highestSeq}, the highest seen: the branch was rewound or replayed`;
      throw new ArtifactRefused('rewind', detail);
    }
    await refuseShrink(this.#options.activator.current?.tables, verified.snapshot, signal);
    this.#candidate = verified;
  }

  #candidateOf(commit: string): Verified {
    if (this.#candidate?.artifact.commit !== commit) throw new Error(`candidate ${commit} is gone`);
    return this.#candidate;
  }

  async #activate(commit: string): Promise<void> {
    const { keep, activator, log, bakeMs } = this.#options;
    const { artifact } = this.#candidateOf(commit);
    this.#candidate = undefined;
    const { seq, source } = artifact.manifest;
    await keep.change({ pending: commit, highestSeq: Math.max(keep.state.highestSeq, seq) });
    const { number, revision } = activator.activate(commit);
    this.health = 'unverified';
    const told = { revision: revision.short, artifact: commit, generation: number, seq, ...source };
    log.info({ event: 'swap', ...told }, 'a new revision serves');
    this.#trial?.stop();
    this.#trial = new Trial(artifact, bakeMs, activator, {
      onFault: (failed, detail) => this.#send({ type: 'unhealthy', commit: failed, detail }),
      onOver: (baked) => this.#send({ type: 'baked', commit: baked }),
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
    const { activator, keep, log, metrics } = this.#options;
    this.#endTrial();
    const back = activator.rollBack();
    this.health = 'rolled-back';
    metrics.rollbacks.inc({ rule: 'bad-health' });
    log.error({ event: 'rollback', artifact: from, serving: back.revision.short, detail }, detail);
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
