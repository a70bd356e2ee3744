/** Writes neutral messages as the `system` and `messages` of Anthropic's Messages API. */
import type { JsonObject, Message, Part } from '../../call.ts';
import { listIn, parseObject } from '../json-fields.ts';

export interface WrittenMessages {
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly blocks: JsonObject[];
}

const imageTypes = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

export function writeMessages(messages: readonly Message[], dropped: Set<string>): WrittenMessages {
  const written = writeTurns(messages, dropped);
  if (written.messages.length > 0 || written.system.length === 0) return written;
  // The API refuses a call without a message, and OpenAI clients do send a lone system message.
  dropped.add('messages.role');
  return { system: [], messages: [{ role: 'user', content: written.system }] };
}

export function writeTurns(messages: readonly Message[], dropped: Set<string>): WrittenMessages {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  for (const message of messages) {
    if (message.name !== undefined) dropped.add('messages.name');
    const blocks = shownInResults(message.parts.flatMap((part) => writePart(part, message.role, dropped)));
    if (message.role === 'system') {
      // The API has one place for them, before the conversation: one that stood later has moved.
      if (turns.length > 0 && blocks.length > 0) dropped.add('messages.order');
      system.push(...blocks);
    } else addBlocks(turns, message.role === 'assistant' ? 'assistant' : 'user', blocks);
  }
  return { system, messages: turns.map(finishTurn) };
}

/** An image that stands right after a result is what the tool showed, and has a place in it (platform.claude.com, "handle tool calls"). */
function shownInResults(blocks: readonly JsonObject[]): readonly JsonObject[] {
  const written: JsonObject[] = [];
  for (const block of blocks) {
    const last = written.at(-1);
    if (block.type !== 'image' || last?.type !== 'tool_result') written.push(block);
    else {
      const words = typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : listIn(last, 'content');
      written[written.length - 1] = { ...last, content: [...words, block] };
    }
  }
  return written;
}

/** The API treats neighbours of one role as one turn, and wants all results of a turn's tool calls in the next. */
function addBlocks(turns: Turn[], role: Turn['role'], blocks: readonly JsonObject[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.blocks.push(...blocks);
  else turns.push({ role, blocks: [...blocks] });
}

function finishTurn(turn: Turn, index: number, turns: readonly Turn[]): JsonObject {
  const { role, blocks } = turn;
  // Results must stand before text in a user turn (platform.claude.com, "how to implement tool use").
  const isResult = (block: JsonObject) => block.type === 'tool_result';
  const content = [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
  const last = content.at(-1);
  if (role === 'assistant' && index === turns.length - 1 && typeof last?.text === 'string') {
    // "final assistant content cannot end with trailing whitespace" is a 400.
    const text = last.text.trimEnd();
    content.splice(-1, 1, ...(text === '' ? [] : [{ ...last, text }]));
  }
  return { role, content };
}

function writePart(part: Part, role: Message['role'], dropped: Set<string>): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      // "text content blocks must be non-empty" is a 400; whitespace alone counts as empty.
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
      return role === 'user' || role === 'tool' ? writeImage(part.url, part.detail, dropped) : drop('image', dropped);
    case 'tool_call':
      return [{ type: 'tool_use', id: toolId(part.id), name: part.name, input: writeInput(part.arguments, dropped) }];
    case 'tool_result': {
      const result: Record<string, string | boolean> = { type: 'tool_result', tool_use_id: toolId(part.callId) };
      if (part.text !== '') result.content = part.text;
      if (part.isError === true) result.is_error = true;
      return [result];
    }
    case 'reasoning':
      // Thinking is only accepted with Anthropic's own signature, and those conversations never come through here.
      return drop('reasoning', dropped);
    case 'opaque':
      return drop(part.label, dropped);
  }
}

function drop(label: string, dropped: Set<string>): readonly JsonObject[] {
  dropped.add(label);
  return [];
}

function writeImage(url: string, detail: string | undefined, dropped: Set<string>): readonly JsonObject[] {
  if (detail !== undefined && detail !== 'auto') dropped.add('image.detail');
  if (!url.startsWith('data:')) return [{ type: 'image', source: { type: 'url', url } }];
  const comma = url.indexOf(',');
  const mediaType = url.slice('data:'.length, comma).split(';')[0]?.toLowerCase() ?? '';
  if (!imageTypes.has(mediaType)) return drop('image', dropped);
  return [{ type: 'image', source: { type: 'base64', media_type: mediaType, data: url.slice(comma + 1) } }];
}

/** Ids of other vendors (`functions.search:0`) break the API's pattern ^[a-zA-Z0-9_-]+$ with a 400 (bifrost#5097). */
export function toolId(id: string): string {
  return id.replaceAll(/[^\w-]/g, '_');
}

/** `input` must be an object. Text that is not one is wrapped as the docs advise ("fine-grained tool streaming"). */
export function writeInput(text: string, dropped: Set<string>): JsonObject {
  if (text.trim() === '') return {};
  const input = parseObject(text);
  if (input !== undefined) return input;
  dropped.add('tool_calls.arguments');
  return { INVALID_JSON: text };
}
