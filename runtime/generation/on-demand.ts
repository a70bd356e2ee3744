/** Live objects by name, each made when it is first asked for: of ten thousand routes most see no request under a revision. */
import type { Pace } from '../pace.ts';
import type { Packed } from '../packed.ts';

export interface Directory<Value> {
  readonly size: number;
  has(name: string): boolean;
  get(name: string): Value | undefined;
  keys(): Iterable<string>;
}

/** Where each name of a collection stands in it. */
export async function positionsOf(
  collection: Packed<unknown>,
  pace: Pace,
  positions = new Map<string, number>(),
): Promise<Map<string, number>> {
  await pace.each(collection.names(), (name) => positions.set(name, positions.size));
  return positions;
}

/** `positions` may lead several names to one object. */
export class OnDemand<Value> implements Directory<Value> {
  readonly #positions: ReadonlyMap<string, number>;
  readonly #make: (position: number) => Value;
  readonly #mostKept: number;
  readonly #made = new Map<number, Value>();

  /** Above `mostKept`, what was made is forgotten and made again when it is asked for. */
  constructor(positions: ReadonlyMap<string, number>, make: (position: number) => Value, mostKept = Infinity) {
    this.#positions = positions;
    this.#make = make;
    this.#mostKept = mostKept;
  }

  get size(): number {
    return this.#positions.size;
  }

  has(name: string): boolean {
    return this.#positions.has(name);
  }

  keys(): Iterable<string> {
    return this.#positions.keys();
  }

  get(name: string): Value | undefined {
    const position = this.#positions.get(name);
    if (position === undefined) return undefined;
    const made = this.#made.get(position);
    if (made !== undefined) return made;
    const value = this.#make(position);
    if (this.#made.size >= this.#mostKept) this.#made.clear();
    this.#made.set(position, value);
    return value;
  }
}
