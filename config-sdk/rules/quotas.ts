/** Quotas: limits that can be reached, in windows that begin when their readers think. */
import { parseDuration } from '@headgate/runtime/duration';
import type { ConsumerSnapshot, QuotaSnapshot } from '@headgate/runtime/snapshot';
import { allSound, problemAt, served, type Problem, type Project, type Rule, type Served } from './rule.ts';

const dayMs = 86_400_000;

export const driftingWindows: Rule = (project) =>
  served<QuotaSnapshot>(project, 'quota').flatMap(({ object, value }): Problem[] => {
    const ms = windowOf(value);
    const days = ms / dayMs;
    const month = days >= 28 && days <= 31;
    if (!month && (ms < dayMs ? dayMs % ms === 0 : ms % dayMs === 0)) return [];
    const what = month ? 'is counted from 1 January 1970 and is no calendar month' : 'begins at another time each day';
    const message = `quota '${object.id}': a window of ${String(value.window)} ${what}`;
    return problemAt(project, { object, path: ['window'] }, { code: 'quota_window_drifts', message });
  });

/** As it was written: compiled objects hold what their author wrote, before the schema reads it. */
const windowOf = ({ window }: QuotaSnapshot): number => parseDuration(String(window)) ?? dayMs;

/** Most that `inner` lets through in one window of `outer`. Windows of both begin at multiples of their length. */
function mostWithin(inner: QuotaSnapshot, outer: QuotaSnapshot): number {
  const [short, long] = [windowOf(inner), windowOf(outer)];
  if (short % long === 0) return inner.limit;
  return inner.limit * (long % short === 0 ? long / short : Math.ceil(long / short) + 1);
}

const scopeOf = ({ scope = 'consumer' }: Partial<QuotaSnapshot>): string => scope;

/** Whether `quota` cannot be the first to refuse where `other` counts every request that it counts. */
const isCovered = (quota: QuotaSnapshot, other: QuotaSnapshot): boolean =>
  (scopeOf(other) === 'gateway' || scopeOf(quota) === 'consumer') && mostWithin(other, quota) <= quota.limit;

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
  const quotas = new Map(served<QuotaSnapshot>(project, 'quota').map((quota) => [quota.object.id, quota]));
  const beside = companions(project);
  return [...quotas.values()].flatMap((quota): Problem[] => {
    const tighter = [...(beside.get(quota.object.id) ?? [])]
      .map((name) => quotas.get(name))
      .find((other): other is Served<QuotaSnapshot> => other !== undefined && isBefore(other, quota, beside));
    if (!tighter) return [];
    const { limit, window } = tighter.value;
    const message = `quota '${quota.object.id}' always counts together with '${tighter.object.id}', whose ${limit} per ${String(window)} are used up first`;
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
