/**
 * Keeps what proved itself, so that a restart needs no git: the contract, and `state.json`, which holds what is on trial,
 * what is quarantined and the highest sequence number seen. The artifacts stand beside it (`keep/slots.ts`), each sealed
 * with its commit: losing one does not lose the other. `keep/disk.ts` puts both together, `keep/lock.ts` keeps other
 * processes out, `keep/boot.ts` says what the marks of a dead process mean.
 */
import { createHash } from 'node:crypto';
import type { Artifact } from '../artifact.ts';
import { isAbsent, readBounded } from './keep/files.ts';
import { keptStateFrom, type KeptState } from './keep/kept-state.ts';
import type { Loaded, Open } from './keep/slots.ts';

export type { KeptState } from './keep/kept-state.ts';
export const fresh: KeptState = { format: 'headgate/state.v1', highestSeq: 0, quarantine: {} };
/** Old verdicts beyond this number are forgotten, oldest first. */
const mostQuarantined = 50;

export interface Keep {
  readonly state: KeptState;
  /** Where the newest is kept, for status: a directory, or `memory` as long as that cannot be written. */
  readonly where: string;
  /** Why it is not in the directory. */
  readonly problem: string | undefined;
  /** The newest artifact that still verifies, with what was wrong with newer ones. */
  load<Opened>(open: Open<Opened>): Promise<Loaded<Opened>>;
  change(change: Partial<KeptState>): Promise<void>;
  /** Makes `artifact` the one to start from, the one before it the spare. */
  promote(artifact: Artifact): Promise<void>;
  /** Lets another process have the directory. */
  close(): Promise<void>;
}

export function changed(state: KeptState, part: Partial<KeptState>): KeptState {
  const quarantine = Object.fromEntries(Object.entries(part.quarantine ?? state.quarantine).slice(-mostQuarantined));
  return { ...state, ...part, quarantine };
}

/** What a promotion makes of the marks: the trial is over, and whoever was suspected before is past. */
export const proved: Partial<KeptState> = { pending: undefined, died: undefined };

export function memoryKeep(): Keep {
  let state = fresh;
  return {
    get state() {
      return state;
    },
    where: 'memory',
    problem: undefined,
    load: () => Promise.resolve({ opened: undefined, problems: [] }),
    change: (part) => {
      state = changed(state, part);
      return Promise.resolve();
    },
    promote: () => {
      state = changed(state, proved);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

const digestOf = (state: object): string => createHash('sha256').update(JSON.stringify(state)).digest('hex');

/** With a digest of itself: a flipped bit in a number would still be a number. */
export const stateText = (state: KeptState): string =>
  JSON.stringify({ ...state, digest: digestOf(state) }, undefined, 2);

export const missingState = 'state.json is missing: verdicts are forgotten';

/** What the file at `path` says, and what was lost of it. */
export async function readState(path: string): Promise<{ state: KeptState; problem: string | undefined }> {
  let read: string;
  try {
    read = (await readBounded(path)).toString('utf8');
  } catch (error) {
    if (isAbsent(error)) return { state: fresh, problem: missingState };
    return { state: fresh, problem: `state.json cannot be read (${(error as Error).message}): verdicts are forgotten` };
  }
  try {
    const { digest, ...content } = JSON.parse(read) as Record<string, unknown>;
    const state = keptStateFrom(content);
    // Without a digest it was written by a person, on purpose.
    if (digest === undefined || digest === digestOf(content)) return { state, problem: undefined };
    // Verdicts that may be wrong hold up one commit each; a wrong number would hold up every commit to come.
    const rest = { ...state, highestSeq: 0, highestCommit: undefined, audience: undefined };
    return { state: rest, problem: 'state.json is damaged: verdicts are taken as they are, the rest is not believed' };
  } catch {
    return { state: fresh, problem: 'state.json cannot be understood: verdicts are forgotten' };
  }
}
