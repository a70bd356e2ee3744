/** Tries each member first in turn. The rest follow by chance, so that what a member loses when it fails is spread over all others. */
import { evenly, shuffled, type Balancer } from './balancer.ts';

export const roundRobin = {
  weights: 'refused',
  chances: evenly,
  prepare:
    ({ name, members }) =>
    ({ turn, random }) => {
      const first = turn(name) % members.length;
      return [first, ...shuffled(members.length, random).filter((index) => index !== first)];
    },
} satisfies Balancer;
