/**
 * Reads the head of an HTTP/1.1 answer (RFC 9112). Strict, because two readers of one answer that disagree on where it ends hand one
 * client the answer of another: whatever can be read in two ways is refused, and so is what no server has a reason to send.
 */
import { malformed } from './upstream-error.ts';

export interface AnswerHead {
  readonly status: number;
  /** Lower-case names; a list where a name came more than once. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly length: BodyLength;
  /** Whether the connection may be used again once the body has ended. */
  readonly staysOpen: boolean;
  /** How long the upstream says that it keeps an idle connection. */
  readonly idleMs: number | undefined;
}

/** In bytes, or how the end is told otherwise. */
export type BodyLength = number | 'chunked' | 'until_close';

/** More than any API sends; the cap on the size of a head would allow thousands. */
const mostFields = 512;
/** Fifteen digits are less than the largest whole number that is exact. */
const mostDigits = 15;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const space = 0x20;
const tab = 0x09;
const colon = 0x3a;

const isTokenByte = new Uint8Array(256);
const isValueByte = new Uint8Array(256).fill(1, space).fill(1, tab, tab + 1);
isValueByte[0x7f] = 0;
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  isTokenByte[char.charCodeAt(0)] = 1;

type Fields = Record<string, string | string[]>;

/** Bytes beyond ASCII are read as UTF-8. */
const decoded = (value: string): string =>
  /[^\0-\x7f]/.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;

/** Where the line feed after `at` ends a line of nothing but what may stand in a value; throws otherwise. */
function endOfValue(text: string, from: number): number {
  let at = from;
  while (isValueByte[text.charCodeAt(at)] === 1) at += 1;
  if (text.charCodeAt(at) !== carriageReturn || text.charCodeAt(at + 1) !== lineFeed)
    throw malformed('a line of its head has a byte that no header may have, or ends without CR LF');
  return at;
}

function add(fields: Fields, name: string, value: string): void {
  const before = fields[name];
  if (before === undefined) fields[name] = value;
  else if (typeof before === 'string') fields[name] = [before, value];
  else before.push(value);
}

/** The lines from `from` on, up to the empty line that `text` ends with. */
export function readFields(text: string, from: number): Fields {
  // Names are the upstream's: none of them may reach what objects inherit.
  const fields = Object.create(null) as Fields;
  let count = 0;
  let at = from;
  while (text.charCodeAt(at) !== carriageReturn) {
    const start = at;
    while (isTokenByte[text.charCodeAt(at)] === 1) at += 1;
    // A line that goes on with the one before it (obs-fold) begins with a space, and ends here too.
    if (at === start || text.charCodeAt(at) !== colon) throw malformed('a line of its head is no header');
    const name = text.slice(start, at).toLowerCase();
    at += 1;
    while (text.charCodeAt(at) === space || text.charCodeAt(at) === tab) at += 1;
    const end = endOfValue(text, at);
    let last = end;
    // A tab at the end stays: not every reader takes it off, and a length or an encoding with one is refused for it.
    while (last > at && text.charCodeAt(last - 1) === space) last -= 1;
    add(fields, name, decoded(text.slice(at, last)));
    at = end + 2;
    count += 1;
    if (count > mostFields) throw malformed(`its head has more than ${mostFields} headers`);
  }
  if (at + 2 !== text.length || text.charCodeAt(at + 1) !== lineFeed)
    throw malformed('its head has a carriage return without a line feed');
  return fields;
}

function readStatus(text: string): { status: number; isOld: boolean; end: number } {
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?= |\r)/.exec(text) ?? [];
  if (minor === undefined) throw malformed('it does not begin with a status line of HTTP/1.1');
  return { status: Number(code), isOld: minor === '0', end: endOfValue(text, 'HTTP/1.1 200'.length) + 2 };
}

const words = (value: string | string[] | undefined): string[] =>
  value === undefined
    ? []
    : String(value)
        .toLowerCase()
        .split(/[\s,]+/);

function readLength(fields: Fields, isOld: boolean): BodyLength {
  const { 'content-length': length, 'transfer-encoding': encoding } = fields;
  if (encoding !== undefined) {
    if (length !== undefined) throw malformed('it has a length and a transfer-encoding');
    if (isOld) throw malformed('it is HTTP/1.0 with a transfer-encoding');
    if (typeof encoding !== 'string' || encoding.toLowerCase() !== 'chunked')
      throw malformed('its transfer-encoding is another than chunked');
    return 'chunked';
  }
  if (length === undefined) return 'until_close';
  if (typeof length !== 'string') throw malformed('it has several lengths');
  if (!/^\d+$/.test(length) || length.length > mostDigits) throw malformed('its length is no number of bytes');
  return Number(length);
}

function readIdleMs(fields: Fields): number | undefined {
  const hint = fields['keep-alive'];
  const [, seconds] = (hint !== undefined && /\btimeout=(\d{1,6})\b/i.exec(String(hint))) || [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

/** `text` is the head with the empty line that ends it, each byte one character. Throws `UpstreamError`. */
export function readHead(text: string, method: string): AnswerHead {
  const { status, isOld, end } = readStatus(text);
  const headers = readFields(text, end);
  const told = readLength(headers, isOld);
  const hasNone = status < 200 || status === 204 || status === 304 || method === 'HEAD';
  const length = hasNone ? 0 : told;
  if (status < 200 && (isOld || (told !== 'until_close' && told !== 0)))
    throw malformed('an informational answer has a body, or is HTTP/1.0');
  const connection = headers['connection'] === undefined ? [] : words(headers['connection']);
  // Who says that a body follows where there is none may well send it.
  const isOdd = status === 204 && told !== 'until_close' && told !== 0;
  const isKept = isOld ? connection.includes('keep-alive') : !connection.includes('close');
  const staysOpen = isKept && !isOdd && length !== 'until_close';
  return { status, headers, length, staysOpen, idleMs: readIdleMs(headers) };
}
