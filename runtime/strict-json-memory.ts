/**
 * What is known of the document that was read before: an object that reads as it did there is the same value, and is not read
 * again. Since an object ends where its braces do, a text that begins with one that was read begins with that same object.
 */

export interface KnownPart {
  /** Where its text stands in what it is a part of, and how long it is. */
  readonly from: number;
  readonly length: number;
  readonly value: object;
  /** How many values there are in it, itself included. */
  readonly values: number;
  readonly parts: KnownParts;
}

export type KnownParts = ReadonlyMap<string, KnownPart>;

/** By name: collections, and within each of them its members. */
export const knownDepth = 2;

const nothing: KnownParts = new Map();

export class JsonMemory {
  #text = '';
  #parts = nothing;

  /** For whoever reads the next document. */
  get root(): Remembered {
    return new Remembered(this.#text, this.#parts, 0);
  }

  /** Once a document was read to its end: `text` is all of it, from where its root begins. */
  keep(text: string, root: Remembered): void {
    this.#text = text;
    this.#parts = root.found;
  }
}

/** The parts of one object in the document before, and those that are found in the present one. */
export class Remembered {
  readonly #text: string;
  readonly #parts: KnownParts;
  readonly #start: number;
  readonly found = new Map<string, KnownPart>();

  /** `start`: where the object stood in `text`. */
  constructor(text: string, parts: KnownParts, start: number) {
    this.#text = text;
    this.#parts = parts;
    this.#start = start;
  }

  /** The part of that name, when `text` has at `at` what it was read from. */
  get(name: string, text: string, at: number): KnownPart | undefined {
    const known = this.#parts.get(name);
    if (!known) return undefined;
    const from = this.#start + known.from;
    return text.startsWith(this.#text.slice(from, from + known.length), at) ? known : undefined;
  }

  /** What is known within the part of that name, which reads otherwise now. */
  within(name: string): Remembered {
    const known = this.#parts.get(name);
    return new Remembered(this.#text, known?.parts ?? nothing, this.#start + (known?.from ?? 0));
  }
}
