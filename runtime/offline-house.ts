/** What stages use of the process, for decisions that no process serves: nothing is told to anybody, and nothing is remembered. */
import type { House } from './exchange.ts';
import { createLog } from './log.ts';
import { memoryStore } from './quota/memory.ts';
import { seededRandom } from './seeded-random.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { Upstreams } from './upstream/upstreams.ts';

const log = createLog('silent');

/** A clock on which nothing ever passes. */
const noTime = () => 0;

/** Of one decision; `metrics` may be those of all. */
export function offlineHouse(
  metrics: Metrics,
  {
    at,
    quotas = memoryStore(noTime, noTime),
    random = seededRandom(1),
  }: {
    readonly at?: number | undefined;
    readonly quotas?: House['quotas'] | undefined;
    readonly random?: House['random'] | undefined;
  },
): House {
  return { log, metrics, quotas, random, now: () => at ?? Date.now(), upstreams: new Upstreams(noTime, random) };
}
