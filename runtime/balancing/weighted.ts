/** Draws members by weight without replacement: shares hold for the first choice, the rest are fallbacks. */
import type { Balancer, Member } from './balancer.ts';

const sum = (members: readonly Member[]): number => members.reduce((total, { weight }) => total + weight, 0);

export const weighted = {
  weights: 'required',
  chances: ({ members }) => members.map(({ weight }) => weight / sum(members)),
  prepare:
    ({ members }) =>
    ({ random }) => {
      const left = members.map((member, index) => ({ ...member, index }));
      const order: number[] = [];
      while (left.length > 0) {
        let point = random() * sum(left);
        let pick = left.findIndex(({ weight }) => (point -= weight) < 0);
        // Rounding can leave the point at exactly zero after the last member.
        if (pick === -1) pick = left.length - 1;
        order.push(...left.splice(pick, 1).map(({ index }) => index));
      }
      return order;
    },
} satisfies Balancer;
