/** What a request asks of each count that it draws from. */
import type { AskedOf, Share } from '../exchange.ts';
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

/** Asked for once: of one provider's targets, or of all. */
class Estimates {
  readonly #reach: Reach;
  #all: Estimate | undefined;
  #byProvider: Map<string, Estimate> | undefined;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  of(provider: string | undefined): Estimate | undefined {
    const { estimate } = this.#reach;
    if (!estimate) return undefined;
    if (provider === undefined) return (this.#all ??= estimate());
    const known = this.#byProvider?.get(provider) ?? estimate(provider);
    (this.#byProvider ??= new Map()).set(provider, known);
    return known;
  }
}

/** In the unit of the quota; undefined where nothing of that unit is spent. */
function amountAsked({ unit }: LiveQuota, provider: string | undefined, estimates: Estimates): number | undefined {
  if (!isSpentByModels(unit)) return 1;
  const most = estimates.of(provider);
  return most && amountOf(unit, most);
}

function askedOf({ quota, share, amount }: { quota: LiveQuota; share: Share; amount: number }, reach: Reach): AskedOf {
  const { unit, window, mode, slack } = quota;
  const isSoft = mode === 'soft';
  // What is counted by provider is given back where another one is asked in its place.
  const isHeld = unit !== 'requests' || share.provider !== undefined;
  const demand = {
    key: share.key,
    was: share.was,
    window,
    slack,
    limit: isSoft ? endless : quota.limit,
    amount: isSoft ? Math.min(amount, mostOverSoft * quota.limit) : amount,
  };
  return { quota, share, demand: isHeld ? { ...demand, holdMs: reach.longestMs + graceMs } : demand };
}

/** Of every count, those of all providers in the order included. */
export function demandsOf(reach: Reach, drawing: Drawing): readonly AskedOf[] {
  const estimates = new Estimates(reach);
  const all: AskedOf[] = [];
  for (const quotas of [drawing.consumer.quotas, reach.quotas])
    for (const quota of quotas)
      for (const share of sharesOf(quota, drawing)) {
        // One quota reached by two ways (its consumer and its model) is drawn from once.
        if (all.some((each) => each.share.key === share.key)) continue;
        const amount = amountAsked(quota, share.provider, estimates);
        if (amount !== undefined) all.push(askedOf({ quota, share, amount }, reach));
      }
  return all;
}
