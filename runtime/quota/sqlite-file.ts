/** The database file of the embedded quota store: made for its owner only, brought up to date, set aside when damaged. */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabaseFile, reason } from '../sqlite/open-file.ts';
import { StoreUnavailable } from './store.ts';

/** Waiting for another process's lock also stops the event loop: rather fail than stand still for long. */
const lockTimeoutMs = 250;

// synchronous = NORMAL: a commit survives the death of the process. Losing power may lose the last moments, never more.
const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS quota_span (
    key TEXT NOT NULL,
    window_name TEXT NOT NULL,
    start INTEGER NOT NULL,
    used INTEGER NOT NULL,
    forget_at INTEGER NOT NULL,
    PRIMARY KEY (key, window_name, start)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS quota_span_forget_at ON quota_span (forget_at);
  CREATE TABLE IF NOT EXISTS quota_hold (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    window_name TEXT NOT NULL,
    start INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    hold_ms INTEGER NOT NULL,
    forget_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS quota_hold_count ON quota_hold (key, window_name, start, expires_at, amount);
  CREATE INDEX IF NOT EXISTS quota_hold_forget_at ON quota_hold (forget_at);
`;

/** Before windows had names they were fixed, and told apart by their length. A process of that time finds no table to count in. */
const nameTheWindows = `
  BEGIN IMMEDIATE;
  INSERT INTO quota_span (key, window_name, start, used, forget_at)
    SELECT key, 'fixed:' || window_ms, window_start, CAST(used AS INTEGER) + (used > CAST(used AS INTEGER)), forget_at FROM quota_window WHERE true
    ON CONFLICT DO UPDATE SET used = used + excluded.used;
  DROP TABLE quota_window;
  COMMIT;
`;

export function openDatabase(directory: string): DatabaseSync {
  const file = join(directory, 'quota.sqlite');
  try {
    return openDatabaseFile({
      file,
      lockTimeoutMs,
      prepare(database) {
        database.exec(schema);
        nameWindows(database);
      },
      // Counting anew lets a quota be spent twice once; not starting would stop all traffic until a person comes.
      onDamage: (aside, problem) =>
        process.emitWarning(`${file} is damaged (${problem}); it is kept as ${aside} and counting starts from zero`),
    });
  } catch (cause) {
    throw new StoreUnavailable(`cannot open the quota store ${file}: ${reason(cause)}; name a directory it may write`, {
      cause,
    });
  }
}

function nameWindows(database: DatabaseSync): void {
  const old = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'quota_window'");
  if (old.get() === undefined) return;
  try {
    database.exec(nameTheWindows);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    // Another process was quicker.
    if (old.get() !== undefined) throw error;
  }
}
