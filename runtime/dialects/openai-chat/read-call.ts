/** Reads an OpenAI chat completion request into the neutral call, naming the field when it breaks the rules. */
import type { Call, Json, JsonObject, Tool, ToolChoice, AnswerFormat } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, isSet, objectIn, reportable, textIn, withoutUndefined } from '../json-fields.ts';
import { isBoolean, isNumber, isText, optional } from '../request-fields.ts';
import { readMessage } from './read-message.ts';

const carried = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'stop',
  'seed',
  'response_format',
  'reasoning_effort',
  'user',
]);

/** SDKs and frameworks send these out of habit; at these values nothing is lost by leaving them out. */
const withoutEffect = new Map<string, Json>([
  ['n', 1],
  ['store', false],
  ['logprobs', false],
  ['frequency_penalty', 0],
  ['presence_penalty', 0],
]);

export function readCall(body: JsonObject): Call {
  const untranslated = new Set<string>();
  for (const [key, value] of Object.entries(body)) {
    if (!carried.has(key) && isSet(value) && value !== withoutEffect.get(key)) untranslated.add(reportable(key));
  }
  const model = body.model;
  if (typeof model !== 'string' || model === '') throw new CallError('model must be a non-empty string.', 'model');
  const messages = body.messages;
  if (!isList(messages) || messages.length === 0) {
    throw new CallError('messages must be a non-empty array.', 'messages');
  }
  const answers = optional(body, 'n', isCount, 'a whole number from 1');
  return withoutUndefined<Call>({
    model,
    messages: messages.map((message, index) => readMessage(message, `messages[${index}]`, untranslated)),
    stream: optional(body, 'stream', isBoolean, 'a boolean') ?? false,
    tools: readTools(body, untranslated),
    toolChoice: readToolChoice(body, untranslated),
    parallelToolCalls: optional(body, 'parallel_tool_calls', isBoolean, 'a boolean'),
    maxOutputTokens: readMaxOutputTokens(body),
    answers: answers === 1 ? undefined : answers,
    temperature: optional(body, 'temperature', isNumber, 'a number'),
    topP: optional(body, 'top_p', isNumber, 'a number'),
    stop: readStop(body),
    seed: optional(body, 'seed', Number.isInteger as (value: Json) => value is number, 'a whole number'),
    answerFormat: readAnswerFormat(body, untranslated),
    reasoningEffort: optional(body, 'reasoning_effort', isText, 'a string'),
    user: optional(body, 'user', isText, 'a string'),
    untranslated: [...untranslated],
  });
}

export function wantsStreamUsage(body: JsonObject): boolean {
  return objectIn(body, 'stream_options')?.include_usage === true;
}

const isCount = (value: Json): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

/** `max_tokens` is the deprecated name; where both stand, the new one counts. */
function readMaxOutputTokens(body: JsonObject): number | undefined {
  const old = optional(body, 'max_tokens', isCount, 'a whole number from 1');
  return optional(body, 'max_completion_tokens', isCount, 'a whole number from 1') ?? old;
}

function readStop(body: JsonObject): readonly string[] | undefined {
  const stop = body.stop;
  if (!isSet(stop)) return undefined;
  if (typeof stop === 'string') return [stop];
  if (!isList(stop) || !stop.every(isText))
    throw new CallError('stop must be a string or an array of strings.', 'stop');
  return stop;
}

function readTools(body: JsonObject, untranslated: Set<string>): readonly Tool[] {
  const tools = body.tools;
  if (!isSet(tools)) return [];
  if (!isList(tools)) throw new CallError('tools must be an array.', 'tools');
  return tools.flatMap((tool, index) => {
    const place = `tools[${index}]`;
    if (!isObject(tool)) throw new CallError(`${place} must be an object.`, place);
    if (typeof tool.type !== 'string') throw new CallError(`${place}.type must be a string.`, `${place}.type`);
    if (tool.type !== 'function') {
      untranslated.add(`tools.${reportable(tool.type)}`);
      return [];
    }
    return [readFunction(tool, place)];
  });
}

function readFunction(tool: JsonObject, place: string): Tool {
  const definition = objectIn(tool, 'function');
  const name = textIn(definition, 'name');
  if (name === undefined || name === '') {
    throw new CallError(`${place}.function.name must be a non-empty string.`, `${place}.function.name`);
  }
  const parameters = definition?.parameters;
  if (isSet(parameters) && !isObject(parameters)) {
    throw new CallError(`${place}.function.parameters must be a JSON Schema object.`, `${place}.function.parameters`);
  }
  const strict = definition?.strict;
  return withoutUndefined<Tool>({
    name,
    description: textIn(definition, 'description'),
    parameters: parameters ?? { type: 'object', properties: {} },
    strict: typeof strict === 'boolean' ? strict : undefined,
  });
}

function readToolChoice(body: JsonObject, untranslated: Set<string>): ToolChoice | undefined {
  const choice = body.tool_choice;
  if (!isSet(choice)) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  if (typeof choice !== 'string' && !isObject(choice)) {
    throw new CallError('tool_choice must be "auto", "none", "required" or an object.', 'tool_choice');
  }
  if (isObject(choice) && choice.type === 'function') {
    const name = textIn(objectIn(choice, 'function'), 'name');
    if (name === undefined)
      throw new CallError('tool_choice.function.name must be a string.', 'tool_choice.function.name');
    return { name };
  }
  // `allowed_tools`, custom tools and vendors' own words such as `any` go through natively and only there.
  untranslated.add('tool_choice');
  return undefined;
}

function readAnswerFormat(body: JsonObject, untranslated: Set<string>): AnswerFormat | undefined {
  const format = body.response_format;
  if (!isSet(format)) return undefined;
  if (!isObject(format)) throw new CallError('response_format must be an object.', 'response_format');
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json_object') return { type: 'json' };
  if (format.type !== 'json_schema') {
    untranslated.add('response_format');
    return undefined;
  }
  const declared = objectIn(format, 'json_schema');
  const name = textIn(declared, 'name');
  if (name === undefined) {
    throw new CallError('response_format.json_schema.name must be a string.', 'response_format.json_schema.name');
  }
  const schema = declared?.schema;
  if (isSet(schema) && !isObject(schema)) {
    throw new CallError('response_format.json_schema.schema must be an object.', 'response_format.json_schema.schema');
  }
  if (isSet(declared?.description)) untranslated.add('response_format.json_schema.description');
  const strict = declared?.strict;
  return withoutUndefined<AnswerFormat>({
    type: 'json_schema',
    name,
    schema: schema ?? {},
    strict: typeof strict === 'boolean' ? strict : undefined,
  });
}
