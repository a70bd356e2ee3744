/**
 * JSON from strangers: one meaning per document or none. What `JSON.parse` lets pass and two readers could understand
 * differently (a key twice, a byte order mark, half a surrogate pair, a number beyond all bounds) is refused here, as is
 * what only an attacker writes (`__proto__`, a thousand levels). Time is linear in the size of the document.
 */

export interface JsonLimits {
  readonly maxBytes: number;
  /** How deep lists and objects may stand in one another. */
  readonly maxDepth?: number;
  /** How many values there may be in all: a byte of text can become fifty of memory. */
  readonly maxValues?: number;
}

export class StrictJsonError extends Error {
  /** Where in the document: keys and indexes, shortened; empty at the top. */
  readonly path: string;
  /** Characters before the place; bytes where the document is not even text. */
  readonly offset: number | undefined;

  constructor(problem: string, path: string, offset: number | undefined) {
    super(`${problem}${path && ` at ${path}`}${offset === undefined ? '' : `, offset ${offset}`}`);
    this.name = 'StrictJsonError';
    this.path = path;
    this.offset = offset;
  }
}

const defaultDepth = 64;
const defaultValues = 300_000;
const longestKeyShown = 40;
const mostStepsShown = 8;

/** Names that a careless reader of the parsed object would not take for data. */
const reservedKeys = new Set(['__proto__', 'prototype', 'constructor']);

type Step = string | number;

/** A key as it may be shown: short, and nothing in it that a terminal would act upon. */
function shown(key: string): string {
  const short = key.length > longestKeyShown ? `${key.slice(0, longestKeyShown)}…` : key;
  return /^[\w:/@…-]+$/.test(short) ? short : JSON.stringify(short).replace(/[^\x20-\x7e…]/g, '?');
}

function pathInWords(steps: readonly Step[]): string {
  const words = steps.map((step, index) =>
    typeof step === 'number' ? `[${step}]` : `${index ? '.' : ''}${shown(step)}`,
  );
  if (words.length <= mostStepsShown) return words.join('');
  const half = mostStepsShown / 2;
  return `${words.slice(0, half).join('')}…${words.slice(-half).join('')}`;
}

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

  document(): unknown {
    const value = this.#value(0);
    if (this.#at < this.#text.length) throw this.#error('something follows the end of the document');
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

  #value(depth: number): unknown {
    if (depth === 0) this.#skip(space);
    this.#values += 1;
    if (this.#values > this.#maxValues) throw this.#error(`more than ${this.#maxValues} values`);
    const first = this.#text[this.#at] ?? '';
    let value: unknown;
    if (first === '{' || first === '[') {
      if (depth === this.#maxDepth) throw this.#error(`more than ${this.#maxDepth} levels of lists and objects`);
      value = first === '{' ? this.#object(depth + 1) : this.#list(depth + 1);
    } else if (first === '"') value = this.#string();
    else value = words[first] ? this.#word(words[first]) : this.#number();
    this.#skip(space);
    return value;
  }

  #object(depth: number): unknown {
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
      object[key] = this.#value(depth);
      this.#path.pop();
    } while (this.#took(','));
    if (!this.#took('}')) throw this.#unexpected("',' or '}'");
    return object;
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

/** Throws `StrictJsonError`, whose message names the place and never the content. */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  if (bytes.byteLength > limits.maxBytes)
    throw new StrictJsonError(`${bytes.byteLength} bytes, where ${limits.maxBytes} are allowed`, '', undefined);
  return new Reader(textOf(bytes), limits).document();
}
