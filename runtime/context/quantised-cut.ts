/**
 * Drops the oldest message groups in large steps, so that the conversation's beginning stays the same for many turns
 * and the vendor's prompt cache keeps its worth; a window that slides each turn would void it each turn.
 */
import type { OutputOf, Zod } from '../zod.ts';
import type { ContextStrategy, Entry, Fitting } from './strategy.ts';

const share = (z: Zod) => z.templateLiteral([z.number(), '%']);
const fraction = (text: string): number => Number(text.slice(0, -1)) / 100;

const options = (z: Zod) =>
  z
    .strictObject({
      /** Input tokens to aim for, or `'window'` for all that the smallest target takes. */
      target: z.union([z.literal('window'), z.int().min(256)]),
      /** Output tokens to leave room for. A larger `max_tokens` in the request wins. */
      reserveOutput: z.int().min(0).default(1_024),
      /** History is cut once it is above this share of the budget. */
      high: share(z).default('100%'),
      /** And is cut down to this share: the distance to `high` is how long a prefix stays unchanged. */
      low: share(z).default('60%'),
      /** Held back because token counts are estimates. */
      margin: share(z).default('10%'),
    })
    .superRefine((value, context) => {
      const [low, high] = [fraction(value.low), fraction(value.high)];
      if (!(low > 0 && low < high))
        context.addIssue({
          code: 'custom',
          path: ['low'],
          message: `low must be above 0% and below high (${value.high})`,
        });
      if (high > 1) context.addIssue({ code: 'custom', path: ['high'], message: 'high must be at most 100%' });
      const margin = fraction(value.margin);
      if (margin < 0 || margin > 2)
        context.addIssue({ code: 'custom', path: ['margin'], message: 'margin must be between 0% and 200%' });
    });

type Options = OutputOf<typeof options>;

function budgetFor(policy: Options, window: number, reserve: number): number {
  const ceiling = policy.target === 'window' ? window - reserve : Math.min(policy.target, window - reserve);
  return Math.floor(ceiling / (1 + fraction(policy.margin)));
}

const sum = (entries: readonly Entry[]): number => entries.reduce((total, { tokens }) => total + tokens, 0);

/** History as whole groups, oldest first. */
function groupsOf(history: readonly Entry[]): Entry[][] {
  const groups = new Map<number, Entry[]>();
  for (const entry of history) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  return [...groups.values()];
}

export const quantisedCut = {
  options,
  budget: (policy, window) => budgetFor(policy, window, policy.reserveOutput),
  fit(entries, room, policy): Fitting {
    const reserve = Math.max(policy.reserveOutput, room.maxOutputTokens ?? 0);
    const limit = Math.min(budgetFor(policy, room.window, reserve), room.most ?? Infinity);
    const pinned = entries.filter((entry) => entry.pinned);
    const history = entries.filter((entry) => !entry.pinned);
    const fixed = sum(pinned) + room.overhead;
    const total = sum(history);
    const high = Math.floor((limit - fixed) * fraction(policy.high));
    if (total <= high) return { fits: true, keep: undefined, tokens: fixed + total };

    const low = Math.floor((limit - fixed) * fraction(policy.low));
    const step = high - low;
    const groups = groupsOf(history);
    const newest = groups.at(-1) ?? [];
    if (step <= 0 || sum(newest) > limit - fixed) return { fits: false, limit, needed: fixed + sum(newest) };

    // The cut sits at a multiple of `step` from the start, not at a distance from the end: appending a message
    // leaves it where it is until the history has grown by a whole step.
    const quota = Math.ceil((total - high) / step) * step;
    let dropped = 0;
    let first = 0;
    while (first < groups.length - 1 && dropped < quota) {
      dropped += sum(groups[first] ?? []);
      first += 1;
    }
    const kept = [...pinned, ...groups.slice(first).flat()];
    const tokens = room.overhead + sum(kept);
    if (tokens > limit) return { fits: false, limit, needed: tokens };
    return { fits: true, keep: kept.map(({ index }) => index).sort((a, b) => a - b), tokens };
  },
} satisfies ContextStrategy<typeof options>;
