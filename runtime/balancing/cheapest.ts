/** Tries first where a call of this size costs least; what has no price comes last. Among equals the written order holds. */
import { everyPrice, pricesAt, ratesFor, type Prices } from '../prices.ts';
import type { Asking, BalancedGroup, Balancer } from './balancer.ts';

/** Of an answer whose length nobody limited. */
const usualOutputTokens = 500;

interface Size {
  readonly input: number;
  readonly output: number;
}

/** To compare, and for no bill. Zero times no price is no price. */
function costOf(prices: Prices | undefined, size: Size): number {
  if (!prices) return Infinity;
  const { input, output } = ratesFor(size.input, prices);
  return Number(input) * size.input + Number(output) * size.output + Number(prices.request ?? 0) * 1e6;
}

/** Of each member, the prices of its targets; undefined where nobody knows. */
type Priced = readonly (readonly (Prices | undefined)[])[];

const pricedAt = ({ members }: BalancedGroup, at: number): Priced =>
  members.map(({ targets }) => targets.map(({ prices }) => prices && pricesAt(prices, at)));

/** When other prices begin to hold, the earliest first. What holds before all of them begins with time. */
const turnsOf = ({ members }: BalancedGroup): readonly number[] => {
  const days = members.flatMap(({ targets }) =>
    targets.flatMap(({ prices }) => (prices ? everyPrice(prices).map(({ from }) => from) : [])),
  );
  const turns = days.flatMap((from) => (from === undefined ? [] : [Date.parse(from)]));
  return [-Infinity, ...new Set(turns.toSorted((a, b) => a - b))];
};

const sizeOf = ({ call, tokens }: Asking): Size => ({
  input: tokens(),
  output: call.maxOutputTokens ?? usualOutputTokens,
});

/** Of a group, what its cheapest target takes. */
function rankedFor(size: Size, prices: Priced): number[] {
  const costs = prices.map((each) => Math.min(...each.map((price) => costOf(price, size))));
  return costs
    .map((_, index) => index)
    .sort((a, b) => ((costs[a] ?? 0) === (costs[b] ?? 0) ? a - b : (costs[a] ?? 0) - (costs[b] ?? 0)));
}

/** Calls from those that are all input to those that are all output. */
const mixes: readonly Size[] = Array.from({ length: 101 }, (_, step) => ({ input: 100 - step, output: step }));

/** The one order of every call, or undefined where it depends on the call. */
function orderOfAll(prices: Priced): readonly number[] | undefined {
  // Of calls of any length, not only of those that are compared here.
  if (prices.flat().some((each) => each?.long || each?.request)) return undefined;
  const [order = [], ...others] = mixes.map((size) => rankedFor(size, prices));
  return others.every((other) => other.join() === order.join()) ? order : undefined;
}

export const cheapest = {
  weights: 'refused',
  /** Of any request: for how many of the mixes of input and output it is the cheapest, at any of the times with other prices. */
  chances(group, asking) {
    const sizes = asking ? [sizeOf(asking)] : mixes;
    const firsts = turnsOf(group).flatMap((turn) => {
      const prices = pricedAt(group, turn);
      return sizes.map((size) => rankedFor(size, prices)[0]);
    });
    return group.members.map((_, index) => firsts.filter((first) => first === index).length / firsts.length);
  },
  prepare(group) {
    const spans = turnsOf(group).map((since) => {
      const prices = pricedAt(group, since);
      return { since, prices, order: orderOfAll(prices), usual: rankedFor({ input: 1, output: 1 }, prices) };
    });
    return ({ asking, at }) => {
      const span = spans.findLast(({ since }) => since <= at) ?? spans[0];
      // Where the same is cheapest for every call, none needs to be measured.
      return span?.order ?? (span && asking ? rankedFor(sizeOf(asking), span.prices) : (span?.usual ?? []));
    };
  },
} satisfies Balancer;
