/** Reads server-sent events, and keeps the text of each as it came. */
import type { SseMessage } from '../dialects/dialect.ts';
import { endOfEvent, WholeEvents } from './whole-events.ts';

/** One event: the text as it came (with its blank line), and what it says. `message` is undefined for comments and pings. */
export interface SseBlock {
  readonly raw: string;
  readonly message: SseMessage | undefined;
}

/** As nearly all events are: one line of data, perhaps after one with a name, and lines that end in one way. */
const plain = /^(?:event: ?([^\r\n]*)(?:\n|\r\n))?data: ?([^\r\n]*)(?:\n\n|\r\n\r\n)$/;

/** What an event says; undefined for comments and pings. */
export function readEvent(raw: string): SseMessage | undefined {
  const found = plain.exec(raw);
  if (found) return { event: found[1], data: found[2] ?? '' };
  let event: string | undefined;
  const data: string[] = [];
  // A stream may begin with a byte order mark.
  for (const line of raw.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const field = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
  }
  return data.length > 0 ? { event, data: data.join('\n') } : undefined;
}

/** The texts of whole events. */
export function cutEvents(events: string): readonly string[] {
  const cut: string[] = [];
  for (let at = 0; at < events.length;) {
    const end = endOfEvent(events, at);
    cut.push(events.slice(at, end));
    at = end;
  }
  return cut;
}

const blocksIn = (events: Buffer): readonly SseBlock[] =>
  cutEvents(events.toString('utf8')).map((raw) => ({ raw, message: readEvent(raw) }));

/** Throws when an event outgrows its bound. */
export async function* readSse(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseBlock> {
  const whole = new WholeEvents();
  for await (const bytes of body) {
    const events = whole.add(bytes);
    if (events) yield* blocksIn(events);
  }
  const rest = whole.rest();
  if (rest) yield* blocksIn(rest);
}
