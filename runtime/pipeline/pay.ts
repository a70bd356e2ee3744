/** Tells the stores what became of what was taken: those that all replicas share, and the counts of this one by itself. */
import type { Exchange } from '../exchange.ts';
import { causeInWords } from '../log.ts';
import { StoreUnavailable, type Settlement } from '../quota/store.ts';

export type Payment = Settlement & { readonly isAlone?: boolean };

/** Never rejects for a store that is away: it hears of what was held when it is back. */
export async function pay({ house, id }: Pick<Exchange, 'house' | 'id'>, payments: readonly Payment[]): Promise<void> {
  // As a rule none is this replica's own.
  const alone = payments.filter(({ isAlone }) => isAlone);
  const shared = alone.length === 0 ? payments : payments.filter(({ isAlone }) => !isAlone);
  try {
    if (alone.length > 0) await house.quotas.alone?.settle(alone);
    if (shared.length > 0) await house.quotas.settle(shared);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    house.log.warn({ event: 'quota_unsettled', request: id, cause: causeInWords(error) }, 'quota not settled');
  }
}
