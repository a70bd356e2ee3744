/** Milliseconds as people write them. */

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
] as const;

/** As a configuration writes it, such as `1h`. */
export function durationText(ms: number): string {
  const [word, size] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['millisecond', 1];
  return `${ms / size}${word === 'millisecond' ? 'ms' : word.charAt(0)}`;
}

/** In the largest unit that gives a whole number. */
export function durationInWords(ms: number): string {
  const [word, size] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['millisecond', 1];
  const count = ms / size;
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
