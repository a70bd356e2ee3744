/**
 * The price lists of vendors' own pages: a million tokens of each sort, in calls of a tenth of that, cost what the page says. Told
 * usage goes through the reader of the vendor's dialect, prices come from the catalogue.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { knownModel } from '../../config-sdk/catalogue/catalogue.ts';
import type { JsonObject, Usage } from '../../runtime/call.ts';
import { costOf } from '../../runtime/cost.ts';
import { readUsage as readAnthropic } from '../../runtime/dialects/anthropic-messages/answer.ts';
import { readUsage as readGemini } from '../../runtime/dialects/gemini/answer.ts';
import { readUsage as readChat } from '../../runtime/dialects/openai-chat/answer.ts';
import { pricesAt } from '../../runtime/prices.ts';

const sorts = ['input', 'cacheRead', 'cacheWrite', 'cacheWriteHour', 'output', 'audioInput', 'audioOutput'] as const;

type Sort = (typeof sorts)[number];

/** How each vendor tells `count` tokens of one sort. Nothing where it has no words for that sort. */
const told: Record<string, (sort: Sort, count: number) => Usage | undefined> = {
  anthropic(sort, count) {
    const usage: Partial<Record<Sort, JsonObject>> = {
      input: { input_tokens: count },
      output: { output_tokens: count },
      cacheRead: { cache_read_input_tokens: count },
      cacheWrite: { cache_creation_input_tokens: count },
      cacheWriteHour: {
        cache_creation_input_tokens: count,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: count },
      },
    };
    return readAnthropic({ usage: { input_tokens: 0, output_tokens: 0, ...usage[sort] } });
  },
  chat(sort, count) {
    const incoming = !sort.endsWith('utput');
    const details: Partial<Record<Sort, JsonObject>> = {
      cacheRead: { prompt_tokens_details: { cached_tokens: count } },
      cacheWrite: { prompt_tokens_details: { cache_write_tokens: count } },
      audioInput: { prompt_tokens_details: { audio_tokens: count } },
      audioOutput: { completion_tokens_details: { audio_tokens: count } },
    };
    return readChat({
      usage: {
        prompt_tokens: incoming ? count : 0,
        completion_tokens: incoming ? 0 : count,
        total_tokens: count,
        ...details[sort],
      },
    });
  },
  gemini(sort, count) {
    const incoming = sort !== 'output';
    return readGemini({
      usageMetadata: {
        promptTokenCount: incoming ? count : 0,
        candidatesTokenCount: incoming ? 0 : count,
        ...(sort === 'cacheRead' && { cachedContentTokenCount: count }),
        ...(sort === 'audioInput' && { promptTokensDetails: [{ modality: 'AUDIO', tokenCount: count }] }),
      },
    });
  },
};

interface Page {
  readonly vendor: string;
  readonly dialect: keyof typeof told;
  /** Without protocol. */
  readonly at: string;
  /** USD for a million tokens, as the page has them. */
  readonly models: Readonly<Record<string, Partial<Record<Sort, string>>>>;
}

/** In the order of the page's columns. */
const claude = (
  ...[input, cacheWrite, cacheWriteHour, cacheRead, output]: readonly [string, string, string, string, string]
) => ({
  input,
  cacheWrite,
  cacheWriteHour,
  cacheRead,
  output,
});

const openai = (path: string, models: Page['models']): Page => ({
  vendor: 'openai',
  dialect: 'chat',
  at: `developers.openai.com/api/docs/models/${path}`,
  models,
});

const pages: readonly Page[] = [
  {
    vendor: 'anthropic',
    dialect: 'anthropic',
    at: 'platform.claude.com/docs/en/about-claude/pricing',
    models: {
      'claude-fable-5-1': claude('10', '12.50', '20', '0.25', '50'),
      'claude-mythos-5-1': claude('10', '12.50', '20', '0.25', '50'),
      'claude-fable-5': claude('10', '12.50', '20', '1', '50'),
      'claude-opus-5': claude('5', '6.25', '10', '0.50', '25'),
      'claude-opus-4-8': claude('5', '6.25', '10', '0.50', '25'),
      'claude-opus-4-7': claude('5', '6.25', '10', '0.50', '25'),
      'claude-opus-4-6': claude('5', '6.25', '10', '0.50', '25'),
      'claude-opus-4-5': claude('5', '6.25', '10', '0.50', '25'),
    },
  },
  {
    vendor: 'anthropic',
    dialect: 'anthropic',
    at: 'platform.claude.com/docs/en/models/<model>/overview',
    models: {
      'claude-opus-5-5': claude('4', '5', '8', '0.20', '20'),
      'claude-sonnet-5': claude('2', '2.50', '4', '0.20', '10'),
      'claude-haiku-5-5': { input: '0.10', output: '0.50' },
    },
  },
  openai('gpt-5.6-luna', {
    'gpt-5.6-luna': { input: '0.20', cacheRead: '0.02', cacheWrite: '0.25', output: '1.20' },
    'gpt-5.6-terra': { input: '2' },
    'gpt-5.4-nano': { input: '0.20' },
  }),
  openai('gpt-realtime-1.5', {
    'gpt-realtime-1.5': { input: '4', cacheRead: '0.40', output: '16', audioInput: '32', audioOutput: '64' },
  }),
  openai('gpt-realtime-2.1-mini', {
    'gpt-realtime-2.1-mini': { input: '0.60', cacheRead: '0.06', output: '2.40', audioInput: '10', audioOutput: '20' },
  }),
  openai('compare', {
    'gpt-realtime': { input: '4', cacheRead: '0.40', output: '16' },
    'gpt-6-astra': { input: '10', cacheRead: '1', cacheWrite: '12.50', output: '50' },
  }),
  {
    // The prices at peak hours; the lower ones outside of them are not carried (docs/prices.md).
    vendor: 'deepseek',
    dialect: 'chat',
    at: 'api-docs.deepseek.com/quick_start/pricing',
    models: {
      'deepseek-flash': { cacheRead: '0.006', input: '0.3', output: '1.2' },
      'deepseek-v4-pro': { cacheRead: '0.044', input: '1.32', output: '3.96' },
    },
  },
  {
    vendor: 'xai',
    dialect: 'chat',
    at: 'docs.x.ai/developers/grok-4-5',
    models: { 'grok-4.5': { input: '2.00', output: '6.00' } },
  },
  {
    vendor: 'google',
    dialect: 'gemini',
    at: 'ai.google.dev/gemini-api/docs/pricing',
    models: {
      'gemini-3.8-flash': { input: '0.75' },
      'gemini-3-flash-preview': { input: '0.50', audioInput: '1.00', cacheRead: '0.05', output: '3.00' },
    },
  },
];

const today = Date.parse('2026-11-22');

/** What one call of `count` tokens of a sort costs, in units of 10^-18 USD. */
function charged({ vendor, dialect }: Page, id: string, sort: Sort, count: number): bigint {
  const prices = knownModel(vendor, id)?.prices;
  const usage = told[dialect]?.(sort, count);
  assert.ok(prices && usage, 'the catalogue covers it, and the dialect reads it');
  return costOf(usage, pricesAt(prices, today)).units;
}

const inUnits = (price: string) => BigInt(Math.round(Number(price) * 1e6)) * 10n ** 12n;

for (const page of pages)
  describe(`${page.at} lists what is charged`, () => {
    for (const [id, list] of Object.entries(page.models))
      test(id, () => {
        for (const sort of sorts) {
          const price = list[sort];
          // A price beyond this many tokens may be another one.
          if (price !== undefined) assert.equal(charged(page, id, sort, 100_000) * 10n, inUnits(price), sort);
        }
      });
  });

test('developers.openai.com/api/docs/models/gpt-5.6-luna: above 272K of input the whole call costs twice as much in', () => {
  const page = pages.find(({ at }) => at.endsWith('gpt-5.6-luna'));
  assert.ok(page);
  assert.equal(charged(page, 'gpt-5.6-luna', 'input', 272_000), (inUnits('0.20') * 272n) / 1_000n);
  assert.equal(charged(page, 'gpt-5.6-luna', 'input', 272_001), (inUnits('0.40') * 272_001n) / 1_000_000n);
});
