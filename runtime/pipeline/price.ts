/** What a request cost, by the prices of the target that answered and of those that were asked before it. */
import { costOf, plus, usdText, type Money } from '../cost.ts';
import type { Exchange } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { Paid } from '../outcome.ts';
import { pricesAt } from '../prices.ts';

/** Routes have no targets. */
type Asked = Pick<Exchange, 'outcome'> & { readonly targets?: readonly LiveTarget[] };

export type Spending = Paid;

export const totalOf = (spendings: readonly Spending[]): Money | undefined =>
  spendings.reduce<Money | undefined>(
    (sum, { money }) => (sum && money ? plus(sum, money) : (sum ?? money)),
    undefined,
  );

/** At each target that was asked; what it cost in all goes into the outcome. */
export function noteSpendings({ outcome, targets = [] }: Asked): readonly Spending[] {
  const { usage, target, usageEstimated: estimated, spentBefore } = outcome;
  const all = [...spentBefore, ...(usage && target !== undefined ? [{ target, usage, estimated }] : [])];
  const spendings = all.map((spent): Spending => {
    const prices = targets.find(({ label }) => label === spent.target)?.prices;
    return { ...spent, money: prices && costOf(spent.usage, pricesAt(prices, outcome.startedAt)) };
  });
  const total = totalOf(spendings);
  outcome.costUsd = total && usdText(total);
  outcome.paid = spendings;
  return spendings;
}

/** While there is still a head to write it into. */
export function tellCost(exchange: Asked & Pick<Exchange, 'reply'>): void {
  noteSpendings(exchange);
  const { costUsd } = exchange.outcome;
  if (costUsd !== undefined) exchange.reply.header('headgate-cost-usd', costUsd);
}
