/** Takes the chunked framing off a body (RFC 9112, 7.1): whatever is not exactly that is refused. Trailers are checked and dropped. */
import { readFields } from './answer-head.ts';
import { malformed } from './upstream-error.ts';

/** Enough for any chunk, and far from where numbers are no longer exact. */
const mostSizeDigits = 12;
/** Of what may stand after a chunk's size, which nobody uses: in one line, and in a whole body. */
const mostExtension = 256;
const mostExtensions = 16 * 1024;
const mostTrailer = 16 * 1024;

const extensions =
  /^(?:;[!#$%&'*+.^_`|~\w-]+(?:=(?:[!#$%&'*+.^_`|~\w-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$/;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const semicolon = 0x3b;

type State = 'size' | 'extension' | 'size_end' | 'data' | 'data_return' | 'data_end' | 'trailer' | 'done';

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

export class Chunks {
  #state: State = 'size';
  #digits = 0;
  #size = 0;
  #extension = '';
  #extensions = 0;
  #trailer = '';

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /**
   * Moves what `bytes` holds of the body together, in place, so that however many chunks came at once they pass as one piece.
   * Returns the piece, which may be empty, and where the body ended; `bytes.length` while it goes on.
   */
  read(bytes: Buffer, from: number): { readonly piece: Buffer; readonly end: number } {
    let at = from;
    let start = from;
    let filled = from;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state !== 'data') {
        this.#frame(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const end = Math.min(at + this.#size, bytes.length);
      if (filled === start) start = filled = at;
      else bytes.copyWithin(filled, at, end);
      filled += end - at;
      this.#size -= end - at;
      at = end;
      if (this.#size === 0) this.#state = 'data_return';
    }
    return { piece: bytes.subarray(start, filled), end: at };
  }

  #frame(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#readSize(byte);
      case 'extension':
        return this.#readExtension(byte);
      case 'size_end':
        if (byte !== lineFeed) throw malformed('the size of a chunk does not end with CR LF');
        this.#state = this.#size === 0 ? 'trailer' : 'data';
        this.#digits = 0;
        return;
      case 'data_return':
        if (byte !== carriageReturn) throw malformed('a chunk is longer than its size');
        this.#state = 'data_end';
        return;
      case 'data_end':
        if (byte !== lineFeed) throw malformed('a chunk does not end with CR LF');
        this.#state = 'size';
        return;
      default:
        this.#readTrailer(byte);
    }
  }

  #readSize(byte: number): void {
    const digit = digitOf(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
      if (this.#digits > mostSizeDigits) throw malformed('the size of a chunk is too large');
    } else if (this.#digits === 0) throw malformed('a chunk has no size');
    else if (byte === carriageReturn) this.#state = 'size_end';
    else if (byte === semicolon) {
      this.#state = 'extension';
      this.#extension = ';';
    } else throw malformed('the size of a chunk is no number');
  }

  #readExtension(byte: number): void {
    if (byte !== carriageReturn) {
      this.#extension += String.fromCharCode(byte);
      this.#extensions += 1;
      if (this.#extension.length > mostExtension || this.#extensions > mostExtensions)
        throw malformed('its chunks have extensions that are too long');
      return;
    }
    if (!extensions.test(this.#extension)) throw malformed('a chunk has an extension that is none');
    this.#state = 'size_end';
  }

  #readTrailer(byte: number): void {
    this.#trailer += String.fromCharCode(byte);
    if (this.#trailer.length > mostTrailer) throw malformed('its trailer is too long');
    if (byte !== lineFeed) return;
    if (!this.#trailer.endsWith('\r\n')) throw malformed('a line of its trailer ends without CR LF');
    if (!(this.#trailer === '\r\n' || this.#trailer.endsWith('\r\n\r\n'))) return;
    readFields(this.#trailer, 0);
    this.#trailer = '';
    this.#state = 'done';
  }
}
