/** Reads a Responses API request into the neutral call, naming the field when it breaks the rules. */
import type { AnswerFormat, Call, Json, JsonObject, Tool, ToolChoice } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, isSet, objectIn, reportable, textIn, withoutUndefined } from '../json-fields.ts';
import { isBoolean, isNumber, isText, optional } from '../request-fields.ts';
import { isCount, noteOthers, requiredText } from './fields.ts';
import { readInput, type Findings } from './read-items.ts';

const carried = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  // Only about padding against eavesdroppers on the way from the vendor.
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'text',
  'reasoning',
  'user',
  // Answers repeat it, and that is all that comes of it where nothing is stored.
  'metadata',
]);

/** Without them the model would be asked something else, and nobody but the vendor knows what they stand for. */
const vendorState = ['previous_response_id', 'conversation', 'background', 'prompt'];

/** SDKs and frameworks send these out of habit; at these values nothing is lost by leaving them out. */
const withoutEffect = new Map<string, Json>([
  ['store', false],
  ['background', false],
  ['truncation', 'disabled'],
  ['top_logprobs', 0],
  ['service_tier', 'auto'],
]);

export function readCall(body: JsonObject): Call {
  const findings: Findings = { untranslated: new Set(), nativeOnly: readState(body) };
  const { untranslated, nativeOnly } = findings;
  noteFields(body, untranslated);
  const model = body.model;
  if (typeof model !== 'string' || model === '') throw new CallError('model must be a non-empty string.', 'model');
  const messages = readInput(body.input, findings);
  if (messages.length === 0 && nativeOnly.length === 0) {
    throw new CallError('input must be a string or a non-empty array of items.', 'input');
  }
  const instructions = optional(body, 'instructions', isText, 'a string');
  const { user, safety_identifier: identifier } = body;
  if (isSet(user) && isSet(identifier) && user !== identifier) untranslated.add('safety_identifier');
  const [first, ...others] = nativeOnly;
  return withoutUndefined<Call>({
    model,
    system: instructions === undefined || instructions === '' ? undefined : [{ type: 'text', text: instructions }],
    messages,
    stream: optional(body, 'stream', isBoolean, 'a boolean') ?? false,
    tools: readTools(body, untranslated),
    toolChoice: readToolChoice(body, untranslated),
    parallelToolCalls: optional(body, 'parallel_tool_calls', isBoolean, 'a boolean'),
    maxOutputTokens: optional(body, 'max_output_tokens', isCount, 'a whole number from 1'),
    temperature: optional(body, 'temperature', isNumber, 'a number'),
    topP: optional(body, 'top_p', isNumber, 'a number'),
    answerFormat: readAnswerFormat(body, untranslated),
    reasoningEffort: readEffort(body, untranslated),
    user: optional(body, 'user', isText, 'a string') ?? optional(body, 'safety_identifier', isText, 'a string'),
    untranslated: [...untranslated],
    nativeOnly: first === undefined ? undefined : [first, ...others],
  });
}

const readState = (body: JsonObject): string[] =>
  vendorState.filter((key) => isSet(body[key]) && body[key] !== withoutEffect.get(key));

function noteFields(body: JsonObject, untranslated: Set<string>): void {
  for (const [key, value] of Object.entries(body)) {
    const isKnown = carried.has(key) || vendorState.includes(key) || key === 'safety_identifier';
    const isEmpty = !isSet(value) || (isList(value) && value.length === 0) || value === withoutEffect.get(key);
    if (!isKnown && !isEmpty) untranslated.add(reportable(key));
  }
}

const toolFields = new Set(['type', 'name', 'description', 'parameters', 'strict']);

function readTools(body: JsonObject, untranslated: Set<string>): readonly Tool[] {
  const tools = body.tools;
  if (!isSet(tools)) return [];
  if (!isList(tools)) throw new CallError('tools must be an array.', 'tools');
  return tools.flatMap((tool, index) => {
    const place = `tools[${index}]`;
    if (!isObject(tool)) throw new CallError(`${place} must be an object.`, place);
    if (typeof tool.type !== 'string') throw new CallError(`${place}.type must be a string.`, `${place}.type`);
    if (tool.type === 'function') return [readFunction(tool, place, untranslated)];
    // What the vendor itself runs, such as a web search, nobody else has.
    untranslated.add(`tools.${reportable(tool.type)}`);
    return [];
  });
}

function readFunction(tool: JsonObject, place: string, untranslated: Set<string>): Tool {
  noteOthers(tool, toolFields, { prefix: 'tools', untranslated });
  const { parameters, strict } = tool;
  if (isSet(parameters) && !isObject(parameters)) {
    throw new CallError(`${place}.parameters must be a JSON Schema object.`, `${place}.parameters`);
  }
  return withoutUndefined<Tool>({
    name: requiredText(tool, 'name', place),
    description: textIn(tool, 'description'),
    parameters: parameters ?? { type: 'object', properties: {} },
    // Left out it means true here, but only for schemas that lend themselves to it ("migrate to the responses API").
    strict: typeof strict === 'boolean' ? strict : undefined,
  });
}

function readToolChoice(body: JsonObject, untranslated: Set<string>): ToolChoice | undefined {
  const choice = body.tool_choice;
  if (!isSet(choice)) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  if (!isObject(choice)) {
    throw new CallError('tool_choice must be "auto", "none", "required" or an object.', 'tool_choice');
  }
  if (choice.type === 'function') return { name: requiredText(choice, 'name', 'tool_choice') };
  untranslated.add('tool_choice');
  return undefined;
}

function readEffort(body: JsonObject, untranslated: Set<string>): string | undefined {
  const reasoning = body.reasoning;
  if (!isSet(reasoning)) return undefined;
  if (!isObject(reasoning)) throw new CallError('reasoning must be an object.', 'reasoning');
  noteOthers(reasoning, new Set(['effort']), { prefix: 'reasoning', untranslated });
  const { effort } = reasoning;
  if (isSet(effort) && !isText(effort)) throw new CallError('reasoning.effort must be a string.', 'reasoning.effort');
  return effort ?? undefined;
}

const formatFields = new Set(['type', 'name', 'schema', 'strict']);

function readAnswerFormat(body: JsonObject, untranslated: Set<string>): AnswerFormat | undefined {
  const text = body.text;
  if (!isSet(text)) return undefined;
  if (!isObject(text)) throw new CallError('text must be an object.', 'text');
  if (text.verbosity !== 'medium') noteOthers(text, new Set(['format']), { prefix: 'text', untranslated });
  const format = text.format;
  if (!isSet(format)) return undefined;
  if (!isObject(format)) throw new CallError('text.format must be an object.', 'text.format');
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json_object') return { type: 'json' };
  if (format.type !== 'json_schema') {
    untranslated.add('text.format');
    return undefined;
  }
  noteOthers(format, formatFields, { prefix: 'text.format', untranslated });
  const schema = objectIn(format, 'schema');
  if (schema === undefined) throw new CallError('text.format.schema must be an object.', 'text.format.schema');
  const { strict } = format;
  return withoutUndefined<AnswerFormat>({
    type: 'json_schema',
    name: requiredText(format, 'name', 'text.format'),
    schema,
    strict: typeof strict === 'boolean' ? strict : undefined,
  });
}
