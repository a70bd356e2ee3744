/** Writes calls into the file, each once, together with what is added up from them; and forgets old ones. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { forget, seriesForgotten, type Keeping } from './forgetting.ts';
import type { CallRecord, Series } from './record.ts';
import { bucketOf, columnOf, figureNames, grains, seriesNames, type Grain } from './tables.ts';
import { Tally } from './tally.ts';

/** Records of one process, in order and numbered without a gap: said twice, they count once. */
export interface Batch {
  readonly writer: string;
  /** Number of the first. */
  readonly first: number;
  readonly records: readonly CallRecord[];
}

const columns = figureNames.map(columnOf);
// A replica of another version may tell more than this one knows, or less.
const values = figureNames.map((name) => `coalesce(:${name}, 0)`);
const toldOf = (name: keyof Series): string => `coalesce(:${name}, ${name === 'status' ? '0' : "''"})`;

// By place: to find each by its name takes longer than to write it.
const addCallSql = `
  INSERT INTO call (at, series, request, ms, first_ms, bucket, ${columns.join(', ')})
  VALUES (?, ?, ?, ?, ?, ?, ${columns.map(() => '?').join(', ')})
`;
const addFiguresSql = (grain: Grain): string => `
  INSERT INTO ${grain} (${grain}, series, ${columns.join(', ')}) VALUES (:span, :series, ${values.join(', ')})
  ON CONFLICT (${grain}, series) DO UPDATE SET ${columns.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}
`;
const addLatencySql = (grain: Grain): string => `
  INSERT INTO latency_${grain} (series, ${grain}, bucket, calls) VALUES (:series, :span, :bucket, :calls)
  ON CONFLICT (series, ${grain}, bucket) DO UPDATE SET calls = calls + excluded.calls
`;
const addSeriesSql = `
  INSERT INTO series (${seriesNames.join(', ')}) VALUES (${seriesNames.map(toldOf).join(', ')})
  ON CONFLICT DO NOTHING
`;
const findSeriesSql = `SELECT id FROM series WHERE ${seriesNames.map((name) => `${name} = ${toldOf(name)}`).join(' AND ')}`;
const writtenSql = `
  INSERT INTO writer (name, last, at) VALUES (:name, :last, :at)
  ON CONFLICT (name) DO UPDATE SET last = excluded.last, at = excluded.at
`;

const sweepEveryMs = 60_000;
/** Beyond that their numbers are looked up again. */
const mostSeriesKnown = 20_000;

interface Adding {
  readonly grain: Grain;
  readonly figures: StatementSync;
  readonly latency: StatementSync;
}

export class LedgerWriting {
  readonly #database: DatabaseSync;
  readonly #keep: Keeping;
  readonly #now: () => number;
  readonly #statements: Readonly<Record<'call' | 'addSeries' | 'findSeries' | 'last' | 'written', StatementSync>>;
  readonly #spans: readonly Adding[];
  readonly #known = new Map<string, number>();
  #forgotten = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync, keep: Keeping, now: () => number = Date.now) {
    this.#database = database;
    this.#keep = keep;
    this.#now = now;
    this.#statements = {
      call: database.prepare(addCallSql),
      addSeries: database.prepare(addSeriesSql),
      findSeries: database.prepare(findSeriesSql),
      last: database.prepare('SELECT last FROM writer WHERE name = ?'),
      written: database.prepare(writtenSql),
    };
    this.#spans = grains.map((grain) => ({
      grain,
      figures: database.prepare(addFiguresSql(grain)),
      latency: database.prepare(addLatencySql(grain)),
    }));
    const all = [...Object.values(this.#statements), ...this.#spans.map(({ figures }) => figures)];
    for (const statement of all) statement.setAllowUnknownNamedParameters(true);
  }

  /** All of it or nothing. `beside` is done in the same transaction. Returns how many records were new. */
  write(batches: readonly Batch[], beside?: () => void): number {
    return this.#inOne(() => {
      const forgotten = seriesForgotten(this.#database);
      if (forgotten !== this.#forgotten) this.#known.clear();
      this.#forgotten = forgotten;
      const tally = new Tally();
      const added = batches.reduce((sum, batch) => sum + this.#add(batch, tally), 0);
      this.#addUp(tally);
      beside?.();
      return added;
    });
  }

  #inOne<Result>(work: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // Numbers that were given in it are given to others now.
      this.#known.clear();
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #add({ writer, first, records }: Batch, tally: Tally): number {
    const { last, written } = this.#statements;
    const before = Number(last.get(writer)?.['last'] ?? -1);
    const fresh = records.slice(Math.max(0, before + 1 - first));
    if (fresh.length === 0) return 0;
    for (const record of fresh) this.#addRecord(record, tally);
    written.run({ name: writer, last: first + records.length - 1, at: this.#now() });
    return fresh.length;
  }

  #addRecord(record: CallRecord, tally: Tally): void {
    const { at, request, ms, firstMs, figures } = record;
    const { call } = this.#statements;
    const series = this.#idOf(record.series);
    const bucket = bucketOf(ms);
    const first = firstMs === undefined ? null : Math.round(firstMs);
    const told = figureNames.map((name) => figures[name] ?? 0);
    call.run(at, series, request, Math.round(ms), first, bucket, ...told);
    tally.add({ at, series, bucket, figures });
  }

  #addUp(tally: Tally): void {
    for (const { grain, figures, latency } of this.#spans) {
      for (const row of tally.figures(grain)) figures.run({ ...row });
      for (const row of tally.latencies(grain)) latency.run({ ...row });
    }
  }

  #idOf(series: Series): number {
    const key = JSON.stringify(series);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { addSeries, findSeries } = this.#statements;
    const named = { ...series };
    addSeries.run(named);
    const id = Number(findSeries.get(named)?.['id']);
    if (this.#known.size >= mostSeriesKnown) this.#known.clear();
    this.#known.set(key, id);
    return id;
  }

  /** Forgets what is too old, a helping at a time. */
  sweep(): void {
    const now = this.#now();
    if (now < this.#sweptAt + sweepEveryMs && now >= this.#sweptAt) return;
    const isMore = this.#inOne(() => forget(this.#database, this.#keep, now));
    if (!isMore) this.#sweptAt = now;
  }
}
