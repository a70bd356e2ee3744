/** Where a test run writes down what processes say and which secrets were planted, for the scan at its end. */
import { appendFileSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** One per process: names of files in the folder start with it. */
const ours = `${process.pid}-${Date.now().toString(36)}`;
const known = new Set<string>();
let sequence = 0;

/** The folder of the run; undefined where nobody scans. */
export const recordings = process.env['RECORDINGS_OF_TESTS'];

export interface Origin {
  readonly file: string;
  readonly test: string;
  /** What spoke, such as a command line without its values. */
  readonly what: string;
  /** The words of a command, for the rules that exempt one. */
  readonly words?: readonly string[];
}

export interface Recording {
  add(piece: string | Uint8Array): void;
  /** For what is written by its descriptor. */
  open(): number;
}

/** What is said in pieces is kept whole: a secret may be cut by any of them. */
export function record(folder: string, origin: () => Origin): Recording {
  const name = join(folder, `${ours}-${sequence++}`);
  let begun = false;
  const begin = () => {
    if (!begun) writeFileSync(`${name}.json`, JSON.stringify(origin()));
    begun = true;
    return `${name}.said`;
  };
  return {
    add: (piece) => appendFileSync(begin(), piece),
    open: () => openSync(begin(), 'a'),
  };
}

/** Larger files are repositories' packs and snapshots of ten thousand routes, made of the same texts as small ones. */
const largestFile = 2 ** 20;

/** Directories that a gateway with these flags writes to. */
export const directoriesOf = (flags: readonly string[]): readonly string[] => [
  ...new Set(
    flags
      .filter((_, at) => ['--state-dir', '--store', '--ledger'].includes(flags[at - 1] ?? ''))
      .filter((directory) => isAbsolute(directory)),
  ),
];

/** The files below a directory that a gateway writes to. */
export function recordDirectory(directory: string, recording: Recording): void {
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch {
    // Not made yet, or gone with its test.
    return;
  }
  for (const name of names)
    try {
      const status = statSync(join(directory, name));
      if (!status.isFile() || status.size > largestFile) continue;
      recording.add(`\n${name}\n`);
      recording.add(readFileSync(join(directory, name)));
    } catch {
      // A file that went meanwhile.
    }
}

/** Shorter ones are words that stand in any text. */
const shortest = 8;

/** Everything that is planted as a secret must be told here, unless it travels in a header or an environment that is looked at. */
export function planted(value: string, where: string): void {
  if (recordings === undefined || value.length < shortest || known.has(value)) return;
  known.add(value);
  appendFileSync(join(recordings, `${ours}.planted`), `${JSON.stringify({ value, where })}\n`);
}

export function plantFile(path: string, where: string): void {
  try {
    for (const line of readFileSync(path, 'utf8').trim().split('\n')) planted(line.trim(), where);
  } catch {
    // A test of a file that is not there, or not yet.
  }
}

/** The password in an address. */
export function plantPassword(text: string, where: string): void {
  for (const [, password = ''] of text.matchAll(/\w+:\/\/[^\s/@:]*:([^\s/@]+)@/g))
    planted(decodeURIComponent(password), where);
}

const secretFlag = /^--[a-z-]*(token|secret)-file$/;

/** What flags of a gateway hold, or the files they name. */
export function plantFlags(flags: readonly string[], where: string): void {
  flags.forEach((flag, at) => {
    plantPassword(flag, `${where}, a flag`);
    if (secretFlag.test(flag)) plantFile(flags[at + 1] ?? '', `${where}, ${flag}`);
  });
}
