/** What was promised of speed, as ratios of one run on one machine, and whether this run keeps it. */
import type { Figures } from './figures.ts';
import type { SwapFigures } from './swap.ts';

export interface Verdict {
  readonly line: number;
  readonly promise: string;
  readonly measured: string;
  readonly verdict: 'met' | 'missed' | 'absent';
  /** The work that it is about was run. */
  readonly wasAsked: boolean;
}

export interface Results {
  /** By the name of the work. */
  readonly works: ReadonlyMap<string, readonly Figures[]>;
  readonly swap: SwapFigures | undefined;
}

/** A figure, and whether the machine was quiet meanwhile; or why there is none. */
type Found =
  | { readonly value: number; readonly isQuiet: boolean }
  | { readonly why: string; readonly wasAsked: boolean };

type Figure = (figures: Figures) => number;
const cpu: Figure = (figures) => figures.cpu;
const cpuOfChunk: Figure = (figures) => figures.cpuOfChunk;
const throughput: Figure = (figures) => figures.throughput;

const notRun = (work: string): Found => ({ why: `${work} was not run`, wasAsked: false });

class Reader {
  readonly #results: Results;

  constructor(results: Results) {
    this.#results = results;
  }

  /** Of one row, or of two compared. */
  of(work: string, rows: readonly [string, string?], by: (first: Figures, second: Figures) => number): Found {
    const all = this.#results.works.get(work);
    if (all === undefined) return notRun(work);
    const [name, other = name] = rows;
    const [first, second] = [name, other].map((row) => all.find((each) => each.row === row));
    if (first === undefined || second === undefined)
      return { why: `${first === undefined ? name : other} is not there`, wasAsked: true };
    return { value: by(first, second), isQuiet: first.areQuiet && second.areQuiet };
  }

  ratio(work: string, row: string, of: Figure): Found {
    return this.of(work, ['headgate', row], (ours, theirs) => of(ours) / of(theirs));
  }

  /** A chunk of one kind of work against a chunk of another. */
  chunks(work: string, base: string): Found {
    const [one, other] = [this.of(work, ['headgate'], cpuOfChunk), this.of(base, ['headgate'], cpuOfChunk)];
    if ('why' in one) return one;
    return 'why' in other ? other : { value: one.value / other.value, isQuiet: one.isQuiet && other.isQuiet };
  }

  swap(of: (figures: SwapFigures) => number): Found {
    const { swap } = this.#results;
    return swap === undefined ? notRun('swap') : { value: of(swap), isQuiet: swap.areQuiet };
  }
}

interface Bound {
  readonly line: number;
  readonly promise: string;
  readonly find: (results: Reader) => Found;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly unit?: string;
}

const native = 'translate-openai-openai-stream';

const bounds: readonly Bound[] = [
  { line: 1, promise: 'unary: CPU ≤ 0.6 × bare proxy', atMost: 0.6, find: (all) => all.ratio('unary-64', 'bare', cpu) },
  { line: 1, promise: 'unary: CPU ≤ 3.5 × nginx', atMost: 3.5, find: (all) => all.ratio('unary-64', 'nginx', cpu) },
  {
    line: 1,
    promise: 'unary: CPU ≤ 1/14 (0.0714) × Portkey',
    atMost: 1 / 14,
    find: (all) => all.ratio('unary-64', 'portkey', cpu),
  },
  {
    line: 1,
    promise: 'unary: throughput ≥ 12 × Portkey',
    atLeast: 12,
    find: (all) => all.ratio('unary-64', 'portkey', throughput),
  },
  {
    line: 2,
    promise: 'burst: CPU of a chunk ≤ 2 × nginx',
    atMost: 2,
    find: (all) => all.ratio('burst', 'nginx', cpuOfChunk),
  },
  {
    line: 2,
    promise: 'burst: CPU of a chunk ≤ 1/6 (0.167) × Portkey',
    atMost: 1 / 6,
    find: (all) => all.ratio('burst', 'portkey', cpuOfChunk),
  },
  {
    line: 2,
    promise: 'paced: first token added < 1 ms at p50',
    atMost: 1,
    unit: 'ms',
    find: (all) => all.of('paced', ['headgate', 'direct'], (ours, direct) => (ours.firstP50 - direct.firstP50) / 1e3),
  },
  {
    line: 3,
    promise: 'OpenAI to Anthropic: CPU of a chunk ≤ 3 × native',
    atMost: 3,
    find: (all) => all.chunks('translate-openai-anthropic-stream', native),
  },
  {
    line: 3,
    promise: 'Anthropic to OpenAI: CPU of a chunk ≤ 3 × native',
    atMost: 3,
    find: (all) => all.chunks('translate-anthropic-openai-stream', native),
  },
  { line: 4, promise: 'bodies of 1 MB: CPU ≤ 3 × nginx', atMost: 3, find: (all) => all.ratio('body-1m', 'nginx', cpu) },
  {
    line: 4,
    promise: '1,000 slow streams: CPU ≤ 3 × nginx',
    atMost: 3,
    find: (all) => all.ratio('slow-1000', 'nginx', cpu),
  },
  {
    line: 4,
    promise: '5,000 slow streams: ≤ 80 KiB each',
    atMost: 80,
    unit: 'KiB',
    find: (all) => all.of('slow-5000', ['headgate'], ({ residentOfStream }) => residentOfStream / 1_024),
  },
  {
    line: 4,
    promise: '5,000 slow streams: none incomplete',
    atMost: 0,
    unit: 'failed',
    find: (all) => all.of('slow-5000', ['headgate'], ({ failed }) => failed),
  },
  {
    line: 5,
    promise: 'swap: longest added gap < 20 ms',
    atMost: 20,
    unit: 'ms',
    find: (all) => all.swap(({ gapMs }) => gapMs),
  },
  {
    line: 5,
    promise: 'swap: p99 meanwhile < 2 × steady',
    atMost: 2,
    find: (all) => all.swap(({ p99Ratio }) => p99Ratio),
  },
  {
    line: 6,
    promise: 'two workers ≥ 1.7 × one',
    atLeast: 1.7,
    // A second worker shares its processor with the load: what counts is what the processor time that it gets is good for.
    find: (all) => all.of('workers', ['headgate-two-workers', 'headgate'], (two, one) => (2 * one.cpu) / two.cpu),
  },
  {
    line: 7,
    promise: 'no test was loosened',
    find: () => ({ why: 'what `npm test` holds', wasAsked: false }),
  },
];

function judge(
  { line, promise, find, atMost = Infinity, atLeast = -Infinity, unit = '×' }: Bound,
  all: Reader,
): Verdict {
  const found = find(all);
  if ('why' in found) return { line, promise, measured: found.why, verdict: 'absent', wasAsked: found.wasAsked };
  const verdict = found.value <= atMost && found.value >= atLeast ? 'met' : 'missed';
  const measured = `${found.value.toPrecision(3)} ${unit}${found.isQuiet ? '' : ' ~'}`;
  return { line, promise, measured, verdict, wasAsked: true };
}

export const judgeAll = (results: Results): readonly Verdict[] =>
  bounds.map((bound) => judge(bound, new Reader(results)));
