/** Counts the usage that results tell of as they pass: one JSON object a line, and nothing where they are none. */
import type { JsonObject, Usage } from '../call.ts';
import { parseObject } from './read-answer.ts';

/** A longer line is not held, and not counted. */
const longestLine = 4 * 1024 * 1024;
const newLine = 0x0a;

export class ResultsMeter {
  readonly #read: (line: JsonObject) => Usage | undefined;
  #held: Buffer[] = [];
  #size = 0;
  #sum: Usage | undefined;

  constructor(read: (line: JsonObject) => Usage | undefined) {
    this.#read = read;
  }

  hear(bytes: Uint8Array): void {
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = rest.indexOf(newLine); at >= 0; at = rest.indexOf(newLine)) {
      this.#hold(rest.subarray(0, at));
      this.#line();
      rest = rest.subarray(at + 1);
    }
    this.#hold(rest);
  }

  /** Undefined where nothing told of any. */
  end(): Usage | undefined {
    this.#line();
    return this.#sum;
  }

  #hold(bytes: Buffer): void {
    this.#size += bytes.byteLength;
    if (this.#size > longestLine) this.#held = [];
    else if (bytes.byteLength > 0) this.#held.push(bytes);
  }

  #line(): void {
    const line =
      this.#size > longestLine || this.#held[0]?.[0] !== 0x7b ? undefined : parseObject(Buffer.concat(this.#held));
    this.#held = [];
    this.#size = 0;
    const usage = line && this.#read(line);
    if (!usage) return;
    this.#sum = {
      inputTokens: (this.#sum?.inputTokens ?? 0) + usage.inputTokens,
      outputTokens: (this.#sum?.outputTokens ?? 0) + usage.outputTokens,
      cachedInputTokens: (this.#sum?.cachedInputTokens ?? 0) + (usage.cachedInputTokens ?? 0),
      cacheWriteTokens: (this.#sum?.cacheWriteTokens ?? 0) + (usage.cacheWriteTokens ?? 0),
    };
  }
}
