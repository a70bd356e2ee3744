/** What was promised of speed, as ratios of one run on one machine, and whether this run keeps it. */
import type { Figures } from './figures.ts';
import type { SwapFigures } from './swap.ts';

export interface Verdict {
  readonly line: number;
  readonly promise: string;
  readonly measured: string;
  readonly verdict: 'met' | 'missed' | 'absent';
}

export interface Results {
  /** By the name of the work. */
  readonly works: ReadonlyMap<string, readonly Figures[]>;
  readonly swap: SwapFigures | undefined;
}

type Figure = (figures: Figures) => number;
const cpu: Figure = (figures) => figures.cpu;
const cpuOfChunk: Figure = (figures) => figures.cpuOfChunk;
const throughput: Figure = (figures) => figures.throughput;

interface Bound {
  readonly line: number;
  readonly promise: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly unit?: string;
}

/** Why there is no figure, in words. */
class Missing {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

function judge({ line, promise, atMost, atLeast, unit = '×' }: Bound, value: number | Missing): Verdict {
  if (value instanceof Missing) return { line, promise, measured: value.why, verdict: 'absent' };
  const isMet = value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity);
  return { line, promise, measured: `${value.toPrecision(3)} ${unit}`, verdict: isMet ? 'met' : 'missed' };
}

export function judgeAll({ works, swap }: Results): readonly Verdict[] {
  const find = (work: string, row: string): Figures | Missing => {
    const all = works.get(work);
    if (all === undefined) return new Missing(`${work} was not run`);
    return all.find((figures) => figures.row === row) ?? new Missing(`${row} is not there`);
  };
  const combined = (one: Figures | Missing, other: Figures | Missing, by: (a: Figures, b: Figures) => number) =>
    one instanceof Missing ? one : other instanceof Missing ? other : by(one, other);
  const ratio = (work: string, row: string, of: Figure): number | Missing =>
    combined(find(work, 'headgate'), find(work, row), (ours, theirs) => of(ours) / of(theirs));
  const translated = (client: string, vendor: string): number | Missing => {
    const native = find('translate-openai-openai-stream', 'headgate');
    return combined(
      find(`translate-${client}-${vendor}-stream`, 'headgate'),
      native,
      (a, b) => a.cpuOfChunk / b.cpuOfChunk,
    );
  };
  const firstToken = combined(
    find('paced', 'headgate'),
    find('paced', 'direct'),
    (a, b) => (a.firstP50 - b.firstP50) / 1e3,
  );
  const many = find('slow-5000', 'headgate');
  const swapped = (of: (figures: SwapFigures) => number): number | Missing =>
    swap === undefined ? new Missing('swap was not run') : of(swap);
  const one = find('workers', 'headgate');
  const two = find('workers', 'headgate-two-workers');
  return [
    judge({ line: 1, promise: 'unary: CPU ≤ 0.6 × bare proxy', atMost: 0.6 }, ratio('unary-64', 'bare', cpu)),
    judge({ line: 1, promise: 'unary: CPU ≤ 3.5 × nginx', atMost: 3.5 }, ratio('unary-64', 'nginx', cpu)),
    judge(
      { line: 1, promise: 'unary: CPU ≤ 1/14 (0.0714) × Portkey', atMost: 1 / 14 },
      ratio('unary-64', 'portkey', cpu),
    ),
    judge(
      { line: 1, promise: 'unary: throughput ≥ 12 × Portkey', atLeast: 12 },
      ratio('unary-64', 'portkey', throughput),
    ),
    judge({ line: 2, promise: 'burst: CPU of a chunk ≤ 2 × nginx', atMost: 2 }, ratio('burst', 'nginx', cpuOfChunk)),
    judge(
      { line: 2, promise: 'burst: CPU of a chunk ≤ 1/6 (0.167) × Portkey', atMost: 1 / 6 },
      ratio('burst', 'portkey', cpuOfChunk),
    ),
    judge({ line: 2, promise: 'paced: first token added < 1 ms at p50', atMost: 1, unit: 'ms' }, firstToken),
    judge(
      { line: 3, promise: 'OpenAI to Anthropic: CPU of a chunk ≤ 3 × native', atMost: 3 },
      translated('openai', 'anthropic'),
    ),
    judge(
      { line: 3, promise: 'Anthropic to OpenAI: CPU of a chunk ≤ 3 × native', atMost: 3 },
      translated('anthropic', 'openai'),
    ),
    judge({ line: 4, promise: 'bodies of 1 MB: CPU ≤ 3 × nginx', atMost: 3 }, ratio('body-1m', 'nginx', cpu)),
    judge({ line: 4, promise: '1,000 slow streams: CPU ≤ 3 × nginx', atMost: 3 }, ratio('slow-1000', 'nginx', cpu)),
    judge(
      { line: 4, promise: '5,000 slow streams: ≤ 80 KiB each', atMost: 80, unit: 'KiB' },
      many instanceof Missing ? many : many.residentOfStream / 1_024,
    ),
    judge(
      { line: 4, promise: '5,000 slow streams: none incomplete', atMost: 0, unit: 'failed' },
      many instanceof Missing ? many : many.failed,
    ),
    judge(
      { line: 5, promise: 'swap: longest added gap < 20 ms', atMost: 20, unit: 'ms' },
      swapped(({ gapMs }) => gapMs),
    ),
    judge(
      { line: 5, promise: 'swap: p99 meanwhile < 2 × steady', atMost: 2 },
      swapped(({ p99Ratio }) => p99Ratio),
    ),
    // A second worker shares its processor with the load: what counts is what a processor that works for it gets done.
    judge(
      { line: 6, promise: 'two workers ≥ 1.7 × one', atLeast: 1.7 },
      combined(two, one, (a, b) => (2 * b.cpu) / a.cpu),
    ),
    { line: 7, promise: 'no test was loosened', measured: 'what `npm test` holds', verdict: 'absent' },
  ];
}
