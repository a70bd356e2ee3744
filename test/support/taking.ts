/** A quota store asked for one thing, where tests do not need several at once. */
import type { Demand, QuotaStore, Taking } from '../../runtime/quota/store.ts';

/** All but how much is asked for. */
export type Limit = Omit<Demand, 'amount' | 'holdMs'>;

export async function takeOne(store: QuotaStore, limit: Limit, amount: number, holdMs?: number): Promise<Taking> {
  const [taking] = await store.take([{ ...limit, amount, ...(holdMs !== undefined && { holdMs }) }]);
  if (!taking) throw new Error('a demand was not answered');
  return taking;
}

/** `amount` is what was taken. */
export async function settleOne(
  store: QuotaStore,
  limit: Limit & { readonly amount: number },
  taking: Taking,
  spent: number,
): Promise<void> {
  await store.settle([{ demand: limit, taking, spent }]);
}

export async function granting(store: QuotaStore, limit: Limit, amount: number): Promise<[boolean, number]> {
  const { granted, used } = await takeOne(store, limit, amount);
  return [granted, used];
}
