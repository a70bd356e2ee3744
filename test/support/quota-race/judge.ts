/** Judges a race by its journal: was more spent than may be, and was anybody sent away who had room? */
import { reachOf, spanAt } from '../../../runtime/quota/window.ts';
import type { Line, RaceLimit } from './journal.ts';

/** Longest time a taking may be on its way, and what clocks of store and machine differ by over a hold. */
const onItsWayMs = 1_000;

interface Call {
  readonly asked: Extract<Line, { is: 'asked' }>;
  took?: Extract<Line, { is: 'took' }>;
  refused?: Extract<Line, { is: 'refused' }>;
  spent?: Extract<Line, { is: 'spent' }>;
  settlingAt?: number;
  settledAt?: number;
  /** It had no answer, and nothing was taken, or its process ended and gave it back. */
  isUndone?: true;
}

export interface Verdict {
  readonly quota: string;
  readonly spans: number;
  readonly spent: number;
  /** Of the spans, the one that was used most, as a share of the limit. */
  readonly fullest: number;
  /** The most that was spent beyond the limit in a span. */
  readonly over: number;
  /** The most that it may be: what is declared, and what killed processes had spent and not settled there. */
  readonly slack: number;
  readonly overSlack: number;
  readonly refusals: number;
  readonly wronglyRefused: number;
}

export function callsOf(lines: readonly Line[]): readonly Call[] {
  const calls = new Map<string, Call>();
  const ended = new Set(lines.filter(({ is }) => is === 'ended').map(({ call }) => call));
  for (const line of lines) {
    if (line.is === 'ended') continue;
    if (line.is === 'asked') calls.set(line.call, { asked: line });
    const call = calls.get(line.call);
    if (!call) throw new Error(`${line.call} was ${line.is} and never asked`);
    if (line.is === 'took') call.took = line;
    if (line.is === 'refused') call.refused = line;
    if (line.is === 'lost' && (line.isUndone || ended.has(line.call.split('-')[0] ?? ''))) call.isUndone = true;
    if (line.is === 'spent') call.spent = line;
    if (line.is === 'settling') call.settlingAt = line.at;
    if (line.is === 'settled') call.settledAt = line.at;
  }
  return [...calls.values()];
}

/** What one call took of one quota. `start` is unknown when no answer came. */
interface Taken {
  readonly start: number | undefined;
  readonly askedAt: number;
  readonly amount: number;
  readonly spent: number;
  readonly settledAt: number | undefined;
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

function takenOf(calls: readonly Call[], index: number): readonly Taken[] {
  return calls
    .filter(({ refused }) => !refused)
    .map(({ asked, took, spent, settledAt }) => ({
      start: took?.starts[index],
      askedAt: asked.at,
      amount: asked.amounts[index] ?? 0,
      spent: spent?.amounts[index] ?? 0,
      settledAt,
    }));
}

/** The most that could have counted in the store between two moments. */
function mostCounted(taken: readonly Taken[], { from, to, holdMs }: { from: number; to: number; holdMs: number }) {
  return sum(
    taken
      .filter(({ askedAt }) => askedAt <= to)
      .map(({ amount, spent, settledAt, askedAt }) => {
        const isOver = settledAt === undefined ? askedAt + holdMs + onItsWayMs < from : settledAt < from;
        return isOver ? spent : amount;
      }),
  );
}

/** For amounts: by spans. */
function judgeSpent(taken: readonly Taken[], { limit, window, slack: declared = 0 }: RaceLimit) {
  const reach = reachOf(window);
  const starts = [...new Set(taken.flatMap(({ start }) => start ?? []))];
  const spans = starts.map((start) => {
    const here = taken.filter((each) => each.start !== undefined && each.start <= start && each.start >= start - reach);
    const unsettled = here.filter(({ settledAt }) => settledAt === undefined);
    return { spent: sum(here.map(({ spent }) => spent)), slack: declared + sum(unsettled.map(({ spent }) => spent)) };
  });
  const over = spans.map(({ spent }) => Math.max(0, spent - limit));
  return {
    spans: starts.length,
    spent: sum(taken.map(({ spent }) => spent)),
    fullest: Math.max(0, ...spans.map(({ spent }) => spent)) / limit,
    over: Math.max(0, ...over),
    slack: Math.max(0, ...spans.map(({ slack }) => slack)),
    overSlack: Math.max(0, ...spans.map(({ slack }, index) => (over[index] ?? 0) - slack)),
  };
}

/** For what runs at the same time: a call runs from its taking until it is settled, or until its process is killed. */
function judgeRunning(calls: readonly Call[], { limit }: RaceLimit, index: number) {
  const edges = calls.flatMap(({ took, asked, settlingAt, spent }) => {
    if (!took) return [];
    const amount = asked.amounts[index] ?? 0;
    return [
      { at: took.at, change: amount },
      { at: settlingAt ?? spent?.at ?? took.at, change: -amount },
    ];
  });
  let running = 0;
  let most = 0;
  for (const { change } of edges.toSorted((one, other) => one.at - other.at || one.change - other.change)) {
    running += change;
    most = Math.max(most, running);
  }
  const over = Math.max(0, most - limit);
  return { spans: 1, spent: 0, fullest: most / limit, over, slack: 0, overSlack: over };
}

export function judge(lines: readonly Line[], limits: readonly RaceLimit[], holdMs: number): readonly Verdict[] {
  const calls = callsOf(lines);
  return limits.map((limit, index) => {
    const isRunning = limit.window.kind === 'none';
    const taken = takenOf(calls, index).map((each) => (isRunning ? { ...each, spent: 0 } : each));
    const refused = calls.filter((call) => call.refused?.granted[index] === false);
    const wrong = refused.filter(({ asked, refused: answer }) => {
      const start = answer?.starts[index] ?? 0;
      const reach = reachOf(limit.window);
      const here = taken.filter((each) => each.start === undefined || Math.abs(each.start - start) <= reach);
      const most = mostCounted(here, { from: asked.at, to: answer?.at ?? asked.at, holdMs });
      return most + (asked.amounts[index] ?? 0) <= limit.limit;
    });
    const spent = isRunning ? judgeRunning(calls, limit, index) : judgeSpent(taken, limit);
    return { quota: limit.key, ...spent, refusals: refused.length, wronglyRefused: wrong.length };
  });
}

/** What a count must show when all is quiet: what was settled, and perhaps what was settled unheard of. */
export function settledIn(lines: readonly Line[], limit: RaceLimit, index: number, now: number): [number, number] {
  if (limit.isCounted) return countedIn(callsOf(lines), index);
  const { start } = spanAt(limit.window, now);
  const here = takenOf(callsOf(lines), index).filter((each) => each.start === start);
  const known = sum(here.map(({ spent, settledAt }) => (settledAt === undefined ? 0 : spent)));
  return [known, known + sum(here.map(({ spent, settledAt }) => (settledAt === undefined ? spent : 0)))];
}

/** Of what is not held, in a span that does not end: what was granted, and perhaps what a process was killed for before it knew. */
function countedIn(calls: readonly Call[], index: number): [number, number] {
  const amountOf = ({ asked }: Call) => asked.amounts[index] ?? 0;
  const granted = sum(calls.filter(({ took }) => took).map(amountOf));
  const inDoubt = calls.filter(({ took, refused, isUndone }) => !took && !refused && !isUndone);
  return [granted, granted + sum(inDoubt.map(amountOf))];
}
