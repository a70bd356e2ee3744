/** Small sums over what was measured: medians, and whether a figure stayed where it was. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export interface Trend {
  /** Median of the first quarter after warm-up. */
  readonly early: number;
  /** Median of the last quarter. */
  readonly late: number;
}

/** The first sixth is warm-up: compilers, caches and pools still fill. */
export function trendOf(values: readonly number[]): Trend {
  const warm = values.slice(Math.ceil(values.length / 6));
  const quarter = Math.max(1, Math.floor(warm.length / 4));
  return { early: median(warm.slice(0, quarter)), late: median(warm.slice(-quarter)) };
}

/** `slack`: what a figure may differ by for no reason, in its own unit. */
export function isFlat({ early, late }: Trend, slack: number): boolean {
  return late <= early * 1.25 + slack;
}
