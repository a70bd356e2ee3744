/** Artifacts from strangers, verified in a thread that may be slow, crash or hang: none of it holds up the gateway. */
import type { Worker } from 'node:worker_threads';
import { ArtifactRefused, maxArtifactBytes } from '../artifact-refused.ts';
import type { Artifact, Demands } from '../artifact.ts';
import type { Verified } from '../generation/provision.ts';
import { openParcel, type SnapshotParcel } from '../packed.ts';
import type { RawArtifact } from './source.ts';
import { startVerifyThread, usualThread, type ThreadOptions } from './verify-thread.ts';

export interface VerifierLimits extends ThreadOptions {
  /** For one artifact. */
  readonly deadlineMs: number;
  /** How long the thread stays when there is nothing to do: its memory is worth more than its start. */
  readonly idleMs: number;
}

/** Verifies one artifact at a time; others wait for their turn. */
export interface Verifier {
  /** Rejects with `ArtifactRefused`, or with the signal's reason. `raw` is not changed. */
  verify(raw: RawArtifact, demands: Demands, signal?: AbortSignal): Promise<Verified>;
  close(): Promise<void>;
}

/** The one question most callers have. */
export type Verify = Verifier['verify'];

export interface VerifierQuestion {
  readonly commit: string;
  readonly files: readonly (readonly [name: string, bytes: Uint8Array])[];
  readonly demands: Demands;
}

export type VerifierAnswer =
  /** Whatever `openArtifact` says, its files aside: those are here already. */
  | { readonly facts: Omit<Artifact, 'files' | 'snapshot'>; readonly parcel: SnapshotParcel }
  | { readonly refused: ArtifactRefused['reason']; readonly message: string }
  | { readonly failed: unknown };

const defaultLimits: VerifierLimits = { deadlineMs: 30_000, idleMs: 3_000, ...usualThread };

/** `ahead`: a thread that was started before, for the first question. */
export function createVerifier(limits: Partial<VerifierLimits> = {}, ahead?: Worker): Verifier {
  return new VerifierThread({ ...defaultLimits, ...limits }, ahead);
}

interface Waiting {
  readonly resolve: (answer: VerifierAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

class VerifierThread implements Verifier {
  readonly #limits: VerifierLimits;
  #worker: Worker | undefined;
  #ahead: Worker | undefined;
  #waiting: Waiting | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #ending: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  readonly #closed = new AbortController();

  constructor(limits: VerifierLimits, ahead: Worker | undefined) {
    this.#limits = limits;
    this.#ahead = ahead;
  }

  verify(raw: RawArtifact, demands: Demands, signal?: AbortSignal): Promise<Verified> {
    const given = AbortSignal.any([this.#closed.signal, ...(signal ? [signal] : [])]);
    const mine = this.#turn.then(() => this.#verify(raw, demands, given));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the gateway is stopping'));
    await this.#turn;
    clearTimeout(this.#idle);
    this.#endWorker(this.#closed.signal.reason);
    await Promise.all([this.#ending, this.#ahead?.terminate()]);
  }

  async #verify(raw: RawArtifact, demands: Demands, signal: AbortSignal): Promise<Verified> {
    signal.throwIfAborted();
    refuseLarge(raw);
    clearTimeout(this.#idle);
    const { deadlineMs, idleMs } = this.#limits;
    const giveUp = () => this.#endWorker(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    const deadline = setTimeout(() => this.#endWorker(overdue(deadlineMs)), deadlineMs);
    try {
      const answer = await this.#ask(raw, demands);
      if ('refused' in answer) throw new ArtifactRefused(answer.refused, answer.message);
      if ('failed' in answer) throw answer.failed;
      const snapshot = raw.files.get('snapshot.json') ?? new Uint8Array();
      const artifact = { ...answer.facts, files: raw.files, snapshot };
      return { artifact, snapshot: openParcel(answer.parcel) };
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', giveUp);
      this.#worker?.unref();
      this.#idle = setTimeout(() => this.#endWorker(undefined), idleMs).unref();
    }
  }

  #ask({ commit, files: originals }: RawArtifact, demands: Demands): Promise<VerifierAnswer> {
    // Copies travel, so that nobody's bytes are taken away: the caller keeps them for the disk.
    const files = [...originals].map(([name, bytes]) => [name, new Uint8Array(bytes)] as const);
    const question: VerifierQuestion = { commit, files, demands };
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      worker.postMessage(
        question,
        files.map(([, bytes]) => bytes.buffer),
      );
    });
  }

  #start(): Worker {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    // One that died before it was asked anything is no loss.
    const worker = ahead && ahead.threadId >= 0 ? ahead : startVerifyThread(this.#limits);
    worker.on('message', (answer: VerifierAnswer) => {
      if (worker !== this.#worker) return;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(answer);
    });
    const crashed = (cause: unknown) => {
      if (worker === this.#worker) this.#endWorker(crash(cause));
    };
    worker.on('error', crashed);
    worker.on('exit', crashed);
    return worker;
  }

  /** Whoever waits for an answer gets `reason`; the next call starts a new thread. */
  #endWorker(reason: unknown): void {
    const worker = this.#worker;
    const waiting = this.#waiting;
    this.#worker = undefined;
    this.#waiting = undefined;
    waiting?.reject(reason);
    if (worker !== undefined) this.#ending = Promise.all([this.#ending, worker.terminate()]);
  }
}

/** Before a byte is copied: what no artifact may weigh. */
function refuseLarge({ files }: RawArtifact): void {
  let bytes = 0;
  for (const file of files.values()) bytes += file.byteLength;
  if (bytes > maxArtifactBytes)
    throw new ArtifactRefused('invalid', `the artifact has ${bytes} bytes; ${maxArtifactBytes} are allowed`);
}

function overdue(deadlineMs: number): ArtifactRefused {
  return new ArtifactRefused('invalid', `verifying took longer than ${deadlineMs} ms and was ended`);
}

function crash(cause: unknown): ArtifactRefused {
  const name = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.name) : 'exit';
  return new ArtifactRefused('invalid', `the thread that verifies it crashed (${name})`);
}
