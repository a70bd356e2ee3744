/** Quotas: limits that can be reached, in windows that begin when their readers think. */
import {
  countedLimit,
  isCoveredBy,
  scopeOf,
  snapshotSchema,
  windowOf,
  type ConsumerSnapshot,
  type QuotaSnapshot,
} from '@headgate/runtime/snapshot';
import { mostTouched } from '../quota-windows.ts';
import { allSound, oncePerProject, problemAt, served } from './rule.ts';
import type { CompiledObject, Problem, Project, Rule, Served } from './rule.ts';

const dayMs = 86_400_000;

/** What serving reads of the quotas: compiled objects hold what their author wrote. */
export const limitsOf = oncePerProject((project): readonly Served<QuotaSnapshot>[] =>
  served(project, 'quota').flatMap(({ object }) => {
    const value = snapshotSchema.shape.quotas.parse({ [object.id]: object.value })[object.id];
    return value ? [{ object, value }] : [];
  }),
);

export const driftingWindows: Rule = (project) =>
  limitsOf(project).flatMap(({ object, value }): Problem[] => {
    const ms = windowOf(value);
    if (typeof ms !== 'number') return [];
    const days = ms / dayMs;
    const month = days >= 28 && days <= 31;
    if (!month && (ms < dayMs ? dayMs % ms === 0 : ms % dayMs === 0)) return [];
    const what = month ? 'is counted from 1 January 1970 and is no calendar month' : 'begins at another time each day';
    const message = `quota '${object.id}': a window of ${windowAsWritten(object)} ${what}`;
    return problemAt(project, { object, path: ['window'] }, { code: 'quota_window_drifts', message });
  });

function windowAsWritten({ value }: CompiledObject): string {
  const { window } = value as { readonly window?: unknown };
  return typeof window === 'string' ? window : JSON.stringify(window ?? '');
}

/** Tokens of both sorts together are at least as many as those of one. */
const countsWith = (quota: QuotaSnapshot, other: QuotaSnapshot): boolean =>
  other.unit === quota.unit ||
  (other.unit === 'tokens' && (quota.unit === 'inputTokens' || quota.unit === 'outputTokens'));

/** Whether `quota` cannot be the first to refuse where `other` counts every request that it counts. */
const isCovered = (quota: QuotaSnapshot, other: QuotaSnapshot): boolean =>
  quota.mode === 'hard' &&
  other.mode === 'hard' &&
  countsWith(quota, other) &&
  scopeOf(other).every((name) => isCoveredBy(name, scopeOf(quota))) &&
  (other.endUserHeader === quota.endUserHeader || !scopeOf(other).includes('endUser')) &&
  countedLimit(other) * mostTouched(other, quota) <= countedLimit(quota);

/** For each quota, the names of those that every request which draws from it draws from as well. */
function companions(project: Project): ReadonlyMap<string, ReadonlySet<string>> {
  const consumers = served<ConsumerSnapshot>(project, 'consumer');
  const everyones = (consumers[0]?.value.quotas ?? []).filter((name) =>
    consumers.every(({ value }) => value.quotas?.includes(name)),
  );
  const found = new Map<string, ReadonlySet<string>>();
  for (const sort of ['model', 'route', 'consumer'] as const)
    for (const { value } of served<{ quotas?: readonly string[] }>(project, sort)) {
      const here = new Set([...(value.quotas ?? []), ...everyones]);
      for (const name of value.quotas ?? [])
        found.set(name, new Set([...(found.get(name) ?? here)].filter((each) => here.has(each))));
    }
  return found;
}

export const idleQuotas: Rule = (project) => {
  if (!allSound(project, 'model', 'route', 'consumer')) return [];
  const quotas = new Map(limitsOf(project).map((quota) => [quota.object.id, quota]));
  const beside = companions(project);
  return [...quotas.values()].flatMap((quota): Problem[] => {
    const tighter = [...(beside.get(quota.object.id) ?? [])]
      .map((name) => quotas.get(name))
      .find((other): other is Served<QuotaSnapshot> => other !== undefined && isBefore(other, quota, beside));
    if (!tighter) return [];
    const { limit, unit } = tighter.value;
    const much = unit === 'usd' ? `$${limit}` : `${limit}`;
    const over = unit === 'concurrency' ? 'at once' : `per ${windowAsWritten(tighter.object)}`;
    const message = `quota '${quota.object.id}' always counts together with '${tighter.object.id}', whose ${much} ${over} are used up first`;
    return problemAt(project, { object: quota.object, path: ['limit'] }, { code: 'quota_never_binds', message });
  });
};

/** Of two that cover each other, the one declared first stays. */
function isBefore(
  other: Served<QuotaSnapshot>,
  quota: Served<QuotaSnapshot>,
  beside: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  if (other === quota || !isCovered(quota.value, other.value)) return false;
  const mutual = isCovered(other.value, quota.value) && beside.get(other.object.id)?.has(quota.object.id) === true;
  return !mutual || other.object.index < quota.object.index;
}
