/** Forgets what the ledger has held for long enough: single calls first, sums of them later, and series that nothing is left of. */
import type { DatabaseSync } from 'node:sqlite';
import { hoursOfDay, spanMs, type Grain } from './tables.ts';

/** How long the ledger keeps what it holds. */
export interface Keeping {
  readonly callsMs: number;
  /** Never shorter than single calls. */
  readonly sumsMs: number;
}

/** A sweep holds the lock: it removes no more of a kind than this at a time. */
const sweepRows = 2_000;
/** How long a process that wrote nothing is remembered. */
const writerKeptMs = 30 * spanMs.day;

function forgetCalls(database: DatabaseSync, before: number): number {
  const old = database.prepare(
    `DELETE FROM call WHERE id IN (SELECT id FROM call WHERE at < ? ORDER BY at LIMIT ${sweepRows})`,
  );
  return Number(old.run(before).changes);
}

/** Latencies lie by series: which of them are old is told by the figures beside them. Returns the series of what went. */
function forgetSums(database: DatabaseSync, grain: Grain, before: number): readonly number[] {
  const old = database
    .prepare(`SELECT ${grain} AS span, series FROM ${grain} WHERE ${grain} < ? ORDER BY ${grain} LIMIT ${sweepRows}`)
    .all(before);
  const latencies = database.prepare(`DELETE FROM latency_${grain} WHERE series = :series AND ${grain} = :span`);
  const figures = database.prepare(`DELETE FROM ${grain} WHERE ${grain} = :span AND series = :series`);
  for (const row of old) for (const statement of [latencies, figures]) statement.run(row);
  return old.map(({ series }) => Number(series));
}

const forgottenSeries = 'series that were forgotten';

/** Grows with each series that is forgotten, whoever forgets it: a number that was looked up before may be another's by now. */
export function seriesForgotten(database: DatabaseSync): number {
  return Number(database.prepare('SELECT value FROM place WHERE name = ?').get(forgottenSeries)?.['value'] ?? 0);
}

function forgetSeries(database: DatabaseSync, candidates: readonly number[]): void {
  const unused = ['hour', 'day'].map((table) => `NOT EXISTS (SELECT 1 FROM ${table} p WHERE p.series = series.id)`);
  const gone = database.prepare(
    `DELETE FROM series WHERE id IN (SELECT value FROM json_each(?)) AND ${unused.join(' AND ')}`,
  );
  const { changes } = gone.run(JSON.stringify([...new Set(candidates)]));
  if (Number(changes) === 0) return;
  const put = database.prepare(
    'INSERT INTO place (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  put.run(forgottenSeries, String(seriesForgotten(database) + Number(changes)));
}

/** A helping of it, within a transaction. Returns whether there is more. */
export function forget(database: DatabaseSync, { callsMs, sumsMs }: Keeping, now: number): boolean {
  database.prepare('DELETE FROM writer WHERE at < ?').run(now - writerKeptMs);
  if (forgetCalls(database, now - callsMs) === sweepRows) return true;
  // Whole days: hours of a day go with it.
  const firstDay = Math.floor((now - sumsMs) / spanMs.day);
  if (forgetSums(database, 'hour', firstDay * hoursOfDay).length === sweepRows) return true;
  const gone = forgetSums(database, 'day', firstDay);
  // Every call that is left is in a sum that is left.
  if (gone.length > 0) forgetSeries(database, gone);
  return gone.length === sweepRows;
}
