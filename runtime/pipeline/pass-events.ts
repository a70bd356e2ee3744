/** Passes whole events of a stream as they came, and reads of them only what is more than a piece of what is said. */
import type { AnswerEvent } from '../call.ts';
import type { EventReader, VendorDialect } from '../dialects/dialect.ts';
import type { Heard } from '../exchange.ts';
import { readEvent } from '../upstream/sse.ts';
import { endOfEvent, startOfEvent } from '../upstream/whole-events.ts';
import type { Opening } from './opening.ts';

/**
 * Data that is no object, which is an end mark or nothing that a client should see; and events that end otherwise than an object
 * does, or in several lines. Written so that what nearly all events have is looked at once.
 */
const odd = String.raw`data:(?! ?\{)(?<=(?:^|[\r\n])data:)|\n(?<=[^}\r\n]\r?\n)[\r\n]|\r(?<=[^}\r\n]\r)\r`;

const patterns = new WeakMap<RegExp, RegExp>();

function patternFor(notable: RegExp): RegExp {
  let pattern = patterns.get(notable);
  if (!pattern) patterns.set(notable, (pattern = new RegExp(`${odd}|${notable.source}`, 'g')));
  return pattern;
}

/** Without words for what is notable, each event is. */
const anything = /[^]/;

const onlyUsage = (events: readonly AnswerEvent[]) => events.length > 0 && events.every(({ type }) => type === 'usage');
const isLast = (events: readonly AnswerEvent[]) => events.some(({ type }) => type === 'end' || type === 'failure');

interface Passing {
  readonly opening: Opening;
  /** The gateway asked for the usage on its own account. */
  readonly hideUsage: boolean;
}

export class PassedEvents {
  readonly #reader: EventReader;
  readonly #pattern: RegExp;
  readonly #opening: Opening;
  readonly #hideUsage: boolean;
  #hasEnded = false;

  constructor({ notable = anything }: VendorDialect, reader: EventReader, { opening, hideUsage }: Passing) {
    this.#reader = reader;
    this.#pattern = patternFor(notable);
    this.#opening = opening;
    this.#hideUsage = hideUsage;
  }

  /** What of whole events passes, and what those say that were read. Of a `rest`, which may be cut short, all are. */
  hear(events: Buffer, isRest: boolean): Heard {
    // Each byte is one character: places are the same in both, and no text is decoded that nobody reads.
    const text = events.toString('latin1');
    const said: AnswerEvent[] = [];
    const passing: Buffer[] = [];
    let from = 0;
    let at = 0;
    while (!this.#hasEnded) {
      const start = this.#opening.isOver && !isRest ? this.#next(events, text, at) : at;
      if (start === undefined || start >= text.length) break;
      at = endOfEvent(text, start);
      const message = readEvent(events.toString('utf8', start, at));
      const read = message ? this.#reader.read(message) : [];
      this.#opening.judge(at - start, read);
      said.push(...read);
      this.#hasEnded = isLast(read);
      const isHidden = (this.#hideUsage && onlyUsage(read)) || read.some(({ type }) => type === 'failure');
      if (!isHidden) continue;
      passing.push(events.subarray(from, start));
      from = at;
    }
    const end = this.#hasEnded ? at : text.length;
    if (passing.length === 0 && from === 0)
      return { passing: end === text.length ? events : events.subarray(0, end), events: said };
    return { passing: Buffer.concat([...passing, events.subarray(from, end)]), events: said };
  }

  /** Where the next event begins that is to be read, from the event on that begins at `at`. */
  #next(events: Buffer, text: string, at: number): number | undefined {
    this.#pattern.lastIndex = at;
    const found = this.#pattern.exec(text);
    if (!found) return undefined;
    // A match of a line end stands behind what its event says.
    const isLineEnd = text.charCodeAt(found.index) <= 0x20;
    return Math.max(at, startOfEvent(events, isLineEnd ? found.index - 1 : found.index));
  }
}
