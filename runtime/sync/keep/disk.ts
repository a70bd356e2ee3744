/** The state directory of one process: everything is written whole, or told, held in memory and tried again. */
import { join } from 'node:path';
import type { Artifact } from '../../artifact.ts';
import { causeInWords, type Log } from '../../log.ts';
import { changed, fresh, missingState, proved, readState, stateText, type Keep, type KeptState } from '../keep.ts';
import { makeDirectory, syncDirectory, writeWhole } from './files.ts';
import { DirectoryLock, StateDirectoryTaken } from './lock.ts';
import { Slots, type KeptManifest, type Loaded, type Open } from './slots.ts';

/** A disk that could not be written is tried again after this long. */
const usualRetryMs = 10_000;

/** Never lower than what is kept: that is what a lost number is learnt from again. */
function learnt(state: KeptState, kept: readonly KeptManifest[]): KeptState {
  return kept.reduce((known, { commit, manifest: { seq, audience } }) => {
    if (seq === 0 || seq < known.highestSeq) return known;
    if (seq === known.highestSeq && known.highestCommit !== undefined) return known;
    return { ...known, highestSeq: seq, highestCommit: commit, audience: known.audience ?? audience };
  }, state);
}

class DiskKeep implements Keep {
  readonly #directory: string;
  readonly #log: Log;
  readonly #retryMs: number;
  readonly #lock: DirectoryLock;
  readonly #slots: Slots;
  #state = fresh;
  #lost: string | undefined;
  #problem: string | undefined;
  /** Promoted, and not on disk yet. */
  #owed: Artifact | undefined;
  #writing: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  constructor(directory: string, log: Log, retryMs: number) {
    this.#directory = directory;
    this.#log = log;
    this.#retryMs = retryMs;
    this.#lock = new DirectoryLock(directory);
    this.#slots = new Slots(directory);
  }

  get state(): KeptState {
    return this.#state;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get where(): string {
    return this.#problem === undefined ? this.#directory : 'memory';
  }

  async open(): Promise<void> {
    try {
      await this.#prepare();
      await this.#slots.finish();
    } catch (error) {
      if (error instanceof StateDirectoryTaken) throw error;
      this.#failed(error);
    }
    const { state, problem } = await readState(this.#statePath);
    this.#state = state;
    this.#lost = problem;
  }

  async load<Opened>(open: Open<Opened>): Promise<Loaded<Opened>> {
    const { opened, problems } = await this.#slots.load(open);
    const kept = await this.#slots.manifests();
    this.#state = learnt(this.#state, kept);
    // In an empty directory nothing is missing.
    const lost = this.#lost === missingState && kept.length === 0 ? undefined : this.#lost;
    return { opened, problems: lost === undefined ? problems : [lost, ...problems] };
  }

  change(part: Partial<KeptState>): Promise<void> {
    // What was decided holds for this process even when it cannot be written down.
    this.#state = changed(this.#state, part);
    return this.#write();
  }

  promote(artifact: Artifact): Promise<void> {
    this.#owed = artifact;
    return this.change(proved);
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#writing;
    clearTimeout(this.#retry);
    this.#lock.release();
  }

  get #statePath(): string {
    return join(this.#directory, 'state.json');
  }

  /** A directory that came back, or was never there, is as good as one that was there all along. */
  async #prepare(): Promise<void> {
    await makeDirectory(this.#directory);
    this.#lock.hold();
  }

  /** Writes all that is not on disk, one write after the other. A disk that refuses costs the next start, never traffic. */
  #write(): Promise<void> {
    clearTimeout(this.#retry);
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#prepare();
        // In this order: a revision whose trial is over must not be found on trial by a start after a crash.
        await this.#writeState();
        await this.#writeOwed();
        if (this.#problem !== undefined)
          this.#log.info({ event: 'state_kept_again' }, 'the state directory can be written again, and is up to date');
        this.#problem = undefined;
      } catch (error) {
        this.#failed(error);
      }
    });
    return this.#writing;
  }

  async #writeOwed(): Promise<void> {
    const artifact = this.#owed;
    if (!artifact) return;
    await this.#slots.promote(artifact);
    if (this.#owed === artifact) this.#owed = undefined;
    const told = { event: 'kept', artifact: artifact.commit, seq: artifact.manifest.seq };
    this.#log.info(told, 'a revision has passed its trial and is the one to start from');
  }

  async #writeState(): Promise<void> {
    await writeWhole(this.#statePath, stateText(this.#state));
    await syncDirectory(this.#directory);
  }

  #failed(error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    const problem = `the state directory ${this.#directory} cannot be written (${cause}): what was decided since is held in memory only`;
    if (problem !== this.#problem)
      this.#log.warn({ event: 'state_not_kept', cause: causeInWords(error) }, `${problem}; serving goes on`);
    this.#problem = problem;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#write(), this.#retryMs).unref();
  }
}

/**
 * Opens `directory`, making it where needed. One that cannot be written is read and told, and tried again; throws only
 * when another process has it.
 */
export async function openKeep(directory: string, log: Log, retryMs = usualRetryMs): Promise<Keep> {
  const keep = new DiskKeep(directory, log, retryMs);
  await keep.open();
  return keep;
}
