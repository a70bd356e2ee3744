/** A worker process: answers requests as the primary tells it to, and ends when the primary is gone. */
import { ArtifactRefused } from '../artifact-refused.ts';
import { Closers } from '../closers.ts';
import { dieInWords } from '../crash.ts';
import type { DataPlane } from '../data-plane.ts';
import { createFront, type Front } from '../front.ts';
import { Activator } from '../generation/activator.ts';
import type { End } from '../generation/consumer-record.ts';
import type { Order } from '../generation/followers.ts';
import type { Generation } from '../generation/generation.ts';
import { openWriter } from '../ledger/open.ts';
import { causeInWords, createLog, type Log } from '../log.ts';
import { openParcel } from '../packed.ts';
import { withAlone } from '../quota/alone.ts';
import { openQuotaStore } from '../quota/open.ts';
import type { Settings } from '../settings.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { Pools } from '../upstream/pools.ts';
import { AskedQuotas } from './asked-quotas.ts';
import type { Answers, FromWorker, Question, Report, ToWorker } from './messages.ts';

/** How far the primary may be behind what a revision did here. */
const reportMs = 100;

const send = (message: FromWorker): void => {
  // Where nobody listens any more, `disconnect` says so.
  if (process.connected) process.send?.(message, () => undefined);
};

class WorkerProcess {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #metrics = createMetrics();
  readonly #closers = new Closers();
  readonly #activator: Activator;
  readonly #counts = new AskedQuotas((quotas) => send({ quotas }));
  readonly #front: Promise<Front>;
  readonly #ends = new Map<Generation, End[]>();
  #listener: DataPlane | undefined;
  /** Of what is built now, or will be next. */
  #building = new AbortController();
  /** One thing after the other, in the order in which it was told. */
  #turn: Promise<unknown> = Promise.resolve();
  #isEnding = false;

  constructor(settings: Settings, index: number) {
    this.#settings = settings;
    this.#log = createLog(settings.logLevel, { worker: index });
    const { metrics, log } = { metrics: this.#metrics, log: this.#log };
    const pools = this.#closers.add(new Pools(settings.upstreamClient));
    const ledger = this.#closers.add(openWriter(settings, { log, metrics }));
    // Redis counts for all; what one process counts is asked of the primary.
    const isShared = /^rediss?:/.test(settings.store);
    const quotas = this.#closers.add(isShared ? openQuotaStore(settings.store) : withAlone(this.#counts));
    const activator = (this.#activator = new Activator(pools, metrics));
    this.#front = createFront(
      { settings, log, metrics, pools, quotas, ledger, activator, ended: (...end) => this.#note(...end) },
      this.#closers,
    );
    setInterval(() => this.#report(), reportMs).unref();
  }

  hear(message: Exclude<ToWorker, { begin: Settings }>): void {
    if ('quotas' in message) return this.#counts.hear(message.quotas);
    if ('drain' in message) return void this.end(message.drain);
    if ('renew' in message) return void this.#listener?.renewFromFiles();
    if ('retire' in message) return this.#listener?.retire();
    if ('ask' in message && message.ask !== 'prepare') return void this.#answer(message, () => this.#look(message));
    // At once, not in its turn: what it ends is what the others wait for.
    if ('order' in message && message.order.do === 'abandon') {
      this.#building.abort(new Error('it is not wanted any more'));
      this.#building = new AbortController();
    }
    const { signal } = this.#building;
    this.#turn = this.#turn.then(() => this.#do(message, signal)).catch((error: unknown) => this.#giveUp(error));
  }

  /** The process that told what to do is gone, or says that it is over. */
  async end(drainMs: number): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#listener?.drain(drainMs);
    await this.#closers.closeAll();
    this.#report();
    process.exit();
  }

  lose(): void {
    this.#counts.lose();
    void this.end(this.#settings.drainMs);
  }

  async #do(
    message: Exclude<
      ToWorker,
      { begin: Settings } | { quotas: unknown } | { drain: number } | { renew: true } | { retire: true }
    >,
    signal: AbortSignal,
  ) {
    if ('order' in message) return this.#carryOut(message.order);
    if ('listen' in message) return this.#listen();
    if (message.ask === 'prepare') await this.#answer(message, () => this.#prepare(message, signal));
  }

  async #prepare({ facts, parcel }: Extract<Question, { ask: 'prepare' }>, signal: AbortSignal): Promise<true> {
    signal.throwIfAborted();
    const artifact = { ...facts, files: new Map(), snapshot: new Uint8Array() };
    // The primary has judged it; here it is only built.
    await this.#activator.warm({ artifact, snapshot: openParcel(parcel) }, { isAllowed: true, signal });
    return true;
  }

  #carryOut(order: Order): void {
    const activator = this.#activator;
    switch (order.do) {
      case 'abandon':
        return activator.abandon();
      case 'keep_back':
        return activator.keepBack(order.commit);
      case 'activate':
        return void activator.activate(order.commit, order.share);
      case 'widen':
        return activator.widen(order.commit, order.share);
      case 'promote':
        return activator.promote();
      case 'close_way_back':
        return activator.closeWayBack();
      case 'roll_back':
        return void activator.rollBack();
    }
  }

  async #listen(): Promise<void> {
    try {
      this.#listener = await (await this.#front).listen();
      send({ listening: this.#listener.url });
    } catch (error) {
      const { code, address, port, message } = error as NodeJS.ErrnoException & { address?: string; port?: number };
      send({ deaf: { message, ...(code && { code }), ...(address && { address }), ...(port && { port }) } });
    }
  }

  async #look(question: Exclude<Question, { ask: 'prepare' }>): Promise<Answers[keyof Answers]> {
    const front = await this.#front;
    if (question.ask === 'load') return front.load();
    if (question.ask === 'requests') return front.requests(question.most);
    if (question.ask === 'request') return front.request(question.requestId);
    front.measure();
    return this.#metrics.registry.getMetricsAsJSON();
  }

  async #answer({ id }: { readonly id: number }, find: () => Promise<Answers[keyof Answers]>): Promise<void> {
    try {
      send({ id, answer: await find() });
    } catch (error) {
      if (!(error instanceof ArtifactRefused))
        this.#log.warn({ event: 'worker', cause: causeInWords(error) }, 'not done');
      send({ id, refused: error instanceof Error ? error.message : 'it failed' });
    }
  }

  /** What is out of step with the others must not answer: another takes its place. */
  #giveUp(error: unknown): never {
    this.#log.fatal({ event: 'worker_lost', cause: causeInWords(error) }, 'an order could not be carried out');
    process.exit(1);
  }

  #note(generation: Generation, end: End): void {
    const ends = this.#ends.get(generation);
    if (ends) ends.push(end);
    else this.#ends.set(generation, [end]);
  }

  #report(): void {
    const { current, stable } = this.#activator;
    const reports: Report[] = [];
    for (const generation of new Set([current, stable])) {
      if (!generation || generation.health.isEmpty) continue;
      const health = generation.renewHealth().figures;
      reports.push({ commit: generation.revision.artifact, health, ends: this.#ends.get(generation) ?? [] });
    }
    this.#ends.clear();
    if (reports.length > 0) send({ reports });
  }
}

dieInWords();

// The primary decides when to end, also where a terminal or a supervisor signals every process.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

let worker: WorkerProcess | undefined;
process.on('message', (message: ToWorker) => {
  if ('begin' in message) worker = new WorkerProcess(message.begin, message.index);
  else worker?.hear(message);
});
process.on('disconnect', () => (worker ? worker.lose() : process.exit()));
