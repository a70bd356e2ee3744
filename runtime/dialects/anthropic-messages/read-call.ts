/** Reads a request of Anthropic's Messages API into the neutral call, naming the field when it breaks the rules. */
import type { AnswerFormat, Call, Json, JsonObject, Tool, ToolChoice } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, isSet, objectIn, reportable, textIn, withoutUndefined } from '../json-fields.ts';
import { isBoolean, isNumber, optional } from '../request-fields.ts';
import { readContent, readMessage, reportRest } from './read-message.ts';

const carried = new Set([
  'model',
  'messages',
  'system',
  'max_tokens',
  'stream',
  'stop_sequences',
  'temperature',
  'top_p',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'metadata',
]);

/** The API's own defaults: nothing is lost by leaving them out. */
const withoutEffect = new Map<string, Json>([
  ['service_tier', 'auto'],
  ['speed', 'standard'],
]);

export function readCall(body: JsonObject): Call {
  // 0 fills the vendor's prompt cache and asks for no answer (anthropic SDK, messages.ts, `max_tokens`).
  if (!isCount(body.max_tokens ?? null))
    throw new CallError('max_tokens must be a whole number, and is needed.', 'max_tokens');
  return readInput(body);
}

/** A body that is only counted has no `max_tokens`. */
export function readInput(body: JsonObject): Call {
  const untranslated = new Set<string>();
  for (const [key, value] of Object.entries(body)) {
    if (!carried.has(key) && isSet(value) && value !== withoutEffect.get(key)) untranslated.add(reportable(key));
  }
  const { model, messages } = body;
  if (typeof model !== 'string' || model === '') throw new CallError('model must be a non-empty string.', 'model');
  if (!isList(messages) || messages.length === 0)
    throw new CallError('messages must be a non-empty array.', 'messages');
  const tools = readTools(body, untranslated);
  return withoutUndefined<Call>({
    model,
    messages: messages.map((message, index) => readMessage(message, `messages[${index}]`, untranslated)),
    system: isSet(body.system)
      ? readContent(body.system, { path: 'system', label: 'system', untranslated })
      : undefined,
    stream: optional(body, 'stream', isBoolean, 'a boolean') ?? false,
    tools,
    ...readToolChoice(body, tools, untranslated),
    maxOutputTokens: optional(body, 'max_tokens', isCount, 'a whole number'),
    temperature: optional(body, 'temperature', isNumber, 'a number'),
    topP: optional(body, 'top_p', isNumber, 'a number'),
    stop: optional(body, 'stop_sequences', areTexts, 'an array of strings'),
    answerFormat: readAnswerFormat(body, untranslated),
    reasoningEffort: readEffort(body, untranslated),
    user: readUser(body, untranslated),
    untranslated: [...untranslated],
  });
}

const isCount = (value: Json): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const areTexts = (value: Json): value is readonly string[] =>
  isList(value) && value.every((each) => typeof each === 'string');

/** Tools with another type than `custom` are the vendor's own; some of them it runs itself. */
function readTools(body: JsonObject, untranslated: Set<string>): readonly Tool[] {
  const { tools } = body;
  if (!isSet(tools)) return [];
  if (!isList(tools)) throw new CallError('tools must be an array.', 'tools');
  return tools.flatMap((tool, index) => {
    const place = `tools[${index}]`;
    if (!isObject(tool)) throw new CallError(`${place} must be an object.`, place);
    const { type, name, input_schema: parameters, strict } = tool;
    if (isSet(type) && type !== 'custom') {
      untranslated.add(`tools.${reportable(typeof type === 'string' ? type : 'type')}`);
      return [];
    }
    if (typeof name !== 'string' || name === '')
      throw new CallError(`${place}.name must be a non-empty string.`, `${place}.name`);
    if (!isObject(parameters))
      throw new CallError(`${place}.input_schema must be a JSON Schema object.`, `${place}.input_schema`);
    reportRest(tool, ['type', 'name', 'description', 'input_schema', 'strict'], { label: 'tools', untranslated });
    return [
      withoutUndefined<Tool>({
        name,
        description: textIn(tool, 'description'),
        parameters,
        strict: typeof strict === 'boolean' ? strict : undefined,
      }),
    ];
  });
}

const choices = new Map<string, ToolChoice>([
  ['auto', 'auto'],
  ['any', 'required'],
  ['none', 'none'],
]);

/** A choice among tools that are not carried would be refused elsewhere. */
function readToolChoice(
  body: JsonObject,
  tools: readonly Tool[],
  untranslated: Set<string>,
): Pick<Call, 'toolChoice' | 'parallelToolCalls'> {
  const choice = body.tool_choice;
  if (!isSet(choice)) return {};
  if (!isObject(choice)) throw new CallError('tool_choice must be an object.', 'tool_choice');
  const name = textIn(choice, 'name');
  const isKnown = choice.type === 'tool' && tools.some((tool) => tool.name === name);
  const toolChoice = isKnown && name !== undefined ? { name } : choices.get(textIn(choice, 'type') ?? '');
  if (toolChoice === undefined || (tools.length === 0 && toolChoice === 'required')) untranslated.add('tool_choice');
  if (tools.length === 0) return {};
  return withoutUndefined({
    toolChoice,
    parallelToolCalls: choice.disable_parallel_tool_use === true ? false : undefined,
  });
}

/** A schema has no name here, and other APIs want one. */
function readAnswerFormat(body: JsonObject, untranslated: Set<string>): AnswerFormat | undefined {
  const config = objectIn(body, 'output_config');
  if (config === undefined) return undefined;
  reportRest(config, ['effort', 'format'], { label: 'output_config', untranslated });
  if (!isSet(config.format)) return undefined;
  const schema = objectIn(objectIn(config, 'format'), 'schema');
  if (objectIn(config, 'format')?.type !== 'json_schema' || schema === undefined) {
    untranslated.add('output_config.format');
    return undefined;
  }
  const strict = demandsAll(schema);
  if (!strict) untranslated.add('output_config.format.strict');
  return { type: 'json_schema', name: 'answer', schema, strict };
}

/** Here every schema is held to. OpenAI's models are held only to one without optional properties. */
function demandsAll(schema: Json | undefined): boolean {
  if (isList(schema)) return schema.every(demandsAll);
  if (!isObject(schema)) return true;
  const properties = objectIn(schema, 'properties');
  const required = isList(schema.required) ? schema.required : [];
  const names = Object.keys(properties ?? {});
  return names.every((name) => required.includes(name)) && Object.values(schema).every(demandsAll);
}

/** The words for budgets that a vendor publishes who takes either (ai.google.dev/gemini-api/docs/openai, "thinking"). */
const effortFrom: readonly (readonly [number, string])[] = [
  [24_576, 'high'],
  [8_192, 'medium'],
  [0, 'low'],
];

/** A budget is carried as the nearest word below it, and reported, since it is not what the client said. */
function readEffort(body: JsonObject, untranslated: Set<string>): string | undefined {
  const said = textIn(objectIn(body, 'output_config'), 'effort');
  const { thinking } = body;
  if (!isSet(thinking)) return said;
  if (!isObject(thinking)) throw new CallError('thinking must be an object.', 'thinking');
  reportRest(thinking, ['type', 'budget_tokens'], { label: 'thinking', untranslated });
  const budget = thinking.budget_tokens ?? null;
  if (thinking.type === 'enabled' && !isCount(budget))
    throw new CallError('thinking.budget_tokens must be a whole number.', 'thinking.budget_tokens');
  if (thinking.type === 'enabled') untranslated.add('thinking.budget_tokens');
  else if (thinking.type !== 'adaptive' || said === undefined) untranslated.add('thinking');
  if (said !== undefined || thinking.type !== 'enabled') return said;
  return effortFrom.find(([least]) => Number(budget) >= least)?.[1];
}

function readUser(body: JsonObject, untranslated: Set<string>): string | undefined {
  const { metadata } = body;
  if (!isSet(metadata)) return undefined;
  if (!isObject(metadata)) throw new CallError('metadata must be an object.', 'metadata');
  reportRest(metadata, ['user_id'], { label: 'metadata', untranslated });
  return textIn(metadata, 'user_id');
}
