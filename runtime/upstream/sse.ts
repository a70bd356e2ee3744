/** Cuts a byte stream into server-sent events and keeps each event's raw text, so that a native stream can pass untouched. */
import type { SseMessage } from '../dialects/dialect.ts';

/** One event: the text as it came (with its blank line), and what it says. `message` is undefined for comments and pings. */
export interface SseBlock {
  readonly raw: string;
  readonly message: SseMessage | undefined;
}

/** An event larger than this is no event of a model API. */
const maxBlockChars = 8 * 1024 * 1024;

/** A blank line in any of the three line endings that the standard allows. */
const blankLine = /\r\n\r\n|\n\n|\r\r(?!\n)|\n\r\n/g;

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

/** Throws when an event outgrows its bound. A trailing piece without its blank line is dropped, as the standard says. */
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
}
