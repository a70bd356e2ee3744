/** Durations as config writes them (`'500ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`), read into milliseconds. */
import { z } from 'zod';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

export type Duration = `${number}${Unit}`;

/** Undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (!match) return undefined;
  return Math.round(Number(match[1]) * unitMs[match[2] as Unit]);
}

/** A duration between two bounds, in milliseconds on the way out. */
export function duration(minMs: number, maxMs: number) {
  return z
    .custom<Duration>((value) => typeof value === 'string', "write a duration such as '30s'")
    .meta({ title: 'duration', type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$' })
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
      const problem =
        ms === undefined
          ? `'${text}' is not a duration such as '30s'`
          : `'${text}' is outside ${minMs} ms to ${maxMs} ms`;
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    });
}
