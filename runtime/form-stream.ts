/** Reads a form as it arrives: every byte of it is told once, in order, with the part that it belongs to. */
import { FormError, headOf, type Head } from './form.ts';

export type FormPiece =
  | ({ readonly type: 'head'; readonly bytes: Buffer } & Head)
  | { readonly type: 'content'; readonly bytes: Buffer }
  /** What stands between the content of a part and the head of the next, or the end of the form. */
  | { readonly type: 'end'; readonly bytes: Buffer };

const mostHeadBytes = 4_096;
const mostParts = 100;
const lineEnd = '\r\n';

class Reader {
  held: Buffer = Buffer.alloc(0);
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** False at the end. */
  async more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done) return false;
    this.held = Buffer.concat([this.held, next.value]);
    return true;
  }

  /** Nobody reads on: what waits for the next piece need not. */
  end(): void {
    void this.#source.return?.();
  }

  take(length: number): Buffer {
    const taken = this.held.subarray(0, length);
    this.held = this.held.subarray(length);
    return taken;
  }

  async has(length: number): Promise<boolean> {
    while (this.held.byteLength < length) if (!(await this.more())) return false;
    return true;
  }
}

/** The head of a part, with the line end before it. */
async function readHead(reader: Reader): Promise<FormPiece> {
  for (;;) {
    const end = reader.held.indexOf(lineEnd + lineEnd);
    if (end >= 0 && end <= mostHeadBytes) {
      const bytes = reader.take(end + 4);
      const text = bytes.toString('utf8', lineEnd.length, end);
      // A vendor that decodes would read something else than what was looked at.
      if (/^content-transfer-encoding\s*:/im.test(text)) throw new FormError('a part of the form is encoded once more');
      if (/\r(?!\n)|(?<!\r)\n/.test(text)) throw new FormError('a line in the headers of a part ends in another way');
      return { type: 'head', bytes, ...headOf(text) };
    }
    if (reader.held.byteLength > mostHeadBytes + 4 || !(await reader.more()))
      throw new FormError('a part of the form has no end to its headers');
  }
}

async function* readContent(reader: Reader, delimiter: Buffer): AsyncGenerator<FormPiece> {
  for (;;) {
    const at = reader.held.indexOf(delimiter);
    const sure = at >= 0 ? at : reader.held.byteLength - delimiter.byteLength + 1;
    if (sure > 0) yield { type: 'content', bytes: reader.take(sure) };
    if (at >= 0) {
      yield { type: 'end', bytes: reader.take(delimiter.byteLength) };
      return;
    }
    if (!(await reader.more())) throw new FormError('the form ends in the middle of a part');
  }
}

async function* readParts(reader: Reader, boundary: string): AsyncGenerator<FormPiece> {
  const first = Buffer.from(`--${boundary}`);
  const next = Buffer.from(`${lineEnd}--${boundary}`);
  if (!(await reader.has(first.byteLength)) || !reader.held.subarray(0, first.byteLength).equals(first))
    throw new FormError('the form does not begin with its boundary');
  yield { type: 'end', bytes: reader.take(first.byteLength) };
  for (let parts = 0; ; parts += 1) {
    if (!(await reader.has(2))) throw new FormError('the form has no end');
    const mark = reader.held.toString('latin1', 0, 2);
    if (mark === '--') break;
    if (mark !== lineEnd) throw new FormError('a boundary of the form is not well formed');
    if (parts >= mostParts) throw new FormError(`the form may have at most ${mostParts} parts`);
    yield await readHead(reader);
    yield* readContent(reader, next);
  }
  while (await reader.more()) if (reader.held.byteLength > mostHeadBytes) break;
  if (reader.held.toString('latin1', 2).trim() !== '') throw new FormError('the form goes on after its end');
  yield { type: 'end', bytes: reader.take(reader.held.byteLength) };
}

/** Throws `FormError`. */
export async function* readFormStream(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<FormPiece> {
  const reader = new Reader(source);
  try {
    yield* readParts(reader, boundary);
  } finally {
    reader.end();
  }
}
