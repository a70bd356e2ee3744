/** What a worker left unsettled when it ended, as the log and the metrics tell it: no ledger has those calls. */
import { nanoPerUsd } from '../cost.ts';
import type { Log } from '../log.ts';
import { countedBy } from '../pipeline/shares.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface Unsettled {
  /** Of those that held something. */
  readonly calls: number;
  /** Counted as used, because nobody knows what of it was, by the key of the count. */
  readonly inDoubt: ReadonlyMap<string, number>;
  /** Why the store has not heard it yet. It is said again until it has. */
  readonly problem: string | undefined;
}

interface Counted {
  readonly quota: string;
  readonly unit: string;
  /** Money in US dollars. */
  readonly amount: number;
}

/** A quota has many counts, one for each of whoever it counts by. */
function addedUp(amounts: Unsettled['inDoubt']): readonly Counted[] {
  const sums = new Map<string, Counted>();
  for (const [key, held] of amounts) {
    const { name: quota, unit } = countedBy(key);
    const known = sums.get(`${quota}/${unit}`);
    const amount = unit === 'usd' ? held / nanoPerUsd : held;
    sums.set(`${quota}/${unit}`, { quota, unit, amount: amount + (known?.amount ?? 0) });
  }
  return [...sums.values()];
}

export function tellUnsettled(
  { log, metrics }: { readonly log: Log; readonly metrics: Pick<Metrics, 'workerCallsLost' | 'quotaInDoubt'> },
  worker: number,
  { calls, inDoubt, problem }: Unsettled,
): void {
  const counted = addedUp(inDoubt);
  metrics.workerCallsLost.inc(calls);
  for (const { quota, unit, amount } of counted) metrics.quotaInDoubt.inc({ quota, unit }, amount);
  log.error(
    { event: 'worker_unsettled', worker, calls, counted, cause: problem },
    'a worker ended with calls under way: what they held is counted as used, and no ledger has them',
  );
}
