/** Names that somebody who wrote another one may have meant. */

/** Edits between two names, where swapping neighbours is one. */
function distance(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      next.push(swapped ? Math.min(edits, (before[j - 2] ?? 0) + 1) : edits);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

const most = 3;
/** Longer ones are compared by their beginning: the work grows with the square. */
const longest = 200;

/** The nearest of `names` first; none that has little in common with `name`. */
export function near(name: string, names: readonly string[]): readonly string[] {
  const wanted = name.slice(0, longest).toLowerCase();
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((each) => ({ each, edits: distance(wanted, each.slice(0, longest).toLowerCase()) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits || (a.each < b.each ? -1 : 1))
    .slice(0, most)
    .map(({ each }) => each);
}
