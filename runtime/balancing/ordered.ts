/** Tries members in the order they are written. */
import type { Balancer } from './balancer.ts';

export const ordered: Balancer = {
  weights: 'refused',
  order: (weights) => weights.map((_, index) => index),
};
