/** Writes neutral messages as the `system` and `messages` of the Converse API. */
import type { JsonObject, Message, Part } from '../../call.ts';
import { parseObject } from '../json-fields.ts';

export interface WrittenMessages {
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: JsonObject[];
}

export function writeMessages(all: readonly Message[], dropped: Set<string>): WrittenMessages {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  for (const message of all) {
    if (message.name !== undefined) dropped.add('messages.name');
    const blocks = message.parts.flatMap((part) => writePart(part, message.role, dropped));
    if (message.role === 'system') {
      // The API has one place for them, before the conversation: one that stood later has moved.
      if (turns.length > 0 && blocks.length > 0) dropped.add('messages.order');
      system.push(...blocks);
    } else addBlocks(turns, message.role === 'assistant' ? 'assistant' : 'user', blocks);
  }
  if (turns.length > 0 || system.length === 0) return { system, messages: turns.map(resultsFirst) };
  // The API wants a message, and clients do send a lone instruction.
  dropped.add('messages.role');
  return { system: [], messages: [{ role: 'user', content: system }] };
}

/** Roles must alternate, and the results of a turn's tool calls stand together in the next. */
function addBlocks(turns: Turn[], role: Turn['role'], blocks: readonly JsonObject[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else turns.push({ role, content: [...blocks] });
}

const isResult = (block: JsonObject): boolean => block.toolResult !== undefined;

/** Claude wants results before text, here too (platform.claude.com, "how to implement tool use"). */
function resultsFirst({ role, content }: Turn): JsonObject {
  return { role, content: [...content.filter(isResult), ...content.filter((block) => !isResult(block))] };
}

function writePart(part: Part, role: Message['role'], dropped: Set<string>): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      // A blank text is refused.
      return part.text.trim() === '' ? [] : [{ text: part.text }];
    case 'image':
      return role === 'user' || role === 'tool' ? writeImage(part.url, part.detail, dropped) : drop('image', dropped);
    case 'tool_call':
      return [{ toolUse: { toolUseId: toolId(part.id), name: part.name, input: writeInput(part.arguments, dropped) } }];
    case 'tool_result': {
      const content = part.text === '' ? [] : [{ text: part.text }];
      const status = part.isError === true ? { status: 'error' } : {};
      return [{ toolResult: { toolUseId: toolId(part.callId), content, ...status } }];
    }
    case 'reasoning':
      // Only what carries the signature of the model that made it goes back, and that model is not known here.
      return drop('reasoning', dropped);
    case 'opaque':
      return drop(part.label, dropped);
  }
}

function drop(label: string, dropped: Set<string>): readonly JsonObject[] {
  dropped.add(label);
  return [];
}

/** API_runtime_ImageBlock.html: formats by name, and bytes (base64 in JSON) or an S3 object, never a URL. */
const imageFormats = new Map([
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
]);

function writeImage(url: string, detail: string | undefined, dropped: Set<string>): readonly JsonObject[] {
  if (detail !== undefined && detail !== 'auto') dropped.add('image.detail');
  const comma = url.indexOf(',');
  const mediaType = url.startsWith('data:') ? url.slice('data:'.length, comma).split(';')[0]?.toLowerCase() : undefined;
  const format = imageFormats.get(mediaType ?? '');
  if (format === undefined) return drop('image', dropped);
  return [{ image: { format, source: { bytes: url.slice(comma + 1) } } }];
}

/** API_runtime_ToolUseBlock.html: `[a-zA-Z0-9_.:-]+`, at most 64 characters; other vendors' ids are longer and freer. */
function toolId(id: string): string {
  return id.replaceAll(/[^\w.:-]/g, '_').slice(-64);
}

/** `input` must be an object. */
function writeInput(text: string, dropped: Set<string>): JsonObject {
  if (text.trim() === '') return {};
  const input = parseObject(text);
  if (input !== undefined) return input;
  dropped.add('tool_calls.arguments');
  return { INVALID_JSON: text };
}
