/** What a request asks of each count that it draws from. */
import type { AskedOf } from '../exchange.ts';
import type { LiveQuota, LiveTarget } from '../generation/live.ts';
import { isSpentByModels } from '../quota-terms.ts';
import { amountOf, type Estimate } from './estimate.ts';
import { sharesOf, type Drawing } from './shares.ts';

/** What a request may take, and for how long at most. */
export interface Reach {
  readonly quotas: readonly LiveQuota[];
  /** Undefined for what spends neither tokens nor money. Asked only where a quota counts those; of one provider's targets, or of all. */
  readonly estimate?: (provider?: string) => Estimate;
  /** Whether a target would be asked in its turn; where nothing is said, each would. */
  readonly isReady?: (target: LiveTarget) => boolean;
  /** It has ended by then, or its process has. */
  readonly longestMs: number;
}

/** After a deadline there is still an answer to be written. */
const graceMs = 60_000;

/** What refuses nothing is never above its limit, whatever is asked for. */
const endless = Number.MAX_SAFE_INTEGER;
const mostOverSoft = 10;

/** In the unit of the quota; undefined where nothing of that unit is spent. */
function amountAsked({ unit }: LiveQuota, provider: string | undefined, { estimate }: Reach): number | undefined {
  if (!isSpentByModels(unit)) return 1;
  const most = estimate?.(provider);
  return most && amountOf(unit, most);
}

/** Of every count, those of all providers in the order included. */
export function demandsOf(reach: Reach, drawing: Drawing): readonly AskedOf[] {
  const known = new Map<string | undefined, Estimate | undefined>();
  const estimate = (provider?: string): Estimate => {
    const most = known.get(provider) ?? reach.estimate?.(provider);
    if (!most) throw new TypeError('what spends nothing is not estimated');
    known.set(provider, most);
    return most;
  };
  const asking = reach.estimate ? { ...reach, estimate } : reach;
  // One quota reached by two ways (its consumer and its model) is drawn from once.
  const applying = new Map<string, Pick<AskedOf, 'quota' | 'share'>>();
  for (const quotas of [drawing.consumer.quotas, reach.quotas])
    for (const quota of quotas) for (const share of sharesOf(quota, drawing)) applying.set(share.key, { quota, share });
  return [...applying.values()].flatMap(({ quota, share }): AskedOf[] => {
    const { unit, limit, window, mode, slack } = quota;
    const amount = amountAsked(quota, share.provider, asking);
    if (amount === undefined) return [];
    const asked =
      mode === 'soft' ? { limit: endless, amount: Math.min(amount, mostOverSoft * limit) } : { limit, amount };
    // What is counted by provider is given back where another one is asked in its place.
    const isHeld = unit !== 'requests' || share.provider !== undefined;
    const holdMs = isHeld ? { holdMs: reach.longestMs + graceMs } : {};
    return [{ quota, share, demand: { key: share.key, was: share.was, window, slack, ...asked, ...holdMs } }];
  });
}
