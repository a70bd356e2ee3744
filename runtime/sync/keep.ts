/**
 * Keeps what proved itself on disk, so that a restart needs no git: `current/` and `previous/` hold artifacts as they were
 * published, `state.json` what is on trial, what is quarantined and the highest sequence number seen.
 */
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Artifact } from '../artifact.ts';
import type { Verified } from '../generation/provision.ts';
import { causeInWords, type Log } from '../log.ts';
import type { RawArtifact } from './source.ts';

const stateSchema = z.strictObject({
  format: z.literal('headgate/state.v1'),
  /** Commit of the artifact in `current/`. */
  current: z.string().optional(),
  previous: z.string().optional(),
  /** Was being tried out: still named here after a crash, it is the suspect. */
  pending: z.string().optional(),
  highestSeq: z.int().min(0),
  quarantine: z.record(z.string(), z.string()),
});

export type KeptState = z.output<typeof stateSchema>;
const fresh: KeptState = { format: 'headgate/state.v1', highestSeq: 0, quarantine: {} };
/** Old verdicts beyond this number are forgotten, oldest first. */
const mostQuarantined = 50;

/** Rejects with `ArtifactRefused`, or with the signal's reason. What lies on disk is checked as what comes from a stranger. */
export type Verify = (raw: RawArtifact, signal?: AbortSignal) => Promise<Verified>;

export interface Keep {
  readonly state: KeptState;
  /** Where it is kept, for status: a directory or `memory`. */
  readonly where: string;
  /** The newest artifact that still verifies, with what was wrong with newer ones. */
  load(verify: Verify): Promise<{ readonly verified: Verified | undefined; readonly problems: readonly string[] }>;
  change(change: Partial<KeptState>): Promise<void>;
  /** Makes `artifact` the one to start from, the one before it the spare. */
  promote(artifact: Artifact): Promise<void>;
}

export function memoryKeep(): Keep {
  let state = fresh;
  return {
    get state() {
      return state;
    },
    where: 'memory',
    load: () => Promise.resolve({ verified: undefined, problems: [] }),
    change: (change) => {
      state = { ...state, ...change };
      return Promise.resolve();
    },
    promote: (artifact) => {
      state = { ...state, current: artifact.commit, previous: state.current, pending: undefined };
      return Promise.resolve();
    },
  };
}

/** A disk that cannot be written costs the next start, never this one's traffic: failed writes are told and forgiven. */
export function forgiving(keep: Keep, log: Log): Keep {
  const forgive = async (written: Promise<void>) => {
    try {
      await written;
    } catch (error) {
      const told = { event: 'state_not_kept', cause: causeInWords(error) };
      log.warn(told, 'the state directory cannot be written; serving goes on');
    }
  };
  return {
    get state() {
      return keep.state;
    },
    where: keep.where,
    load: (verify) => keep.load(verify),
    change: (change) => forgive(keep.change(change)),
    promote: (artifact) => forgive(keep.promote(artifact)),
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** All of the new content or all of the old, whatever happens in between. */
async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const handle = await open(`${path}.new`, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
}

/** The files of an artifact as they lie in a directory. */
export async function readArtifact(directory: string, commit: string): Promise<RawArtifact> {
  const names = await readdir(directory);
  const files = await Promise.all(
    names.map(async (name) => [name, new Uint8Array(await readFile(join(directory, name)))] as const),
  );
  return { commit, files: new Map(files) };
}

async function readState(path: string): Promise<{ state: KeptState; problem: string | undefined }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: fresh, problem: undefined };
    throw error;
  }
  try {
    return { state: stateSchema.parse(JSON.parse(text)), problem: undefined };
  } catch {
    return { state: fresh, problem: 'state.json cannot be read; starting as if there were none' };
  }
}

/** Throws when the directory cannot be made or read: the caller decides to go on without one. */
export async function openKeep(directory: string): Promise<Keep> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, '.writable'), '');
  const statePath = join(directory, 'state.json');
  const read = await readState(statePath);
  let { state } = read;

  const change = async (part: Partial<KeptState>) => {
    const quarantine = Object.fromEntries(Object.entries(part.quarantine ?? state.quarantine).slice(-mostQuarantined));
    const next = { ...state, ...part, quarantine };
    // What was decided holds for this process even when it cannot be written down.
    state = next;
    await writeWhole(statePath, JSON.stringify(next, undefined, 2));
  };

  return {
    get state() {
      return state;
    },
    where: directory,
    change,
    async load(verify) {
      const problems = read.problem ? [read.problem] : [];
      for (const slot of ['current', 'previous'] as const) {
        const commit = state[slot];
        if (commit === undefined) continue;
        try {
          return { verified: await verify(await readArtifact(join(directory, slot), commit)), problems };
        } catch (error) {
          problems.push(`${slot}/ is not usable: ${(error as Error).message}`);
        }
      }
      return { verified: undefined, problems };
    },
    async promote(artifact) {
      const slot = (name: string) => join(directory, name);
      await rm(slot('next'), { recursive: true, force: true });
      await mkdir(slot('next'), { mode: 0o700 });
      for (const [name, bytes] of artifact.files) await writeWhole(join(slot('next'), name), bytes);
      await syncDirectory(slot('next'));
      const moved = state.current === undefined ? undefined : state.current;
      if (moved !== undefined) {
        await rm(slot('previous'), { recursive: true, force: true });
        await rename(slot('current'), slot('previous')).catch((error: unknown) => {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        });
      }
      // A crash between the renames leaves `previous/` and a state that names `current`: loading falls back to it.
      await rm(slot('current'), { recursive: true, force: true });
      await rename(slot('next'), slot('current'));
      await syncDirectory(directory);
      await change({ current: artifact.commit, previous: moved, pending: undefined });
    },
  };
}
