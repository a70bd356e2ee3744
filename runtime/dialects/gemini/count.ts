/** Requests that only ask how many tokens a call has (ai.google.dev/api/tokens): its contents, or the whole call in a field. */
import type { Call, JsonObject } from '../../call.ts';
import type { BodyEdits } from '../dialect.ts';
import { countIn } from '../json-fields.ts';
import { demandObject, objectField, spelling } from './fields.ts';
import { readCall } from './read-call.ts';
import { rewrite } from './write-call.ts';

const whole = 'generateContentRequest';

export function readCounted(body: JsonObject): Call {
  const call = demandObject(body, whole, whole);
  return readCall(call ? { ...call, model: body.model } : body);
}

/** Only the whole call has room for the instructions of a prompt. */
export function rewriteCounted(body: JsonObject, edits: BodyEdits): JsonObject {
  const { model, stream: _, ...rest } = body;
  const call = objectField(body, whole) ?? (edits.prepend.length > 0 ? rest : undefined);
  if (!call) return rewrite(body, edits);
  const written = { ...rewrite({ ...call, model }, edits), model: `models/${edits.model}` };
  return { model: edits.model, [spelling(body, whole)]: written };
}

export function readCount(body: JsonObject): number {
  const tokens = countIn(body, 'totalTokens');
  if (tokens === undefined) throw new TypeError('Not an answer of countTokens: it has no totalTokens.');
  return tokens;
}
