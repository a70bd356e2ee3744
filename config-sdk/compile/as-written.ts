/** What a value comes to as canonical JSON, and whether strict readers would take it, without writing it and reading it back. */

export interface AsWritten {
  /** Of its canonical JSON in UTF-8. */
  readonly bytes: number;
  /** For certain: nothing in it that the runtime's reader refuses, size aside. What is false here may still be taken. */
  readonly acceptable: boolean;
}

/** Well below the limits of the reader, which says the rest exactly. */
const most = { depth: 32, values: 250_000 };

/** Written as it stands, one byte for each character. */
const plainText = /^[ !#-[\]-~]*$/;
/** Names that the reader takes from nobody. */
const reservedKeys = new Set(['__proto__', 'prototype', 'constructor']);

/** Down to the members of a snapshot's collections, which are mostly those of the snapshot before. */
const partDepth = 2;
const measuredParts = new WeakMap<object, Measure>();

class Measure {
  bytes = 0;
  acceptable = true;
  #values = 0;

  value(value: unknown, depth: number): void {
    if (depth === 0 || depth > partDepth || typeof value !== 'object' || value === null)
      return this.#walk(value, depth);
    const part = measuredParts.get(value) ?? new Measure();
    if (!measuredParts.has(value)) part.#walk(value, depth);
    measuredParts.set(value, part);
    this.bytes += part.bytes;
    this.#values += part.#values;
    if (!part.acceptable || this.#values > most.values) this.acceptable = false;
  }

  #walk(value: unknown, depth: number): void {
    this.#values += 1;
    if (depth > most.depth || this.#values > most.values) this.acceptable = false;
    if (typeof value === 'string') this.#text(value);
    else if (Array.isArray(value)) this.#list(value, depth);
    else if (typeof value === 'object' && value !== null) this.#object(value, depth);
    else this.bytes += JSON.stringify(value).length;
  }

  #text(text: string): void {
    if (plainText.test(text)) {
      this.bytes += text.length + 2;
      return;
    }
    if (text.includes('\0') || !text.isWellFormed()) this.acceptable = false;
    this.bytes += Buffer.byteLength(JSON.stringify(text));
  }

  #list(list: readonly unknown[], depth: number): void {
    this.bytes += 2 + Math.max(0, list.length - 1);
    for (const member of list) this.value(member, depth + 1);
  }

  #object(object: object, depth: number): void {
    let members = 0;
    for (const [key, member] of Object.entries(object)) {
      if (member === undefined) continue;
      members += 1;
      if (reservedKeys.has(key)) this.acceptable = false;
      this.#text(key);
      this.value(member, depth + 1);
    }
    // Braces, a colon for each member, and commas between them.
    this.bytes += 2 + members + Math.max(0, members - 1);
  }
}

/** `value` is what JSON can hold. */
export function asWritten(value: object): AsWritten {
  const measure = new Measure();
  measure.value(value, 0);
  return { bytes: measure.bytes, acceptable: measure.acceptable };
}
