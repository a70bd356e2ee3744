/** Durations as the snapshot's schema takes them: text within bounds, read into milliseconds. */
import { parseDuration, type Duration } from './parse-duration.ts';
import type { Zod } from './zod.ts';

export { parseDuration, type Duration } from './parse-duration.ts';

/** A duration between two bounds, in milliseconds on the way out. */
export function duration(z: Zod, minMs: number, maxMs: number) {
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
