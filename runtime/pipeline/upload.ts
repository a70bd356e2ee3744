/**
 * Passes a form with a file on as it arrives. A file of calls is changed line by line on the way; every other byte stays. What a
 * file is for may stand after it, so its first line decides, and a form that says otherwise in the end is broken off: no file of
 * calls gets past unread.
 */
import type { JsonObject } from '../call.ts';
import { writeExact } from '../dialects/exact-json.ts';
import type { CallFiles } from '../dialects/holdings.ts';
import { HeadgateError } from '../errors.ts';
import { FormError } from '../form.ts';
import { readFormStream, type FormPiece } from '../form-stream.ts';
import { maxCallBytes, parseJson, read } from './accept.ts';
import { toldOf } from './enclosed.ts';

/** Of a file of which nobody has said what it is for. */
const mostPeeked = 1024 * 1024;
/** Of the texts beside the file. */
const mostText = 64 * 1024;
const newLine = 0x0a;

const bad = (message: string) => new HeadgateError('invalid_request', message, { noRetry: true });

type ChangeLine = (line: JsonObject) => JsonObject;

/** Changes each line of a file as it comes. */
class Lines {
  readonly #change: ChangeLine;
  #pending: Buffer[] = [];
  #size = 0;
  #number = 0;

  constructor(change: ChangeLine) {
    this.#change = change;
  }

  *add(bytes: Buffer): Generator<Buffer> {
    let from = 0;
    for (let at = bytes.indexOf(newLine); at >= 0; at = bytes.indexOf(newLine, from)) {
      this.#hold(bytes.subarray(from, at));
      yield this.#line();
      yield Buffer.from('\n');
      from = at + 1;
    }
    this.#hold(bytes.subarray(from));
  }

  /** The last line need not end. */
  end(): Buffer {
    return this.#line();
  }

  #hold(bytes: Buffer): void {
    this.#size += bytes.byteLength;
    if (this.#size > maxCallBytes)
      throw bad(`Line ${this.#number + 1}: a line may have at most ${maxCallBytes} bytes.`);
    this.#pending.push(bytes);
  }

  #line(): Buffer {
    const line = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#size = 0;
    this.#number += 1;
    if (line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) return line;
    try {
      return Buffer.from(writeExact(this.#change(parseJson(line))));
    } catch (error) {
      throw toldOf(`Line ${this.#number}`, error);
    }
  }
}

export class Upload {
  readonly #callFiles: CallFiles | undefined;
  readonly #change: ChangeLine;
  #field = '';
  #inFile = false;
  #hasFile = false;
  #text = 0;
  /** What the form says that the file is for. */
  #purpose: string | undefined;
  #peeked = Buffer.alloc(0);
  /** The file is one of calls; undefined as long as nobody knows. */
  #ofCalls: boolean | undefined;
  #lines: Lines | undefined;

  constructor(callFiles: CallFiles | undefined, change: ChangeLine) {
    this.#callFiles = callFiles;
    this.#change = change;
    if (!callFiles) this.#ofCalls = false;
  }

  /** Whether what is sent has another length than what came. Known with the first bytes. */
  get isChanged(): boolean {
    return this.#ofCalls === true;
  }

  /** Throws `HeadgateError`. Nothing comes out before it is known whether anything is changed. */
  async *pass(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Buffer> {
    const held: Buffer[] = [];
    try {
      for await (const piece of readFormStream(source, boundary)) {
        held.push(...this.#written(piece));
        if (this.#ofCalls !== undefined && this.#peeked.byteLength === 0) yield* held.splice(0);
      }
    } catch (error) {
      if (error instanceof FormError) throw bad(`The body is no plain form: ${error.message}.`);
      throw error;
    }
    if (!this.#hasFile) throw new HeadgateError('invalid_request', 'file is missing.', { param: 'file' });
    yield* held;
  }

  *#written(piece: FormPiece): Generator<Buffer> {
    if (piece.type === 'head') {
      this.#begin(piece);
      yield piece.bytes;
    } else if (piece.type === 'end') {
      yield* this.#end();
      yield piece.bytes;
    } else if (this.#inFile) yield* this.#content(piece.bytes);
    else {
      this.#text += piece.bytes.byteLength;
      if (this.#text > mostText) throw bad(`The texts of the form may have at most ${mostText} bytes.`);
      if (this.#field === this.#callFiles?.field) this.#purpose += piece.bytes.toString('latin1');
      yield piece.bytes;
    }
  }

  #begin({ name, isFile }: Extract<FormPiece, { type: 'head' }>): void {
    this.#field = name;
    this.#inFile = isFile;
    if (isFile && this.#hasFile) throw bad('The form may have one file.');
    if (isFile) this.#hasFile = true;
    if (name !== this.#callFiles?.field) return;
    if (isFile || this.#purpose !== undefined) throw bad(`The form needs one ${name}, as text.`);
    this.#purpose = '';
  }

  *#content(bytes: Buffer): Generator<Buffer> {
    if (this.#ofCalls === undefined) {
      this.#peeked = Buffer.concat([this.#peeked, bytes]);
      const end = this.#peeked.indexOf(newLine);
      if (end >= 0 || this.#peeked.byteLength > mostPeeked) yield* this.#decide(end);
    } else yield* this.#pass(bytes);
  }

  #pass(bytes: Buffer): Iterable<Buffer> {
    if (!this.#ofCalls) return [bytes];
    this.#lines ??= new Lines(this.#change);
    return this.#lines.add(bytes);
  }

  /** By the first line, that ends at `end`. */
  *#decide(end: number): Generator<Buffer> {
    this.#ofCalls = this.#looksLikeCalls(end < 0 ? this.#peeked : this.#peeked.subarray(0, end));
    const bytes = this.#peeked;
    this.#peeked = Buffer.alloc(0);
    yield* this.#pass(bytes);
  }

  #looksLikeCalls(line: Buffer): boolean {
    try {
      return this.#callFiles?.isCall(parseJson(line)) === true;
    } catch {
      return false;
    }
  }

  /** A part is complete. */
  *#end(): Generator<Buffer> {
    if (this.#inFile) {
      if (this.#ofCalls === undefined) yield* this.#decide(-1);
      if (this.#lines) yield this.#lines.end();
    } else if (this.#callFiles && this.#field === this.#callFiles.field) this.#judge(this.#callFiles);
    this.#field = '';
    this.#inFile = false;
  }

  #judge({ field, value }: CallFiles): void {
    const saysCalls = this.#purpose?.trim().toLowerCase() === value;
    if (this.#ofCalls === undefined || !this.#hasFile) this.#ofCalls = saysCalls;
    else if (saysCalls && !this.#ofCalls)
      throw bad(`With ${field} ${value}, each line of the file is one request: its first line is none.`);
    else if (!saysCalls && this.#ofCalls)
      throw bad(`The file looks like one for ${field} ${value}, and its ${field} is another: send ${field} before it.`);
  }
}

/** What becomes of one line of a file of calls. */
export const lineChanger =
  (callFiles: CallFiles, change: Parameters<CallFiles['changeCall']>[1]): ChangeLine =>
  (line) =>
    read(() => callFiles.changeCall(line, change));
