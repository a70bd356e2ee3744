/** Reads the dialect fixtures: JSON bodies, and event streams as the messages a dialect's reader gets. */
import { readFileSync } from 'node:fs';
import type { AnswerEvent, JsonObject } from '../../runtime/call.ts';
import type { EventReader, SseMessage } from '../../runtime/dialects/dialect.ts';

const folder = new URL('../fixtures/', import.meta.url);

export function readJson<T = JsonObject>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8')) as T;
}

export function readStream(path: string): readonly SseMessage[] {
  return sseMessages(readFileSync(new URL(path, folder), 'utf8'));
}

export function sseMessages(text: string): readonly SseMessage[] {
  return text
    .split('\n\n')
    .filter((block) => block.trim() !== '')
    .map((block) => ({ event: /^event: (.*)$/m.exec(block)?.[1], data: /^data: (.*)$/m.exec(block)?.[1] ?? '' }));
}

export function readAll(reader: EventReader, messages: readonly SseMessage[]): readonly AnswerEvent[] {
  return messages.flatMap((message) => reader.read(message));
}

/** The argument text of each tool call, put together by its index. */
export function assembledArguments(events: readonly AnswerEvent[]): readonly string[] {
  const texts: string[] = [];
  for (const event of events) {
    if (event.type === 'tool_call') texts[event.index] = '';
    if (event.type === 'tool_arguments') texts[event.index] += event.text;
  }
  return texts;
}
