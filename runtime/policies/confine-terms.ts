/** Keeps calls whose text contains one of the listed terms to targets at providers with certain tags; where there is none, they are refused. */
import type { Zod } from '../zod.ts';
import type { PolicyKind, Verdict } from './policy.ts';
import { finderOf, termList } from './terms.ts';

const options = (z: Zod) =>
  z.strictObject({
    /** Plain words or phrases, matched anywhere and without regard to case. */
    terms: termList(z),
    /** The provider of a target carries each of them. */
    tags: z.array(z.string().min(1).max(64)).min(1).max(16),
  });

export const confineTerms = {
  options,
  prepare({ terms, tags }) {
    const finds = finderOf(terms);
    return (call): Verdict => (finds(call) ? { pass: true, only: tags } : { pass: true });
  },
} satisfies PolicyKind<typeof options>;
