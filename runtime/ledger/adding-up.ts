/** Adds up what the ledger holds, by whatever it is asked by. */
import type { DatabaseSync } from 'node:sqlite';
import { usdText } from '../cost.ts';
import {
  isTime,
  joinFor,
  whereOf,
  type Condition,
  type Dimension,
  type Expressions,
  type Group,
} from './dimensions.ts';
import type { Figures } from './record.ts';
import { columnOf, figureNames, msOf } from './tables.ts';

/** Where it is read: SQL between `FROM` and `WHERE`, with `s` and `p` in it. */
export interface Source {
  readonly figures: string;
  readonly latencies: string;
  readonly values: readonly (string | number)[];
  readonly expressionOf: Expressions;
}

export interface Asked {
  readonly by: readonly Dimension[];
  readonly where: readonly Condition[];
  readonly limit: number;
}

export interface Sum extends Omit<Figures, 'costNano' | 'costRest'> {
  readonly group: Group;
  readonly refused: number;
  readonly failed: number;
  /** The client did not wait for the end. */
  readonly left: number;
  /** A decimal text, exact. */
  readonly costUsd: string;
  /** Rounded to billionths. */
  readonly costPerCallUsd: string | undefined;
  /** At most a twentieth wrong; absent without calls. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
}

type Row = Readonly<Record<string, unknown>>;
type Counts = readonly (readonly [bucket: number, calls: number])[];

const ends = ['refused', 'failed', 'left'] as const;

const figureSums = figureNames.map((name) => `sum(p.${columnOf(name)}) AS ${name}`);
const endSums = ends.map((end) => `sum(iif(s.ended = '${end}', p.calls, 0)) AS ${end}`);

const namesOf = (by: readonly Dimension[], expressionOf: Expressions): readonly string[] =>
  by.map((name) => `${expressionOf(name)} AS by_${name}`);
const groupOf = (row: Row, by: readonly Dimension[]): Group =>
  Object.fromEntries(by.map((name) => [name, String(row[`by_${name}`])]));

function rowsOf(database: DatabaseSync, sql: string, values: readonly (string | number)[]): readonly Row[] {
  const statement = database.prepare(sql);
  // Money outgrows what a double holds exactly.
  statement.setReadBigInts(true);
  return statement.all(...values);
}

/** The least that so many of the calls took no longer than. */
function percentile(counts: Counts, share: number): number | undefined {
  const all = counts.reduce((sum, [, calls]) => sum + calls, 0);
  let sum = 0;
  for (const [bucket, calls] of counts) {
    sum += calls;
    if (sum >= share * all) return msOf(bucket);
  }
  return undefined;
}

function latenciesBy(
  database: DatabaseSync,
  { latencies, values, expressionOf }: Source,
  { by, where }: Asked,
): ReadonlyMap<string, Counts> {
  const met = whereOf(where, expressionOf);
  const columns = [...namesOf(by, expressionOf), 'p.bucket AS bucket', 'sum(p.calls) AS calls'];
  const groups = [...by.map((name) => `by_${name}`), 'p.bucket'];
  const sql = `SELECT ${columns.join(', ')} FROM ${latencies} ${joinFor(by)} WHERE ${met.sql} GROUP BY ${groups.join(', ')} ORDER BY p.bucket`;
  const found = new Map<string, [number, number][]>();
  for (const row of rowsOf(database, sql, [...values, ...met.values])) {
    const key = JSON.stringify(groupOf(row, by));
    const counts = found.get(key) ?? [];
    counts.push([Number(row['bucket']), Number(row['calls'])]);
    found.set(key, counts);
  }
  return found;
}

const asBigInt = (value: unknown): bigint => (typeof value === 'bigint' ? value : 0n);
const perNano = 1_000_000_000n;

function sumOf(row: Row, group: Group, counts: Counts): Sum {
  const figure = (name: string) => Number(row[name] ?? 0);
  const units = asBigInt(row['costNano']) * perNano + asBigInt(row['costRest']);
  const calls = figure('calls');
  const perCall = calls === 0 ? undefined : (units / BigInt(calls) / perNano) * perNano;
  return {
    group,
    calls,
    refused: figure('refused'),
    failed: figure('failed'),
    left: figure('left'),
    attempts: figure('attempts'),
    inputTokens: figure('inputTokens'),
    cachedInputTokens: figure('cachedInputTokens'),
    cacheWriteTokens: figure('cacheWriteTokens'),
    outputTokens: figure('outputTokens'),
    reasoningTokens: figure('reasoningTokens'),
    costUsd: usdText({ units }),
    costPerCallUsd: perCall === undefined ? undefined : usdText({ units: perCall }),
    estimated: figure('estimated'),
    unpriced: figure('unpriced'),
    p50Ms: percentile(counts, 0.5),
    p95Ms: percentile(counts, 0.95),
  };
}

export interface AddedUp {
  /** The dearest first, or by time where that is asked by. */
  readonly rows: readonly Sum[];
  /** There are more than were asked for. */
  readonly isCut: boolean;
  readonly total: Sum;
}

/** Rows that are read at most, to be added up once more. */
const mostRead = 20_000;

const figureColumns = [...figureNames, ...ends];

/** Undefined where groups overlap, or are too many. */
function totalOf(rows: readonly Row[], latencies: ReadonlyMap<string, Counts>, by: Asked['by']): Sum | undefined {
  if (by.includes('tag') || rows.length > mostRead) return undefined;
  const all: Record<string, bigint> = {};
  for (const row of rows) for (const name of figureColumns) all[name] = (all[name] ?? 0n) + asBigInt(row[name]);
  const counts = new Map<number, number>();
  for (const [bucket, calls] of [...latencies.values()].flat()) counts.set(bucket, (counts.get(bucket) ?? 0) + calls);
  return sumOf(
    all,
    {},
    [...counts].toSorted(([one], [other]) => one - other),
  );
}

export function addUp(database: DatabaseSync, source: Source, asked: Asked): AddedUp {
  const { by, where, limit } = asked;
  const met = whereOf(where, source.expressionOf);
  const groups = by.length === 0 ? '' : `GROUP BY ${by.map((name) => `by_${name}`).join(', ')}`;
  const times = by.filter(isTime).map((name) => `by_${name}`);
  const order = [...times, 'costNano DESC', 'calls DESC', ...by.map((name) => `by_${name}`)].join(', ');
  const columns = [...namesOf(by, source.expressionOf), ...figureSums, ...endSums].join(', ');
  const most = Math.max(limit, mostRead) + 1;
  const sql = `SELECT ${columns} FROM ${source.figures} ${joinFor(by)} WHERE ${met.sql} ${groups} ORDER BY ${order} LIMIT ${most}`;
  const found = rowsOf(database, sql, [...source.values, ...met.values]);
  const latencies = latenciesBy(database, source, asked);
  const total = totalOf(found, latencies, by) ?? addUp(database, source, { ...asked, by: [] }).total;
  const rows = found.slice(0, limit).map((row) => {
    const group = groupOf(row, by);
    return sumOf(row, group, latencies.get(JSON.stringify(group)) ?? []);
  });
  return { rows, isCut: found.length > limit, total };
}
