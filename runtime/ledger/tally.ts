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

interface Gathered {
  readonly figures: Map<string, Row & Sums>;
  readonly latencies: Map<string, Latency>;
}

const none = Object.fromEntries(figureNames.map((name) => [name, 0])) as Sums;

export class Tally {
  readonly #gathered: Readonly<Record<Grain, Gathered>> = {
    hour: { figures: new Map(), latencies: new Map() },
    day: { figures: new Map(), latencies: new Map() },
  };

  add({ at, series, bucket, figures }: Told): void {
    for (const grain of grains) {
      const gathered = this.#gathered[grain];
      const span = Math.floor(at / spanMs[grain]);
      const key = `${span} ${series}`;
      const sums = gathered.figures.get(key) ?? { ...none, span, series };
      gathered.figures.set(key, sums);
      // A replica of another version may tell more than this one knows, or less.
      for (const name of figureNames) sums[name] += figures[name] ?? 0;
      if (figures.calls <= 0) continue;
      const latencyKey = `${key} ${bucket}`;
      const calls = (gathered.latencies.get(latencyKey)?.calls ?? 0) + 1;
      gathered.latencies.set(latencyKey, { span, series, bucket, calls });
    }
  }

  figures(grain: Grain): Iterable<Row & Figures> {
    return this.#gathered[grain].figures.values();
  }

  latencies(grain: Grain): Iterable<Latency> {
    return this.#gathered[grain].latencies.values();
  }
}
