/** Draws members by weight without replacement: shares hold for the first choice, the rest are fallbacks. */
import type { Balancer } from './balancer.ts';

const sum = (weights: readonly number[]): number => weights.reduce((total, weight) => total + weight, 0);

export const weighted: Balancer = {
  weights: 'required',
  chances: (weights) => weights.map((weight) => weight / sum(weights)),
  order(weights, random) {
    const left = weights.map((weight, index) => ({ weight, index }));
    const order: number[] = [];
    while (left.length > 0) {
      let point = random() * sum(left.map(({ weight }) => weight));
      let pick = left.findIndex(({ weight }) => (point -= weight) < 0);
      // Rounding can leave the point at exactly zero after the last member.
      if (pick === -1) pick = left.length - 1;
      order.push(...left.splice(pick, 1).map(({ index }) => index));
    }
    return order;
  },
};
