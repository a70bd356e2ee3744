/** Reads server-sent events, and keeps the text of each as it came. */
import type { SseMessage } from '../dialects/dialect.ts';
import { endOfEvent, WholeEvents } from './whole-events.ts';

/** One event: the text as it came (with its blank line), and what it says. `message` is undefined for comments and pings. */
export interface SseBlock {
  readonly raw: string;
  readonly message: SseMessage | undefined;
}

const valueFrom = (raw: string, from: number, to?: number): string =>
  raw.slice(raw[from] === ' ' ? from + 1 : from, to);

/** As nearly all events are: one line of data, perhaps after one with a name. Undefined for others, which may be as good. */
function readPlain(raw: string): SseMessage | undefined {
  const named = raw.startsWith('event:') ? raw.indexOf('\n') : -1;
  const end = raw.length - '\n\n'.length;
  if (!raw.startsWith('data:', named + 1) || raw.indexOf('\n', named + 1) !== end || raw.includes('\r'))
    return undefined;
  const event = named < 0 ? undefined : valueFrom(raw, 'event:'.length, named);
  return { event, data: valueFrom(raw, named + 1 + 'data:'.length, end) };
}

/** What an event says; undefined for comments and pings. */
export function readEvent(raw: string): SseMessage | undefined {
  const plain = readPlain(raw);
  if (plain) return plain;
  let event: string | undefined;
  const data: string[] = [];
  // A stream may begin with a byte order mark.
  for (const line of raw.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const field = line.slice(0, colon);
    const value = valueFrom(line, colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
  }
  return data.length > 0 ? { event, data: data.join('\n') } : undefined;
}

/** The texts of whole events. */
export function cutEvents(events: string): readonly string[] {
  const cut: string[] = [];
  const isPlain = !events.includes('\r');
  for (let at = 0; at < events.length;) {
    const found = isPlain ? events.indexOf('\n\n', at) : -1;
    const end = found >= 0 ? found + 2 : endOfEvent(events, at);
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
