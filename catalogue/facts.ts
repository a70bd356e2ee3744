/** From one row of the source's table to the facts the catalogue keeps. */
import { searchDepths } from '../runtime/call.ts';
import type { LongRates, Prices, Rates } from '../runtime/prices.ts';
import type { Capability, ModelKind } from '../runtime/providers/provider.ts';
import type { KnownModel } from '../config-sdk/catalogue/catalogue.ts';
import type { VendorSource } from './sources.ts';

export type Row = Readonly<Record<string, unknown>>;

const kinds: Readonly<Record<string, ModelKind>> = {
  chat: 'chat',
  responses: 'responses',
  completion: 'completion',
  embedding: 'embedding',
  rerank: 'rerank',
  moderation: 'moderation',
  image_generation: 'image',
  audio_transcription: 'transcription',
  audio_speech: 'speech',
  realtime: 'realtime',
};

const flags: Readonly<Record<Capability, string>> = {
  tools: 'supports_function_calling',
  parallelTools: 'supports_parallel_function_calling',
  structuredOutput: 'supports_response_schema',
  reasoning: 'supports_reasoning',
  images: 'supports_vision',
  files: 'supports_pdf_input',
  audioIn: 'supports_audio_input',
  audioOut: 'supports_audio_output',
  promptCache: 'supports_prompt_caching',
};

/** USD per token to USD per million. */
export const perMillion = (perToken: number): string => shifted(perToken, 6);

/** By moving the point of the shortest decimal: no arithmetic, so nothing is rounded. */
export function shifted(number: number, places: number): string {
  const [mantissa = '0', exponent = '0'] = String(number).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const digits = whole + fraction;
  const point = whole.length + Number(exponent) + places;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const [before, after] = [padded.slice(0, at).replace(/^0+(?=\d)/, ''), padded.slice(at).replace(/0+$/, '')];
  return after ? `${before}.${after}` : before;
}

type Read = (name: string) => string | undefined;

/** Names of the table for sorts of tokens beside plain input and output; those it has several of, the first that is there. */
const partNames = {
  cachedInput: ['cache_read_input_token_cost'],
  cacheWrite: ['cache_creation_input_token_cost'],
  cacheWriteHour: ['cache_creation_input_token_cost_above_1hr', 'cache_creation_input_token_cost_above_12hr'],
  audioInput: ['input_cost_per_audio_token'],
  cachedAudioInput: ['cache_read_input_audio_token_cost'],
  imageInput: ['input_cost_per_image_token'],
  cachedImageInput: ['cache_read_input_image_token_cost'],
  reasoning: ['output_cost_per_reasoning_token'],
  audioOutput: ['output_cost_per_audio_token'],
  imageOutput: ['output_cost_per_image_token'],
  citations: ['citation_cost_per_token'],
} as const satisfies Partial<Record<keyof Rates, readonly string[]>>;

function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

const parts = (read: Read, suffix: string): Partial<Rates> =>
  withoutUndefined(
    Object.fromEntries(
      Object.entries(partNames).map(([part, names]) => [
        part,
        names.map((name) => read(`${name}${suffix}`)).find((price) => price !== undefined),
      ]),
    ),
  );

/** Without those that cost what they are a part of: of a long call they cost what that does. */
function apart(rates: Partial<Rates>, { input, output }: Pick<Rates, 'input' | 'output'>): Partial<Rates> {
  const whole = { audioInput: input, imageInput: input, reasoning: output, audioOutput: output, imageOutput: output };
  const same = (part: string, price: string): boolean => new Map(Object.entries(whole)).get(part) === price;
  return Object.fromEntries(Object.entries(rates).filter(([part, price]) => !same(part, price)));
}

/** Every vendor takes the price of the tier for all tokens of the call, and so does whoever keeps the table. */
function longRates(row: Row, read: Read): LongRates[] {
  const found = Object.keys(row).flatMap((name) => /^input_cost_per_token_above_(\d+)k_tokens$/.exec(name)?.[1] ?? []);
  return found
    .map(Number)
    .toSorted((a, b) => a - b)
    .map((thousands) => {
      const suffix = `_above_${thousands}k_tokens`;
      const [input, output] = [read(`input_cost_per_token${suffix}`), read(`output_cost_per_token${suffix}`)];
      return withoutUndefined({ above: thousands * 1_000, input, output, ...parts(read, suffix) });
    });
}

const dollars = (value: unknown): string | undefined =>
  typeof value === 'number' && value > 0 ? shifted(value, 0) : undefined;

function searchFees(value: unknown): Prices['search'] {
  const fees = (typeof value === 'object' && value !== null ? value : {}) as Row;
  const [low, medium, high] = searchDepths.map((depth) => dollars(fees[`search_context_size_${depth}`]));
  if (low === undefined || medium === undefined || high === undefined) return undefined;
  return low === medium && medium === high ? low : { low, medium, high };
}

function pricesOf(row: Row): Prices | undefined {
  const read: Read = (name) => {
    const value = row[name];
    return typeof value === 'number' && value >= 0 ? perMillion(value) : undefined;
  };
  const input = read('input_cost_per_token');
  const output =
    read('output_cost_per_token') ??
    read('output_cost_per_image_token') ??
    (row['mode'] === 'embedding' ? '0' : undefined);
  // A table of this size has zeros that mean "not known"; a model that costs nothing at all is one of them.
  if (input === undefined || output === undefined || (input === '0' && output === '0')) return undefined;
  const long = longRates(row, read);
  return withoutUndefined<Prices>({
    input,
    output,
    ...apart(parts(read, ''), { input, output }),
    ...(long.length > 0 && { long }),
    request: dollars(row['input_cost_per_request']),
    search: searchFees(row['search_context_cost_per_query']),
  });
}

const count = (value: unknown): number | undefined =>
  Number.isSafeInteger(Number(value)) && Number(value) > 0 ? Number(value) : undefined;

/** Undefined for rows that describe no model with a known kind and window. */
export function factsOf(row: Row, vendor: VendorSource, window: number | undefined): KnownModel | undefined {
  const kind = kinds[String(row['mode'])];
  const contextWindow = window ?? count(row['max_input_tokens']) ?? count(row['max_tokens']);
  if (!kind || contextWindow === undefined) return undefined;
  const cap = kind === 'embedding' ? undefined : count(row['max_output_tokens']);
  // Where a vendor names no cap, the table repeats the window: that is none, and nobody is warned of it.
  const maxOutputTokens = cap !== undefined && cap < contextWindow ? cap : undefined;
  const capabilities = (Object.keys(flags) as Capability[]).filter(
    (each) => row[flags[each]] === true || (each === 'parallelTools' && vendor.parallelTools && row[flags.tools]),
  );
  const prices = pricesOf(row);
  const deprecation = row['deprecation_date'];
  return {
    kind,
    contextWindow,
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    capabilities,
    ...(prices && { prices }),
    ...(typeof deprecation === 'string' && /^\d{4}-\d\d-\d\d$/.test(deprecation) && { deprecation }),
  };
}
