/** Reads the messages and content blocks of a request of Anthropic's Messages API. */
import type { Json, JsonObject, Message, Part, Role } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { writeExact } from '../exact-json.ts';
import { isList, isObject, isSet, objectIn, reportable, textIn, withoutUndefined } from '../json-fields.ts';
import { unsigned } from './unsigned.ts';

/** What is read, and where it stands, for errors and reports. */
interface Place {
  /** As errors name it, such as `messages[2].content`. */
  readonly path: string;
  /** As reports name it, such as `messages.content`. */
  readonly label: string;
  readonly untranslated: Set<string>;
}

/** `system` in the middle of a conversation: platform.claude.com, "mid-conversation system messages". */
const roles = new Map<string, Role>([
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['system', 'system'],
]);

export function readMessage(message: Json, path: string, untranslated: Set<string>): Message {
  if (!isObject(message)) throw new CallError(`${path} must be an object.`, path);
  const role = roles.get(typeof message.role === 'string' ? message.role : '');
  if (role === undefined) throw new CallError(`${path}.role must be "user", "assistant" or "system".`, `${path}.role`);
  reportRest(message, ['role', 'content'], { label: 'messages', untranslated });
  const place = { path: `${path}.content`, label: 'messages.content', untranslated };
  const parts = readContent(message.content, place);
  // A turn that answers tool calls belongs to the turn that made them, though the API has it said by the user.
  return { role: parts.some(({ type }) => type === 'tool_result') ? 'tool' : role, parts };
}

export function readContent(content: Json | undefined, place: Place): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (!isList(content))
    throw new CallError(`${place.path} must be a string or an array of content blocks.`, place.path);
  return content.flatMap((block, index) => readBlock(block, { ...place, path: `${place.path}[${index}]` }));
}

function readBlock(block: Json, place: Place): readonly Part[] {
  const { path } = place;
  if (!isObject(block)) throw new CallError(`${path} must be an object.`, path);
  const { type } = block;
  if (typeof type !== 'string') throw new CallError(`${path}.type must be a string.`, `${path}.type`);
  switch (type) {
    case 'text':
      reportRest(block, ['type', 'text'], place);
      return [{ type, text: needed(block, 'text', place) }];
    case 'image':
      reportRest(block, ['type', 'source'], place);
      return [readImage(block)];
    case 'document':
      return readDocument(block, place);
    case 'tool_use':
      return [readToolUse(block, place)];
    case 'tool_result':
      return readToolResult(block, place);
    case 'thinking':
      return [readThinking(block)];
    default:
      return [{ type: 'opaque', label: reportable(type) }];
  }
}

/** A marked block may stand anywhere: `cache_control` and whatever else has no neutral meaning is reported. */
export function reportRest(
  object: JsonObject,
  carried: readonly string[],
  { label, untranslated }: Omit<Place, 'path'>,
): void {
  for (const [key, value] of Object.entries(object)) {
    if (isSet(value) && !carried.includes(key)) untranslated.add(`${label}.${reportable(key)}`);
  }
}

function readThinking({ thinking, signature }: JsonObject): Part {
  const text = typeof thinking === 'string' ? thinking : '';
  const isSigned = typeof signature === 'string' && signature !== unsigned;
  return { type: 'reasoning', text, ...(isSigned && { signature }) };
}

function needed(block: JsonObject, key: string, { path }: Place): string {
  const value = block[key];
  if (typeof value !== 'string') throw new CallError(`${path}.${key} must be a string.`, `${path}.${key}`);
  return value;
}

function readImage(block: JsonObject): Part {
  const source = objectIn(block, 'source');
  const data = textIn(source, 'data');
  const url = textIn(source, 'url');
  if (source?.type === 'base64' && data !== undefined)
    return { type: 'image', url: `data:${textIn(source, 'media_type') ?? 'image/png'};base64,${data}` };
  return source?.type === 'url' && url?.startsWith('https:') === true
    ? { type: 'image', url }
    : { type: 'opaque', label: 'image' };
}

/** A document of text is text, and one of content blocks is those; a PDF only its own dialect can carry. */
function readDocument(block: JsonObject, place: Place): readonly Part[] {
  const source = objectIn(block, 'source');
  const text = source?.type === 'text' ? textIn(source, 'data') : undefined;
  if (text === undefined && source?.type !== 'content') return [{ type: 'opaque', label: 'document' }];
  reportRest(block, ['type', 'source'], { ...place, label: 'document' });
  if (text !== undefined) return [{ type: 'text', text }];
  return readContent(source?.content, { ...place, path: `${place.path}.source.content`, label: 'document' });
}

function readToolUse(block: JsonObject, place: Place): Part {
  // Who called it is told in answers and sent back; a call of the model's own is the usual one.
  const isDirect = objectIn(block, 'caller')?.type === 'direct';
  reportRest(block, ['type', 'id', 'name', 'input', ...(isDirect ? ['caller'] : [])], place);
  const [id, name] = [needed(block, 'id', place), needed(block, 'name', place)];
  return { type: 'tool_call', id, name, arguments: writeExact(block.input ?? {}) };
}

/** Other APIs take text as a result only: images and the like stand beside it. */
function readToolResult(block: JsonObject, place: Place): readonly Part[] {
  reportRest(block, ['type', 'tool_use_id', 'content', 'is_error'], place);
  const callId = needed(block, 'tool_use_id', place);
  const inside = { ...place, path: `${place.path}.content` };
  const parts = isSet(block.content) ? readContent(block.content, inside) : [];
  const text = parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join('\n');
  const result = withoutUndefined<Part>({
    type: 'tool_result',
    callId,
    text,
    isError: block.is_error === true ? true : undefined,
  });
  return [result, ...parts.filter(({ type }) => type !== 'text')];
}
