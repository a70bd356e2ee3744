/** What was used in a span of time, by any dimension: whole days and hours as they were added up, the rest from single calls. */
import type { DatabaseSync } from 'node:sqlite';
import { addUp, type AddedUp, type Asked, type Source } from './adding-up.ts';
import { columnOf, figureNames, hourMs, hoursOfDay, type Grain } from './tables.ts';

export interface UsageQuestion extends Asked {
  /** Milliseconds since 1970, the second of them not included. */
  readonly from: number;
  readonly to: number;
}

export interface Usage extends AddedUp {
  /** In milliseconds. Where single calls are no longer kept, whole hours. */
  readonly from: number;
  readonly to: number;
}

const columns = figureNames.map(columnOf).join(', ');

type Range = readonly [from: number, to: number];

/** What a span is put together from: whole days, whole hours on both sides of them, and the calls on both sides of those. */
interface Parts {
  readonly days: Range;
  readonly hours: readonly [Range, Range];
  readonly calls: readonly [Range, Range];
}

const nothing: Range = [0, 0];

function partsOf(from: number, to: number, needsHours: boolean): Parts {
  const [first, last] = [Math.ceil(from / hourMs), Math.floor(to / hourMs)];
  if (first >= last) return { days: nothing, hours: [nothing, nothing], calls: [[from, to], nothing] };
  const calls = [
    [from, first * hourMs],
    [last * hourMs, to],
  ] as const;
  const [firstDay, lastDay] = [Math.ceil(first / hoursOfDay), Math.floor(last / hoursOfDay)];
  if (needsHours || firstDay >= lastDay) return { days: nothing, hours: [[first, last], nothing], calls };
  const before = [first, firstDay * hoursOfDay] as const;
  return { days: [firstDay, lastDay], hours: [before, [lastDay * hoursOfDay, last]], calls };
}

function sourceOf({ days, hours, calls }: Parts): Source {
  const of = (table: string, hour: string, what: string) =>
    `SELECT x.series, ${hour} AS hour, ${what} FROM ${table} WHERE`;
  const figures = [
    `${of('day x', `day * ${hoursOfDay}`, columns)} day >= ? AND day < ?`,
    ...hours.map(() => `${of('hour x', 'hour', columns)} hour >= ? AND hour < ?`),
    ...calls.map(() => `${of('call x', `at / ${hourMs}`, columns)} at >= ? AND at < ?`),
  ];
  // By series, because that is how they lie.
  const lying = (grain: Grain) => `series y CROSS JOIN latency_${grain} x ON x.series = y.id`;
  const latencies = [
    `${of(lying('day'), `day * ${hoursOfDay}`, 'bucket, calls')} day >= ? AND day < ?`,
    ...hours.map(() => `${of(lying('hour'), 'hour', 'bucket, calls')} hour >= ? AND hour < ?`),
    ...calls.map(() => `${of('call x', `at / ${hourMs}`, 'bucket, calls')} at >= ? AND at < ?`),
  ];
  return {
    figures: `(${figures.join(' UNION ALL ')}) p JOIN series s ON s.id = p.series`,
    latencies: `(${latencies.join(' UNION ALL ')}) p JOIN series s ON s.id = p.series`,
    values: [days, ...hours, ...calls].flat(),
  };
}

/** What is older than `keepMs` is known by whole hours only. */
export function usageFrom(database: DatabaseSync, question: UsageQuestion, keepMs: number): Usage {
  const oldest = Date.now() - keepMs;
  const from = question.from < oldest ? Math.floor(question.from / hourMs) * hourMs : question.from;
  const to = question.to < oldest ? Math.ceil(question.to / hourMs) * hourMs : question.to;
  const source = sourceOf(partsOf(from, to, question.by.includes('hour')));
  return { from, to, ...addUp(database, source, question) };
}
