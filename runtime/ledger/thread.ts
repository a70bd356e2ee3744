/** A thread that works on the ledger, as the one that answers requests sees it: asked one thing after the other, started again when it died. */
import { Worker } from 'node:worker_threads';
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

export class LedgerThread {
  readonly #desk: Desk;
  readonly #note: (text: string) => void;
  #worker: Worker | undefined;
  #asked = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(desk: Desk, note: (text: string) => void) {
    this.#desk = desk;
    this.#note = note;
  }

  /** Rejects with words for an operator. */
  ask<Name extends Job['do']>(job: Extract<Job, { do: Name }>): Promise<Answers[Name]> {
    const worker = (this.#worker ??= this.#start());
    const id = (this.#asked += 1);
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    worker.ref();
    worker.postMessage({ id, job } satisfies Asked);
    return answer as Promise<Answers[Name]>;
  }

  /** Starts it before there is anything to do. */
  begin(): void {
    this.#worker ??= this.#start();
    this.#worker.unref();
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    const overdue = new Promise<void>((resolve) => setTimeout(resolve, longestCloseMs).unref());
    await Promise.race([this.ask({ do: 'close' }).catch(() => undefined), overdue]);
    this.#end(worker, 'it was closed');
    await worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(program, { name: 'headgate-ledger', workerData: this.#desk, env: {}, execArgv: [] });
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
    if (this.#waiting.size === 0) this.#worker?.unref();
  }

  #end(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of left) reject(new Error(`the thread of the ledger is gone: ${why}`));
  }
}
