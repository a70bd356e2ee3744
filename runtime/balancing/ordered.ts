/** Tries members in the order they are written. */
import type { Balancer } from './balancer.ts';

export const ordered: Balancer = {
  weights: 'refused',
  chances: (weights) => weights.map((_, index) => (index === 0 ? 1 : 0)),
  order: (weights) => weights.map((_, index) => index),
};
