/** What the request path sees of the ledger: a bounded buffer that takes a record and never waits. */
import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CallPage, CallsQuestion } from './calls.ts';
import type { Comparison, ComparisonQuestion } from './comparison.ts';
import { recordsOf, type Ended } from './record.ts';
import { LedgerThread, type Desk } from './thread.ts';
import type { Usage, UsageQuestion } from './usage.ts';

export interface LedgerStatus {
  /** The directory, or `redis`; undefined where none is kept. */
  readonly where: string | undefined;
  /** Whether this process can be asked about calls. */
  readonly canAnswer: boolean;
  /** Records that are not written yet. */
  readonly waiting: number;
  /** Records that were lost because nothing could be written for too long. */
  readonly dropped: number;
  /** Why nothing is written at the moment. */
  readonly problem: string | undefined;
}

/** Answers about the ledger come from elsewhere, or from nowhere. */
export class NoLedger extends Error {}

export interface Ledger {
  /** Never throws, never waits. */
  add(ended: Ended): void;
  /** Rejects with `NoLedger`, or with words for an operator. */
  usage(question: UsageQuestion): Promise<Usage>;
  calls(question: CallsQuestion): Promise<CallPage>;
  compare(question: ComparisonQuestion): Promise<Comparison>;
  readonly status: LedgerStatus;
  /** Writes what waits, as long as that can be done in a few seconds. */
  close(): Promise<void>;
}

/** About eleven megabytes. */
const mostWaiting = 20_000;
/** What a process that is killed may lose is what came in so many milliseconds, and while a batch was written. */
const flushMs = 200;
const mostAtOnce = 500;
const retryMs = 1_000;
const longestCloseMs = 5_000;

const nothingKept = async () => {
  throw new NoLedger('No ledger is kept here: start the gateway with --ledger DIR, or with --store DIR.');
};

export const noLedger: Ledger = {
  add: () => undefined,
  usage: nothingKept,
  calls: nothingKept,
  compare: nothingKept,
  status: { where: undefined, canAnswer: false, waiting: 0, dropped: 0, problem: undefined },
  close: () => Promise.resolve(),
};

interface Surroundings {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'ledgerDropped' | 'ledgerWaiting'>;
}

export class BufferedLedger implements Ledger {
  readonly #desk: Desk;
  readonly #log: Log;
  readonly #metrics: Surroundings['metrics'];
  /** Tells the records of this process from those of others, also after a restart. */
  readonly #writer = randomUUID();
  readonly #writing: LedgerThread;
  /** A long question must not keep records waiting. */
  readonly #reading: LedgerThread | undefined;
  /** JSON: what is made of records is made once, and a little with each request. */
  readonly #waiting: string[] = [];
  #first = 0;
  #dropped = 0;
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<boolean> | undefined;
  #closed = false;

  constructor(desk: Desk, { log, metrics }: Surroundings) {
    this.#desk = desk;
    this.#log = log;
    this.#metrics = metrics;
    const note = (text: string) => log.warn({ event: 'ledger_note' }, text);
    this.#writing = new LedgerThread(desk, note);
    const { directory, keep } = desk;
    this.#reading = directory === undefined ? undefined : new LedgerThread({ kind: 'file', directory, keep }, note);
    // What other replicas put there is taken over whether this one has calls or not.
    if (desk.kind === 'stream' && directory !== undefined) this.#writing.begin();
  }

  add(ended: Ended): void {
    for (const record of recordsOf(ended)) {
      if (this.#waiting.length >= mostWaiting || this.#closed) this.#drop(1);
      else this.#waiting.push(JSON.stringify(record));
    }
    this.#schedule(flushMs);
  }

  usage(question: UsageQuestion): Promise<Usage> {
    return this.#reader().ask<'usage'>({ do: 'usage', question });
  }

  calls(question: CallsQuestion): Promise<CallPage> {
    return this.#reader().ask<'calls'>({ do: 'calls', question });
  }

  compare(question: ComparisonQuestion): Promise<Comparison> {
    return this.#reader().ask<'compare'>({ do: 'compare', question });
  }

  get status(): LedgerStatus {
    const where = this.#desk.directory ?? 'redis';
    const canAnswer = this.#reading !== undefined;
    return { where, canAnswer, waiting: this.#waiting.length, dropped: this.#dropped, problem: this.#problem };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    let isOver = false;
    const overdue = new Promise<void>((resolve) => setTimeout(resolve, longestCloseMs).unref());
    const written = async () => {
      await this.#flushing;
      while (this.#waiting.length > 0 && !isOver && (await this.#flush()));
    };
    await Promise.race([written(), overdue]);
    isOver = true;
    if (this.#waiting.length > 0) this.#drop(this.#waiting.length);
    await Promise.all([this.#writing.close(), this.#reading?.close()]);
  }

  #reader(): LedgerThread {
    if (this.#reading) return this.#reading;
    throw new NoLedger(
      'The ledger of this fleet is kept by the replicas that were started with --ledger DIR: ask one of them.',
    );
  }

  #drop(count: number): void {
    // Once: whoever drops one drops many.
    if (this.#dropped === 0)
      this.#log.error({ event: 'ledger_dropped', cause: this.#problem }, 'calls are missing from the ledger');
    this.#dropped += count;
    this.#metrics.ledgerDropped.inc(count);
  }

  #schedule(ms: number): void {
    if (this.#timer || this.#flushing || this.#closed || this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#flush().then((isWell) => this.#schedule(isWell ? this.#pauseMs() : retryMs));
    }, ms).unref();
  }

  #pauseMs(): number {
    return this.#waiting.length >= mostAtOnce ? 0 : flushMs;
  }

  /** Writes the oldest. Never rejects; false where nothing could be written. */
  #flush(): Promise<boolean> {
    return (this.#flushing ??= this.#write().finally(() => (this.#flushing = undefined)));
  }

  async #write(): Promise<boolean> {
    const records = this.#waiting.slice(0, mostAtOnce);
    try {
      await this.#writing.ask<'write'>({ do: 'write', lines: { writer: this.#writer, first: this.#first, records } });
      this.#waiting.splice(0, records.length);
      this.#first += records.length;
      if (this.#problem !== undefined) this.#log.info({ event: 'ledger_written' }, 'the ledger is written again');
      this.#problem = undefined;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      // Once: it is tried every second, and it is the same outage.
      if (this.#problem === undefined)
        this.#log.error(
          { event: 'ledger_unwritten', cause: problem },
          'the ledger cannot be written: calls wait in memory',
        );
      this.#problem = problem;
    }
    this.#metrics.ledgerWaiting.set(this.#waiting.length);
    return this.#problem === undefined;
  }
}
