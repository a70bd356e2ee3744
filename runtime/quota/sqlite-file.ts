/** The database file of the embedded quota store: made for its owner only, brought up to date, set aside when damaged. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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

/** Step by step: Node's own way of making many at once never ends below `/proc`. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

export function openDatabase(directory: string): DatabaseSync {
  const file = join(directory, 'quota.sqlite');
  try {
    makeDirectory(directory);
    try {
      return openFile(file);
    } catch (error) {
      if (!isDamage(error)) throw error;
      // Counting anew lets a quota be spent twice once; not starting would stop all traffic until a person comes.
      setAside(file, error);
      return openFile(file);
    }
  } catch (cause) {
    throw new StoreUnavailable(`cannot open the quota store ${file}: ${reason(cause)}; name a directory it may write`, {
      cause,
    });
  }
}

function openFile(file: string): DatabaseSync {
  // SQLite would create the file readable for everyone, and its -wal and -shm files copy the mode of this one.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file, { timeout: lockTimeoutMs });
  try {
    database.exec(schema);
    nameWindows(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
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

function setAside(file: string, error: unknown): void {
  const aside = `${file}.damaged`;
  renameSync(file, aside);
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  process.emitWarning(`${file} is damaged (${reason(error)}); it is kept as ${aside} and counting starts from zero`);
}

function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  const corrupt = 11;
  const notDatabase = 26;
  return code === corrupt || code === notDatabase;
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
