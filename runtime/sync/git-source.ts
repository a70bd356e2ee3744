/** A branch of a git repository as a source of revisions; the work is done in a thread that may be ended at any time. */
import { Worker } from 'node:worker_threads';
import { readBranch, readPlace, type GitPlace } from './git-address.ts';
import { SourceError, type RawArtifact, type RevisionSource } from './source.ts';

export interface GitLimits {
  /** For one whole call, listing or fetching. */
  readonly deadlineMs: number;
  /** For the longest silence of the remote. */
  readonly idleMs: number;
  /** How far a call may overrun its deadline before its thread is ended. */
  readonly graceMs: number;
  /** How long the thread stays when it is asked nothing: between two looks at a branch it would only weigh. */
  readonly restMs: number;
  /** Received in one answer. */
  readonly maxBytes: number;
  readonly maxObjects: number;
  /** All objects of a fetch together, unpacked. */
  readonly maxInflatedBytes: number;
  readonly maxFileBytes: number;
  readonly maxFiles: number;
}

export interface GitSourceOptions {
  /** `https://…`, `http://…`, or an absolute local directory. */
  readonly url: string;
  /** A branch: `headgate/compiled` or `refs/heads/headgate/compiled`. */
  readonly ref: string;
  /** Holds one access token; read again for every call. */
  readonly tokenFile?: string | undefined;
  readonly limits?: Partial<GitLimits> | undefined;
}

export interface GitSource extends RevisionSource {
  /** How often the thread had to be replaced because it hung or crashed. */
  readonly restarts: number;
}

export interface WorkerSettings {
  readonly place: GitPlace;
  readonly ref: string;
  readonly tokenFile: string | undefined;
  readonly limits: GitLimits;
}

export type WorkerQuestion =
  | { readonly kind: 'tip'; readonly id: number }
  | { readonly kind: 'fetch' | 'before'; readonly id: number; readonly commit: string }
  | { readonly kind: 'abort'; readonly id: number };

/** Errors lose their class and fields between threads, so they travel as plain data. */
export type WorkerAnswer =
  | { readonly id: number; readonly tip: string | undefined }
  | { readonly id: number; readonly artifacts: readonly RawArtifact[] }
  | {
      readonly id: number;
      readonly failure: { readonly code: string; readonly message: string; readonly retryAfterMs: number | undefined };
    };

const mebibyte = 1024 * 1024;

const defaultLimits: GitLimits = {
  deadlineMs: 60_000,
  idleMs: 10_000,
  graceMs: 5_000,
  restMs: 10_000,
  maxBytes: 64 * mebibyte,
  maxObjects: 1_000,
  maxInflatedBytes: 64 * mebibyte,
  maxFileBytes: 8 * mebibyte,
  maxFiles: 64,
};

// Running from source and from the build must start the file that is really there.
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './git-worker.ts' : './git-worker.js', import.meta.url);
// Makes a runaway heap end the thread, which we survive, rather than the process.
const maxWorkerHeapMb = 512;
// It stands idle nearly always, and what is free in it is memory that the process holds.
const maxWorkerYoungMb = 8;

export function openGitSource(options: GitSourceOptions): GitSource {
  const given = Object.entries(options.limits ?? {}).filter(([, value]) => value !== undefined);
  return new GitThread({
    place: readPlace(options.url),
    ref: readBranch(options.ref),
    tokenFile: options.tokenFile,
    limits: { ...defaultLimits, ...Object.fromEntries(given) },
  });
}

interface PendingCall {
  readonly settle: (answer: WorkerAnswer) => void;
  readonly fail: (error: SourceError) => void;
}

type Asked = { readonly kind: 'tip' } | { readonly kind: 'fetch' | 'before'; readonly commit: string };

class GitThread implements GitSource {
  readonly #settings: WorkerSettings;
  readonly #pending = new Map<number, PendingCall>();
  #worker: Worker | undefined;
  #rest: NodeJS.Timeout | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #restarts = 0;
  #isClosed = false;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }

  get restarts(): number {
    return this.#restarts;
  }

  async tip(signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#ask({ kind: 'tip' }, signal);
    return 'tip' in answer ? answer.tip : undefined;
  }

  async fetch(commit: string, signal: AbortSignal): Promise<RawArtifact> {
    const [artifact] = await this.#artifacts({ kind: 'fetch', commit }, signal);
    return artifact ?? { commit, files: new Map() };
  }

  before(commit: string, signal: AbortSignal): Promise<readonly RawArtifact[]> {
    return this.#artifacts({ kind: 'before', commit }, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endWorker(closedError());
    await this.#ending;
  }

  async #artifacts(asked: Exclude<Asked, { kind: 'tip' }>, signal: AbortSignal): Promise<readonly RawArtifact[]> {
    if (!/^[0-9a-f]{40}$/.test(asked.commit))
      throw new SourceError('GIT_BAD_OID', 'Only a full commit id can be fetched.');
    const answer = await this.#ask(asked, signal);
    return 'artifacts' in answer ? answer.artifacts : [];
  }

  #ask(asked: Asked, signal: AbortSignal): Promise<WorkerAnswer> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (signal.aborted) return Promise.reject(abortedError(signal));
    clearTimeout(this.#rest);
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    const { deadlineMs, graceMs, restMs } = this.#settings.limits;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#pending.delete(id);
        clearTimeout(watchdog);
        if (this.#pending.size === 0) this.#rest = setTimeout(() => this.#endWorker(closedError()), restMs).unref();
        signal.removeEventListener('abort', giveUp);
      };
      const fail = (error: SourceError): void => {
        done();
        reject(error);
      };
      const giveUp = (): void => {
        worker.postMessage({ kind: 'abort', id } satisfies WorkerQuestion);
        fail(abortedError(signal));
      };
      // The thread keeps its own deadline; not even answering that means it hangs.
      const watchdog = setTimeout(() => this.#replaceWorker(worker, overdueError(deadlineMs)), deadlineMs + graceMs);
      const settle = (answer: WorkerAnswer): void => {
        if ('failure' in answer) return fail(revive(answer.failure));
        done();
        resolve(answer);
      };
      this.#pending.set(id, { settle, fail });
      signal.addEventListener('abort', giveUp, { once: true });
      worker.postMessage({ ...asked, id } satisfies WorkerQuestion);
    });
  }

  #start(): Worker {
    const worker = new Worker(workerUrl, {
      name: 'headgate-git',
      workerData: this.#settings,
      resourceLimits: { maxOldGenerationSizeMb: maxWorkerHeapMb, maxYoungGenerationSizeMb: maxWorkerYoungMb },
    });
    worker.on('message', (answer: WorkerAnswer) => this.#pending.get(answer.id)?.settle(answer));
    worker.on('error', (cause) => this.#replaceWorker(worker, crashedError(cause)));
    worker.on('exit', () => this.#replaceWorker(worker, crashedError(undefined)));
    return worker;
  }

  /** The next call starts a new thread; starting it here would turn a crash on start into a tight loop. */
  #replaceWorker(worker: Worker, reason: SourceError): void {
    if (worker !== this.#worker) return;
    this.#restarts += 1;
    this.#endWorker(reason);
  }

  #endWorker(reason: SourceError): void {
    const worker = this.#worker;
    clearTimeout(this.#rest);
    this.#worker = undefined;
    for (const call of this.#pending.values()) call.fail(reason);
    if (worker !== undefined) this.#ending = Promise.all([this.#ending, worker.terminate()]);
  }
}

function revive({
  code,
  message,
  retryAfterMs,
}: {
  code: string;
  message: string;
  retryAfterMs: number | undefined;
}): SourceError {
  return new SourceError(code, message, { retryAfterMs });
}

function abortedError(signal: AbortSignal): SourceError {
  return new SourceError('GIT_ABORTED', 'The call was given up by its caller.', { cause: signal.reason });
}

function closedError(): SourceError {
  return new SourceError('GIT_ABORTED', 'The git source is closed.');
}

function overdueError(deadlineMs: number): SourceError {
  return new SourceError(
    'GIT_DEADLINE',
    `The git thread overran its deadline of ${deadlineMs} ms without a word and is replaced; the call is tried again later.`,
  );
}

function crashedError(cause: unknown): SourceError {
  const name = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.name) : 'exit';
  return new SourceError(
    'GIT_WORKER',
    `The git thread stopped (${name}) and is replaced; the call is tried again later.`,
    { cause },
  );
}
