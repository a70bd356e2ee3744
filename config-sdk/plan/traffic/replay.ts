/** Replays a file of recorded requests under two snapshots, with the engine that serves live; a line is forgotten once it is counted. */
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  memoryStore,
  openDecider,
  seededRandom,
  surfacePaths,
  type AskedRequest,
  type Circumstances,
  type Decider,
  type Decision,
  type QuotaStore,
} from '@headgate/runtime/decide';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import { EnvironmentFault } from '../../findings.ts';
import { entryOf, type Sides } from '../revision.ts';
import { AskedAgain } from './asked.ts';
import { readLine, type Recorded, type Skipped } from './recording.ts';
import { Tally, type Tallied } from './tally.ts';

const mostProblems = 3;
/** Lines of a log are written as requests end, so that some are a little out of order. */
const disorderMs = 60_000;

export interface Replay extends Tallied {
  /** Its name without folders. */
  readonly file: string;
  readonly skipped: Readonly<Record<Skipped, number>>;
  /** Lines that cannot be read. */
  readonly bad: number;
  /** The first of them. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
  /** Requests that are much older than one before them. */
  readonly unordered: number;
}

/** A file of which no line can be replayed. */
export class NothingToReplay extends Error {
  constructor({ file, bad, problems, skipped }: Replay) {
    const [first] = problems;
    const others = Object.values(skipped).reduce((sum, count) => sum + count, 0);
    const why = first ? `; line ${first.line}: ${first.problem}` : '';
    super(
      `${file} holds no request that can be replayed (${bad} lines cannot be read, ${others} are none)${why}; give the log of a gateway, or lines of "format": "headgate/traffic.v1"`,
    );
    this.name = 'NothingToReplay';
  }
}

/** Rejects with `EnvironmentFault`. */
async function opened(path: string): Promise<FileHandle> {
  try {
    const file = await open(path);
    if (!(await file.stat()).isDirectory()) return file;
    await file.close();
    throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  } catch (cause) {
    const { code = 'error' } = cause as NodeJS.ErrnoException;
    throw new EnvironmentFault(`${path} cannot be read (${code}): name a file of recorded requests with --traffic`, {
      cause,
    });
  }
}

/** Before anything is compiled for it. Rejects with `EnvironmentFault`. */
export async function requireReadable(path: string): Promise<void> {
  await (await opened(path)).close();
}

/** Recorded times drive it; what counts as old only ever moves on. */
class Clock {
  #now = 0;
  #latest = 0;
  readonly quotas: QuotaStore = memoryStore(
    () => this.#now,
    () => this.#latest,
  );

  /** Whether `at` is much older than what was seen. */
  set(at: number): boolean {
    this.#now = at;
    const late = at < this.#latest - disorderMs;
    this.#latest = Math.max(this.#latest, at);
    return late;
  }
}

/** Whoever held a key before holds it still: a consumer with another name is the same client, one without a key in common is followed by name. */
function successorsIn({ base, head }: Sides): (consumer: string) => string {
  const owners = new Map(Object.entries(head.consumers).flatMap(([name, { keys }]) => keys.map((key) => [key, name])));
  return (consumer) => {
    const keys = entryOf(base.consumers, consumer)?.keys ?? [];
    return keys.map((key) => owners.get(key)).find((name) => name !== undefined) ?? consumer;
  };
}

class Pair {
  readonly #before: Decider;
  readonly #after: Decider;
  readonly #clocks = { before: new Clock(), after: new Clock() };
  readonly #successor: (consumer: string) => string;

  constructor(before: Decider, after: Decider) {
    this.#before = before;
    this.#after = after;
    this.#successor = successorsIn({ base: before.snapshot, head: after.snapshot });
  }

  /** True when `at` is out of order. */
  setClock(at: number): boolean {
    const late = [this.#clocks.before.set(at), this.#clocks.after.set(at)];
    return late.includes(true);
  }

  /** Weights draw the same on both sides: `seed` is the request's own. */
  async decide(
    asked: AskedRequest,
    { seed, spends }: { readonly seed: number; readonly spends: Circumstances['spends'] },
  ): Promise<readonly [before: Decision, after: Decision]> {
    const { consumer } = asked;
    const renamed = consumer === undefined ? asked : { ...asked, consumer: this.#successor(consumer) };
    const { before, after } = this.#clocks;
    return [
      await this.#before.decide(asked, { quotas: before.quotas, random: seededRandom(seed), spends }),
      await this.#after.decide(renamed, { quotas: after.quotas, random: seededRandom(seed), spends }),
    ];
  }
}

export interface ReplayOptions {
  readonly base: SnapshotInput;
  readonly head: SnapshotInput;
  /** File of recorded requests. */
  readonly path: string;
}

/** Rejects with `NothingToReplay` or `EnvironmentFault`. */
export async function replay({ path, base, head }: ReplayOptions): Promise<Replay> {
  const [before, after] = [await openDecider(base), await openDecider(head)];
  const sides: Sides = { base: before.snapshot, head: after.snapshot };
  const pair = new Pair(before, after);
  const asking = new AskedAgain(sides, surfacePaths[0] ?? '');
  const tally = new Tally();
  const skipped = { no_request: 0, not_decided: 0, model_unknown: 0, content_unknown: 0, no_conversation: 0 };
  const problems: { line: number; problem: string }[] = [];
  let [line, bad, unordered] = [0, 0, 0];

  async function decideAgain(recorded: Recorded): Promise<void> {
    if (pair.setClock(recorded.at)) unordered += 1;
    const { asked, tokens } = asking.of(recorded);
    const { inputTokens, outputTokens } = recorded;
    const spends = inputTokens === undefined || outputTokens === undefined ? undefined : { inputTokens, outputTokens };
    const decisions = await pair.decide(asked, { seed: line, spends });
    tally.add({ line, at: recorded.at, tokens, outputTokens: recorded.outputTokens }, ...decisions);
  }

  for await (const text of (await opened(path)).readLines()) {
    line += 1;
    if (text.trim() === '') continue;
    const read = readLine(text);
    if ('recorded' in read) await decideAgain(read.recorded);
    else if ('skipped' in read) skipped[read.skipped] += 1;
    else {
      bad += 1;
      if (problems.length < mostProblems) problems.push({ line, problem: read.problem });
    }
  }
  const result = { ...tally.finish(sides), file: basename(path), skipped, bad, problems, unordered };
  if (result.requests === 0) throw new NothingToReplay(result);
  return result;
}
