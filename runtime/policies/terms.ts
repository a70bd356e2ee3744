/** Terms in the texts of a call; plain text, so matching time is linear in the text. */
import type { Call } from '../call.ts';
import type { Zod } from '../zod.ts';

/** Plain words or phrases. */
export const termList = (z: Zod) => z.array(z.string().min(3).max(200)).min(1).max(1_000);

function* texts(call: Call): Generator<string> {
  for (const message of call.messages) {
    for (const part of message.parts) {
      if (part.type === 'text' || part.type === 'tool_result') yield part.text;
      else if (part.type === 'tool_call') yield part.arguments;
    }
  }
}

/** Whether one of them stands anywhere in a call, without regard to case. */
export function finderOf(terms: readonly string[]): (call: Call) => boolean {
  const wanted = terms.map((term) => term.toLowerCase());
  return (call) => {
    for (const text of texts(call)) {
      const lower = text.toLowerCase();
      if (wanted.some((term) => lower.includes(term))) return true;
    }
    return false;
  };
}
