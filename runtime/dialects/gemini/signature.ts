/**
 * The signature of calls that no Google model made. Current models refuse a call without a signature, and this word in
 * its place says that the call comes from elsewhere (ai.google.dev/gemini-api/docs/thought-signatures, FAQs).
 */
import type { JsonObject } from '../../call.ts';

export const unsigned = 'skip_thought_signature_validator';

/** Only the first call of a turn has one. */
export function marked(parts: readonly JsonObject[]): readonly JsonObject[] {
  const first = parts.findIndex(({ functionCall }) => functionCall !== undefined);
  return parts.map((part, at) => (at === first ? { ...part, thoughtSignature: unsigned } : part));
}
