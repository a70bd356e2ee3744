/** Applies the gateway's edits to a request that stays in the words of Anthropic's Messages API. */
import type { Json, JsonObject } from '../../call.ts';
import type { BodyEdits } from '../dialect.ts';
import { isList } from '../json-fields.ts';
import { withoutUnsigned } from './unsigned.ts';
import { writeTurns } from './write-messages.ts';

export function rewrite(body: JsonObject, edits: BodyEdits): JsonObject {
  const rewritten: Record<string, Json | undefined> = { ...body, model: edits.model };
  const prompt = writeTurns(edits.prepend, new Set());
  const messages = isList(body.messages) ? body.messages : [];
  const kept = edits.keep?.flatMap((index) => messages[index] ?? []) ?? messages;
  rewritten.messages = [...prompt.messages, ...kept.flatMap(withoutUnsigned)];
  if (prompt.system.length > 0) rewritten.system = [...prompt.system, ...asBlocks(body.system)];
  return rewritten;
}

function asBlocks(system: Json | undefined): readonly Json[] {
  if (isList(system)) return system;
  // "text content blocks must be non-empty" is a 400.
  return typeof system === 'string' && system.trim() !== '' ? [{ type: 'text', text: system }] : [];
}
