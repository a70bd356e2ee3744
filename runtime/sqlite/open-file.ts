/** Opens a database file: made for its owner only, set aside when it is damaged. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface FileOptions {
  readonly file: string;
  /** How long another process's lock is waited for. The thread stands still meanwhile. */
  readonly lockTimeoutMs: number;
  /** Makes the tables, or brings them up to date. */
  readonly prepare: (database: DatabaseSync) => void;
  /** Told where a damaged file was put. */
  readonly onDamage: (aside: string, problem: string) => void;
}

export function openDatabaseFile(options: FileOptions): DatabaseSync {
  makeDirectory(dirname(options.file));
  try {
    return open(options);
  } catch (error) {
    if (!isDamage(error)) throw error;
    options.onDamage(setAside(options.file), reason(error));
    return open(options);
  }
}

/** Step by step: Node's own way of making many at once never ends below `/proc`. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function open({ file, lockTimeoutMs, prepare }: FileOptions): DatabaseSync {
  // SQLite would create the file readable for everyone, and its -wal and -shm files copy the mode of this one.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file, { timeout: lockTimeoutMs });
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

export function setAside(file: string): string {
  const aside = `${file}.damaged`;
  renameSync(file, aside);
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  return aside;
}

export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  const corrupt = 11;
  const notDatabase = 26;
  return code === corrupt || code === notDatabase;
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
