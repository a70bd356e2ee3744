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
  const decoder = new TextDecoder();
  let pending = '';
  // Where the next search starts: a long event that arrives in many pieces is not searched anew from its beginning.
  let searched = 0;
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true });
    for (;;) {
      blankLine.lastIndex = searched;
      // A carriage return at the very end may be half of a line ending: wait for what follows.
      const end = blankLine.exec(pending.endsWith('\r') ? pending.slice(0, -1) : pending);
      if (!end) break;
      const raw = pending.slice(0, end.index + end[0].length);
      pending = pending.slice(raw.length);
      searched = 0;
      yield { raw, message: parseBlock(raw) };
    }
    searched = Math.max(0, pending.length - 4);
    if (pending.length > maxBlockChars)
      throw new Error(`a server-sent event has more than ${maxBlockChars} characters`);
  }
  pending += decoder.decode();
  if (pending.trim() !== '') yield lastBlock(pending);
}
