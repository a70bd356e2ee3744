/** What comes after a decision that no target answers: quotas are settled as if the first one had. */
import type { Usage } from './call.ts';
import type { Exchange, Lease } from './exchange.ts';
import type { LiveTarget } from './generation/live.ts';
import type { Drawn } from './outcome.ts';
import { settle } from './pipeline/settle.ts';
import type { QuotaStore } from './quota/store.ts';
import { isSpentByModels } from './quota-terms.ts';

export interface Circumstances {
  /** When it is asked, in milliseconds since 1970. Default: now. */
  readonly at?: number;
  /** Counts before this request, and the clock of their windows. Default: nothing was used, and a window begins. */
  readonly quotas?: QuotaStore;
  /** What the answer is to have cost. Default: all that was held for it. */
  readonly spends?: Usage | undefined;
  /** The answer has not ended: what is held stays held, and so does its place among those in flight. */
  readonly stays?: boolean | undefined;
  /** Numbers in [0, 1) that targets are drawn with. Default: the same for each request. */
  readonly random?: () => number;
}

/** What would happen after an answer of the first target. */
export async function endOffline(
  exchange: Exchange & { readonly lease?: Lease; readonly targets?: readonly LiveTarget[] },
  { spends, stays = false }: Circumstances,
): Promise<void> {
  const { lease, outcome } = exchange;
  if (!lease || stays) return;
  outcome.target = exchange.targets?.[0]?.label;
  outcome.usage = spends;
  await settle(Object.assign(exchange, { lease }), undefined);
  if (spends) outcome.drawn = await drawnAfter(exchange, lease);
}

/** Where counts of tokens and money stand once it is known what was spent. */
async function drawnAfter({ house, outcome }: Exchange, { takings }: Lease): Promise<readonly Drawn[]> {
  const counts = await house.quotas.read(takings.map(({ demand }) => demand));
  return outcome.drawn.map((each, index) =>
    isSpentByModels(each.unit) ? { ...each, used: counts[index]?.used ?? each.used } : each,
  );
}
