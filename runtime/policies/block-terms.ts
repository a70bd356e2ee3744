/** Refuses calls whose text contains one of the listed terms. */
import type { Zod } from '../zod.ts';
import type { PolicyKind, Verdict } from './policy.ts';
import { finderOf, termList } from './terms.ts';

const options = (z: Zod) =>
  z.strictObject({
    /** Plain words or phrases, matched anywhere and without regard to case. */
    terms: termList(z),
  });

export const blockTerms = {
  options,
  prepare({ terms }) {
    const finds = finderOf(terms);
    // The term itself is not named: a list of what is blocked is worth guarding too.
    return (call): Verdict =>
      finds(call) ? { pass: false, reason: 'a blocked term stands in the messages' } : { pass: true };
  },
} satisfies PolicyKind<typeof options>;
