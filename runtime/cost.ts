/** What tokens cost, exactly: prices are texts in USD for a million tokens, and no float touches them before metrics do. */
import { searchDepths, type Usage } from './call.ts';
import { fullRates, ratesFor, type Prices, type Rates } from './prices.ts';

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

type Share = readonly [sort: keyof Rates, tokens: number];

/** Each token once: takes from `total` what it is asked for, as long as there is any, and leaves the rest. */
function sharing(total: number) {
  let left = total;
  return {
    take: (wanted: number): number => {
      const taken = Math.max(0, Math.min(wanted, left));
      left -= taken;
      return taken;
    },
    rest: () => left,
  };
}

/** Vendors report what was read from and written to their caches, and what is sound or image, as parts of the input. */
function inputShares(usage: Usage): readonly Share[] {
  const { take, rest } = sharing(usage.inputTokens);
  const { cachedInputTokens: cached = 0, cacheWriteTokens: written = 0 } = usage;
  const cachedAudio = take(Math.min(usage.cachedAudioInputTokens ?? 0, cached));
  const cachedImage = take(Math.min(usage.cachedImageInputTokens ?? 0, cached - cachedAudio));
  const cachedText = take(cached - cachedAudio - cachedImage);
  const hour = take(Math.min(usage.cacheWriteHourTokens ?? 0, written));
  const shares: Share[] = [
    ['cachedAudioInput', cachedAudio],
    ['cachedImageInput', cachedImage],
    ['cachedInput', cachedText],
    ['cacheWriteHour', hour],
    ['cacheWrite', take(written - hour)],
    ['audioInput', take((usage.audioInputTokens ?? 0) - cachedAudio)],
    ['imageInput', take((usage.imageInputTokens ?? 0) - cachedImage)],
  ];
  return [...shares, ['input', rest()]];
}

function outputShares(usage: Usage): readonly Share[] {
  const { take, rest } = sharing(usage.outputTokens);
  const shares: Share[] = [
    ['audioOutput', take(usage.audioOutputTokens ?? 0)],
    ['imageOutput', take(usage.imageOutputTokens ?? 0)],
    ['reasoning', take(usage.reasoningTokens ?? 0)],
  ];
  return [...shares, ['output', rest()]];
}

const beside = (usd: string | undefined, count: number): bigint =>
  usd === undefined ? 0n : BigInt(count) * unitsOf(usd, places);

/** The fee of one search; where nobody told how deep it went, that of the shallowest, which is what vendors take unless told. */
const searchFee = ({ search }: Prices, { searchDepth = 'low' }: Pick<Usage, 'searchDepth'>): string | undefined =>
  typeof search === 'object' ? search[searchDepth] : search;

export function costOf(usage: Usage, prices: Prices): Money {
  const rates = fullRates(ratesFor(usage.inputTokens, prices));
  const citations: Share = ['citations', usage.citationTokens ?? 0];
  const units = [...inputShares(usage), ...outputShares(usage), citations].reduce(
    // A price for a million tokens in units of its own last decimal is one for a token in units of the cost.
    (sum, [sort, tokens]) => (tokens === 0 ? sum : sum + BigInt(tokens) * unitsOf(rates[sort], places - 6)),
    beside(prices.request, 1) + beside(searchFee(prices, usage), usage.searches ?? 0),
  );
  return { units };
}

/** What the input of a call may consist of. */
const ofText = ['input', 'cachedInput', 'cacheWrite', 'cacheWriteHour'] as const;
const ofAnything = [...ofText, 'audioInput', 'cachedAudioInput', 'imageInput', 'cachedImageInput'] as const;
const ofAnswers = ['output', 'reasoning', 'audioOutput', 'imageOutput'] as const;

const most = (amounts: readonly bigint[]): bigint => amounts.reduce((one, other) => (other > one ? other : one), 0n);

interface Asked {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Nothing but text goes in. */
  readonly isText?: boolean;
}

/**
 * The most that so many tokens can cost: at the dearest of their prices, because nobody knows yet what is in a cache, or what an
 * answer will be made of, and at those for long calls where so much input is one. Searches of which nobody knows are not in it.
 */
export function mostItCosts({ inputTokens, outputTokens, isText = true }: Asked, prices: Prices): Money {
  const applicable = [prices, ...(prices.long ?? []).filter(({ above }) => inputTokens > above)];
  const dearest = (sorts: readonly (keyof Rates)[]): bigint =>
    most(
      applicable.flatMap((tier) => {
        const rates = fullRates({ ...prices, ...tier });
        return sorts.map((sort) => unitsOf(rates[sort], places - 6));
      }),
    );
  const { search } = prices;
  // A fee that goes by depth is one for every call.
  const fee = typeof search === 'object' ? most(searchDepths.map((depth) => beside(search[depth], 1))) : 0n;
  const input = BigInt(inputTokens) * dearest(isText ? ofText : ofAnything);
  return { units: input + BigInt(outputTokens) * dearest(ofAnswers) + beside(prices.request, 1) + fee };
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
