/** What the operations of OpenAI and its compatible vendors have in common: where the model stands, texts, usage. */
import type { Json, JsonObject, Part, Usage } from '../call.ts';
import { CallError } from './dialect.ts';
import type { EmbeddingCall } from './task.ts';
import { countIn, isList, isObject, isSet, objectIn, someIn, textIn, withoutUndefined } from './json-fields.ts';

export function modelIn(fields: JsonObject): string {
  const { model } = fields;
  if (typeof model !== 'string' || model === '')
    throw new CallError('model is missing: send the name of a configured model.', 'model');
  return model;
}

/** What is to be embedded; of tokens nobody here knows the text. */
export const partsOfInputs = (inputs: EmbeddingCall['inputs']): readonly Part[] =>
  inputs.map((input) =>
    typeof input === 'string' ? { type: 'text', text: input } : { type: 'opaque', label: 'tokens in input' },
  );

export function vectorIn(values: Json | undefined): readonly number[] {
  if (!isList(values) || !values.every((value) => typeof value === 'number'))
    throw new TypeError('an embedding is no list of numbers');
  return values;
}

export function vectorsIn(list: Json | undefined): readonly (readonly number[])[] {
  if (!isList(list)) throw new TypeError('embeddings is missing');
  return list.map(vectorIn);
}

/** Text wherever `value` holds some; everything else is named only. */
export function partsIn(value: Json | undefined, label: string): readonly Part[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  if (!isSet(value)) return [];
  if (isList(value)) {
    const isTokens = value.some((each) => typeof each === 'number');
    return isTokens ? [{ type: 'opaque', label }] : value.flatMap((each) => partsIn(each, label));
  }
  const text = isObject(value) ? textIn(value, 'text') : undefined;
  const url = isObject(value) ? textIn(objectIn(value, 'image_url'), 'url') : undefined;
  if (text !== undefined) return [{ type: 'text', text }];
  return [url === undefined ? { type: 'opaque', label } : { type: 'image', url }];
}

/**
 * `usage` in the words of the older operations (prompt, completion), of the newer ones (input, output), or, where nothing
 * is put out, as a total only. Usage in seconds is none in tokens.
 */
export function usageIn(body: JsonObject): Usage | undefined {
  const usage = objectIn(body, 'usage');
  const output = countIn(usage, 'output_tokens') ?? countIn(usage, 'completion_tokens');
  const input = countIn(usage, 'input_tokens') ?? countIn(usage, 'prompt_tokens');
  const total = countIn(usage, 'total_tokens');
  // Rerankers exist that say 0 of their input and the truth in the total.
  const inputTokens = input !== undefined && input > 0 ? input : (total ?? 0) - (output ?? 0);
  if (input === undefined && total === undefined) return undefined;
  const details = objectIn(usage, 'input_tokens_details') ?? objectIn(usage, 'prompt_tokens_details');
  return withoutUndefined<Usage>({
    inputTokens: Math.max(0, inputTokens),
    outputTokens: output ?? 0,
    cachedInputTokens: countIn(details, 'cached_tokens'),
    audioInputTokens: someIn(details, 'audio_tokens'),
    imageInputTokens: someIn(details, 'image_tokens'),
    imageOutputTokens: someIn(objectIn(usage, 'output_tokens_details'), 'image_tokens'),
  });
}
