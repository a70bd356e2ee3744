/** Tries first where a call of this size costs least; what has no price comes last. Among equals the written order holds. */
import type { Asking, Balancer, Member } from './balancer.ts';

/** Of an answer whose length nobody limited. */
const usualOutputTokens = 500;

/** To compare, and for no bill: USD for a million tokens. */
interface Price {
  readonly input: number;
  readonly output: number;
}

const unknown: Price = { input: Infinity, output: Infinity };

/** Zero times no price is no price. */
const costOf = ({ input, output }: Price, size: Price): number =>
  input === Infinity ? Infinity : input * size.input + output * size.output;

const pricesOf = ({ targets }: Member): Price[] =>
  targets.map(({ prices }) => (prices ? { input: Number(prices.input), output: Number(prices.output) } : unknown));

const sizeOf = ({ call, tokens }: Asking): Price => ({
  input: tokens(),
  output: call.maxOutputTokens ?? usualOutputTokens,
});

/** Of a group, what its cheapest target takes. */
function rankedFor(size: Price, prices: readonly (readonly Price[])[]): number[] {
  const costs = prices.map((each) => Math.min(...each.map((price) => costOf(price, size))));
  return costs
    .map((_, index) => index)
    .sort((a, b) => ((costs[a] ?? 0) === (costs[b] ?? 0) ? a - b : (costs[a] ?? 0) - (costs[b] ?? 0)));
}

/** Calls from those that are all input to those that are all output. */
const mixes: readonly Price[] = Array.from({ length: 101 }, (_, step) => ({ input: 100 - step, output: step }));

export const cheapest = {
  weights: 'refused',
  /** Of any request: for how many of the mixes of input and output it is the cheapest. */
  chances({ members }, asking) {
    const prices = members.map(pricesOf);
    const sizes = asking ? [sizeOf(asking)] : mixes;
    const firsts = sizes.map((size) => rankedFor(size, prices)[0]);
    return members.map((_, index) => firsts.filter((first) => first === index).length / firsts.length);
  },
  prepare({ members }) {
    const prices = members.map(pricesOf);
    const [order = [], ...others] = mixes.map((size) => rankedFor(size, prices));
    // Where the same is cheapest for every call, none needs to be measured.
    if (others.every((other) => other.join() === order.join())) return () => order;
    const usual = rankedFor({ input: 1, output: 1 }, prices);
    return ({ asking }) => (asking ? rankedFor(sizeOf(asking), prices) : usual);
  },
} satisfies Balancer;
