/** The days from which prices hold, of models whose vendor changed them or has said that it will. */
import { calcPrice, type ConditionalPrice, type ModelPrice } from '@pydantic/genai-prices';
import {
  pricesAt,
  type DatedPrices,
  type LongRates,
  type Prices,
  type PriceTable,
  type Rates,
} from '../runtime/prices.ts';
import { shifted } from './facts.ts';

/** Names of the source for sorts of tokens. */
const names: Readonly<Record<string, keyof Rates>> = {
  input_mtok: 'input',
  cache_read_mtok: 'cachedInput',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWriteHour',
  input_audio_mtok: 'audioInput',
  cache_audio_read_mtok: 'cachedAudioInput',
  output_mtok: 'output',
  output_audio_mtok: 'audioOutput',
};

function pricesIn(source: ModelPrice): Prices | undefined {
  const rates: Partial<Record<keyof Rates, string>> = {};
  const long = new Map<number, Partial<Record<keyof Rates, string>>>();
  for (const [key, price] of Object.entries(source)) {
    const name = names[key];
    if (name === undefined || price === undefined) continue;
    rates[name] = shifted(typeof price === 'number' ? price : price.base, 0);
    for (const { start, price: dearer } of typeof price === 'number' ? [] : price.tiers) {
      // Some say the last token of the tier before, and some the first of this one.
      const above = Math.round(start / 1_000) * 1_000;
      long.set(above, { ...long.get(above), [name]: shifted(dearer, 0) });
    }
  }
  const { input, output } = rates;
  if (input === undefined || output === undefined) return undefined;
  const tiers = [...long].toSorted(([a], [b]) => a - b).map(([above, each]): LongRates => ({ above, ...each }));
  return { ...rates, input, output, ...(tiers.length > 0 && { long: tiers }) };
}

function dated({ constraint, prices }: ConditionalPrice): DatedPrices | undefined {
  const found = pricesIn(prices);
  // Prices by the hour of the day have no day from which they hold.
  if (!found || constraint?.type === 'time_of_date') return undefined;
  return constraint ? { from: constraint.start_date, ...found } : found;
}

interface Wanted {
  readonly vendor: string | undefined;
  readonly id: string;
  /** On which the prices of the larger table hold. */
  readonly day: string;
  /** Whoever takes a newer version reads where the two sources differ. */
  readonly tell: (line: string) => void;
}

/** What of a model is priced by date; on the day, `prices` stand, for they are the more complete. */
export function datedPrices(prices: PriceTable | undefined, wanted: Wanted): { readonly prices?: PriceTable } {
  const { vendor, id, day, tell } = wanted;
  if (vendor === undefined || prices === undefined) return {};
  const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, id, { providerId: vendor })?.model.prices;
  if (!Array.isArray(found)) return {};
  const all = found.map(dated);
  if (!all.every((each) => each !== undefined) || all.length < 2 || all[0]?.from !== undefined) return {};
  const current = pricesAt(all, Date.parse(day));
  const ours = pricesAt(prices, Date.parse(day));
  const told = ({ input, output }: Prices): string => `${input} / ${output}`;
  if (told(current) !== told(ours)) {
    tell(`${vendor}/${id}: no days are taken, for it costs ${told(ours)} and ${told(current)} where they are`);
    return {};
  }
  const fees = { ...(ours.request && { request: ours.request }), ...(ours.search && { search: ours.search }) };
  return {
    prices: all.map((each) => {
      const { from } = each;
      return each === current ? { ...(from !== undefined && { from }), ...ours } : { ...each, ...fees };
    }),
  };
}
