/** The tables of the ledger: what tells calls apart, each call, and hours and days of them added up. */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabaseFile } from '../sqlite/open-file.ts';
import type { Figures, Series } from './record.ts';

/** Nobody's request waits while this thread waits for another process. */
const lockTimeoutMs = 2_000;

/** A file of a later version is left to that version. */
const version = 2;

export const hourMs = 3_600_000;
export const hoursOfDay = 24;

/** What calls are added up by. Days are those of UTC. */
export const grains = ['hour', 'day'] as const;
export type Grain = (typeof grains)[number];
export const spanMs: Readonly<Record<Grain, number>> = { hour: hourMs, day: hoursOfDay * hourMs };

const seriesColumns = {
  revision: 'revision',
  matched: 'matched',
  surface: 'surface',
  prompt: 'prompt',
  organisation: 'organisation',
  team: 'team',
  consumer: 'consumer',
  key: 'key',
  tags: 'tags',
  target: 'target',
  provider: 'provider',
  cache: 'cache',
  status: 'status',
  code: 'code',
  ended: 'ended',
} as const satisfies Record<keyof Series, string>;

const figureColumns = {
  calls: 'calls',
  attempts: 'attempts',
  inputTokens: 'input_tokens',
  cachedInputTokens: 'cached_input_tokens',
  cacheWriteTokens: 'cache_write_tokens',
  outputTokens: 'output_tokens',
  reasoningTokens: 'reasoning_tokens',
  costNano: 'cost_nano',
  costRest: 'cost_rest',
  estimated: 'estimated',
  unpriced: 'unpriced',
} as const satisfies Record<keyof Figures, string>;

export const seriesNames = Object.keys(seriesColumns) as readonly (keyof Series)[];
export const figureNames = Object.keys(figureColumns) as readonly (keyof Figures)[];
export const columnOf = (name: keyof Figures): string => figureColumns[name];

const figures = figureNames.map((name) => `${columnOf(name)} INTEGER NOT NULL`).join(', ');
const told = seriesNames.map((name) => `${name} ${name === 'status' ? 'INTEGER' : 'TEXT'} NOT NULL`).join(', ');

/** Figures are asked for by time, and by series where revisions are compared; latencies always by series. */
const tablesFor = (grain: Grain): string => `
  CREATE TABLE IF NOT EXISTS ${grain} (
    ${grain} INTEGER NOT NULL, series INTEGER NOT NULL, ${figures}, PRIMARY KEY (${grain}, series)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS ${grain}_series ON ${grain} (series, ${grain});
  CREATE TABLE IF NOT EXISTS latency_${grain} (
    series INTEGER NOT NULL, ${grain} INTEGER NOT NULL, bucket INTEGER NOT NULL, calls INTEGER NOT NULL,
    PRIMARY KEY (series, ${grain}, bucket)
  ) STRICT, WITHOUT ROWID;
`;

const seriesTable = `(id INTEGER PRIMARY KEY, ${told}, UNIQUE (${seriesNames.join(', ')})) STRICT`;

// synchronous = NORMAL: a commit survives the death of the process. Losing power may lose the last moments, never more.
const schema = `
  PRAGMA busy_timeout = 5000;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS series ${seriesTable};
  CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, series INTEGER NOT NULL, request TEXT NOT NULL,
    ms INTEGER NOT NULL, first_ms INTEGER, bucket INTEGER NOT NULL, ${figures}
  ) STRICT;
  DROP INDEX IF EXISTS call_at;
  CREATE INDEX IF NOT EXISTS call_at_series ON call (at, series);
  ${grains.map(tablesFor).join('')}
  CREATE TABLE IF NOT EXISTS writer (name TEXT PRIMARY KEY, last INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS place (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

const formatOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version']);

/** Of calls from before, nobody knows by which key they came. */
const intoFormat2 = `
  CREATE TABLE series_2 ${seriesTable};
  INSERT INTO series_2 (id, ${seriesNames.join(', ')})
    SELECT id, ${seriesNames.map((name) => (name === 'key' ? "''" : name)).join(', ')} FROM series;
  DROP TABLE series;
  ALTER TABLE series_2 RENAME TO series;
`;

function prepare(database: DatabaseSync): void {
  const found = formatOf(database);
  if (found > version)
    throw new Error(`it was written by a later version of Headgate (format ${found}; this one knows ${version})`);
  database.exec(schema);
  if (found === version) return;
  // Another thread may be at it: who comes second finds it done.
  database.exec('BEGIN IMMEDIATE');
  try {
    if (formatOf(database) === 1) database.exec(intoFormat2);
    database.exec(`PRAGMA user_version = ${version}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export const ledgerFile = (directory: string): string => join(directory, 'ledger.sqlite');

export function openLedgerFile(directory: string, onDamage: (aside: string, problem: string) => void): DatabaseSync {
  return openDatabaseFile({ file: ledgerFile(directory), lockTimeoutMs, prepare, onDamage });
}

/** Each is a tenth longer than the one before: what is read from them is at most a twentieth wrong. */
const growth = Math.log(1.1);

/** Number of the bucket that a duration falls into. */
export const bucketOf = (ms: number): number => Math.round(Math.log(Math.max(1, ms)) / growth);

/** What a duration in this bucket is taken for. */
export const msOf = (bucket: number): number => Math.round(Math.exp(bucket * growth));
