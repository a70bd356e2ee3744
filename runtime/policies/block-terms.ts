/** Refuses calls whose text contains one of the listed terms; plain text, so matching time is linear in the text. */
import { z } from 'zod';
import type { Call } from '../call.ts';
import type { PolicyKind, Verdict } from './policy.ts';

const options = z.strictObject({
  /** Plain words or phrases, matched anywhere and without regard to case. */
  terms: z.array(z.string().min(3).max(200)).min(1).max(1_000),
});

function* texts(call: Call): Generator<string> {
  for (const message of call.messages) {
    for (const part of message.parts) {
      if (part.type === 'text' || part.type === 'tool_result') yield part.text;
      else if (part.type === 'tool_call') yield part.arguments;
    }
  }
}

export const blockTerms = {
  options,
  prepare({ terms }) {
    const wanted = terms.map((term) => term.toLowerCase());
    return (call): Verdict => {
      for (const text of texts(call)) {
        const lower = text.toLowerCase();
        // The term itself is not named: a list of what is blocked is worth guarding too.
        if (wanted.some((term) => lower.includes(term)))
          return { pass: false, reason: 'a blocked term stands in the messages' };
      }
      return { pass: true };
    };
  },
} satisfies PolicyKind<typeof options>;
