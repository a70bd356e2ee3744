/** Limits in the words of a plan, and how much more or less one lets through than another. */
import {
  countedLimit,
  isCoveredBy,
  scopeOf,
  usdText,
  windowOf,
  type Money,
  type QuotaScope,
  type QuotaSnapshot,
} from '@headgate/runtime/snapshot';
import { lengthOf } from '../quota-windows.ts';
import { grouped, say, type Phrase, type Risk } from './change.ts';
import { durationInWords } from './duration-words.ts';

const eachOf: Readonly<Record<QuotaScope, string>> = {
  organisation: 'organisation',
  team: 'team',
  consumer: 'consumer',
  key: 'key',
  endUser: 'end user',
  address: 'address',
  route: 'route',
  model: 'model',
  provider: 'provider',
  tag: 'tag',
};

export function whose(quota: Pick<QuotaSnapshot, 'scope' | 'endUserHeader'>): string {
  const names = scopeOf(quota).map((name) =>
    name === 'endUser' && quota.endUserHeader !== undefined
      ? `${eachOf[name]} (header ${quota.endUserHeader})`
      : eachOf[name],
  );
  return names.length === 0 ? 'for all consumers together' : `for each ${names.join(' and ')}`;
}

const isWithin = (after: QuotaSnapshot, before: QuotaSnapshot): boolean =>
  scopeOf(after).every((name) => isCoveredBy(name, scopeOf(before)));

/** Whether more counts than before stand beside each other, each with the whole limit; also where that is not known. */
export const countsApart = (before: QuotaSnapshot, after: QuotaSnapshot): boolean =>
  !isWithin(after, before) || before.endUserHeader !== after.endUserHeader;

const units = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  tokens: 'tokens',
  concurrency: 'requests at once',
} as const;

/** As people write money: at least cents. */
export const dollars = (limit: string): string => {
  const [whole = '', fraction = ''] = limit.split('.');
  return `$${grouped(Number(whole))}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`;
};

export const moneyInWords = (money: Money): string => dollars(usdText(money));

const shortDuration = (ms: number): string => durationInWords(ms).replace(/^1 /, '');

function windowInWords(quota: QuotaSnapshot): Phrase {
  const window = windowOf(quota);
  if (window === undefined) return [];
  if (typeof window === 'number') return [` per ${shortDuration(window)}`];
  if ('sliding' in window) return [` within any ${shortDuration(window.sliding)}`];
  return say` per calendar ${[window.calendar]} (${window.zone})`;
}

export const unitInWords = ({ unit }: Pick<QuotaSnapshot, 'unit'>): string => (unit === 'usd' ? 'money' : units[unit]);

/** How much of it, without a window. */
export const muchInWords = (quota: QuotaSnapshot): string =>
  quota.unit === 'usd' ? dollars(quota.limit) : `${grouped(quota.limit)} ${units[quota.unit]}`;

export const limitInWords = (quota: QuotaSnapshot): Phrase => [muchInWords(quota), ...windowInWords(quota)];

export const quotaInWords = (quota: QuotaSnapshot): Phrase =>
  say`${limitInWords(quota)} ${[whose(quota)]}${quota.mode === 'soft' ? [', as a warning only'] : []}`;

export interface Growth {
  readonly looser: boolean;
  readonly risk: Risk;
  readonly words: Phrase;
}

/** From this factor on it is another order of size, and most likely a slip. */
const steep = 10n;

/** How much more is allowed per time than before, as an exact fraction where lengths are exact. */
export function growth(before: QuotaSnapshot, after: QuotaSnapshot): Growth {
  if (before.unit !== after.unit) return { looser: true, risk: 'high', words: ['counted in another unit'] };
  const [was, is] = [lengthOf(before)?.usual ?? 1, lengthOf(after)?.usual ?? 1];
  const now = BigInt(countedLimit(after)) * BigInt(was);
  const old = BigInt(countedLimit(before)) * BigInt(is);
  const same = now === old;
  const factor = now > old ? Number(now) / Number(old) : Number(old) / Number(now);
  return {
    // At the same rate, a longer window lets more through at once.
    looser: now > old || (same && is > was),
    risk: now >= steep * old || old >= steep * now ? 'high' : 'medium',
    words: same
      ? [is === was ? 'the same rate' : 'the same rate, in other portions']
      : [`${now > old ? '×' : '÷'}${Number(factor.toPrecision(3))}`],
  };
}

/** Whether limit, unit and window are the same. */
export const sameLimit = (one: QuotaSnapshot, other: QuotaSnapshot): boolean =>
  one.unit === other.unit &&
  countedLimit(one) === countedLimit(other) &&
  JSON.stringify(windowOf(one)) === JSON.stringify(windowOf(other));
