/** Writes the neutral call as a generateContent request, and applies the gateway's edits to a native one. */
import { gathered, type Call, type Json, type JsonObject, type Tool } from '../../call.ts';
import type { BodyEdits } from '../dialect.ts';
import { withoutUndefined } from '../json-fields.ts';
import { listField, objectField, spelling } from './fields.ts';
import { modelTraits, type ModelTraits } from './model-traits.ts';
import { answerSchema } from './schema.ts';
import { writeContents } from './write-contents.ts';

export function rewrite(body: JsonObject, edits: BodyEdits): JsonObject {
  const rewritten: Record<string, Json | undefined> = { ...body, model: edits.model };
  if (edits.prepend.length === 0 && edits.keep === undefined) return rewritten;
  const contents = listField(body, 'contents');
  const kept = edits.keep?.flatMap((index) => contents[index] ?? []) ?? contents;
  const opening = writeContents(edits.prepend, modelTraits(edits.model), new Set());
  rewritten.contents = [...opening.contents, ...kept];
  if (opening.system.length > 0) {
    const own = objectField(body, 'systemInstruction');
    rewritten[spelling(body, 'systemInstruction')] = {
      ...own,
      parts: [...opening.system, ...listField(own, 'parts')],
    };
  }
  return rewritten;
}

/** `model` and `stream` stand in the path: whoever sends the body takes them out of it. */
export function writeCall(
  call: Call,
  options: { readonly model: string },
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const dropped = new Set(call.untranslated);
  const traits = modelTraits(options.model);
  const { system, contents } = writeContents(gathered(call).messages, traits, dropped);
  // A call without contents is refused, and OpenAI clients do send a lone system message.
  const isLone = contents.length === 0 && system.length > 0;
  if (isLone) dropped.add('messages.role');
  if (call.user !== undefined) dropped.add('user');
  const body = withoutUndefined<JsonObject>({
    model: options.model,
    stream: call.stream ? true : undefined,
    systemInstruction: isLone || system.length === 0 ? undefined : { parts: system },
    contents: isLone ? [{ role: 'user', parts: system }] : contents,
    tools: call.tools.length > 0 ? [{ functionDeclarations: writeTools(call.tools, dropped) }] : undefined,
    toolConfig: writeToolConfig(call, dropped),
    generationConfig: writeConfig(call, traits, dropped),
  });
  return { body, dropped: [...dropped] };
}

/** `parameters` takes Google's subset of OpenAPI only; JSON Schema goes into its own field (`@google/genai`, FunctionDeclaration). */
function writeTools(tools: readonly Tool[], dropped: Set<string>): readonly JsonObject[] {
  return tools.map(({ name, description, parameters, strict }) => {
    if (strict === true) dropped.add('tools.strict');
    return withoutUndefined<JsonObject>({ name, description, parametersJsonSchema: parameters });
  });
}

function writeToolConfig(call: Call, dropped: Set<string>): JsonObject | undefined {
  const { toolChoice, parallelToolCalls, tools } = call;
  if (tools.length === 0) {
    if (typeof toolChoice === 'object' || toolChoice === 'required') dropped.add('tool_choice');
    return undefined;
  }
  if (parallelToolCalls === false) dropped.add('parallel_tool_calls');
  if (toolChoice === undefined) return undefined;
  if (typeof toolChoice === 'object')
    return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [toolChoice.name] } };
  return { functionCallingConfig: { mode: toolChoice === 'required' ? 'ANY' : toolChoice.toUpperCase() } };
}

function writeConfig(call: Call, traits: ModelTraits, dropped: Set<string>): JsonObject | undefined {
  const config = withoutUndefined<JsonObject>({
    maxOutputTokens: call.maxOutputTokens,
    temperature: call.temperature,
    topP: call.topP,
    stopSequences: call.stop,
    seed: writeSeed(call.seed, dropped),
    ...writeAnswerFormat(call, dropped),
    thinkingConfig: writeThinking(call.reasoningEffort, traits, dropped),
  });
  return Object.keys(config).length > 0 ? config : undefined;
}

/** 32 bits with a sign (ai.google.dev/api/generate-content, GenerationConfig). */
function writeSeed(seed: number | undefined, dropped: Set<string>): number | undefined {
  if (seed === undefined || Math.trunc(seed) === (seed | 0)) return seed;
  dropped.add('seed');
  return undefined;
}

function writeAnswerFormat({ answerFormat: format }: Call, dropped: Set<string>): JsonObject {
  if (format === undefined || format.type === 'text') return {};
  if (format.type === 'json') return { responseMimeType: 'application/json' };
  const schema = answerSchema(format.schema, (word) => dropped.add(`response_format.schema.${word}`));
  return { responseMimeType: 'application/json', responseJsonSchema: schema };
}

/** As Google's OpenAI endpoint gives them out (ai.google.dev/gemini-api/docs/openai, "thinking"). */
const budgets = new Map([
  ['none', 0],
  ['minimal', 1_024],
  ['low', 1_024],
  ['medium', 8_192],
  ['high', 24_576],
  ['xhigh', 24_576],
  ['max', 24_576],
]);
const levels = new Map([
  ['minimal', 'MINIMAL'],
  ['low', 'LOW'],
  ['medium', 'MEDIUM'],
  ['high', 'HIGH'],
  ['xhigh', 'HIGH'],
  ['max', 'HIGH'],
]);

function writeThinking(effort: string | undefined, traits: ModelTraits, dropped: Set<string>): JsonObject | undefined {
  if (effort === undefined) return undefined;
  const least = effort === 'minimal' && traits.thinksAlways ? 'low' : effort;
  const level = traits.thinking === 'level' ? levels.get(least) : undefined;
  const budget = traits.thinking === 'budget' ? budgets.get(least) : undefined;
  if (level === undefined && (budget === undefined || (budget === 0 && traits.thinksAlways))) {
    dropped.add('reasoning_effort');
    return undefined;
  }
  // Without it the thoughts stay with Google, and whoever asks for an effort may want to see what came of it.
  const includeThoughts = effort === 'none' ? undefined : true;
  return withoutUndefined<JsonObject>({ thinkingLevel: level, thinkingBudget: budget, includeThoughts });
}
