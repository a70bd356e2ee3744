/**
 * What declarations were compiled to: where they are the same objects as last time (`load/load.ts`), and so is everything
 * that was read for them, the value is the same object too, and what was found out about it holds on.
 */
import type { LoadedDeclaration } from '../load/document.ts';

interface Known {
  readonly index: number;
  readonly value: unknown;
  readonly read: ReadonlyMap<number, LoadedDeclaration | undefined>;
}

// Of the process: forgotten with the declaration.
const compiled = new WeakMap<LoadedDeclaration, Known>();

export class CompiledBefore {
  readonly #declarations: readonly LoadedDeclaration[];
  readonly #problems: readonly unknown[];
  /** For the one that is compiled now. */
  #read = new Map<number, LoadedDeclaration | undefined>();

  /** `problems` grows where compiling finds one: that is told anew each time. */
  constructor(declarations: readonly LoadedDeclaration[], problems: readonly unknown[]) {
    this.#declarations = declarations;
    this.#problems = problems;
  }

  /** Another declaration that the one at hand refers to. */
  read(index: number): LoadedDeclaration | undefined {
    const declaration = this.#declarations[index];
    this.#read.set(index, declaration);
    return declaration;
  }

  compile(index: number, make: (declaration: LoadedDeclaration) => unknown): unknown {
    const declaration = this.#declarations[index];
    if (!declaration) return undefined;
    const known = compiled.get(declaration);
    if (known?.index === index && this.#stands(known.read)) return known.value;
    this.#read = new Map();
    const { length } = this.#problems;
    const value = make(declaration);
    if (this.#problems.length === length) compiled.set(declaration, { index, value, read: this.#read });
    return value;
  }

  #stands(read: Known['read']): boolean {
    for (const [index, declaration] of read) if (this.#declarations[index] !== declaration) return false;
    return true;
  }
}
