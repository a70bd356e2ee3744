/** Writes neutral messages as the system instruction and the contents of a generateContent request. */
import type { JsonObject, Message, Part } from '../../call.ts';
import { parseObject, withoutUndefined } from '../json-fields.ts';
import type { ModelTraits } from './model-traits.ts';
import { marked } from './signature.ts';

export interface WrittenContents {
  /** Parts of the system instruction. */
  readonly system: readonly JsonObject[];
  readonly contents: readonly JsonObject[];
}

interface Turn {
  /** Responses make a turn of their own: as many as the calls before it, or the request is refused. */
  readonly kind: 'user' | 'model' | 'responses';
  readonly parts: JsonObject[];
  /** Of a user's turn: it is what tools show. */
  readonly isShown: boolean;
}

interface Writing {
  readonly dropped: Set<string>;
  /** A response is named after its function, and the neutral result only knows the call. */
  readonly names: Map<string, string>;
}

export function writeContents(
  messages: readonly Message[],
  traits: ModelTraits,
  dropped: Set<string>,
): WrittenContents {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  const writing: Writing = { dropped, names: new Map() };
  for (const message of messages) {
    if (message.name !== undefined) dropped.add('messages.name');
    if (message.role === 'system') {
      const parts = message.parts.flatMap((part) => writePart(part, message.role, writing));
      // The API has one place for them, before the conversation: one that stood later has moved.
      if (turns.length > 0 && parts.length > 0) dropped.add('messages.order');
      system.push(...parts);
    } else for (const part of message.parts) addPart(turns, part, { role: message.role, writing });
  }
  const contents = turns.map(({ kind, parts }) => ({
    role: kind === 'model' ? 'model' : 'user',
    parts: kind === 'model' && traits.signsCalls ? marked(parts) : parts,
  }));
  return { system, contents };
}

function addPart(turns: Turn[], part: Part, { role, writing }: { role: Message['role']; writing: Writing }): void {
  const parts = writePart(part, role, writing);
  if (parts.length === 0) return;
  const kind = part.type === 'tool_result' ? 'responses' : role === 'assistant' ? 'model' : 'user';
  const last = turns.at(-1);
  // What a tool shows beside its response, such as an image, comes after the responses of all.
  const before = last?.isShown === true && kind === 'responses' ? turns.at(-2) : last;
  if (before?.kind === kind) before.parts.push(...parts);
  else turns.push({ kind, parts: [...parts], isShown: role === 'tool' && kind === 'user' });
}

function writePart(part: Part, role: Message['role'], writing: Writing): readonly JsonObject[] {
  const { dropped, names } = writing;
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'image':
      return role === 'user' || role === 'tool' ? writeImage(part.url, part.detail, dropped) : drop('image', dropped);
    case 'tool_call': {
      names.set(part.id, part.name);
      return [{ functionCall: { id: part.id, name: part.name, args: writeArguments(part.arguments, dropped) } }];
    }
    case 'tool_result':
      return [{ functionResponse: writeResult(part, writing) }];
    case 'reasoning':
      // A thought goes back with Google's own signature only, and those conversations never come through here.
      return drop('reasoning', dropped);
    case 'opaque':
      return drop(part.label, dropped);
  }
}

function drop(label: string, dropped: Set<string>): readonly JsonObject[] {
  dropped.add(label);
  return [];
}

/** `args` must be an object. */
function writeArguments(text: string, dropped: Set<string>): JsonObject {
  if (text.trim() === '') return {};
  const given = parseObject(text);
  if (given !== undefined) return given;
  dropped.add('tool_calls.arguments');
  return { INVALID_JSON: text };
}

/** `response` must be an object, in which `output` and `error` have a meaning (`@google/genai`, FunctionResponse). */
function writeResult(part: Part & { type: 'tool_result' }, { dropped, names }: Writing): JsonObject {
  const name = names.get(part.callId);
  if (name === undefined) dropped.add('tool_result.name');
  const given = part.isError === true ? undefined : parseObject(part.text);
  const isPlain = given !== undefined && !('output' in given) && !('error' in given);
  const response = isPlain ? given : { [part.isError === true ? 'error' : 'output']: part.text };
  return { id: part.callId, name: name ?? part.callId.replaceAll(/[^\w.:-]/g, '_'), response };
}

const imageTypes = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['heic', 'image/heic'],
  ['heif', 'image/heif'],
]);

/** Google fetches what stands openly on the web itself (ai.google.dev/gemini-api/docs/file-input-methods, "external URLs"). */
function writeImage(url: string, detail: string | undefined, dropped: Set<string>): readonly JsonObject[] {
  if (detail !== undefined && detail !== 'auto') dropped.add('image.detail');
  if (!url.startsWith('data:')) {
    const ending = /\.(\w+)(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? '';
    return [{ fileData: withoutUndefined<JsonObject>({ mimeType: imageTypes.get(ending), fileUri: url }) }];
  }
  const comma = url.indexOf(',');
  const mimeType = url.slice('data:'.length, comma).split(';')[0]?.toLowerCase() ?? '';
  return [{ inlineData: { mimeType, data: url.slice(comma + 1) } }];
}
