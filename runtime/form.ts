/** A `multipart/form-data` body (RFC 7578): what stands in it as text, and the same bytes with one text replaced. */
import type { JsonObject } from './call.ts';

/** The body is not a form that everyone reads in the same way. */
export class FormError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FormError';
  }
}

export interface Form {
  /** Texts by name; a name that stands there more than once has a list. Files are not among them. */
  readonly fields: JsonObject;
  /** All bytes as they came, save the content of the one text of that name. */
  with(name: string, text: string): Buffer;
}

export interface Head {
  readonly name: string;
  readonly isFile: boolean;
}

interface Piece extends Head {
  readonly from: number;
  readonly to: number;
}

const mostPieces = 1_000;
const mostHeaderBytes = 4_096;
const lineEnd = '\r\n';

/** Undefined for what is no form. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(
      contentType ?? '',
    ) ?? [];
  return quoted ?? plain;
}

/** One reading only: two parsers that differ on which of two names counts make a hole. */
const disposition =
  /^content-disposition:[ \t]*form-data((?:[ \t]*;[ \t]*[a-z*]+=(?:"(?:[^"\\]|\\.)*"|[^\s;"]+))*)[ \t]*$/i;

/** What the headers of one part say. Throws `FormError`. */
export function headOf(text: string): Head {
  const lines = text.split(lineEnd).filter((line) => /^content-disposition\s*:/i.test(line));
  const parameters = lines.length === 1 ? disposition.exec(lines[0] ?? '')?.[1] : undefined;
  if (parameters === undefined) throw new FormError('each part of the form needs one plain Content-Disposition');
  const given = [...parameters.matchAll(/;[ \t]*([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/gi)].map(
    ([, key = '', quoted, plain]): [string, string] => [key.toLowerCase(), quoted ?? plain ?? ''],
  );
  const named = new Map(given);
  const name = named.get('name');
  if (name === undefined || named.size < given.length) throw new FormError('each part of the form needs one name');
  return { name: name.replace(/\\(.)/g, '$1'), isFile: named.has('filename') || named.has('filename*') };
}

/** Cuts at every boundary; what stands before the first or after the last is no form of any known client. */
function piecesOf(bytes: Buffer, boundary: string): Piece[] {
  const first = Buffer.from(`--${boundary}`);
  const next = Buffer.from(`${lineEnd}--${boundary}`);
  if (bytes.indexOf(first) !== 0) throw new FormError('the form does not begin with its boundary');
  const pieces: Piece[] = [];
  let at = first.length;
  while (bytes.toString('latin1', at, at + 2) !== '--') {
    if (bytes.toString('latin1', at, at + 2) !== lineEnd)
      throw new FormError('a boundary of the form is not well formed');
    const headEnd = bytes.indexOf(lineEnd + lineEnd, at);
    if (headEnd < 0 || headEnd - at > mostHeaderBytes)
      throw new FormError('a part of the form has no end to its headers');
    const from = headEnd + 4;
    const to = bytes.indexOf(next, headEnd + 2);
    if (to < from) throw new FormError('the form ends in the middle of a part');
    pieces.push({ ...headOf(bytes.toString('utf8', at + 2, headEnd)), from, to });
    if (pieces.length > mostPieces) throw new FormError(`the form may have at most ${mostPieces} parts`);
    at = to + next.length;
  }
  if (bytes.toString('latin1', at + 2).trim() !== '') throw new FormError('the form goes on after its end');
  return pieces;
}

function textOf(bytes: Buffer, { name, from, to }: Piece): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(from, to));
  } catch {
    throw new FormError(`the part '${name.slice(0, 64)}' of the form is not UTF-8`);
  }
}

/** Throws `FormError`. */
export function readForm(bytes: Buffer, boundary: string): Form {
  const texts = piecesOf(bytes, boundary).filter(({ isFile }) => !isFile);
  const fields = new Map<string, string | readonly string[]>();
  for (const piece of texts) {
    const before = fields.get(piece.name);
    const text = textOf(bytes, piece);
    fields.set(piece.name, before === undefined ? text : [before, text].flat());
  }
  return {
    fields: Object.fromEntries(fields),
    with(name, text) {
      const place = texts.find((piece) => piece.name === name);
      if (!place) return bytes;
      return Buffer.concat([bytes.subarray(0, place.from), Buffer.from(text), bytes.subarray(place.to)]);
    },
  };
}
