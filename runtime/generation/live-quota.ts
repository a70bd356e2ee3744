/** A quota as serving counts it: one number for the limit, one shape for each sort of window. */
import type { Window } from '../quota/store.ts';
import { countedLimit, windowOf, type QuotaSnapshot } from '../snapshot-quotas.ts';
import type { LiveQuota } from './live.ts';

export function countedWindow(quota: QuotaSnapshot): Window {
  const window = windowOf(quota);
  if (window === undefined) return { kind: 'none' };
  if (typeof window === 'number') return { kind: 'fixed', ms: window };
  if ('sliding' in window) return { kind: 'sliding', ms: window.sliding };
  return { kind: 'calendar', unit: window.calendar, zone: window.zone };
}

export function liveQuota(name: string, quota: QuotaSnapshot): LiveQuota {
  const { unit, scope, warnAt, mode, onStoreDown } = quota;
  const [limit, window] = [countedLimit(quota), countedWindow(quota)];
  return { name, unit, limit, window, scope, warnAt, mode, onStoreDown };
}
