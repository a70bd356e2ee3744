/**
 * Cuts `application/vnd.amazon.eventstream` into messages: lengths, a checksum of them, headers, a payload, a checksum of all
 * (docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html; smithy.io/2.0/aws/amazon-eventstream.html).
 */
import type { SseMessage } from '../dialect.ts';
import { crc32 } from './crc32.ts';

const preludeBytes = 12;
const checksumBytes = 4;
/** Most that the specification lets a message and its headers have. */
const maxMessageBytes = 16 * 1024 * 1024;
const maxHeaderBytes = 128 * 1024;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const utf8 = new TextDecoder();

/** Bytes that came and were not taken yet. They are only joined when enough are there. */
class Pending {
  #pieces: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#size += piece.byteLength;
  }

  first(count: number): Uint8Array {
    const whole = this.#joined();
    return whole.subarray(0, count);
  }

  take(count: number): Uint8Array {
    const whole = this.#joined();
    this.#pieces = whole.byteLength > count ? [whole.subarray(count)] : [];
    this.#size -= count;
    return whole.subarray(0, count);
  }

  #joined(): Uint8Array {
    const [only] = this.#pieces;
    if (only && this.#pieces.length === 1) return only;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    this.#pieces = [whole];
    return whole;
  }
}

/** How long the message is that begins so. */
function messageLength(prelude: Uint8Array): number {
  const view = viewOf(prelude);
  const length = view.getUint32(0);
  const headers = view.getUint32(4);
  if (crc32(prelude.subarray(0, 8)) !== view.getUint32(8)) throw new Error('the lengths of a message are damaged');
  const isPossible = length >= preludeBytes + headers + checksumBytes;
  if (!isPossible || length > maxMessageBytes || headers > maxHeaderBytes)
    throw new Error(`a message of ${length} bytes with ${headers} of headers is not possible`);
  return length;
}

export async function* frames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SseMessage> {
  const pending = new Pending();
  let wanted: number | undefined;
  for await (const piece of bytes) {
    pending.add(piece);
    for (;;) {
      if (wanted === undefined && pending.size >= preludeBytes) wanted = messageLength(pending.first(preludeBytes));
      if (wanted === undefined || pending.size < wanted) break;
      yield readMessage(pending.take(wanted));
      wanted = undefined;
    }
  }
  if (pending.size > 0) throw new Error('the stream ended in the middle of a message');
}

function readMessage(message: Uint8Array): SseMessage {
  const end = message.byteLength - checksumBytes;
  const view = viewOf(message);
  if (crc32(message.subarray(0, end)) !== view.getUint32(end)) throw new Error('a message is damaged');
  const payload = preludeBytes + view.getUint32(4);
  const headers = readHeaders(message.subarray(preludeBytes, payload));
  return { event: eventOf(headers), data: utf8.decode(message.subarray(payload, end)) };
}

/** What a message tells of; an `error` has its name in its headers, not in a payload. */
function eventOf(headers: ReadonlyMap<string, string>): string | undefined {
  switch (headers.get(':message-type')) {
    case 'exception':
      return headers.get(':exception-type') ?? 'exception';
    case 'error':
      return headers.get(':error-code') ?? 'exception';
    default:
      return headers.get(':event-type');
  }
}

/** How many bytes the value of a header has by its type; types 6 and 7 say it themselves. */
const fixedSizes = new Map([
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
]);
const textType = 7;

/** Those that are texts: no other means anything here. */
function readHeaders(bytes: Uint8Array): ReadonlyMap<string, string> {
  const view = viewOf(bytes);
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.byteLength;) {
    const name = at + 1;
    const type = name + view.getUint8(at);
    const kind = view.getUint8(type);
    const fixed = fixedSizes.get(kind);
    if (fixed === undefined && kind !== 6 && kind !== textType) throw new Error(`a header is of type ${kind}`);
    const value = type + (fixed === undefined ? 3 : 1);
    const end = value + (fixed ?? view.getUint16(type + 1));
    if (end > bytes.byteLength) throw new Error('a header is longer than the headers are');
    if (kind === textType)
      headers.set(utf8.decode(bytes.subarray(name, type)), utf8.decode(bytes.subarray(value, end)));
    at = end;
  }
  return headers;
}
