/** What an author says of prices: each is a decimal text, and what has none of its own is charged as what it is a part of. */
import type { Decimal } from './handles.ts';

/** Parts of the input and the output, in USD for a million tokens. */
export interface PartPrices {
  /** Input that the vendor had in its prompt cache. Default: as `input`. */
  cachedInput?: Decimal;
  /** Input that the vendor puts into its prompt cache. Default: as `input`. */
  cacheWrite?: Decimal;
  /** Of that, what it keeps for an hour or longer. Default: as `cacheWrite`. */
  cacheWriteHour?: Decimal;
  /** Sound that goes in. Default: as `input`. */
  audioInput?: Decimal;
  /** Of that, what was in the prompt cache. Default: as `cachedInput`, else as `audioInput`. */
  cachedAudioInput?: Decimal;
  /** Images that go in. Default: as `input`. */
  imageInput?: Decimal;
  /** Of that, what was in the prompt cache. Default: as `cachedInput`, else as `imageInput`. */
  cachedImageInput?: Decimal;
  /** Reasoning, where it costs other than the answer. Default: as `output`. */
  reasoning?: Decimal;
  /** Sound that comes out. Default: as `output`. */
  audioOutput?: Decimal;
  /** Images that come out. Default: as `output`. */
  imageOutput?: Decimal;
  /** What a search brought to read, where the vendor counts it beside the input. Default: as `input`. */
  citations?: Decimal;
}

/** USD for a million tokens, as texts such as `'1.25'`. */
export interface ModelPrices<Written = never> extends PartPrices {
  input: (Written & Decimal) | Decimal;
  output: Decimal;
  /** Prices of long calls, from the shortest to the longest. What is not said there stays as it is. Default: none. */
  long?: readonly LongPrices[];
  /** USD for each call. Default: nothing. */
  request?: Decimal;
  /** USD for each search that the vendor makes: one fee, or one for each depth. Default: nothing. */
  search?: Decimal | { low: Decimal; medium: Decimal; high: Decimal };
}

/** They hold for all tokens of a call with more input than that. */
export interface LongPrices extends PartPrices {
  /** Tokens of input, those in a cache included. */
  above: number;
  input?: Decimal;
  output?: Decimal;
}

/** Prices from a day on. */
export interface DatedPrices<Written = never> extends ModelPrices<Written> {
  /** A day such as `'2026-01-01'`, which begins at 0:00 UTC, or a minute such as `'2026-01-01T16:00Z'`. Default, for the first only: always. */
  from?: string;
}

/** A list of them. Not written as an array: beside one, the compiler would blame a whole object for one wrong price in it. */
export interface DatedPriceList<Written = never> {
  readonly length: number;
  readonly [index: number]: DatedPrices<Written>;
}
