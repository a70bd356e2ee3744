/** Quota counts in one file on this machine: shared by the processes that open it, kept over restarts and SIGKILL. */
import type { DatabaseSync } from 'node:sqlite';
import type { Span } from './calendar.ts';
import {
  asReading,
  checkDemands,
  checkSettlements,
  settleOn,
  takeFrom,
  type CountName,
  type Filled,
  type Hold,
  type Shelf,
} from './counting.ts';
import { reason } from '../sqlite/open-file.ts';
import { openDatabase } from './sqlite-file.ts';
import { StoreUnavailable, type QuotaStore } from './store.ts';
import { forgottenAt } from './window.ts';

const sweepEveryMs = 60_000;
/** A sweep runs on the event loop, so it removes no more than this at a time and goes on at the next taking. */
const sweepRows = 500;
/** Clocks are corrected by less all the time. */
const clockSetBackMs = 1_000;

const filledSql = `
  SELECT start, sum(amount) AS used, sum(held) AS held FROM (
    SELECT start, used AS amount, 0 AS held FROM quota_span
      WHERE key = :key AND window_name = :window AND start BETWEEN :first AND :last
    UNION ALL
    SELECT start, amount, amount FROM quota_hold
      WHERE key = :key AND window_name = :window AND start BETWEEN :first AND :last AND expires_at > :now
  ) GROUP BY start HAVING used > 0 ORDER BY start
`;

const addSql = `
  INSERT INTO quota_span (key, window_name, start, used, forget_at)
  VALUES (:key, :window, :start, max(0, :amount), :forgetAt)
  ON CONFLICT (key, window_name, start) DO UPDATE SET used = max(0, used + :amount)
`;

const holdSql = `
  INSERT INTO quota_hold (id, key, window_name, start, amount, expires_at, hold_ms, forget_at)
  VALUES (:id, :key, :window, :start, :amount, :expiresAt, :holdMs, :forgetAt)
`;

const sweepSpansSql = `
  DELETE FROM quota_span WHERE (key, window_name, start) IN
    (SELECT key, window_name, start FROM quota_span WHERE forget_at <= :now LIMIT ${sweepRows})
`;

const sweepHoldsSql = `
  DELETE FROM quota_hold WHERE id IN (SELECT id FROM quota_hold WHERE forget_at <= :now LIMIT ${sweepRows})
`;

/** What was held at a time that has not come yet would be held until then, and as long again. */
const shortenHoldsSql = `
  UPDATE quota_hold SET expires_at = :now + hold_ms WHERE expires_at > :now + hold_ms
`;

class SqliteShelf implements Shelf {
  readonly #now: () => number;
  readonly #filled;
  readonly #add;
  readonly #hold;
  readonly #release;

  constructor(database: DatabaseSync, now: () => number) {
    this.#now = now;
    this.#filled = database.prepare(filledSql);
    this.#add = database.prepare(addSql);
    this.#hold = database.prepare(holdSql);
    this.#release = database.prepare('DELETE FROM quota_hold WHERE id = :id');
  }

  filled({ key, window }: CountName, first: number, last: number): readonly Filled[] {
    const rows = this.#filled.all({ key, window, first, last, now: this.#now() });
    return rows.map((row) => ({ start: Number(row['start']), used: Number(row['used']), held: Number(row['held']) }));
  }

  add({ key, window }: CountName, span: Span, amount: number): void {
    this.#add.run({ key, window, start: span.start, amount, forgetAt: forgottenAt(span) });
  }

  hold({ key, window }: CountName, span: Span, { id, amount, holdMs }: Hold): void {
    const expiresAt = this.#now() + holdMs;
    const forgetAt = Number.isFinite(span.end) ? forgottenAt(span) : expiresAt;
    this.#hold.run({ id, key, window, start: span.start, amount, expiresAt, holdMs, forgetAt });
  }

  release(_: CountName, __: number, id: string): boolean {
    return Number(this.#release.run({ id }).changes) > 0;
  }
}

/**
 * `now` names spans: it is what processes that share the file have in common. `elapsed` is a clock that nobody sets, and
 * decides what is old: a wall clock that jumps ahead and comes back finds the counts it left.
 */
export function sqliteStore(
  directory: string,
  now: () => number = Date.now,
  elapsed: () => number = () => performance.now(),
): QuotaStore {
  const opened = now() - elapsed();
  const database = openDatabase(directory);
  const shelf = new SqliteShelf(database, () => Math.floor(now()));
  const sweeps = [database.prepare(sweepSpansSql), database.prepare(sweepHoldsSql)];
  const shortenHolds = database.prepare(shortenHoldsSql);
  let sweepAt = elapsed();
  /** How far the wall clock was ahead of the other one; infinite, so that it is looked at after a start. */
  let ahead = Number.POSITIVE_INFINITY;

  /** In one transaction, so that no other process comes between. */
  function answer<Result>(work: () => Result): Result {
    if (!database.isOpen) throw new StoreUnavailable(`the quota store in ${directory} is closed`);
    try {
      database.exec('BEGIN IMMEDIATE');
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (cause) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw new StoreUnavailable(`the quota store in ${directory} failed: ${reason(cause)}`, { cause });
    }
  }

  function tidy(): void {
    const at = elapsed();
    const aheadNow = now() - at;
    if (aheadNow < ahead - clockSetBackMs) shortenHolds.run({ now: Math.floor(now()) });
    ahead = aheadNow;
    if (at < sweepAt) return;
    const old = Math.floor(Math.min(now(), opened + at));
    const isDone = sweeps.map((sweep) => Number(sweep.run({ now: old }).changes)).every((gone) => gone < sweepRows);
    if (isDone) sweepAt = at + sweepEveryMs;
  }

  return {
    async take(demands) {
      checkDemands(demands);
      return answer(() => {
        tidy();
        return takeFrom(shelf, demands, now());
      });
    },

    async settle(settlements) {
      checkSettlements(settlements);
      answer(() => settleOn(shelf, settlements, now()));
    },

    async read(counts) {
      const demands = counts.map(asReading);
      checkDemands(demands);
      return answer(() => takeFrom(shelf, demands, now()));
    },

    async close() {
      if (database.isOpen) database.close();
    },
  };
}
