/** One worker as the primary sees it: told what to do in order, asked, and known to be dead when it is. */
import type { Worker } from 'node:cluster';
import type { Order } from '../generation/followers.ts';
import type { Verified } from '../generation/provision.ts';
import { parcelOf } from '../packed.ts';
import type { QuotaStore } from '../quota/store.ts';
import type { Settings } from '../settings.ts';
import { AnsweredQuotas } from './answered-quotas.ts';
import type { Answers, FromWorker, Question, Report, ToWorker } from './messages.ts';
import type { Unsettled } from './unsettled.ts';

export interface HandOptions {
  readonly index: number;
  readonly settings: Settings;
  readonly quotas: QuotaStore;
  readonly onReports: (reports: readonly Report[]) => void;
  readonly onReady: () => void;
  /** It is gone, for whatever reason. */
  readonly onEnd: (why: string) => void;
  /** It ended with calls under way, and the counts of quotas know. */
  readonly onUnsettled: (unsettled: Unsettled) => void;
}

export type Building = 'built' | 'died' | { readonly refused: string };

/** Nobody at the admin plane waits longer for one that hangs. */
const askMs = 2_000;

class Died extends Error {}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: Error) => void;
}

export class Hand {
  readonly index: number;
  /** Resolves with its address when it takes connections; rejects when it cannot, or died before. */
  readonly listening: Promise<string>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #asked = 0;
  #url: string | undefined;

  constructor(worker: Worker, { index, settings, quotas, onReports, onReady, onEnd, onUnsettled }: HandOptions) {
    this.index = index;
    this.#worker = worker;
    const listening = Promise.withResolvers<string>();
    this.listening = listening.promise;
    // Whether it is waited for or not.
    listening.promise.catch(() => undefined);
    const answered = new AnsweredQuotas(quotas, (answers) => this.#send({ quotas: answers }));
    worker.on('message', (message: FromWorker) => {
      if ('quotas' in message) for (const question of message.quotas) void answered.hear(question);
      else if ('reports' in message) onReports(message.reports);
      else if ('listening' in message) {
        listening.resolve((this.#url = message.listening));
        onReady();
      } else if ('deaf' in message) listening.reject(Object.assign(new Error(message.deaf.message), message.deaf));
      else this.#settle(message);
    });
    // What is sent to a process that is about to go is lost, and that it goes is heard.
    worker.on('error', () => undefined);
    const exited = Promise.withResolvers<void>();
    worker.once('exit', (code, signal) => {
      const why = signal ? `it was ended by ${signal}` : `it ended with code ${code}`;
      this.#url = undefined;
      listening.reject(new Error(`a worker died: ${why}`));
      for (const { reject } of this.#waiting.values()) reject(new Died(why));
      this.#waiting.clear();
      onEnd(why);
      exited.resolve();
    });
    // What it said last may be read only after its end is known.
    const heard = new Promise<void>((resolve) => worker.once('disconnect', resolve));
    this.#ended = Promise.all([exited.promise, heard]).then(async () => {
      const unsettled = await answered.lose();
      if (unsettled.calls > 0) onUnsettled(unsettled);
    });
    this.#send({ begin: settings, index });
  }

  /** Where it takes connections; undefined while it takes none. */
  get url(): string | undefined {
    return this.#url;
  }

  /** Rejects when it does not answer in time. */
  async ask<Name extends Exclude<Question['ask'], 'prepare'>>(
    question: Extract<Question, { ask: Name }> | { readonly ask: Name },
  ): Promise<Answers[Name]> {
    const overdue = Promise.withResolvers<never>();
    const timer = setTimeout(() => overdue.reject(new Error('a worker does not answer')), askMs);
    try {
      return (await Promise.race([this.#ask(question as Question), overdue.promise])) as Answers[Name];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Rejects with the reason of `signal` only. */
  async build({ artifact, snapshot }: Verified, signal: AbortSignal): Promise<Building> {
    const { files: _files, snapshot: _bytes, ...facts } = artifact;
    const built = this.#ask({ ask: 'prepare', facts, parcel: parcelOf(snapshot) });
    const aborted = Promise.withResolvers<never>();
    const giveUp = () => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([built, aborted.promise]);
      return 'built';
    } catch (error) {
      built.catch(() => undefined);
      signal.throwIfAborted();
      return error instanceof Died ? 'died' : { refused: (error as Error).message };
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  order(order: Order): void {
    this.#send({ order });
  }

  listen(): void {
    this.#send({ listen: true });
  }

  /** Has it look at the files for TLS. */
  renew(): void {
    this.#send({ renew: true });
  }

  /** Has it end each connection with its next answer. */
  retire(): void {
    this.#send({ retire: true });
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  /** Resolves when it is gone: by itself, or ended by force `graceMs` after the time for its requests. */
  async end(drainMs: number, graceMs: number): Promise<void> {
    this.#url = undefined;
    this.#send({ drain: drainMs });
    const timer = setTimeout(() => this.kill(), drainMs + graceMs);
    await this.#ended;
    clearTimeout(timer);
  }

  #ask(question: Question): Promise<unknown> {
    const id = (this.#asked += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ ...question, id });
    });
  }

  #settle(message: Extract<FromWorker, { id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('refused' in message) waiting?.reject(new Error(message.refused));
    else waiting?.resolve(message.answer);
  }

  #send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }
}
