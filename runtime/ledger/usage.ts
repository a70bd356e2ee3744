/** What was used in a span of time, by any dimension: whole days and hours as they were added up, the rest from single calls. */
import type { DatabaseSync } from 'node:sqlite';
import { addUp, type AddedUp, type Asked, type Source } from './adding-up.ts';
import { expressionsIn, isTime, type Time } from './dimensions.ts';
import { columnOf, figureNames, hourMs, hoursOfDay, spanMs, type Grain } from './tables.ts';
import { boundariesIn, stretchesOf, type Stretch } from './zone.ts';

export interface UsageQuestion extends Asked {
  /** Milliseconds since 1970, the second of them not included. */
  readonly from: number;
  readonly to: number;
  /** Whose hours, days and months it is asked by. */
  readonly zone: string;
}

export interface Usage extends AddedUp {
  /** In milliseconds. Where single calls are no longer kept, whole hours. */
  readonly from: number;
  readonly to: number;
}

const columns = figureNames.map(columnOf).join(', ');
const inBuckets = 'bucket, calls';

type Range = readonly [from: number, to: number];

/** What a span is put together from: whole days, hours beside them, and calls on both sides of those. */
interface Parts {
  readonly days: readonly Range[];
  readonly hours: readonly Range[];
  /** Hours of the days that are outside of the span, to be taken away again. */
  readonly without: readonly Range[];
  readonly calls: readonly Range[];
}

function partsOf([from, to]: Range, needsHours: boolean): Parts {
  const [first, last] = [Math.ceil(from / hourMs), Math.floor(to / hourMs)];
  if (first >= last) return { days: [], hours: [], without: [], calls: [[from, to]] };
  const calls: readonly Range[] = [
    [from, first * hourMs],
    [last * hourMs, to],
  ];
  if (needsHours) return { days: [], hours: [[first, last]], without: [], calls };
  // A day whose middle belongs to the span is read as a whole, and what does not belong is taken away: days of other zones
  // begin and end within those of UTC.
  const dayAt = (hour: number) => Math.ceil((hour - hoursOfDay / 2) / hoursOfDay);
  const [firstDay, lastDay] = [dayAt(first), dayAt(last)];
  const [begin, end] = [firstDay * hoursOfDay, lastDay * hoursOfDay];
  if (firstDay === lastDay) return { days: [], hours: [[first, last]], without: [], calls };
  const hours: readonly Range[] = [
    [first, begin],
    [end, last],
  ];
  const without: readonly Range[] = [
    [begin, first],
    [last, end],
  ];
  return { days: [[firstDay, lastDay]], hours, without, calls };
}

/** In order, without what is empty, those that touch as one. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const found: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = found.at(-1);
    if (from >= to) continue;
    if (last?.[1] === from) last[1] = to;
    else found.push([from, to]);
  }
  return found;
}

const timesOf = ({ by, where }: Asked): ReadonlySet<Time> =>
  new Set([...by, ...where.map(({ dimension }) => dimension)].filter(isTime));

/** Where a span must be cut, because what is asked for tells both sides apart. */
function cutsIn(asked: ReadonlySet<Time>, stretches: readonly Stretch[], oldest: number): readonly number[] {
  if (!asked.has('day') && !asked.has('month')) return [];
  const found = boundariesIn(stretches, asked.has('day') ? 'day' : 'month');
  // An hour whose calls are gone cannot be cut: all of it counts where it begins.
  return found.map((at) => (Math.floor(at / hourMs) * hourMs >= oldest ? at : Math.ceil(at / hourMs) * hourMs));
}

function sourceOf(parts: readonly Parts[], stretches: readonly Stretch[]): Source {
  const ranges = (name: keyof Parts) => JSON.stringify(joined(parts.flatMap((part) => part[name])));
  const within = (column: string) => `${column} >= r.value ->> 0 AND ${column} < r.value ->> 1`;
  // A day stands for its middle, which lies in the span wherever that begins; hours that are taken away, too.
  const noon = spanMs.day / 2_000;
  const seconds = (grain: Grain) => `x.${grain} * ${spanMs[grain] / 1_000} + ${grain === 'day' ? noon : 0} AS at`;
  const ofItsDay = `x.hour / ${hoursOfDay} * ${spanMs.day / 1_000} + ${noon} AS at`;
  const negative = (names: string) => names.replaceAll(/\w+/g, (name) => (name === 'bucket' ? name : `-${name}`));
  const calls = (what: string) =>
    `SELECT x.series, x.at / 1000 AS at, ${what} FROM json_each(?) r CROSS JOIN call x WHERE ${within('x.at')}`;
  const figures = (grain: Grain, at = seconds(grain), what = columns) =>
    `SELECT x.series, ${at}, ${what} FROM json_each(?) r CROSS JOIN ${grain} x WHERE ${within(`x.${grain}`)}`;
  // By series, because that is how they lie.
  const latencies = (grain: Grain, at = seconds(grain), what = inBuckets) =>
    `SELECT x.series, ${at}, ${what} FROM json_each(?) r CROSS JOIN series y CROSS JOIN latency_${grain} x
    WHERE x.series = y.id AND ${within(`x.${grain}`)}`;
  const all = (each: typeof figures, what: string) =>
    `(${[each('day'), each('hour'), each('hour', ofItsDay, negative(what)), calls(what)].join(' UNION ALL ')}) p JOIN series s ON s.id = p.series`;
  return {
    figures: all(figures, columns),
    latencies: all(latencies, inBuckets),
    values: [ranges('days'), ranges('hours'), ranges('without'), ranges('calls')],
    expressionOf: expressionsIn(stretches),
  };
}

/** What is older than `keepMs` is known by whole hours only. */
export function usageFrom(database: DatabaseSync, question: UsageQuestion, keepMs: number): Usage {
  const oldest = Date.now() - keepMs;
  const from = question.from < oldest ? Math.floor(question.from / hourMs) * hourMs : question.from;
  const to = question.to < oldest ? Math.ceil(question.to / hourMs) * hourMs : question.to;
  const asked = timesOf(question);
  // Nothing is written down before it happens, and who asks until the year 9999 is not to wait for it.
  const stretches = stretchesOf(question.zone, from, Math.max(from, Math.min(to, Date.now() + spanMs.day)));
  const cuts = [from, ...cutsIn(asked, stretches, oldest).filter((at) => at > from && at < to), to];
  const parts = cuts.slice(1).map((end, index) => partsOf([cuts[index] ?? from, end], asked.has('hour')));
  return { from, to, ...addUp(database, sourceOf(parts, stretches), question) };
}
