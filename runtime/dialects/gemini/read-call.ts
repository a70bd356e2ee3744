/** Reads a generateContent request into the neutral call, naming the field when it breaks the rules. */
import type { AnswerFormat, Call, Json, JsonObject } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, withoutUndefined } from '../json-fields.ts';
import { demandList, demandObject, field, reportOthers } from './fields.ts';
import { readContents, readSystem } from './read-contents.ts';
import { readToolChoice, readTools } from './read-tools.ts';
import { jsonSchemaOf } from './schema.ts';

const carried = new Set([
  'model',
  'stream',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
]);
/** What Google keeps, and what it left half said: without it the answer would be one to another question. */
const vendorState = ['cachedContent', 'continuationToken'];
const carriedByConfig = new Set([
  'maxOutputTokens',
  'temperature',
  'topP',
  'stopSequences',
  'seed',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'thinkingConfig',
]);
const carriedByThinking = new Set(['thinkingLevel', 'thinkingBudget', 'includeThoughts']);

/** Frameworks send these out of habit; at these values nothing is lost by leaving them out. */
const withoutEffect = new Map<string, string>([
  ['candidateCount', '1'],
  ['frequencyPenalty', '0'],
  ['presencePenalty', '0'],
  ['responseLogprobs', 'false'],
  ['responseModalities', '["TEXT"]'],
]);

export function readCall(body: JsonObject): Call {
  const untranslated = new Set<string>();
  const nativeOnly: string[] = [];
  reportOthers(body, carried, (name) => {
    if (vendorState.includes(name)) nativeOnly.push(name);
    else untranslated.add(name);
  });
  const [first, ...others] = nativeOnly;
  const { model } = body;
  if (typeof model !== 'string' || model === '') throw new CallError('The path must name a model.', 'model');
  const contents = demandList(body, 'contents', 'contents');
  if (contents.length === 0) throw new CallError('contents must be a non-empty array.', 'contents');
  const config = demandObject(body, 'generationConfig', 'generationConfig') ?? {};
  reportOthers(config, carriedByConfig, (name, value) => {
    if (JSON.stringify(value) !== withoutEffect.get(name)) untranslated.add(`generationConfig.${name}`);
  });
  return withoutUndefined<Call>({
    model,
    messages: readContents(contents, untranslated),
    system: readSystem(body, untranslated),
    stream: body.stream === true,
    tools: readTools(body, untranslated),
    toolChoice: readToolChoice(body, untranslated),
    maxOutputTokens: optional(config, 'maxOutputTokens', isCount, 'a whole number from 1'),
    temperature: optional(config, 'temperature', isNumber, 'a number'),
    topP: optional(config, 'topP', isNumber, 'a number'),
    stop: optional(config, 'stopSequences', isTexts, 'an array of strings'),
    seed: optional(config, 'seed', isWhole, 'a whole number'),
    answerFormat: readAnswerFormat(config, untranslated),
    reasoningEffort: readEffort(config, untranslated),
    untranslated: [...untranslated],
    nativeOnly: first === undefined ? undefined : [first, ...others],
  });
}

const isText = (value: Json): value is string => typeof value === 'string';
const isTexts = (value: Json): value is readonly string[] => isList(value) && value.every(isText);
const isNumber = (value: Json): value is number => typeof value === 'number';
const isWhole = (value: Json): value is number => Number.isSafeInteger(value);
const isCount = (value: Json): value is number => isWhole(value) && value >= 1;

function optional<T extends Json>(
  config: JsonObject,
  name: string,
  accepts: (value: Json) => value is T,
  expected: string,
): T | undefined {
  const value = field(config, name);
  if (value === undefined) return undefined;
  const place = `generationConfig.${name}`;
  if (!accepts(value)) throw new CallError(`${place} must be ${expected}.`, place);
  return value;
}

/** `responseSchema` is Google's subset of OpenAPI, `responseJsonSchema` JSON Schema itself; neither has a name here. */
function readAnswerFormat(config: JsonObject, untranslated: Set<string>): AnswerFormat | undefined {
  const type = optional(config, 'responseMimeType', isText, 'a string');
  const own = optional(config, 'responseSchema', isObject, 'an object');
  const schema = optional(config, 'responseJsonSchema', isObject, 'a JSON Schema object') ?? (own && jsonSchemaOf(own));
  if (type !== undefined && type !== 'application/json' && type !== 'text/plain') {
    untranslated.add('generationConfig.responseMimeType');
    return undefined;
  }
  if (schema) return { type: 'json_schema', name: 'answer', schema };
  return type === 'application/json' ? { type: 'json' } : undefined;
}

/**
 * Levels are words already. Budgets are tokens: 0 is none, -1 is the model's own choice, and the others are taken back
 * as Google's OpenAI endpoint gives them out (ai.google.dev/gemini-api/docs/openai, "thinking").
 */
function readEffort(config: JsonObject, untranslated: Set<string>): string | undefined {
  const thinking = demandObject(config, 'thinkingConfig', 'generationConfig.thinkingConfig');
  if (!thinking) return undefined;
  reportOthers(thinking, carriedByThinking, (name) => untranslated.add(`generationConfig.thinkingConfig.${name}`));
  const level = field(thinking, 'thinkingLevel');
  if (typeof level === 'string' && level !== 'THINKING_LEVEL_UNSPECIFIED') return level.toLowerCase();
  const budget = field(thinking, 'thinkingBudget');
  if (typeof budget !== 'number' || budget < 0) return undefined;
  if (budget === 0) return 'none';
  if (budget <= 1_024) return 'low';
  return budget <= 8_192 ? 'medium' : 'high';
}
