/** Single calls, newest first and a page at a time: those that a few conditions leave. */
import type { DatabaseSync } from 'node:sqlite';
import { usdText } from '../cost.ts';
import { expressionsIn, whereOf, type Condition } from './dimensions.ts';
import type { Figures, Series } from './record.ts';
import { columnOf, figureNames, hourMs, seriesNames } from './tables.ts';
import { writerFor } from './zone.ts';

/** Where a page ended: the next one begins behind it. */
export interface Cursor {
  readonly at: number;
  readonly id: number;
}

export interface CallsQuestion {
  /** Milliseconds since 1970, the second of them not included. */
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  readonly where: readonly Condition[];
  /** The id of one request: with what was spent in vain it has several records. */
  readonly request: string | undefined;
  readonly after: Cursor | undefined;
  readonly limit: number;
}

type Told = Omit<Series, 'matched' | 'tags' | 'status'> & Omit<Figures, 'calls' | 'costNano' | 'costRest'>;

export interface Call extends Told {
  /** When it ended. */
  readonly at: string;
  readonly request: string;
  /** Empty for what is no model, as is `route` for what is no route. */
  readonly model: string;
  readonly route: string;
  readonly matched: string;
  readonly tags: readonly string[];
  /** None for what was spent in vain. */
  readonly status: number | undefined;
  readonly ms: number;
  readonly firstMs: number | undefined;
  /** A decimal text, exact. */
  readonly costUsd: string;
}

export interface CallPage {
  readonly calls: readonly Call[];
  /** Undefined: there are no more. */
  readonly next: Cursor | undefined;
}

type Row = Readonly<Record<string, unknown>>;

interface Selection {
  /** SQL over `s`, a series. */
  readonly met: string;
  readonly values: readonly string[];
}

/** What one statement finds of calls `c`, newest first. */
interface Look {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

function placesFound(database: DatabaseSync, { sql, values }: Look, most: number): readonly Cursor[] {
  const order = `ORDER BY c.at DESC, c.id DESC LIMIT ${most}`;
  const rows = database.prepare(`SELECT c.at, c.id FROM call c WHERE ${sql} ${order}`).all(...values);
  return rows.map(({ at, id }) => ({ at: Number(at), id: Number(id) }));
}

/** The hours in which there were such calls, newest first: what was added up knows them. */
function hoursWith(database: DatabaseSync, { met, values }: Selection, [from, to]: readonly [number, number]) {
  const sql = `SELECT DISTINCT p.hour FROM series s CROSS JOIN hour p ON p.series = s.id
    WHERE p.hour >= ? AND p.hour <= ? AND ${met} ORDER BY p.hour DESC`;
  const rows = database.prepare(sql).all(Math.floor(from / hourMs), Math.floor((to - 1) / hourMs), ...values);
  return rows.map(({ hour }) => Number(hour));
}

function placesOf(database: DatabaseSync, question: CallsQuestion, { met, values }: Selection): readonly Cursor[] {
  const { from, request, where, limit, after } = question;
  const to = Math.min(question.to, (after?.at ?? Number.POSITIVE_INFINITY) + 1);
  const most = limit + 1;
  // A request is looked for in all calls as they lie: a tenth of a second for a million. An index of ids would make each
  // call half as dear again to write.
  const plus = request === undefined ? '' : '+';
  const within = (first: number, last: number): Look => ({
    sql: [
      `${plus}c.at >= ? AND ${plus}c.at < ?`,
      ...(after ? [`(${plus}c.at, c.id) < (?, ?)`] : []),
      ...(where.length > 0 ? [`${plus}c.series IN (SELECT s.id FROM series s WHERE ${met})`] : []),
      ...(request === undefined ? [] : ['c.request = ?']),
    ].join(' AND '),
    values: [
      first,
      last,
      ...(after ? [after.at, after.id] : []),
      ...values,
      ...(request === undefined ? [] : [request]),
    ],
  });
  if (request !== undefined || where.length === 0) return placesFound(database, within(from, to), most);
  const found: Cursor[] = [];
  for (const hour of hoursWith(database, { met, values }, [from, to])) {
    const look = within(Math.max(from, hour * hourMs), Math.min(to, (hour + 1) * hourMs));
    found.push(...placesFound(database, look, most - found.length));
    if (found.length === most) break;
  }
  return found;
}

const nano = 1_000_000_000n;
const shown = figureNames.filter((name) => name !== 'calls' && name !== 'costNano' && name !== 'costRest');

function callOf(row: Row, timeOf: (at: number) => string): Call {
  const number = (name: string) => Number(row[name]);
  const text = (name: string) => String(row[name]);
  const matched = text('matched');
  const named = (kind: string) => (matched.startsWith(kind) ? matched.slice(kind.length) : '');
  const told = {
    ...Object.fromEntries(seriesNames.map((name) => [name, text(name)])),
    ...Object.fromEntries(shown.map((name) => [name, number(name)])),
  } as unknown as Told;
  return {
    ...told,
    at: timeOf(number('at')),
    request: text('request'),
    model: named('model:'),
    route: named('route:'),
    matched,
    tags: text('tags') === '' ? [] : (JSON.parse(text('tags')) as readonly string[]),
    status: number('status') === 0 ? undefined : number('status'),
    ms: number('ms'),
    firstMs: row['first_ms'] === null ? undefined : number('first_ms'),
    costUsd: usdText({ units: BigInt(number('costNano')) * nano + BigInt(number('costRest')) }),
  };
}

const columns = [
  ...['at', 'request', 'ms', 'first_ms'].map((name) => `c.${name}`),
  ...seriesNames.map((name) => `s.${name}`),
  ...figureNames.map((name) => `c.${columnOf(name)} AS ${name}`),
].join(', ');

export function callsFrom(database: DatabaseSync, question: CallsQuestion): CallPage {
  const met = whereOf(question.where, expressionsIn([]));
  const found = placesOf(database, question, { met: met.sql, values: met.values });
  const page = found.slice(0, question.limit);
  const rows = database
    .prepare(
      `SELECT ${columns} FROM json_each(?) r CROSS JOIN call c ON c.id = r.value JOIN series s ON s.id = c.series
      ORDER BY c.at DESC, c.id DESC`,
    )
    .all(JSON.stringify(page.map(({ id }) => id)));
  const timeOf = writerFor(question.zone, page.at(-1)?.at ?? 0, (page[0]?.at ?? 0) + 1);
  return {
    calls: rows.map((row) => callOf(row, timeOf)),
    next: found.length > page.length ? page.at(-1) : undefined,
  };
}
