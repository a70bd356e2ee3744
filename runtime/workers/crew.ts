/** The primary's side of its workers: starts them, has them build and swap together, asks them, and replaces those that die. */
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { ArtifactRefused } from '../artifact-refused.ts';
import type { DataPlane } from '../data-plane.ts';
import type { Activator } from '../generation/activator.ts';
import type { Followers, Lesson, Order } from '../generation/followers.ts';
import type { Verified } from '../generation/provision.ts';
import type { Log } from '../log.ts';
import type { QuotaStore } from '../quota/store.ts';
import type { Load, Serving } from '../serving.ts';
import type { Settings } from '../settings.ts';
import { togetherInWords, type Metrics } from '../telemetry/metrics.ts';
import { Hand } from './hand.ts';
import type { Report } from './messages.ts';
import { tellUnsettled } from './unsettled.ts';

export interface CrewOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Counts for all of them, unless Redis does. */
  readonly quotas: QuotaStore;
}

/** One that died sooner than this after its start is not replaced at once. */
const soonMs = 10_000;
const longestPauseMs = 30_000;
/** What workers need for their own end, beyond the time for requests in flight. */
const endMs = 8_000;

// Running from source and from the build must start the file that is really there.
const isSource = import.meta.url.endsWith('.ts');
const program = new URL(isSource ? './worker.ts' : './worker.js', import.meta.url);

export class Crew implements Followers {
  readonly #options: CrewOptions;
  readonly #hands = new Set<Hand>();
  #activator: Activator | undefined;
  /** How often in a row one died soon. */
  #failures = 0;
  #isEnding = false;
  #restarts = new Set<NodeJS.Timeout>();

  constructor(options: CrewOptions) {
    this.#options = options;
    // Flags meant for this program, such as the type of what stands behind `--eval`, would be held against that file.
    const execArgv = isSource ? ['--conditions=source'] : [];
    cluster.setupPrimary({ exec: fileURLToPath(program), args: [], execArgv, serialization: 'advanced' });
  }

  /** As what the admin plane asks, and what takes connections once `listen` has been called. */
  under(activator: Activator): Serving & { listen(): Promise<DataPlane> } {
    this.#activator = activator;
    return {
      isListening: () => this.#listening > 0,
      listen: () => this.#listen(),
      load: () => this.#load(),
      requests: async (most) => {
        const all = await this.#askAll((hand) => hand.ask({ ask: 'requests', most }));
        return all
          .flat()
          .sort((a, b) => (a.at < b.at ? 1 : -1))
          .slice(0, most);
      },
      request: async (requestId) => {
        const all = await this.#askAll((hand) => hand.ask({ ask: 'request', requestId }));
        return all.filter((found) => found !== undefined).sort((a, b) => (a.at < b.at ? 1 : -1))[0];
      },
      metrics: async () => {
        const { metrics } = this.#options;
        metrics.workersListening.set(this.#listening);
        const theirs = await this.#askAll((hand) => hand.ask({ ask: 'metrics' }));
        return togetherInWords([await metrics.registry.getMetricsAsJSON(), ...theirs]);
      },
    };
  }

  async prepare(verified: Verified, signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#hands].map((hand) => this.#have(hand, verified, signal)));
  }

  follow(order: Order): void {
    for (const hand of this.#hands) hand.order(order);
  }

  /** Ends all now. */
  close(): Promise<void> {
    return this.#end(0);
  }

  get #listening(): number {
    return [...this.#hands].filter(({ url }) => url !== undefined).length;
  }

  /** One that dies while it builds says little about what it built: its replacement has a try, and that one's word counts. */
  async #have(hand: Hand, verified: Verified, signal: AbortSignal): Promise<void> {
    const outcome = await hand.build(verified, signal);
    if (outcome === 'built') return;
    if (outcome !== 'died') throw new ArtifactRefused('invalid', outcome.refused);
    if (this.#isEnding) return;
    const again = await this.#start().build(verified, signal);
    if (again === 'died') throw new ArtifactRefused('invalid', 'two workers in turn died while they built it');
    if (again !== 'built') throw new ArtifactRefused('invalid', again.refused);
  }

  async #load(): Promise<Load> {
    const all = await this.#askAll((hand) => hand.ask({ ask: 'load' }));
    const own = this.#activator?.live ?? 0;
    // The same target may be well for one and ailing for another: told is the worst.
    const targets = new Map<string, Load['targets'][number]>();
    for (const target of all.flatMap((load) => load.targets)) {
      const known = targets.get(target.target);
      const isWorse = known === undefined || target.failures > known.failures;
      const waiting = (known?.waiting ?? 0) + target.waiting;
      targets.set(target.target, { ...(isWorse ? target : known), waiting });
    }
    return {
      inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
      generationsLive: Math.max(own, ...all.map(({ generationsLive }) => generationsLive)),
      targets: [...targets.values()],
    };
  }

  /** Of those that answer; one that hangs or dies meanwhile is left out. */
  async #askAll<Answer>(ask: (hand: Hand) => Promise<Answer>): Promise<Answer[]> {
    const settled = await Promise.allSettled([...this.#hands].map(ask));
    return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** Resolves when all of them take connections. */
  async #listen(): Promise<DataPlane> {
    const { workers } = this.#options.settings;
    const hands = Array.from({ length: workers }, () => this.#start());
    const urls = await Promise.all(hands.map((hand) => hand.listening));
    const [url = ''] = urls;
    return {
      url,
      retire: () => {
        for (const hand of this.#hands) hand.retire();
      },
      drain: (ms) => this.#end(ms),
      close: () => this.#end(0),
      renewFromFiles: async () => {
        for (const hand of this.#hands) hand.renew();
      },
    };
  }

  #start(): Hand {
    const { settings, quotas, log } = this.#options;
    const index = this.#freeIndex();
    const started = performance.now();
    const hand = new Hand(cluster.fork(), {
      index,
      settings,
      quotas,
      onReports: (reports) => this.#hear(reports),
      onEnd: (why) => this.#ended(hand, performance.now() - started, why),
      onUnsettled: (unsettled) => tellUnsettled(this.#options, index, unsettled),
      onReady: () => log.info({ event: 'worker_listening', worker: index }, 'a worker takes connections'),
    });
    this.#hands.add(hand);
    for (const lesson of this.#activator?.lessons ?? []) this.#teach(hand, lesson);
    hand.listen();
    // Heard by whoever waits for the first of them; later ones have another try.
    hand.listening.catch((error: unknown) => this.#unfit(hand, String(error)));
    return hand;
  }

  #teach(hand: Hand, lesson: Lesson): void {
    if (!('build' in lesson)) return hand.order(lesson);
    // What the others serve it must be able to build; without that it is of no use.
    void hand.build(lesson.build, AbortSignal.timeout(endMs * 8)).then((outcome) => {
      if (typeof outcome === 'object') this.#unfit(hand, outcome.refused);
    });
  }

  #unfit(hand: Hand, cause: string): void {
    if (!this.#hands.has(hand)) return;
    this.#options.log.error({ event: 'worker_unfit', worker: hand.index, cause }, 'a new worker cannot serve');
    hand.kill();
  }

  #freeIndex(): number {
    const taken = new Set([...this.#hands].map(({ index }) => index));
    let index = 1;
    while (taken.has(index)) index += 1;
    return index;
  }

  #hear(reports: readonly Report[]): void {
    for (const { commit, health, ends } of reports) {
      const generation = this.#activator?.of(commit);
      if (!generation) continue;
      generation.health.take(health);
      for (const end of ends) this.#activator?.ended(generation, end);
    }
  }

  #ended(hand: Hand, livedMs: number, why: string): void {
    this.#hands.delete(hand);
    if (this.#isEnding) return;
    const { log, metrics, settings } = this.#options;
    metrics.workersDied.inc();
    this.#failures = livedMs < soonMs ? this.#failures + 1 : 0;
    const pauseMs = this.#failures === 0 ? 0 : Math.min(longestPauseMs, 100 * 2 ** this.#failures);
    log.error(
      { event: 'worker_died', worker: hand.index, cause: why, againInMs: pauseMs },
      'a worker died; another takes its place',
    );
    // One that died as it built may have been replaced already.
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      if (!this.#isEnding && this.#hands.size < settings.workers) this.#start();
    }, pauseMs);
    this.#restarts.add(timer);
  }

  async #end(drainMs: number): Promise<void> {
    this.#isEnding = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all([...this.#hands].map((hand) => hand.end(drainMs, endMs)));
  }
}
