/** The orders that may be drawn of a model's targets, as they are told: by their names, and without those that a request cannot go to. */
import type { DrawnOrder } from './generation/live.ts';
import type { Outcome } from './outcome.ts';

export interface Order {
  /** Between 0 and 1. */
  readonly chance: number;
  readonly targets: readonly string[];
}

export function toldOrders(orders: readonly DrawnOrder[], { unable }: Pick<Outcome, 'unable'>): readonly Order[] {
  const left = new Map<string, Order>();
  for (const { chance, targets } of orders) {
    const labels = targets.map(({ label }) => label).filter((label) => !unable.some(({ target }) => target === label));
    const told = labels.join(' ');
    left.set(told, { chance: chance + (left.get(told)?.chance ?? 0), targets: labels });
  }
  return [...left.values()];
}
