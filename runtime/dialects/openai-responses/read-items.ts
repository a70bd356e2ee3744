/** Reads the `input` of a Responses API request: one neutral message for each item. */
import type { Json, JsonObject, Message, Part, Role } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, isSet, reportable, textIn, withoutUndefined } from '../json-fields.ts';
import { noteOthers, requiredText } from './fields.ts';
import { readReasoning } from './reasoning.ts';

/** What reading an input finds out beside its messages. */
export interface Findings {
  readonly untranslated: Set<string>;
  /** Places that only the vendor can make sense of. */
  readonly nativeOnly: string[];
}

const roles = new Map<string, Role>([
  ['developer', 'system'],
  ['system', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
]);

/** Ids and states of items are the vendor's bookkeeping: they mean nothing elsewhere. */
const bookkeeping = ['type', 'id', 'status'];
const messageFields = new Set([...bookkeeping, 'role', 'content']);
const callFields = new Set([...bookkeeping, 'call_id', 'name', 'arguments']);
const outputFields = new Set([...bookkeeping, 'call_id', 'output', 'name']);
const partFields = new Set(['type', 'text', 'refusal', 'image_url', 'detail']);
/** They stand for a part of the conversation that only the vendor has, or can open. */
const keptByVendor = new Set(['item_reference', 'compaction', 'compaction_trigger']);

export function readInput(input: Json | undefined, findings: Findings): readonly Message[] {
  if (typeof input === 'string') return [{ role: 'user', parts: [{ type: 'text', text: input }] }];
  if (!isSet(input)) return [];
  if (!isList(input)) throw new CallError('input must be a string or an array of items.', 'input');
  return input.map((item, index) => readItem(item, `input[${index}]`, findings));
}

function readItem(item: Json, place: string, findings: Findings): Message {
  if (!isObject(item)) throw new CallError(`${place} must be an object.`, place);
  // A message may leave its type out, and so may a reference, which has nothing but an id.
  const type = item.type ?? (isSet(item.role) ? 'message' : isSet(item.id) ? 'item_reference' : undefined);
  if (typeof type !== 'string') throw new CallError(`${place}.type must be a string.`, `${place}.type`);
  switch (type) {
    case 'message':
      return readMessage(item, place, findings);
    case 'function_call':
      return readCall(item, place, findings);
    case 'function_call_output':
      return readOutput(item, place, findings);
    case 'reasoning':
      return { role: 'assistant', parts: [readReasoning(item)] };
    default:
      if (keptByVendor.has(type)) findings.nativeOnly.push(place);
      return { role: roleOf(type), parts: [{ type: 'opaque', label: reportable(type) }] };
  }
}

/** Of an item that nobody else has. Calls and what they gave belong to the turn, instructions are never cut away. */
function roleOf(type: string): Role {
  if (/_(output|response)$/.test(type)) return 'tool';
  return type === 'additional_tools' || type === 'configuration_update' ? 'system' : 'assistant';
}

function readMessage(item: JsonObject, place: string, findings: Findings): Message {
  const role = typeof item.role === 'string' ? roles.get(item.role) : undefined;
  if (role === undefined) {
    throw new CallError(`${place}.role must be one of ${[...roles.keys()].join(', ')}.`, `${place}.role`);
  }
  noteOthers(item, messageFields, { prefix: 'input', untranslated: findings.untranslated });
  return { role, parts: readContent(item.content, `${place}.content`, findings) };
}

function readContent(content: Json | undefined, place: string, findings: Findings): readonly Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!isList(content)) throw new CallError(`${place} must be a string or an array of parts.`, place);
  return content.map((part, index) => readPart(part, `${place}[${index}]`, findings));
}

const textTypes = new Set<Json | undefined>(['input_text', 'output_text', 'text', 'summary_text']);

function readPart(part: Json, place: string, { untranslated }: Findings): Part {
  if (!isObject(part)) throw new CallError(`${place} must be an object.`, place);
  const { type } = part;
  if (typeof type !== 'string') throw new CallError(`${place}.type must be a string.`, `${place}.type`);
  const isRefusal = type === 'refusal';
  if (!textTypes.has(type) && !isRefusal && type !== 'input_image') return { type: 'opaque', label: reportable(type) };
  noteOthers(part, partFields, { prefix: 'input.content', untranslated });
  if (type === 'input_image') return readImage(part, place);
  const key = isRefusal ? 'refusal' : 'text';
  const text = textIn(part, key);
  if (text === undefined) throw new CallError(`${place}.${key} must be a string.`, `${place}.${key}`);
  return { type: isRefusal ? 'refusal' : 'text', text };
}

/** An image that was uploaded as a file is only at the vendor. */
function readImage(part: JsonObject, place: string): Part {
  const url = part.image_url;
  if (isSet(url) && typeof url !== 'string')
    throw new CallError(`${place}.image_url must be a string.`, `${place}.image_url`);
  if (!isSet(url) || !/^(https:|data:[^,]*;base64,)/i.test(url)) return { type: 'opaque', label: 'input_image' };
  return withoutUndefined<Part>({ type: 'image', url, detail: textIn(part, 'detail') });
}

function readCall(item: JsonObject, place: string, { untranslated }: Findings): Message {
  noteOthers(item, callFields, { prefix: 'input', untranslated });
  const id = requiredText(item, 'call_id', place);
  const name = requiredText(item, 'name', place);
  const text = textIn(item, 'arguments');
  if (text === undefined) throw new CallError(`${place}.arguments must be JSON text.`, `${place}.arguments`);
  return { role: 'assistant', parts: [{ type: 'tool_call', id, name, arguments: text }] };
}

function readOutput(item: JsonObject, place: string, findings: Findings): Message {
  noteOthers(item, outputFields, { prefix: 'input', untranslated: findings.untranslated });
  const callId = requiredText(item, 'call_id', place);
  const content = readContent(item.output, `${place}.output`, findings);
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const others = content.filter(({ type }) => type !== 'text');
  return { role: 'tool', parts: [{ type: 'tool_result', callId, text }, ...others] };
}
