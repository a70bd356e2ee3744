/** Reads one message of an OpenAI chat completion request. */
import type { Json, JsonObject, Message, Part, Role } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, isSet, objectIn, reportable, textIn, withoutUndefined } from '../json-fields.ts';

/** `function` is the deprecated form of `tool`; the SDK still types it. */
const roles = new Map<string, Role>([
  ['developer', 'system'],
  ['system', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
]);
const roleNames = [...roles.keys()];

const carriedByRole: Readonly<Record<Role, ReadonlySet<string>>> = {
  system: new Set(['role', 'content', 'name']),
  user: new Set(['role', 'content', 'name']),
  assistant: new Set([
    'role',
    'content',
    'name',
    'refusal',
    'tool_calls',
    'function_call',
    'reasoning_content',
    'reasoning',
  ]),
  tool: new Set(['role', 'content', 'name', 'tool_call_id']),
};
const carriedByPart = new Set(['type', 'text', 'refusal', 'image_url']);

export function readMessage(message: Json, place: string, untranslated: Set<string>): Message {
  if (!isObject(message)) throw new CallError(`${place} must be an object.`, place);
  const role = typeof message.role === 'string' ? roles.get(message.role) : undefined;
  if (role === undefined) {
    throw new CallError(`${place}.role must be one of ${roleNames.join(', ')}.`, `${place}.role`);
  }
  for (const [key, value] of Object.entries(message)) {
    if (isSet(value) && !carriedByRole[role].has(key)) untranslated.add(`messages.${reportable(key)}`);
  }
  // In the deprecated form the name is all that ties a result to its call.
  const name = message.role === 'function' ? undefined : message.name;
  if (isSet(name) && typeof name !== 'string') throw new CallError(`${place}.name must be a string.`, `${place}.name`);
  const content = readContent(message, place, { required: role !== 'assistant', untranslated });
  return withoutUndefined<Message>({
    role,
    parts:
      role === 'tool'
        ? readToolResult(message, place, content)
        : role === 'assistant'
          ? readAssistant(message, place, content)
          : content,
    name: name ?? undefined,
  });
}

function readContent(
  message: JsonObject,
  place: string,
  options: { readonly required: boolean; readonly untranslated: Set<string> },
): readonly Part[] {
  const content = message.content;
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!isSet(content) && !options.required) return [];
  if (!isList(content)) {
    throw new CallError(`${place}.content must be a string or an array of parts.`, `${place}.content`);
  }
  return content.map((part, index) => readPart(part, `${place}.content[${index}]`, options.untranslated));
}

function readPart(part: Json, place: string, untranslated: Set<string>): Part {
  if (!isObject(part)) throw new CallError(`${place} must be an object.`, place);
  const type = part.type;
  if (typeof type !== 'string') throw new CallError(`${place}.type must be a string.`, `${place}.type`);
  if (type !== 'text' && type !== 'refusal' && type !== 'image_url') return { type: 'opaque', label: reportable(type) };
  for (const [key, value] of Object.entries(part)) {
    if (isSet(value) && !carriedByPart.has(key)) untranslated.add(`messages.content.${reportable(key)}`);
  }
  if (type === 'image_url') return readImage(part, place);
  const text = part[type];
  if (typeof text !== 'string') throw new CallError(`${place}.${type} must be a string.`, `${place}.${type}`);
  return { type, text };
}

function readImage(part: JsonObject, place: string): Part {
  const image = objectIn(part, 'image_url');
  const url = textIn(image, 'url');
  if (url === undefined) throw new CallError(`${place}.image_url.url must be a string.`, `${place}.image_url.url`);
  if (!/^(https:|data:[^,]*;base64,)/i.test(url)) return { type: 'opaque', label: 'image_url' };
  return withoutUndefined<Part>({ type: 'image', url, detail: textIn(image, 'detail') });
}

function readToolResult(message: JsonObject, place: string, content: readonly Part[]): readonly Part[] {
  const key = message.role === 'function' ? 'name' : 'tool_call_id';
  const callId = textIn(message, key);
  if (callId === undefined || callId === '') {
    throw new CallError(`${place}.${key} must name the tool call that this message answers.`, `${place}.${key}`);
  }
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return [{ type: 'tool_result', callId, text }, ...content.filter((part) => part.type !== 'text')];
}

function readAssistant(message: JsonObject, place: string, content: readonly Part[]): readonly Part[] {
  const parts: Part[] = [];
  // Not OpenAI's own: DeepSeek, vLLM and OpenRouter show reasoning this way and clients send it back.
  const reasoning = textIn(message, 'reasoning_content') ?? textIn(message, 'reasoning');
  if (reasoning !== undefined && reasoning !== '') parts.push({ type: 'reasoning', text: reasoning });
  parts.push(...content);
  const refusal = textIn(message, 'refusal');
  if (refusal !== undefined) parts.push({ type: 'refusal', text: refusal });
  const calls = message.tool_calls;
  if (isSet(calls)) {
    if (!isList(calls)) throw new CallError(`${place}.tool_calls must be an array.`, `${place}.tool_calls`);
    parts.push(...calls.map((call, index) => readToolCall(call, `${place}.tool_calls[${index}]`)));
  }
  const legacy = objectIn(message, 'function_call');
  if (legacy !== undefined)
    parts.push(readFunctionCall(legacy, textIn(legacy, 'name') ?? '', `${place}.function_call`));
  return parts;
}

function readToolCall(call: Json, place: string): Part {
  if (!isObject(call)) throw new CallError(`${place} must be an object.`, place);
  const id = textIn(call, 'id');
  if (id === undefined || id === '') throw new CallError(`${place}.id must be a non-empty string.`, `${place}.id`);
  const type = call.type ?? 'function';
  if (type !== 'function')
    return { type: 'opaque', label: `tool_calls.${reportable(typeof type === 'string' ? type : 'unknown')}` };
  const called = objectIn(call, 'function');
  if (called === undefined) throw new CallError(`${place}.function must be an object.`, `${place}.function`);
  return readFunctionCall(called, id, `${place}.function`);
}

function readFunctionCall(called: JsonObject, id: string, place: string): Part {
  const name = textIn(called, 'name');
  if (name === undefined || name === '')
    throw new CallError(`${place}.name must be a non-empty string.`, `${place}.name`);
  const text = textIn(called, 'arguments');
  if (text === undefined) throw new CallError(`${place}.arguments must be JSON text.`, `${place}.arguments`);
  return { type: 'tool_call', id, name, arguments: text };
}
