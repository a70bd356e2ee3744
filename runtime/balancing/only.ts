/** Tries its members in order, and of all targets below them only those at providers with certain tags: for every request, or for those that meet a condition. */
import type { Zod } from '../zod.ts';
import { asWritten, type Balancer, type Given, type Narrowing } from './balancer.ts';
import { asksWho, condition, shareThatMeets } from './condition.ts';

const options = (z: Zod) =>
  z.strictObject({
    /** The provider of a target carries each of them. */
    tags: z.array(z.string().min(1).max(64)).min(1).max(16),
    /** Which requests are held to it; without it, all. */
    when: condition(z).optional(),
  });

export const only = {
  ...asWritten,
  options,
  asksWho: ({ when }) => when !== undefined && asksWho(when),
  narrowings({ tags, when }, _, asking, given?: Given): readonly Narrowing[] {
    const share = when === undefined ? 1 : shareThatMeets(when, asking, given);
    const held: Narrowing = {
      name: tags.toSorted().join(),
      chance: share,
      keeps: (target) => tags.every((tag) => target.tags.includes(tag)),
    };
    return [held, { name: '', chance: 1 - share }].filter(({ chance }) => chance > 0);
  },
} satisfies Balancer<typeof options>;
