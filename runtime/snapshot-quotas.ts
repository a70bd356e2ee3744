/** The part of the snapshot's schema that limits are made of: what is counted, how much of it, and over which time. */
import { z } from 'zod';
import { nanoOf } from './cost.ts';
import { duration } from './duration.ts';
import { modelName, objectName } from './snapshot-names.ts';

/** Of tokens and money only calls of models make use; requests and what is in flight are counted at routes too. */
export const quotaUnits = ['requests', 'inputTokens', 'outputTokens', 'tokens', 'usd', 'concurrency'] as const;
export type QuotaUnit = (typeof quotaUnits)[number];

/** Whose count it may be, in the order in which keys name them. */
export const quotaScopes = [
  'organisation',
  'team',
  'consumer',
  'key',
  'endUser',
  'address',
  'route',
  'model',
  'provider',
  'tag',
] as const;
export type QuotaScope = (typeof quotaScopes)[number];

export const calendarUnits = ['day', 'week', 'month', 'year'] as const;

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

const money = z
  .string()
  .regex(/^(0|[1-9]\d{0,13})(\.\d{1,9})?$/, {
    error: "write USD as text, such as '250.00', with at most nine decimals",
    abort: true,
  })
  .refine((text) => nanoOf(text) > 0, "write more than '0'")
  .refine(
    (text) => nanoOf(text) <= nanoOf(String(mostUsd)),
    `write at most '${mostUsd}': up to there money is counted exactly, in billionths of a dollar`,
  );

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

/** In the order of keys; none for the gateway's own. */
export function scopeOf({ scope }: Pick<QuotaSnapshot, 'scope'>): readonly QuotaScope[] {
  if (scope === 'gateway') return [];
  return typeof scope === 'string' ? [scope] : quotaScopes.filter((name) => scope.includes(name));
}

/** From the widest to the narrowest: whose requests are all those of one in each before it. */
const levels: readonly QuotaScope[] = ['organisation', 'team', 'consumer', 'key'];

/** Whether all requests of one count by `names` are requests of one by `name`. */
export const isCoveredBy = (name: QuotaScope, names: readonly QuotaScope[]): boolean =>
  names.includes(name) ||
  (levels.includes(name) && names.some((other) => levels.indexOf(other) > levels.indexOf(name)));

/** What is counted by model or provider, or not at all: routes and files have none. */
const ofModels: ReadonlySet<QuotaScope> = new Set(['model', 'provider']);

/** Whether requests for what is no model draw from it. */
export const countsAt = ({ scope }: Pick<QuotaSnapshot, 'scope'>, sort: 'model' | 'route' | 'files'): boolean =>
  scopeOf({ scope }).every((name) =>
    sort === 'model' ? name !== 'route' : sort === 'route' ? !ofModels.has(name) : name !== 'route' && name !== 'model',
  );

/** The limit as it is counted: money in billionths of a dollar. */
export const countedLimit = ({ limit }: Pick<QuotaSnapshot, 'limit'>): number =>
  typeof limit === 'string' ? nanoOf(limit) : limit;

/** What each replica may let through by itself while the store is away. */
export function localLimitOf({ limit, onStoreDown }: Pick<QuotaSnapshot, 'limit' | 'onStoreDown'>): number {
  const replicas = typeof onStoreDown === 'object' ? onStoreDown.local.replicas : 1;
  return Math.floor(countedLimit({ limit }) / replicas);
}

/** Undefined for what is counted in flight. */
export const windowOf = (quota: QuotaSnapshot): QuotaWindowSnapshot | undefined =>
  quota.unit === 'concurrency' ? undefined : quota.window;

/** Which count it goes on from; undefined where none is declared. */
export function formerOf(
  name: string,
  quota: QuotaSnapshot,
): { readonly name: string; readonly window: QuotaWindowSnapshot | undefined } | undefined {
  if (quota.was === undefined) return undefined;
  if (typeof quota.was === 'string') return { name: quota.was, window: windowOf(quota) };
  return { name: quota.was.name ?? name, window: quota.was.window };
}

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
