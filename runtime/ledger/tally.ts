/** Adds up the calls of one transaction before they are written: what has the same hour and series is one row. */
import type { Figures } from './record.ts';
import { figureNames, grains, spanMs, type Grain } from './tables.ts';

export interface Row {
  readonly span: number;
  readonly series: number;
}

export interface Latency extends Row {
  readonly bucket: number;
  readonly calls: number;
}

interface Told {
  readonly at: number;
  readonly series: number;
  readonly bucket: number;
  readonly figures: Figures;
}

type Sums = Record<keyof Figures, number>;

/** What is one row of figures, and its latencies by bucket. */
interface Gathered {
  readonly row: Row & Sums;
  readonly buckets: Map<number, number>;
}

const none = Object.fromEntries(figureNames.map((name) => [name, 0])) as Sums;

export class Tally {
  /** By series, and there by span. */
  readonly #gathered: Readonly<Record<Grain, Map<number, Map<number, Gathered>>>> = { hour: new Map(), day: new Map() };

  add({ at, series, bucket, figures }: Told): void {
    for (const grain of grains) {
      const { row, buckets } = this.#of(grain, series, Math.floor(at / spanMs[grain]));
      // A replica of another version may tell more than this one knows, or less.
      for (const name of figureNames) row[name] += figures[name] ?? 0;
      if (figures.calls > 0) buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    }
  }

  *figures(grain: Grain): Generator<Row & Figures> {
    for (const spans of this.#gathered[grain].values()) for (const { row } of spans.values()) yield row;
  }

  *latencies(grain: Grain): Generator<Latency> {
    for (const spans of this.#gathered[grain].values())
      for (const { row, buckets } of spans.values())
        for (const [bucket, calls] of buckets) yield { span: row.span, series: row.series, bucket, calls };
  }

  #of(grain: Grain, series: number, span: number): Gathered {
    const bySeries = this.#gathered[grain];
    let spans = bySeries.get(series);
    if (!spans) bySeries.set(series, (spans = new Map<number, Gathered>()));
    let gathered = spans.get(span);
    if (!gathered) spans.set(span, (gathered = { row: { ...none, span, series }, buckets: new Map<number, number>() }));
    return gathered;
  }
}
