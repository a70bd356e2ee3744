/** The only writer of what serves: builds candidates aside, swaps with one assignment, keeps the way back while a revision is on trial. */
import { ArtifactRefused } from '../artifact-refused.ts';
import type { Log } from '../log.ts';
import { Pace } from '../pace.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Pools } from '../upstream/pools.ts';
import type { End } from './consumer-record.ts';
import { askDeclaredProbes } from './declared-probes.ts';
import { nobody, type Followers, type Lesson, type Order } from './followers.ts';
import { Generation } from './generation.ts';
import { probe } from './probe.ts';
import { provision, type Provisioned, type Verified } from './provision.ts';
import { refuseShrink } from './shrink-guard.ts';
import { Staging } from './staging.ts';

/** From a verified snapshot to a candidate that answered every question. */
const warmDeadlineMs = 30_000;

export interface WarmOptions {
  /** An operator takes its losses on himself, or it was served before. */
  readonly isAllowed?: boolean;
  /** Aborted when the candidate is no longer wanted. */
  readonly signal: AbortSignal;
  /** Where probes with no clear answer are told; without it, none is asked. */
  readonly log?: Log;
}

export class Activator {
  readonly #pools: Pools;
  readonly #metrics: Metrics;
  readonly #followers: Followers;
  readonly #live = new Set<Generation>();
  #made = 0;
  #candidate: { provisioned: Provisioned; verified: Verified; commit: string; started: number } | undefined;
  /** What each that serves, or may have to, was built from: a new follower builds it too. */
  readonly #origins = new WeakMap<Generation, Verified>();
  #current: Generation | undefined;
  /** What a rollback returns to. */
  #fallback: Generation | undefined;
  /** Whether `current` has passed its trial: then it is what the next one falls back to. */
  #isPromoted = false;
  #staging: Staging | undefined;

  constructor(pools: Pools, metrics: Metrics, followers: Followers = nobody) {
    this.#pools = pools;
    this.#metrics = metrics;
    this.#followers = followers;
  }

  /** The newest that serves; during a staged rollout only a cohort. */
  get current(): Generation | undefined {
    return this.#current;
  }

  /** What serves everyone who is in no cohort. */
  get stable(): Generation | undefined {
    return this.#staging?.others ?? this.#current;
  }

  /** While two generations serve. */
  get staging(): Staging | undefined {
    return this.#staging;
  }

  /** Generations that serve, may have to serve again, or still finish requests. */
  get live(): number {
    return this.#live.size;
  }

  /**
   * Builds and questions a candidate; what serves is not touched. Rejects with `ArtifactRefused`, or with the reason of `signal` when the candidate is no longer wanted.
   */
  async warm(verified: Verified, { isAllowed = false, signal, log }: WarmOptions): Promise<void> {
    this.abandon();
    const started = performance.now();
    const { commit } = verified.artifact;
    const overdue = AbortSignal.timeout(warmDeadlineMs);
    const pace = new Pace(AbortSignal.any([signal, overdue]));
    let provisioned: Provisioned | undefined;
    try {
      if (!isAllowed) await refuseShrink((this.stable ?? this.#fallback)?.tables, verified.snapshot, pace);
      provisioned = await provision(verified, this.#pools, pace);
      await probe(provisioned, pace);
      const before = this.stable?.tables;
      // With nothing to go on serving, or by an operator's order, a doubt is no reason to wait.
      if (before && log && !isAllowed) {
        await askDeclaredProbes({ candidate: provisioned, before, pools: this.#pools, log, pace, signal, overdue });
      }
      await this.#followers.prepare(verified, AbortSignal.any([signal, overdue]));
      signal.throwIfAborted();
    } catch (error) {
      provisioned?.dispose();
      if (error !== overdue.reason || signal.aborted) throw error;
      throw new ArtifactRefused('invalid', `building it took longer than ${warmDeadlineMs} ms and was ended`);
    }
    this.#candidate = { provisioned, verified, commit, started };
  }

  /** Gives up the candidate, if there is one. */
  abandon(): void {
    this.#candidate?.provisioned.dispose();
    this.#candidate = undefined;
    this.#followers.follow({ do: 'abandon' });
  }

  /** Makes the warmed candidate the way back of what will serve: where nothing has served yet, there is no other. */
  keepBack(commit: string): void {
    this.#fallback?.retire();
    this.#fallback = this.#take(commit);
    this.#tell({ do: 'keep_back', commit });
  }

  /** Makes the warmed candidate the one that serves, or that serves `share` of the consumers. */
  activate(commit: string, share = 1): Generation {
    const { started } = this.#candidate ?? { started: 0 };
    const generation = this.#take(commit);
    const before = this.#current;
    this.#current = generation;
    // A predecessor on trial is gone for good; one that passed its trial stays as the way back.
    const gone = this.#isPromoted || !this.#fallback ? this.#fallback : before;
    if (gone !== before) this.#fallback = before;
    before?.measureAgainst(undefined);
    gone?.retire();
    this.#isPromoted = false;
    generation.measureAgainst(this.#fallback);
    this.#staging =
      share < 1 && this.#fallback ? new Staging({ candidate: generation, others: this.#fallback }) : undefined;
    this.#staging?.widen(share);
    this.#metrics.swapSeconds.observe((performance.now() - started) / 1000);
    this.#tell({ do: 'activate', commit, share });
    return generation;
  }

  #take(commit: string): Generation {
    const candidate = this.#candidate;
    if (candidate?.commit !== commit) throw new Error(`no candidate ${commit} is warm`);
    this.#candidate = undefined;
    const { revision, tables, dispose } = candidate.provisioned;
    this.#made += 1;
    const generation: Generation = new Generation({
      number: this.#made,
      revision,
      tables,
      dispose: () => {
        dispose();
        this.#live.delete(generation);
        this.#count();
      },
    });
    this.#live.add(generation);
    this.#origins.set(generation, candidate.verified);
    return generation;
  }

  /** Has what serves a cohort serve `share` of the consumers from now on, or everyone. */
  widen(commit: string, share: number): void {
    if (this.#staging?.candidate.revision.artifact !== commit) throw new Error(`${commit} is in no stage`);
    if (share < 1) this.#staging.widen(share);
    else this.#staging = undefined;
    this.#tell({ do: 'widen', commit, share });
  }

  /** A request of a known consumer is over. */
  ended(generation: Generation, end: End): void {
    generation.consumers.ended(end);
    this.#staging?.ended(generation, end);
  }

  /** What serves has passed its trial. */
  promote(): void {
    this.#isPromoted = true;
    this.#followers.follow({ do: 'promote' });
  }

  /** What serves has proved itself. */
  closeWayBack(): void {
    this.#current?.measureAgainst(undefined);
    this.#fallback?.retire();
    this.#fallback = undefined;
    this.#followers.follow({ do: 'close_way_back' });
  }

  /** Back to what served before the trial. */
  rollBack(): Generation {
    const back = this.#fallback;
    if (!back) throw new Error('there is nothing to roll back to');
    const bad = this.#current;
    this.#current = back;
    this.#fallback = this.#staging = undefined;
    this.#isPromoted = true;
    bad?.measureAgainst(undefined);
    bad?.retire();
    this.#tell({ do: 'roll_back' });
    return back;
  }

  /** The one of this commit that serves, or may have to. */
  of(commit: string): Generation | undefined {
    return [this.#current, this.#fallback].find((each) => each?.revision.artifact === commit);
  }

  /** What brings another activator to where this one is. */
  get lessons(): readonly Lesson[] {
    const taught = (generation: Generation | undefined, orders: (commit: string) => readonly Order[]) => {
      const verified = generation && this.#origins.get(generation);
      return verified ? [{ build: verified }, ...orders(verified.artifact.commit)] : [];
    };
    const back = taught(this.#fallback, (commit) =>
      this.#current
        ? [{ do: 'activate', commit, share: 1 }, { do: 'promote' }, { do: 'close_way_back' }]
        : [{ do: 'keep_back', commit }],
    );
    const front = taught(this.#current, (commit) => [
      { do: 'activate', commit, share: this.#staging?.share ?? 1 },
      ...(this.#isPromoted ? [{ do: 'promote' } as const] : []),
      ...(this.#fallback ? [] : [{ do: 'close_way_back' } as const]),
    ]);
    return [...back, ...front, ...(this.#candidate ? [{ build: this.#candidate.verified }] : [])];
  }

  #tell(order: Order): void {
    this.#followers.follow(order);
    this.#count();
  }

  #count(): void {
    this.#metrics.generationsLive.set(this.#live.size);
    const revision = this.stable?.revision;
    if (!revision) return;
    this.#metrics.configInfo.reset();
    this.#metrics.configInfo.set(
      { revision: revision.short, artifact: revision.artifact.slice(0, 12), digest: revision.digest.slice(0, 19) },
      1,
    );
    this.#metrics.configSeq.set(revision.manifest.seq);
    this.#metrics.keyExpiry.reset();
    for (const { consumer, key, at } of this.stable?.tables.keyExpiries ?? [])
      this.#metrics.keyExpiry.set({ consumer, key }, at / 1000);
  }
}
