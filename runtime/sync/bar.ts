/** How high the bar stands: what artifacts must prove here and now, from the settings and from what was accepted before. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { ArtifactRefused } from '../artifact-refused.ts';
import type { Demands, Manifest } from '../artifact.ts';
import { parseAllowedSigners } from '../signature/allowed-signers.ts';
import type { Keep, KeptState } from './keep.ts';

export interface BarOptions {
  /** Read again for each artifact, so that keys rotate without a restart. */
  readonly signersFile: string | undefined;
  readonly audience: string | undefined;
  readonly keep: Keep;
}

/** Thousands of keys are less. */
const largestSignersBytes = 1_048_576;

/** Why a file of this kind is not read; undefined when it is. */
function problemOf(found: Stats): string | undefined {
  if (!found.isFile()) return 'is no regular file: put one';
  if (found.size <= largestSignersBytes) return undefined;
  return `has ${found.size} bytes, and ${largestSignersBytes} are allowed: put the right one`;
}

function readSigners(file: string): string {
  let opened: number | undefined;
  try {
    // Without waiting: a pipe that nobody writes to would hold up the whole process.
    opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const problem = problemOf(fstatSync(opened));
    if (problem === undefined) return readFileSync(opened, 'utf8');
    throw new ArtifactRefused('signature', `the signers file ${problem} at ${file}`);
  } catch (error) {
    if (error instanceof ArtifactRefused) throw error;
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new ArtifactRefused('signature', `the signers file cannot be read (${code}): put it back at ${file}`);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

type Standing = Pick<KeptState, 'highestSeq' | 'highestCommit' | 'audience'>;

export class Bar {
  readonly #options: BarOptions;
  /** What the signers file said when it was last asked. */
  #signers: string | undefined;

  /** Throws `ArtifactRefused` when the signers file says nothing of use. */
  constructor(options: BarOptions) {
    this.#options = options;
    if (options.signersFile !== undefined) parseAllowedSigners(readSigners(options.signersFile));
  }

  /** Whether artifacts must be signed. */
  get signed(): boolean {
    return this.#options.signersFile !== undefined;
  }

  /** Whether the signers file says something else than when it was last asked; a file that is gone says nothing new. */
  get signersChanged(): boolean {
    const { signersFile } = this.#options;
    if (signersFile === undefined) return false;
    try {
      return readSigners(signersFile) !== this.#signers;
    } catch {
      return false;
    }
  }

  /** For what the source brings. `isAllowed`: an operator takes its place in the order on himself. Throws `ArtifactRefused`. */
  forCandidate(commit: string, { isAllowed }: { readonly isAllowed: boolean }): Demands {
    if (isAllowed) return this.forSeed();
    const { highestSeq, highestCommit } = this.#options.keep.state;
    // What was accepted last may come again, for when its copy on disk is lost; what is below that may not.
    return { ...this.forSeed(), highestSeq, again: commit === highestCommit };
  }

  /** For what is on disk: its key may have run out since it was accepted, but must not have been struck off. */
  forKept(): Demands {
    return { ...this.forSeed(), now: 'any' };
  }

  /** For what the operator put there. */
  forSeed(): Demands {
    const { signersFile, audience, keep } = this.#options;
    if (signersFile !== undefined) this.#signers = readSigners(signersFile);
    return {
      signers: this.#signers,
      now: Date.now(),
      audience: audience ?? keep.state.audience,
    };
  }

  /** What is to be remembered once a candidate was accepted. Only what is published has an audience and a place in the order. */
  afterAccepting(commit: string, { seq, audience }: Manifest): Partial<Standing> {
    if (seq === 0) return {};
    return {
      audience,
      ...(seq >= this.#options.keep.state.highestSeq ? { highestSeq: seq, highestCommit: commit } : {}),
    };
  }

  /** The same for what a start began with: it may stand at the tip of the branch too, under another name. */
  afterStart({ seq, audience }: Manifest): Partial<Standing> {
    const { highestSeq } = this.#options.keep.state;
    return seq === 0 ? {} : { audience, ...(seq - 1 > highestSeq ? { highestSeq: seq - 1 } : {}) };
  }
}
