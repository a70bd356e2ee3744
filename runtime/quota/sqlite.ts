/** Quota counts in one file on this machine: shared by the processes that open it, kept over restarts and SIGKILL. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailable, type QuotaStore, type QuotaWindow, type Taking } from './store.ts';
import { checkAmount, lengthsRemembered, windowStartAt } from './window.ts';

const sweepEveryMs = 60_000;
/** A sweep runs on the event loop, so it removes no more than this at a time and goes on at the next taking. */
const sweepRows = 500;
/** Waiting for another process's lock also stops the event loop: rather fail than stand still for long. */
const lockTimeoutMs = 250;

// synchronous = NORMAL: a commit survives the death of the process. Losing power may lose the last moments, never more.
const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS quota_window (
    key TEXT NOT NULL,
    window_ms INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    used REAL NOT NULL,
    forget_at INTEGER NOT NULL,
    PRIMARY KEY (key, window_ms, window_start)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS quota_window_forget_at ON quota_window (forget_at);
`;

const takeSql = `
  INSERT INTO quota_window (key, window_ms, window_start, used, forget_at)
  SELECT :key, :windowMs, :windowStart, :amount, :forgetAt WHERE :amount <= :limit
  ON CONFLICT (key, window_ms, window_start)
    DO UPDATE SET used = used + excluded.used WHERE used + excluded.used <= :limit
  RETURNING used
`;

const usedSql = `
  SELECT used FROM quota_window WHERE key = :key AND window_ms = :windowMs AND window_start = :windowStart
`;

const giveBackSql = `
  UPDATE quota_window SET used = max(0, used - :amount)
  WHERE key = :key AND window_ms = :windowMs AND window_start = :windowStart
`;

const sweepSql = `
  DELETE FROM quota_window WHERE (key, window_ms, window_start) IN
    (SELECT key, window_ms, window_start FROM quota_window WHERE forget_at <= :now LIMIT ${sweepRows})
`;

/**
 * `now` names windows: it is what processes that share the file have in common. `elapsed` is a clock that nobody sets, and
 * decides what is old: a wall clock that jumps ahead and comes back finds the counts it left.
 */
export function sqliteStore(
  directory: string,
  now: () => number = Date.now,
  elapsed: () => number = () => performance.now(),
): QuotaStore {
  const opened = now() - elapsed();
  const database = openDatabase(directory);
  const take = database.prepare(takeSql);
  const used = database.prepare(usedSql);
  const giveBack = database.prepare(giveBackSql);
  const sweep = database.prepare(sweepSql);
  let sweepAt = elapsed();
  let working = true;

  function answer<Result>(work: () => Result): Result {
    if (!database.isOpen) throw new StoreUnavailable(`the quota store in ${directory} is closed`);
    try {
      const result = work();
      working = true;
      return result;
    } catch (cause) {
      working = false;
      throw new StoreUnavailable(`the quota store in ${directory} failed: ${reason(cause)}`, { cause });
    }
  }

  function sweepWhenDue(): void {
    const at = elapsed();
    if (at < sweepAt) return;
    const { changes } = sweep.run({ now: Math.min(now(), opened + at) });
    if (Number(changes) < sweepRows) sweepAt = at + sweepEveryMs;
  }

  function usedIn(identity: Identity): number {
    const row = used.get({ ...identity });
    return row === undefined ? 0 : Number(row['used']);
  }

  return {
    async take(window: QuotaWindow, amount: number): Promise<Taking> {
      checkAmount(window, amount);
      const at = now();
      const identity = identityOf(window, windowStartAt(window, at));
      const forgetAt = identity.windowStart + lengthsRemembered * window.windowMs;
      return answer(() => {
        sweepWhenDue();
        const row = take.get({ ...identity, amount, limit: window.limit, forgetAt });
        return {
          granted: row !== undefined,
          used: row === undefined ? usedIn(identity) : Number(row['used']),
          windowStart: identity.windowStart,
          resetMs: identity.windowStart + window.windowMs - at,
        };
      });
    },

    async giveBack(window: QuotaWindow, windowStart: number, amount: number): Promise<void> {
      checkAmount(window, amount);
      if (windowStartAt(window, now()) !== windowStart) return;
      answer(() => giveBack.run({ ...identityOf(window, windowStart), amount }));
    },

    healthy: () => database.isOpen && working,

    async close(): Promise<void> {
      if (database.isOpen) database.close();
    },
  };
}

interface Identity {
  readonly key: string;
  readonly windowMs: number;
  readonly windowStart: number;
}

function identityOf(window: QuotaWindow, windowStart: number): Identity {
  return { key: window.key, windowMs: window.windowMs, windowStart };
}

/** Step by step: Node's own way of making many at once never ends below `/proc`. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function openDatabase(directory: string): DatabaseSync {
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
    return database;
  } catch (error) {
    database.close();
    throw error;
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

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
