/** What was used in a span of time, by any dimension: whole hours as they were added up, the rest from single calls. */
import type { DatabaseSync } from 'node:sqlite';
import { addUp, type Asked, type Source, type Sum } from './adding-up.ts';
import { columnOf, figureNames, hourMs } from './tables.ts';

export interface UsageQuestion extends Asked {
  /** Milliseconds since 1970, the second of them not included. */
  readonly from: number;
  readonly to: number;
}

export interface Usage {
  /** In milliseconds. Where single calls are no longer kept, whole hours. */
  readonly from: number;
  readonly to: number;
  readonly rows: readonly Sum[];
  /** There are more than were asked for. */
  readonly isCut: boolean;
  readonly total: Sum | undefined;
}

const columns = figureNames.map(columnOf).join(', ');

/** Hours from `first` up to `last`, and calls in the spans before and behind them. */
interface Parts {
  readonly first: number;
  readonly last: number;
  readonly before: readonly [from: number, to: number];
  readonly behind: readonly [from: number, to: number];
}

function partsOf(from: number, to: number): Parts {
  const [first, last] = [Math.ceil(from / hourMs), Math.floor(to / hourMs)];
  if (first >= last) return { first: 0, last: 0, before: [from, to], behind: [0, 0] };
  return { first, last, before: [from, first * hourMs], behind: [last * hourMs, to] };
}

function sourceOf({ first, last, before, behind }: Parts): Source {
  const calls = (what: string) => `SELECT series, at / ${hourMs} AS hour, ${what} FROM call WHERE at >= ? AND at < ?`;
  const edges = (what: string) => `${calls(what)} UNION ALL ${calls(what)}`;
  const hours = `SELECT series, hour, ${columns} FROM hour WHERE hour >= ? AND hour < ?`;
  // By series, because that is how they lie.
  const latencies = `SELECT l.series, l.hour, l.bucket, l.calls FROM series x CROSS JOIN latency l ON l.series = x.id WHERE l.hour >= ? AND l.hour < ?`;
  return {
    figures: `(${hours} UNION ALL ${edges(columns)}) p JOIN series s ON s.id = p.series`,
    latencies: `(${latencies} UNION ALL ${edges('bucket, calls')}) p JOIN series s ON s.id = p.series`,
    values: [first, last, ...before, ...behind],
  };
}

/** What is older than `keepMs` is known by whole hours only. */
export function usageFrom(database: DatabaseSync, question: UsageQuestion, keepMs: number): Usage {
  const oldest = Date.now() - keepMs;
  const from = question.from < oldest ? Math.floor(question.from / hourMs) * hourMs : question.from;
  const to = question.to < oldest ? Math.ceil(question.to / hourMs) * hourMs : question.to;
  const source = sourceOf(partsOf(from, to));
  const rows = addUp(database, source, question);
  const [total] = addUp(database, source, { ...question, by: [], limit: 1 });
  return { from, to, rows: rows.slice(0, question.limit), isCut: rows.length > question.limit, total };
}
