/** Reads durations as config and settings write them (`'500ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`) into milliseconds. */

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

export type Duration = `${number}${Unit}`;

/** Undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (!match) return undefined;
  return Math.round(Number(match[1]) * unitMs[match[2] as Unit]);
}
