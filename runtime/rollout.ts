/** How a revision says that it is to reach consumers: in steps, each with a share of them and a time. */
import { z } from 'zod';
import { duration } from './duration.ts';

const stage = z.strictObject({
  /** Of the consumers, the part that is served by the new revision. */
  share: z.number().gt(0, 'must be more than 0').lt(1, 'must be less than 1: it serves everyone after the last stage'),
  for: duration(z, 1_000, 7 * 86_400_000),
});

export type Stage = z.output<typeof stage>;

const mostStages = 10;

const stages = z
  .array(stage)
  .min(1)
  .check(({ value, issues }) => {
    for (const [index, { share }] of value.entries()) {
      const before = value[index - 1]?.share ?? 0;
      if (share > before) continue;
      const message = `must be more than ${before}, the share of the stage before`;
      issues.push({ code: 'custom', path: [index, 'share'], input: share, message });
    }
  });

export const rolloutSchema = z.strictObject({
  // Counted before they are looked at: a list of a million wrong stages would make a million complaints.
  stages: z
    .custom<z.input<typeof stages>>(
      (value) => Array.isArray(value) && value.length <= mostStages,
      `must be a list of at most ${mostStages} stages`,
    )
    .meta({ type: 'array', maxItems: mostStages })
    .pipe(stages),
});
