/** Draws that can be repeated: the same seed gives the same actions in the same order, though not at the same moments. */

export interface Draws {
  /** From 0 up to, not including, 1. */
  random(): number;
  between(least: number, most: number): number;
  oneOf<Item>(items: readonly Item[]): Item;
  /** One of the keys, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
}

/** `mulberry32`: small, and good enough to choose from a list. */
export function drawsFrom(seed: number): Draws {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const oneOf = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('there is nothing to draw from');
    return item;
  };
  return {
    random,
    between: (least, most) => least + random() * (most - least),
    oneOf,
    weighted(weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        left -= weight;
        if (left < 0) return name;
      }
      return oneOf(entries)[0];
    },
  };
}
