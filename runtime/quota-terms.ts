/** What the words of a quota mean, for those who count as for those who judge what was written. */
import { nanoOf } from './cost.ts';

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

interface Scoped {
  readonly scope: 'gateway' | QuotaScope | readonly QuotaScope[];
}

interface Limited {
  /** Money is text. */
  readonly limit: number | string;
}

interface Local {
  readonly onStoreDown: string | { readonly local: { readonly replicas: number } };
}

/** In the order of keys; none for the gateway's own. */
export function scopeOf({ scope }: Scoped): readonly QuotaScope[] {
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
export const countsAt = ({ scope }: Scoped, sort: 'model' | 'route' | 'files'): boolean =>
  scopeOf({ scope }).every((name) =>
    sort === 'model' ? name !== 'route' : sort === 'route' ? !ofModels.has(name) : name !== 'route' && name !== 'model',
  );

/** The limit as it is counted: money in billionths of a dollar. */
export const countedLimit = ({ limit }: Limited): number => (typeof limit === 'string' ? nanoOf(limit) : limit);

/** What each replica may let through by itself while the store is away. */
export function localLimitOf({ limit, onStoreDown }: Limited & Local): number {
  const replicas = typeof onStoreDown === 'object' ? onStoreDown.local.replicas : 1;
  return Math.floor(countedLimit({ limit }) / replicas);
}

/** Undefined for what is counted in flight. */
export const windowOf = <Window>(quota: { readonly unit: string; readonly window?: Window }): Window | undefined =>
  quota.window;

interface Following<Window> {
  readonly unit: string;
  readonly window?: Window;
  /** A name, or a name and a window where either is another. */
  readonly was?: string | { readonly name?: string | undefined; readonly window: Window } | undefined;
}

/** Which count it goes on from; undefined where none is declared. */
export function formerOf<Window>(
  name: string,
  quota: Following<Window>,
): { readonly name: string; readonly window: Window | undefined } | undefined {
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
