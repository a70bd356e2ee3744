/** The part of the snapshot's schema that limits are made of: what is counted, how much of it, and over which time. */
import { z } from 'zod';
import { nanoOf } from './cost.ts';
import { duration } from './duration.ts';

/** Of tokens and money only calls of models make use; requests and what is in flight are counted at routes too. */
export const quotaUnits = ['requests', 'inputTokens', 'outputTokens', 'tokens', 'usd', 'concurrency'] as const;
export type QuotaUnit = (typeof quotaUnits)[number];

export const calendarUnits = ['day', 'week', 'month', 'year'] as const;

/** From the widest to the narrowest. */
export const quotaScopes = ['gateway', 'organisation', 'team', 'consumer', 'key'] as const;
export type QuotaScope = (typeof quotaScopes)[number];

const mostDays = 31;
const length = duration(1_000, mostDays * 86_400_000);

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

const shared = {
  /** Whose count it is: `consumer`, each has its own; `gateway`, one for all. Who is in no team or organisation counts alone. */
  scope: z.enum(quotaScopes).default('consumer'),
  /** Share of the limit beyond which answers carry a warning. */
  warnAt: z.number().gt(0).max(1).optional(),
  /** `soft`: counts and warns, and refuses nothing. */
  mode: z.enum(['hard', 'soft']).default('hard'),
  /** When the store does not answer: `closed` refuses with 503, `open` serves uncounted. */
  onStoreDown: z.enum(['closed', 'open']).default('closed'),
};

const mostUsd = 1_000_000;

const money = z
  .string()
  .regex(/^(0|[1-9]\d{0,6})(\.\d{1,9})?$/, {
    error: "write USD as text, such as '250.00', with at most nine decimals",
    abort: true,
  })
  .refine((text) => nanoOf(text) > 0 && nanoOf(text) <= nanoOf(String(mostUsd)), `write above '0', up to '${mostUsd}'`);

export const quota = z.discriminatedUnion('unit', [
  z.strictObject({
    unit: z.enum(['requests', 'inputTokens', 'outputTokens', 'tokens']),
    limit: z.int().min(1).max(1_000_000_000_000),
    window,
    ...shared,
  }),
  /** In US dollars. */
  z.strictObject({ unit: z.literal('usd'), limit: money, window, ...shared }),
  /** Requests that are being answered at once: what has ended counts no more, so that there is no window. */
  z.strictObject({ unit: z.literal('concurrency'), limit: z.int().min(1).max(1_000_000), ...shared }),
]);

export type QuotaSnapshot = z.output<typeof quota>;
export type QuotaWindowSnapshot = z.output<typeof window>;

/** The limit as it is counted: money in billionths of a dollar. */
export const countedLimit = ({ limit }: Pick<QuotaSnapshot, 'limit'>): number =>
  typeof limit === 'string' ? nanoOf(limit) : limit;

/** Undefined for what is counted in flight. */
export const windowOf = (quota: QuotaSnapshot): QuotaWindowSnapshot | undefined =>
  quota.unit === 'concurrency' ? undefined : quota.window;

/** Only calls of models make use of it. */
export const isSpentByModels = (unit: QuotaUnit): boolean => unit !== 'requests' && unit !== 'concurrency';

/** What an answer is taken to have at most, where neither the client nor the facts about a model say. */
export const unstatedOutputTokens = 4_096;

/** Whether the zones of this machine have it. They are those of its JavaScript engine, and grow with it. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
