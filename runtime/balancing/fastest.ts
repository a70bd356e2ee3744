/**
 * Of two members that chance picks, tries the one first that is likely to answer sooner: by its recent latency, and the requests
 * it already has. Two, and not all: else every request would run to the same one, and who was slow once would never show better.
 */
import { evenly, shuffled, type Balancer } from './balancer.ts';

export const fastest = {
  weights: 'refused',
  chances: evenly,
  prepare:
    ({ members }) =>
    ({ load, latencyMs, random, asking }) => {
      const answer = asking?.call.stream ? 'begun' : 'whole';
      // Whoever was never asked comes first, and is known from then on.
      const waits = members.map(({ targets }) =>
        Math.min(...targets.map(({ upstream }) => (latencyMs(upstream, answer) ?? 0) * (load(upstream) + 1))),
      );
      const bySpeed = (a: number, b: number): number => (waits[a] ?? 0) - (waits[b] ?? 0);
      const drawn = shuffled(members.length, random);
      const [first = 0, second] = drawn.slice(0, 2).sort(bySpeed);
      const rest = [...(second === undefined ? [] : [second]), ...drawn.slice(2)].sort(bySpeed);
      return [first, ...rest];
    },
} satisfies Balancer;
