/** The part of the snapshot's schema that limits are made of: what is counted, how much of it, and over which time. */
import { z } from 'zod';
import { nanoOf } from './cost.ts';
import { duration } from './duration.ts';
import { countedLimit, localLimitOf, quotaScopes, scopeOf, windowOf } from './quota-terms.ts';
import { modelName, objectName } from './snapshot-names.ts';

export const calendarUnits = ['day', 'week', 'month', 'year'] as const;

const mostDays = 31;
const length = duration(z, 1_000, mostDays * 86_400_000);

const otherWindows = "a window can also be { sliding: '1h' } or { calendar: 'month', zone: 'Europe/Berlin' }";
const asObject = { error: ({ code }: { code?: string }) => (code === 'invalid_type' ? otherWindows : undefined) };

const window = z.union([
  /** Windows of one length after the other, from the Unix epoch on. */
  length,
  /** The last so much time. */
  z.strictObject({ sliding: length }, asObject),
  z.strictObject(
    {
      calendar: z.enum(calendarUnits),
      /** IANA name of the time zone in which days begin. */
      zone: z
        .string()
        .regex(/^[A-Za-z][\w+-]*(\/[\w+-]+)*$/, "write a time zone such as 'Europe/Berlin'")
        .max(64)
        .default('UTC'),
    },
    asObject,
  ),
]);

const headerName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'write the name of a header in lower case');

const shared = {
  /** `gateway`: one count for all. Otherwise each of these has its own, and of several each combination. */
  scope: z
    .union([
      z.enum(['gateway', ...quotaScopes]),
      z
        .array(z.enum(quotaScopes))
        .min(1)
        .max(4)
        .refine((names) => new Set(names).size === names.length, 'name each once'),
    ])
    .default('consumer'),
  /** Which header names the end user; without it the body does, where its API has a field for that. */
  endUserHeader: headerName.optional(),
  /** Beyond this share of the limit, calls go to a cheaper model. */
  downgrade: z.strictObject({ at: z.number().gt(0).max(1), to: modelName }).optional(),
  /** Share of the limit by which replicas that share a Redis may exceed it together, so that each can count for itself. */
  slack: z.number().gt(0).max(1).optional(),
  /** Share of the limit beyond which answers carry a warning. */
  warnAt: z.number().gt(0).max(1).optional(),
  /** `soft`: counts and warns, and refuses nothing. */
  mode: z.enum(['hard', 'soft']).default('hard'),
  /**
   * When the store does not answer: `closed` refuses with 503, `open` serves uncounted, `local` has each replica count by itself up to
   * the limit, or to the share of it that each of so many replicas has.
   */
  onStoreDown: z
    .union([
      z.enum(['closed', 'open', 'local']),
      z.strictObject({ local: z.strictObject({ replicas: z.int().min(2).max(1_000) }) }),
    ])
    .default('closed'),
};

/** The quota that it was, or was split off: what that one has counted is where it begins. With a window where that was another. */
const former = { was: z.union([objectName, z.strictObject({ name: objectName.optional(), window })]).optional() };

const mostUsd = 1_000_000;

const moneyWords = "write USD as text, such as '250.00', with at most nine decimals";

const tooMuchMoney = `write at most '${mostUsd}': up to there money is counted exactly, in billionths of a dollar`;

/** What is money but for its size is told of its size. */
const wrongMoney = ({ input }: { readonly input?: unknown }): string => {
  if (typeof input === 'string' && /^-\d+(\.\d+)?$/.test(input)) return "write more than '0'";
  if (typeof input === 'string' && /^\d{15,}(\.\d{1,9})?$/.test(input)) return tooMuchMoney;
  return moneyWords;
};

const money = z
  .string()
  .regex(/^(0|[1-9]\d{0,13})(\.\d{1,9})?$/, { error: wrongMoney, abort: true })
  .refine((text) => nanoOf(text) > 0, "write more than '0'")
  .refine((text) => nanoOf(text) <= nanoOf(String(mostUsd)), tooMuchMoney);

/** A whole number within what is counted exactly, with the reason where it is more. */
function count(most: number, why: string) {
  const tooMuch = `must be at most ${most.toLocaleString('en-US')}: ${why}`;
  const error = ({ code }: { code?: string }) =>
    code === 'too_big' ? tooMuch : code === 'invalid_type' ? 'write a whole number' : undefined;
  return z.int({ error, abort: true }).min(1).max(most, tooMuch);
}

const countOfUnits = count(
  1_000_000_000_000,
  'up to there counts stay exact in every store. Where nothing is to be limited, leave the quota out',
);
const countAtOnce = count(1_000_000, 'no gateway has more requests open at once');

const anyQuota = z.discriminatedUnion('unit', [
  z.strictObject({
    unit: z.enum(['requests', 'inputTokens', 'outputTokens', 'tokens']),
    limit: countOfUnits,
    window,
    ...shared,
    ...former,
  }),
  /** In US dollars. */
  z.strictObject({ unit: z.literal('usd'), limit: money, window, ...shared, ...former }),
  /** Requests that are being answered at once: what has ended counts no more, so that there is no window. */
  z.strictObject({ unit: z.literal('concurrency'), limit: countAtOnce, ...shared, was: objectName.optional() }),
]);

/** What means nothing beside the rest is refused: it reads as if it did something. */
export const quota = anyQuota.superRefine((value, context) => {
  const wrong = (key: 'slack' | 'endUserHeader' | 'onStoreDown', message: string) =>
    context.addIssue({ code: 'custom', path: [key], message, input: value });
  const window = windowOf(value);
  if (value.slack !== undefined && (window === undefined || (typeof window === 'object' && 'sliding' in window)))
    wrong('slack', "leave it out: only windows such as '1h' and those of the calendar can have slack");
  if (value.endUserHeader !== undefined && !scopeOf(value).includes('endUser'))
    wrong('endUserHeader', "leave it out, or write 'endUser' into scope");
  // A limit of nothing is told where it stands.
  if (localLimitOf(value) < 1 && countedLimit(value) >= 1)
    wrong('onStoreDown', "the share of each replica would be nothing: name fewer replicas, or write 'local'");
});

export type QuotaSnapshot = z.output<typeof anyQuota>;
export type QuotaWindowSnapshot = z.output<typeof window>;
export type { QuotaScope, QuotaUnit } from './quota-terms.ts';
