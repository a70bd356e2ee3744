/**
 * JSON from strangers: one meaning per document or none. What `JSON.parse` lets pass and two readers could understand
 * differently (a key twice, a byte order mark, half a surrogate pair, a number beyond all bounds) is refused here, as is
 * what only an attacker writes (`__proto__`, a thousand levels). Time is linear in the size of the document.
 */

import { pathInWords, StrictJsonError, type Step } from './strict-json-error.ts';
import { knownDepth, type JsonMemory, type Remembered } from './strict-json-memory.ts';

export { StrictJsonError } from './strict-json-error.ts';

export interface JsonLimits {
  readonly maxBytes: number;
  /** How deep lists and objects may stand in one another. */
  readonly maxDepth?: number;
  /** How many values there may be in all: a byte of text can become fifty of memory. */
  readonly maxValues?: number;
}

const defaultDepth = 64;
const defaultValues = 300_000;

/** Names that a careless reader of the parsed object would not take for data. */
const reservedKeys = new Set(['__proto__', 'prototype', 'constructor']);

/** `fatal`: bytes that are not UTF-8 must not turn into replacement characters after their digest was checked. */
const decoderOf = () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The offset of the 64 bytes in which the text stops being UTF-8. Undefined when only its end is missing. */
function notTextAt(bytes: Uint8Array): number | undefined {
  const decoder = decoderOf();
  for (let at = 0; at < bytes.byteLength; at += 64) {
    try {
      decoder.decode(bytes.subarray(at, at + 64), { stream: true });
    } catch {
      return at;
    }
  }
  return undefined;
}

function textOf(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoderOf().decode(bytes);
  } catch {
    throw new StrictJsonError('the text is not UTF-8', '', notTextAt(bytes) ?? bytes.byteLength);
  }
  if (text.startsWith('\uFEFF')) throw new StrictJsonError('a byte order mark stands at the beginning', '', 0);
  return text;
}

const space = /[ \t\n\r]*/y;
/** All but quotes, backslashes and control characters. */
const plainText = /[ !#-[\]-\uffff]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const words: Readonly<Record<string, readonly [word: string, value: boolean | null]>> = {
  t: ['true', true],
  f: ['false', false],
  n: ['null', null],
};

interface Whereabouts {
  readonly remembered: Remembered;
  readonly depth: number;
  /** Where the object began. */
  readonly origin: number;
}

class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #maxValues: number;
  readonly #path: Step[] = [];
  #at = 0;
  #values = 0;

  constructor(text: string, { maxDepth = defaultDepth, maxValues = defaultValues }: JsonLimits) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#maxValues = maxValues;
  }

  document(memory?: JsonMemory): unknown {
    this.#skip(space);
    const start = this.#at;
    const root = memory?.root;
    const value = this.#value(0, root);
    if (this.#at < this.#text.length) throw this.#error('something follows the end of the document');
    if (root) memory.keep(this.#text.slice(start), root);
    return value;
  }

  #error(problem: string, at = this.#at): StrictJsonError {
    return new StrictJsonError(problem, pathInWords(this.#path), at);
  }

  #unexpected(wanted: string): StrictJsonError {
    return this.#error(this.#at >= this.#text.length ? 'the document ends too early' : `${wanted} is expected`);
  }

  /** Moves past what `pattern` matches here; every pattern is sticky and takes each character once. */
  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }

  /** Whether the next character, white space aside, is this one; if so, moves past it and the white space behind. */
  #took(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    this.#skip(space);
    return true;
  }

  #value(depth: number, remembered?: Remembered): unknown {
    this.#values += 1;
    if (this.#values > this.#maxValues) throw this.#error(`more than ${this.#maxValues} values`);
    const first = this.#text[this.#at] ?? '';
    let value: unknown;
    if (first === '{' || first === '[') {
      if (depth === this.#maxDepth) throw this.#error(`more than ${this.#maxDepth} levels of lists and objects`);
      value = first === '{' ? this.#object(depth + 1, remembered) : this.#list(depth + 1);
    } else if (first === '"') value = this.#string();
    else value = words[first] ? this.#word(words[first]) : this.#number();
    this.#skip(space);
    return value;
  }

  #object(depth: number, remembered?: Remembered): unknown {
    const origin = this.#at;
    const object: Record<string, unknown> = {};
    this.#took('{');
    if (this.#took('}')) return object;
    do {
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#unexpected('a key in double quotes');
      const key = this.#string();
      this.#skip(space);
      this.#path.push(key);
      if (reservedKeys.has(key)) throw this.#error(`the key '${key}' is not allowed`, start);
      if (Object.hasOwn(object, key)) throw this.#error('the same key stands there twice', start);
      if (!this.#took(':')) throw this.#unexpected("':'");
      object[key] = remembered ? this.#part(key, { remembered, depth, origin }) : this.#value(depth);
      this.#path.pop();
    } while (this.#took(','));
    if (!this.#took('}')) throw this.#unexpected("',' or '}'");
    return object;
  }

  /** A member of an object of which something may be known. */
  #part(key: string, { remembered, depth, origin }: Whereabouts): unknown {
    const from = this.#at - origin;
    if (this.#text[this.#at] !== '{') return this.#value(depth);
    const known = remembered.get(key, this.#text, this.#at);
    if (known && this.#values + known.values <= this.#maxValues) {
      this.#at += known.length;
      this.#skip(space);
      this.#values += known.values;
      remembered.found.set(key, { ...known, from, length: this.#at - origin - from });
      return known.value;
    }
    const within = depth < knownDepth ? remembered.within(key) : undefined;
    const before = this.#values;
    const value = this.#value(depth, within) as object;
    const length = this.#at - origin - from;
    remembered.found.set(key, {
      from,
      length,
      value,
      values: this.#values - before,
      parts: within?.found ?? new Map(),
    });
    return value;
  }

  #list(depth: number): unknown {
    const list: unknown[] = [];
    this.#took('[');
    if (this.#took(']')) return list;
    do {
      this.#path.push(list.length);
      list.push(this.#value(depth));
      this.#path.pop();
    } while (this.#took(','));
    if (!this.#took(']')) throw this.#unexpected("',' or ']'");
    return list;
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    let escaped = false;
    for (;;) {
      this.#skip(plainText);
      const end = this.#text[this.#at];
      if (end === '"') break;
      if (end !== '\\') throw end === undefined ? this.#unexpected('') : this.#control(end);
      escaped = true;
      // Whatever is escaped: a quote is no end, and `JSON.parse` judges the rest.
      this.#at += 2;
    }
    this.#at += 1;
    const text = escaped ? this.#unescaped(start) : this.#text.slice(start + 1, this.#at - 1);
    if (text.includes('\0')) throw this.#error('a NUL character', start);
    if (!text.isWellFormed()) throw this.#error('half of a surrogate pair', start);
    return text;
  }

  #control(character: string): StrictJsonError {
    return this.#error(character === '\0' ? 'a NUL character' : 'a control character inside a string');
  }

  #unescaped(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      throw this.#error('an escape that JSON does not have', start);
    }
  }

  #word([word, value]: readonly [string, boolean | null]): boolean | null {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a value');
    this.#at += word.length;
    return value;
  }

  #number(): number {
    const start = this.#at;
    this.#skip(number);
    if (this.#at === start) throw this.#unexpected('a value');
    const value = Number(this.#text.slice(start, this.#at));
    if (!Number.isFinite(value)) throw this.#error('a number too large to be represented', start);
    return value;
  }
}

/** Throws `StrictJsonError`, whose message names the place and never the content. With `memory`, nothing may change what it gives. */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits, memory?: JsonMemory): unknown {
  if (bytes.byteLength > limits.maxBytes)
    throw new StrictJsonError(`${bytes.byteLength} bytes, where ${limits.maxBytes} are allowed`, '', undefined);
  return new Reader(textOf(bytes), limits).document(memory);
}
