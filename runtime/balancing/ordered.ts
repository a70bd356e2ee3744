/** Tries members in the order they are written. */
import type { Balancer } from './balancer.ts';

export const ordered = {
  weights: 'refused',
  chances: ({ members }) => members.map((_, index) => (index === 0 ? 1 : 0)),
  prepare({ members }) {
    const order = members.map((_, index) => index);
    return () => order;
  },
} satisfies Balancer;
