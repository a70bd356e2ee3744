/** Cuts a byte stream into server-sent events and keeps each event's raw text, so that a native stream can pass untouched. */
import type { SseMessage } from '../dialects/dialect.ts';

/** One event: the text as it came (with its blank line), and what it says. `message` is undefined for comments and pings. */
export interface SseBlock {
  readonly raw: string;
  readonly message: SseMessage | undefined;
}

/** An event larger than this is no event of a model API. */
const maxBlockChars = 8 * 1024 * 1024;

/** A line end and an empty line, each in any of the three forms that the standard allows, mixed or not. */
const blankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/g;
const longestBlankLine = 4;

function parseBlock(raw: string): SseMessage | undefined {
  let event: string | undefined;
  const data: string[] = [];
  for (const line of raw.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const field = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
  }
  return data.length > 0 ? { event, data: data.join('\n') } : undefined;
}

function lastBlock(pending: string): SseBlock {
  const raw = /[\r\n]$/.test(pending) ? `${pending}\n` : `${pending}\n\n`;
  return { raw, message: parseBlock(raw) };
}

/**
 * Throws when an event outgrows its bound. The standard drops a last event without its blank line, but vendors exist
 * that end on a bare `data: [DONE]`: it is given its blank line. Half an event is no JSON, so it is found out anyway.
 */
export async function* readSse(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseBlock> {
  for await (const blocks of readSseTogether(body)) yield* blocks;
}

/** The same, those together that were complete with one piece of the body: in a burst each of them would cost turns of the loop. */
export async function* readSseTogether(body: AsyncIterable<Uint8Array>): AsyncGenerator<readonly SseBlock[]> {
  const decoder = new TextDecoder();
  // The beginning of an event still under way, already searched: joined once, however many pieces it comes in.
  let searched: string[] = [];
  let size = 0;
  let pending = '';
  for await (const chunk of body) {
    const blocks: SseBlock[] = [];
    pending += decoder.decode(chunk, { stream: true });
    for (;;) {
      blankLine.lastIndex = 0;
      // A carriage return at the very end may be half of a line ending: wait for what follows.
      const end = blankLine.exec(pending.endsWith('\r') ? pending.slice(0, -1) : pending);
      if (!end) break;
      const after = end.index + end[0].length;
      const raw = searched.join('') + pending.slice(0, after);
      pending = pending.slice(after);
      searched = [];
      size = 0;
      blocks.push({ raw, message: parseBlock(raw) });
    }
    if (blocks.length > 0) yield blocks;
    const kept = Math.min(pending.length, longestBlankLine);
    searched.push(pending.slice(0, pending.length - kept));
    size += pending.length - kept;
    pending = pending.slice(pending.length - kept);
    if (size > maxBlockChars) throw new Error(`a server-sent event has more than ${maxBlockChars} characters`);
  }
  const last = searched.join('') + pending + decoder.decode();
  if (last.trim() !== '') yield [lastBlock(last)];
}
