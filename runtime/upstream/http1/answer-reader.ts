/** Reads one answer off the bytes of a connection: the head, then the body in pieces, and where it ends. Knows no sockets. */
import { maxHeaderSize } from 'node:http';
import { readHead, type AnswerHead } from './answer-head.ts';
import { Chunks } from './chunks.ts';
import { malformed, UpstreamError } from './upstream-error.ts';

/** Who is told of the answer as it comes. */
export interface AnswerSink {
  head(head: AnswerHead): void;
  /** The bytes are lent until it returns. */
  piece(bytes: Buffer): void;
}

const headEnd = '\r\n\r\n';
/** Nobody has that much to say before an answer. */
const mostInformational = 16;

export class AnswerReader {
  readonly #method: string;
  readonly #sink: AnswerSink;
  #head: AnswerHead | undefined;
  /** Of a head that is not complete yet. */
  #held: Buffer | undefined;
  #informational = 0;
  #chunks: Chunks | undefined;
  #left = 0;
  #isDone = false;
  #hasMore = false;
  #hasBegun = false;

  constructor(method: string, sink: AnswerSink) {
    this.#method = method;
    this.#sink = sink;
  }

  /** The answer is complete. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The connection is as it was before: nothing is left on it, and its owner keeps it. */
  get isReusable(): boolean {
    return this.#isDone && !this.#hasMore && this.#head?.staysOpen === true;
  }

  get idleMs(): number | undefined {
    return this.#head?.idleMs;
  }

  /** The bytes are only lent, and may be moved. Throws `UpstreamError`; nothing may be read after that. */
  read(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#hasBegun = true;
    if (this.#isDone) this.#hasMore = true;
    else if (this.#head) this.#readBody(bytes, 0);
    else this.#readHead(this.#held ? Buffer.concat([this.#held, bytes]) : bytes, this.#held?.length ?? 0);
  }

  /** The upstream will send nothing more. Throws when that cuts the answer short. */
  end(): void {
    if (this.#isDone) return;
    if (this.#head?.length !== 'until_close') throw this.cutShort();
    this.#isDone = true;
  }

  /** What it means when the connection ends now. */
  cutShort(cause?: unknown): UpstreamError {
    if (!this.#hasBegun) return new UpstreamError('no_answer', 'the connection ended without an answer', cause);
    const place = this.#head ? 'in the middle of its body' : 'in its head';
    return new UpstreamError('closed_early', `the answer was cut short ${place}`, cause);
  }

  /** `searched` bytes were looked through before. */
  #readHead(bytes: Buffer, searched: number): void {
    const at = bytes.indexOf(headEnd, Math.max(0, searched - headEnd.length), 'latin1');
    const size = at < 0 ? bytes.length : at + headEnd.length;
    if (size > maxHeaderSize) throw malformed(`its head has more than ${maxHeaderSize} bytes`);
    if (at < 0) return this.#hold(bytes);
    const head = readHead(bytes.toString('latin1', 0, size), this.#method);
    if (head.status >= 200) return this.#begin(head, bytes, size);
    this.#informational += 1;
    if (head.status === 101) throw malformed('it changes to a protocol that nobody asked for');
    if (this.#informational > mostInformational) throw malformed('nothing but informational answers came');
    this.#held = undefined;
    if (size < bytes.length) this.#readHead(bytes.subarray(size), 0);
  }

  #hold(bytes: Buffer): void {
    // What ends its lines otherwise would be waited for until it is too long.
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1))
      if (bytes[at - 1] !== 0x0d) throw malformed('a line of its head ends without CR LF');
    this.#held = Buffer.from(bytes);
  }

  #begin(head: AnswerHead, bytes: Buffer, from: number): void {
    this.#head = head;
    this.#held = undefined;
    if (head.length === 'chunked') this.#chunks = new Chunks();
    else if (head.length !== 'until_close') this.#left = head.length;
    this.#sink.head(head);
    this.#readBody(bytes, from);
  }

  #readBody(bytes: Buffer, from: number): void {
    const end = this.#chunks ? this.#readChunks(this.#chunks, bytes, from) : this.#readPlain(bytes, from);
    if (end < bytes.length) this.#hasMore = true;
  }

  #readChunks(chunks: Chunks, bytes: Buffer, from: number): number {
    const { piece, end } = chunks.read(bytes, from);
    if (piece.length > 0) this.#sink.piece(piece);
    this.#isDone = chunks.isDone;
    return end;
  }

  #readPlain(bytes: Buffer, from: number): number {
    const isEndless = this.#head?.length === 'until_close';
    const end = isEndless ? bytes.length : Math.min(bytes.length, from + this.#left);
    if (end > from) this.#sink.piece(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
    this.#left -= end - from;
    this.#isDone = !isEndless && this.#left === 0;
    return end;
  }
}
