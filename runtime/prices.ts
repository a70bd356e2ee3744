/** What vendors charge for: a price for each sort of token, dearer ones for long calls, fees beside tokens, and days from which others hold. */

import type { SearchDepth } from './call.ts';

/** USD for a million tokens of each sort, as decimal texts: money is never a float. What has no price of its own is charged as what it is a part of. */
export interface Rates {
  readonly input: string;
  /** Input that the vendor had in its prompt cache. */
  readonly cachedInput?: string | undefined;
  /** Input that the vendor puts into its prompt cache. */
  readonly cacheWrite?: string | undefined;
  /** Of that, what it keeps for an hour or longer. */
  readonly cacheWriteHour?: string | undefined;
  readonly audioInput?: string | undefined;
  readonly cachedAudioInput?: string | undefined;
  readonly imageInput?: string | undefined;
  readonly cachedImageInput?: string | undefined;
  readonly output: string;
  readonly reasoning?: string | undefined;
  readonly audioOutput?: string | undefined;
  readonly imageOutput?: string | undefined;
  /** Read of what a search found, where that is no part of the input. */
  readonly citations?: string | undefined;
}

/** Prices of calls with more input than `above` tokens, for all of their tokens: every vendor that has such charges so. */
export type LongRates = Partial<Rates> & { readonly above: number };

export interface Prices extends Rates {
  /** From the shortest to the longest. */
  readonly long?: readonly LongRates[] | undefined;
  /** USD for each call. */
  readonly request?: string | undefined;
  /** USD for each search that the vendor makes. */
  readonly search?: string | Readonly<Record<SearchDepth, string>> | undefined;
}

/** Prices from a moment on: a day (`2026-01-01`, at 0:00 UTC) or a minute (`2026-01-01T16:00Z`). */
export type DatedPrices = Prices & { readonly from?: string | undefined };

/** One list for always, or several: the first holds from the beginning of time, each later one from its own. */
export type PriceTable = Prices | readonly DatedPrices[];

const isDated = (table: PriceTable): table is readonly DatedPrices[] => Array.isArray(table);

/** All that may hold at some time. */
export const everyPrice = (table: PriceTable): readonly DatedPrices[] => (isDated(table) ? table : [table]);

/** What held at a moment, in milliseconds since 1970. */
export function pricesAt(table: PriceTable, at: number): Prices {
  const all = everyPrice(table);
  const found = all.findLast(({ from }) => from === undefined || Date.parse(from) <= at) ?? all[0];
  if (!found) throw new TypeError('a table of prices without any');
  return found;
}

/** What a call with so much input is charged at. */
export function ratesFor(inputTokens: number, prices: Prices): Rates {
  const long = prices.long?.findLast(({ above }) => inputTokens > above);
  return long ? { ...prices, ...long } : prices;
}

/** The rate of each sort, with what it falls back to. */
export function fullRates(rates: Rates): Readonly<Record<keyof Rates, string>> {
  const { input, output } = rates;
  const cachedInput = rates.cachedInput ?? input;
  const cacheWrite = rates.cacheWrite ?? input;
  const audioInput = rates.audioInput ?? input;
  const imageInput = rates.imageInput ?? input;
  return {
    input,
    cachedInput,
    cacheWrite,
    cacheWriteHour: rates.cacheWriteHour ?? cacheWrite,
    audioInput,
    cachedAudioInput: rates.cachedAudioInput ?? rates.cachedInput ?? audioInput,
    imageInput,
    cachedImageInput: rates.cachedImageInput ?? rates.cachedInput ?? imageInput,
    output,
    reasoning: rates.reasoning ?? output,
    audioOutput: rates.audioOutput ?? output,
    imageOutput: rates.imageOutput ?? output,
    citations: rates.citations ?? input,
  };
}
