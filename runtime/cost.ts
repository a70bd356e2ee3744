/** What tokens cost, exactly: prices are texts in USD for a million tokens, and no float touches them before metrics do. */
import type { Usage } from './call.ts';
import type { Prices } from './providers/provider.ts';

/** Decimals that a price may have, and those that dividing it by a million adds. */
const places = 12 + 6;

/** A non-negative decimal text as a whole number of units of which `decimals` make one. Further digits are cut off. */
function unitsOf(text: string, decimals: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
}

/** USD with all its digits. */
export interface Money {
  /** USD times 10 to the 18th. */
  readonly units: bigint;
}

export const noMoney: Money = { units: 0n };

/** Vendors that bill prompt caches report what was read from and written to them as parts of the input. */
export function costOf(usage: Usage, prices: Prices): Money {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens);
  const written = Math.min(usage.cacheWriteTokens ?? 0, usage.inputTokens - cached);
  const parts = [
    [usage.inputTokens - cached - written, prices.input],
    [cached, prices.cachedInput ?? prices.input],
    [written, prices.cacheWrite ?? prices.input],
    [usage.outputTokens, prices.output],
  ] as const;
  // A price for a million tokens in units of its own last decimal is one for a token in units of the cost.
  return { units: parts.reduce((sum, [tokens, price]) => sum + BigInt(tokens) * unitsOf(price, places - 6), 0n) };
}

/** The most that so many tokens can cost: the input at the dearest of its prices, because nobody knows yet what is in a cache. */
export function mostItCosts({ inputTokens, outputTokens }: Usage, prices: Prices): Money {
  const all = { inputTokens, outputTokens };
  const candidates = [
    costOf(all, prices),
    costOf({ ...all, cachedInputTokens: inputTokens }, prices),
    costOf({ ...all, cacheWriteTokens: inputTokens }, prices),
  ];
  return candidates.reduce((most, each) => (each.units > most.units ? each : most));
}

export const plus = (one: Money, other: Money): Money => ({ units: one.units + other.units });

/** What quotas count money in: a double holds a million USD of it exactly. */
export const nanoPerUsd = 1_000_000_000;
const unitsPerNano = 10n ** BigInt(places - 9);

/** Rounded up, so that a limit is never passed by what was rounded away. */
export const nanoUsd = ({ units }: Money): number => Number((units + unitsPerNano - 1n) / unitsPerNano);

/** USD as a decimal text such as `0.00123`, without trailing zeros. */
export function usdText({ units }: Money): string {
  const digits = units.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return digits.slice(0, -places) + (fraction && `.${fraction}`);
}

/** For metrics, which know nothing else. */
export const usdNumber = ({ units }: Money): number => Number(units) / 10 ** places;

/** A decimal text of USD, of at most nine decimals, in what quotas count. */
export const nanoOf = (usd: string): number => Number(unitsOf(usd, 9));

/** The way back, as people write money: with cents at least. */
export function usdOfNano(nano: number): string {
  const digits = BigInt(Math.round(nano)).toString().padStart(10, '0');
  const cents = digits.slice(-9).replace(/0+$/, '').padEnd(2, '0');
  return `${digits.slice(0, -9)}.${cents}`;
}
