/** A quota as serving counts it: one number for the limit, one shape for each sort of window. */
import type { Window } from '../quota/store.ts';
import { countedLimit, formerOf, localLimitOf, scopeOf, windowOf } from '../quota-terms.ts';
import type { QuotaSnapshot, QuotaWindowSnapshot } from '../snapshot-quotas.ts';
import type { LiveQuota } from './live.ts';

function countedWindow(window: QuotaWindowSnapshot | undefined): Window {
  if (window === undefined) return { kind: 'none' };
  if (typeof window === 'number') return { kind: 'fixed', ms: window };
  if ('sliding' in window) return { kind: 'sliding', ms: window.sliding };
  return { kind: 'calendar', unit: window.calendar, zone: window.zone };
}

export function liveQuota(name: string, quota: QuotaSnapshot): LiveQuota {
  const { unit, endUserHeader, downgrade, warnAt, mode } = quota;
  const [limit, window, scope] = [countedLimit(quota), countedWindow(windowOf(quota)), scopeOf(quota)];
  const slack = Math.floor(limit * (quota.slack ?? 0));
  const onStoreDown = typeof quota.onStoreDown === 'string' ? quota.onStoreDown : 'local';
  const localLimit = localLimitOf(quota);
  const former = formerOf(name, quota);
  const was = former && { name: former.name, window: countedWindow(former.window) };
  const counted = { name, unit, limit, window, slack, scope, endUserHeader, was };
  return { ...counted, downgrade, warnAt, mode, onStoreDown, localLimit };
}
