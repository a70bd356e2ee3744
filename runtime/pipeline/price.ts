/** What a request cost, by the prices of the target that answered and of those that were outrun. */
import { costOf, plus, usdText, type Money } from '../cost.ts';
import type { Exchange } from '../exchange.ts';
import type { LiveTarget } from '../generation/generation.ts';

/** Routes have no targets. */
type Spent = Pick<Exchange, 'outcome'> & { readonly targets?: readonly LiveTarget[] };

const targetNamed = ({ targets = [] }: Spent, label: string | undefined): LiveTarget | undefined =>
  targets.find((each) => each.label === label);

/** Of the answer that the client got; undefined without usage or a price. */
export function ownCost(exchange: Spent): Money | undefined {
  const { usage, target } = exchange.outcome;
  const prices = targetNamed(exchange, target)?.prices;
  return usage && prices && costOf(usage, prices);
}

/** Each target that was outrun, and what it read. */
export function outrunCosts(exchange: Spent): readonly (readonly [target: string, cost: Money])[] {
  return exchange.outcome.outrun.flatMap(({ target, inputTokens }) => {
    const prices = targetNamed(exchange, target)?.prices;
    return prices ? [[target, costOf({ inputTokens, outputTokens: 0 }, prices)] as const] : [];
  });
}

/** Into the outcome, all that was spent; undefined where nothing is known. */
export function noteCost(exchange: Spent): Money | undefined {
  const own = ownCost(exchange);
  const all = outrunCosts(exchange).reduce<Money | undefined>((sum, [, cost]) => (sum ? plus(sum, cost) : cost), own);
  exchange.outcome.costUsd = all && usdText(all);
  return all;
}

/** While there is still a head to write it into. */
export function tellCost(exchange: Spent & Pick<Exchange, 'reply'>): void {
  const cost = noteCost(exchange);
  if (cost) exchange.reply.header('headgate-cost-usd', usdText(cost));
}
