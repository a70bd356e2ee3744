/** Tries its first member for requests that meet a condition, and for all others its second, or nobody. */
import type { Balancer, Given } from './balancer.ts';
import { asksWho, condition, counterexampleOf, exampleOf, isMet, shareThatMeets } from './condition.ts';

const first = [0];
const second = [1];
const nobody: readonly number[] = [];

export const when = {
  options: condition,
  weights: 'refused',
  picksOne: true,
  asksWho,
  saysFor: (options, index) => (index === 0 ? exampleOf(options) : counterexampleOf(options)),
  chances({ members, options }, asking, given?: Given) {
    const met = shareThatMeets(options, asking, given);
    return members.length > 1 ? [met, 1 - met] : [met];
  },
  prepare({ members, options }) {
    const otherwise = members.length > 1 ? second : nobody;
    return ({ asking, random }) => ((asking ? isMet(options, asking) : random() < 0.5) ? first : otherwise);
  },
} satisfies Balancer<typeof condition>;
