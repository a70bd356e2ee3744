/** Tries first where the fewest requests are under way or wait; chance decides among equals. */
import { evenly, shuffled, type Balancer } from './balancer.ts';

export const leastBusy = {
  weights: 'refused',
  chances: evenly,
  prepare:
    ({ members }) =>
    ({ load, random }) => {
      // A group is as busy as the one in it that has the least to do.
      const loads = members.map(({ targets }) => Math.min(...targets.map(({ upstream }) => load(upstream))));
      return shuffled(members.length, random).sort((a, b) => (loads[a] ?? 0) - (loads[b] ?? 0));
    },
} satisfies Balancer;
