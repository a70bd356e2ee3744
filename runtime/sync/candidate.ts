/** Works on the candidate at hand: fetches, verifies and builds it, until it is ready to serve, refused, or given up. */
import { ArtifactRefused } from '../artifact-refused.ts';
import type { Activator } from '../generation/activator.ts';
import type { Verified } from '../generation/provision.ts';
import { causeInWords, type Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Bar } from './bar.ts';
import type { Keep } from './keep.ts';
import type { Operator, Ordered } from './operator.ts';
import type { Poller } from './poller.ts';
import type { RawArtifact, RevisionSource } from './source.ts';
import { verdictOn } from './verdict.ts';
import type { SharedVerdicts } from './verdicts.ts';
import type { Verify } from './verifier.ts';

export interface CandidateOptions {
  readonly source: RevisionSource | undefined;
  readonly verify: Verify;
  /** What artifacts must prove. */
  readonly bar: Bar;
  readonly activator: Activator;
  readonly keep: Keep;
  readonly operator: Operator;
  readonly verdicts: SharedVerdicts;
  readonly poller: Poller | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class CandidateWork {
  readonly #options: CandidateOptions;
  readonly #machine: Ordered;
  #raw: RawArtifact | undefined;
  #verified: Verified | undefined;
  #work = new AbortController();

  constructor(options: CandidateOptions, machine: Ordered) {
    this.#options = options;
    this.#machine = machine;
  }

  /** Ends the fetch, the verification or the building of what is worked on now. */
  get signal(): AbortSignal {
    return this.#work.signal;
  }

  giveUp(reason: string): void {
    this.#work.abort(new Error(reason));
    this.#work = new AbortController();
    this.#options.activator.abandon();
  }

  async fetch(commit: string): Promise<void> {
    const { source, poller } = this.#options;
    if (!this.#isWanted(commit) || !poller) return;
    const { signal } = this;
    try {
      this.#raw = await source?.fetch(commit, AbortSignal.any([signal, poller.stopped]));
      this.#machine.send({ type: 'fetched', commit });
    } catch (error) {
      if (error instanceof ArtifactRefused) {
        this.#machine.send({ type: 'refused', commit, reason: error.reason, detail: error.message });
        return;
      }
      if (signal.aborted) return;
      poller.failed(error);
      this.#machine.send({ type: 'fetch_failed', commit });
    }
  }

  /** Finds the newest before `tip` that can be served, and keeps it at hand. Finding none is no fault. */
  async lookBack(tip: string): Promise<void> {
    const { source, poller, log } = this.#options;
    const { active, tip: newest } = this.#machine.state();
    if (!source?.before || !poller || active !== undefined || newest !== tip) return;
    const { signal } = this;
    try {
      for (const raw of await source.before(tip, AbortSignal.any([signal, poller.stopped])))
        if (await this.#keepBack(raw, signal)) return;
    } catch (error) {
      const told = { event: 'no_look_back', artifact: tip, cause: causeInWords(error) };
      if (!signal.aborted) log.info(told, 'what stood at the ref before cannot be had');
    }
  }

  async #keepBack(raw: RawArtifact, signal: AbortSignal): Promise<boolean> {
    const { bar, verify, verdicts, activator, operator, log } = this.#options;
    const { commit } = raw;
    if (Object.hasOwn(this.#machine.state().quarantine, commit) || (await verdicts.on(commit)) !== undefined)
      return false;
    try {
      const verified = await verify(raw, bar.forSeed(), signal);
      await activator.warm(verified, { isAllowed: true, signal });
      activator.keepBack(commit);
      operator.remember(verified.artifact);
    } catch (error) {
      if (signal.aborted) throw error;
      log.info({ event: 'no_look_back', artifact: commit, cause: causeInWords(error) }, 'cannot be served either');
      return false;
    }
    this.#machine.send({ type: 'looked_back', commit });
    return true;
  }

  verify(commit: string): Promise<void> {
    const { bar, verify, operator, metrics } = this.#options;
    return this.#judge(commit, 'verified', async (signal) => {
      const raw = this.#raw?.commit === commit ? this.#raw : operator.atHand(commit);
      if (!raw) throw new Error('nothing was fetched');
      this.#raw = undefined;
      const demands = bar.forCandidate(commit, { isAllowed: operator.isAllowed(commit) });
      this.#verified = await verify(raw, demands, signal);
      metrics.configTipSeq.set(this.#verified.artifact.manifest.seq);
    });
  }

  async warm(commit: string): Promise<void> {
    const { keep, activator, operator, log } = this.#options;
    if (!this.#isWanted(commit)) return;
    await keep.change({ building: commit });
    // What was accepted once is not asked again, when a pin or a restart has led away from it.
    const isAllowed = operator.isAllowed(commit) || keep.state.highestCommit === commit;
    await this.#judge(commit, 'warmed', (signal) => activator.warm(this.#of(commit), { isAllowed, signal, log }));
    // When it is to serve, the mark goes in the same write that says so.
    if (this.#machine.state().active !== commit) await keep.change({ building: undefined });
  }

  /** Hands over what was verified, once. */
  take(commit: string): Verified {
    const verified = this.#of(commit);
    this.#verified = undefined;
    return verified;
  }

  #of(commit: string): Verified {
    if (this.#verified?.artifact.commit !== commit) throw new Error(`candidate ${commit} is gone`);
    return this.#verified;
  }

  /** A newer commit may have come while this one waited for its turn. */
  #isWanted(commit: string): boolean {
    return this.#machine.state().work?.commit === commit;
  }

  /** Runs one step of judgement; what it throws is the verdict. */
  async #judge(commit: string, passed: 'verified' | 'warmed', ask: (signal: AbortSignal) => Promise<void>) {
    if (!this.#isWanted(commit)) return;
    const { signal } = this;
    const verdict = await verdictOn(commit, passed, () => ask(signal), { log: this.#options.log, signal });
    if (!verdict) return;
    // Its own word counts: it was reviewed with the change that it is about.
    const stages = this.#verified?.snapshot.rollout?.stages;
    this.#machine.send(verdict.type === 'warmed' ? { ...verdict, stages } : verdict);
  }
}
