/** Puts the bytes of a stream of server-sent events together until events are whole. What is whole is never copied but where it came in pieces. */

/** An event larger than this is no event of a model API. */
const maxEventBytes = 8 * 1024 * 1024;

/** Each piece takes more room than its bytes where those drip. */
const mostPieces = 1_024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const isLineEnd = (byte: number | undefined): boolean => byte === lineFeed || byte === carriageReturn;

/** A line end and an empty line, each in any of the three forms that the standard allows, mixed or not. */
const blankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/g;

/** The last three bytes before those that are looked at: an empty line may begin there. The nearest is the first. */
type Before = readonly [number, number, number];
const nothingBefore: Before = [0, 0, 0];

/** Whether an empty line ends with the byte at `at`. A carriage return that is the very last may be half of a line end. */
function endsBlankLine(bytes: Uint8Array, at: number, before: Before): boolean {
  const byteAt = (place: number): number | undefined => (place < 0 ? before[-place - 1] : bytes[place]);
  const byte = byteAt(at);
  if (byte === lineFeed) return isLineEnd(byteAt(byteAt(at - 1) === carriageReturn ? at - 2 : at - 1));
  const isWhole = byte === carriageReturn && at + 1 < bytes.length && bytes[at + 1] !== lineFeed;
  return isWhole && isLineEnd(byteAt(at - 1));
}

/** Where the last event that is whole ends; below 0 where none is. What came `before` may be the whole of one. */
function endOfWhole(bytes: Uint8Array, before: Before): number {
  for (let at = bytes.length - 1; at >= -1; at -= 1) {
    if ((at < 0 || isLineEnd(bytes[at])) && endsBlankLine(bytes, at, before)) return at + 1;
  }
  return -1;
}

/** Where the event begins that `at` is in. */
export function startOfEvent(events: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && !(isLineEnd(events[start - 1]) && endsBlankLine(events, start - 1, nothingBefore))) start -= 1;
  return start;
}

/** Where the event that begins at `from`, or that it is in, ends. */
export function endOfEvent(events: string, from: number): number {
  blankLine.lastIndex = from;
  return blankLine.test(events) ? blankLine.lastIndex : events.length;
}

const buffered = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class WholeEvents {
  /** Of an event still under way: joined once, however many pieces it comes in. */
  #held: Uint8Array[] = [];
  /** So many of them are joined pieces already. */
  #joined = 0;
  #size = 0;
  #before: Before = nothingBefore;

  /** All events that are whole with these bytes; undefined where none is. Throws when one outgrows its bound. */
  add(bytes: Uint8Array): Buffer | undefined {
    const end = endOfWhole(bytes, this.#before);
    if (end < 0) {
      this.#hold(bytes);
      return undefined;
    }
    if (end === bytes.length && this.#size === 0) return buffered(bytes);
    const whole = this.#join(bytes.subarray(0, end));
    this.#before = nothingBefore;
    if (end < bytes.length) this.#hold(bytes.subarray(end));
    return whole;
  }

  /**
   * What is left when nothing more comes. The standard drops a last event without its blank line, but vendors exist that end
   * on a bare `data: [DONE]`: it is given its blank line. Half an event is no JSON, so it is found out when it is read.
   */
  rest(): Buffer | undefined {
    const [last] = this.#before;
    const rest = this.#join(Buffer.from(isLineEnd(last) ? '\n' : '\n\n'));
    return rest.every((byte) => byte <= 0x20) ? undefined : rest;
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#size += bytes.length;
    if (this.#held.length - this.#joined >= mostPieces)
      this.#joined = this.#held.push(Buffer.concat(this.#held.splice(this.#joined)));
    if (this.#size > maxEventBytes) throw new Error(`a server-sent event has more than ${maxEventBytes} bytes`);
    const last = (back: number): number => bytes.at(-back) ?? this.#before[back - bytes.length - 1] ?? 0;
    this.#before = [last(1), last(2), last(3)];
  }

  #join(last: Uint8Array): Buffer {
    if (this.#size === 0) return buffered(last);
    const whole = Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#joined = 0;
    this.#size = 0;
    return whole;
  }
}
