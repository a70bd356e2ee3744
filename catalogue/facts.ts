/** From one row of the source's table to the facts the catalogue keeps. */
import type { Capability, ModelKind, Prices } from '../runtime/providers/provider.ts';
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

/** USD per token to USD per million, by moving the point of the shortest decimal: no arithmetic, so nothing is rounded. */
export function perMillion(perToken: number): string {
  const [mantissa = '0', exponent = '0'] = String(perToken).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const digits = whole + fraction;
  const point = whole.length + Number(exponent) + 6;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const [before, after] = [padded.slice(0, at).replace(/^0+(?=\d)/, ''), padded.slice(at).replace(/0+$/, '')];
  return after ? `${before}.${after}` : before;
}

function pricesOf(row: Row): Prices | undefined {
  const read = (name: string): string | undefined => {
    const value = row[name];
    return typeof value === 'number' && value >= 0 ? perMillion(value) : undefined;
  };
  const input = read('input_cost_per_token');
  const output = read('output_cost_per_token') ?? (row['mode'] === 'embedding' ? '0' : undefined);
  // A table of this size has zeros that mean "not known"; a model that costs nothing at all is one of them.
  if (input === undefined || output === undefined || (input === '0' && output === '0')) return undefined;
  const cachedInput = read('cache_read_input_token_cost');
  const cacheWrite = read('cache_creation_input_token_cost');
  return { input, ...(cachedInput && { cachedInput }), ...(cacheWrite && { cacheWrite }), output };
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
