/** A thread that works on the ledger, as the one that answers requests sees it: asked one thing after the other, started again when it died. */
import { Worker } from 'node:worker_threads';
import { sameCompileCache } from '../compile-cache.ts';
import { reason } from '../sqlite/open-file.ts';
import type { CallPage, CallsQuestion } from './calls.ts';
import type { Comparison, ComparisonQuestion } from './comparison.ts';
import type { Keeping } from './forgetting.ts';
import type { Usage, UsageQuestion } from './usage.ts';

/** What the thread works on, and for how long what it holds is kept there. */
export type Desk =
  | { readonly kind: 'file'; readonly directory: string; readonly keep: Keeping }
  /** With a directory, what all replicas put into the stream is taken over there. */
  | { readonly kind: 'stream'; readonly url: string; readonly directory: string | undefined; readonly keep: Keeping };

/** What the thread is given when it starts. */
export interface Seat {
  readonly desk: Desk;
  /** When the clock of `steadyMs` stood at zero, by the wall clock as the process found it: threads come and go. */
  readonly beganAt: number;
}

/** The same in all threads, and never set. */
export const steadyMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** `records` are JSON. */
export interface Lines {
  readonly writer: string;
  readonly first: number;
  readonly records: readonly string[];
}

export type Job =
  | { readonly do: 'write'; readonly lines: Lines }
  | { readonly do: 'usage'; readonly question: UsageQuestion }
  | { readonly do: 'calls'; readonly question: CallsQuestion }
  | { readonly do: 'compare'; readonly question: ComparisonQuestion }
  | { readonly do: 'close' };

interface Answers {
  readonly write: number;
  readonly usage: Usage;
  readonly calls: CallPage;
  readonly compare: Comparison;
  readonly close: undefined;
}

export interface Asked {
  readonly id: number;
  readonly job: Job;
}

export type Told =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly problem: string }
  | { readonly note: string };

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: Error) => void;
}

// Running from source and from the build must start the file that is really there.
const program = new URL(import.meta.url.endsWith('.ts') ? './ledger-worker.ts' : './ledger-worker.js', import.meta.url);

/** A disk that hangs must not keep the process. */
const longestCloseMs = 1_000;
/** How long the thread of a file stays when it has nothing to do: it weighs more than all calls that wait. */
const usualRestMs = 10_000;

export class LedgerThread {
  readonly #desk: Desk;
  readonly #note: (text: string) => void;
  readonly #restMs: number;
  readonly #beganAt = Date.now() - steadyMs();
  #worker: Worker | undefined;
  #rest: NodeJS.Timeout | undefined;
  #resting: Promise<unknown> = Promise.resolve();
  #asked = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(desk: Desk, note: (text: string) => void, restMs = usualRestMs) {
    this.#desk = desk;
    this.#note = note;
    this.#restMs = restMs;
  }

  /** Rejects with words for an operator. */
  ask<Name extends Job['do']>(job: Extract<Job, { do: Name }>): Promise<Answers[Name]> {
    clearTimeout(this.#rest);
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    return this.#post(worker, job) as Promise<Answers[Name]>;
  }

  /** Starts it before there is anything to do. */
  begin(): void {
    this.#worker ??= this.#start();
    this.#worker.unref();
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    clearTimeout(this.#rest);
    if (worker) await this.#finish(worker);
    await this.#resting;
  }

  #post(worker: Worker, job: Job): Promise<unknown> {
    const id = (this.#asked += 1);
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    worker.postMessage({ id, job } satisfies Asked);
    return answer;
  }

  async #finish(worker: Worker): Promise<void> {
    const overdue = new Promise<void>((resolve) => setTimeout(resolve, longestCloseMs).unref());
    worker.ref();
    const closed = this.#post(worker, { do: 'close' }).catch(() => undefined);
    const id = this.#asked;
    await Promise.race([closed, overdue]);
    this.#waiting.delete(id);
    this.#end(worker, 'it was closed');
    await worker.terminate();
  }

  /** Asked again meanwhile, another is started: a file may be open twice. */
  #restSoon(): void {
    if (this.#desk.kind !== 'file') return;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = undefined;
      if (worker) this.#resting = Promise.all([this.#resting, this.#finish(worker)]);
    }, this.#restMs).unref();
  }

  #start(): Worker {
    const worker = new Worker(program, {
      name: 'headgate-ledger',
      workerData: { desk: this.#desk, beganAt: this.#beganAt } satisfies Seat,
      env: sameCompileCache(),
      execArgv: [],
    });
    worker.on('message', (told: Told) => this.#hear(told));
    worker.on('error', (error: unknown) => this.#end(worker, reason(error)));
    worker.on('exit', () => this.#end(worker, 'it ended'));
    return worker;
  }

  #hear(told: Told): void {
    if ('note' in told) return this.#note(told.note);
    const waiting = this.#waiting.get(told.id);
    this.#waiting.delete(told.id);
    if ('problem' in told) waiting?.reject(new Error(told.problem));
    else waiting?.resolve(told.answer);
    if (this.#waiting.size > 0) return;
    this.#worker?.unref();
    if (this.#worker) this.#restSoon();
  }

  #end(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of left) reject(new Error(`the thread of the ledger is gone: ${why}`));
  }
}
