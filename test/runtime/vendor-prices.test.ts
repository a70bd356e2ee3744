/**
 * The examples of prices that vendors publish: what they say that a call costs is what it costs here. Told usage goes through the
 * reader of the vendor's own dialect, prices come from the catalogue.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { knownModel } from '../../config-sdk/catalogue/catalogue.ts';
import type { JsonObject, Usage } from '../../runtime/call.ts';
import { costOf } from '../../runtime/cost.ts';
import { readUsage as readAnthropic } from '../../runtime/dialects/anthropic-messages/answer.ts';
import { readUsage as readConverse } from '../../runtime/dialects/bedrock-converse/answer.ts';
import { readUsage as readGemini } from '../../runtime/dialects/gemini/answer.ts';
import { readUsage as readChat } from '../../runtime/dialects/openai-chat/answer.ts';
import { usageIn } from '../../runtime/dialects/task-fields.ts';
import { pricesAt, type DatedPrices } from '../../runtime/prices.ts';

const readers = {
  anthropic: (usage: JsonObject) => readAnthropic({ usage }),
  bedrock: (usage: JsonObject) => readConverse({ usage }),
  google: (usageMetadata: JsonObject) => readGemini({ usageMetadata }),
  chat: (usage: JsonObject) => readChat({ usage }),
  tasks: (usage: JsonObject) => usageIn({ usage }),
};

interface Example {
  /** Where the vendor says so, without protocol. */
  readonly at: string;
  readonly says: string;
  readonly model: readonly [vendor: string, id: string];
  readonly usage: readonly [dialect: keyof typeof readers, told: JsonObject];
  /** So many such calls. */
  readonly calls?: number;
  /** In USD, with as many digits as the vendor gives. */
  readonly total: string;
  /** Default: the day of the call is one on which today's catalogue holds. */
  readonly day?: string;
  /** The prices of the page, where the catalogue has no longer, or never had, this model: written over it as a config would. */
  readonly documented?: readonly [DatedPrices, ...DatedPrices[]];
  /** The page itself could not be read: the rates are those of the catalogue's sources, and the row shows how they are charged. */
  readonly unread?: true;
}

const today = '2026-11-22';

const claudePricing = 'platform.claude.com/docs/en/about-claude/pricing';
const claudeVision = 'platform.claude.com/docs/en/build-with-claude/vision';
const sonar = 'docs.perplexity.ai/docs/legacy/sonar/models';
const geminiPricing = 'ai.google.dev/gemini-api/docs/pricing';
const openaiPricing = 'developers.openai.com/api/docs/pricing';
const openaiEmbeddings = 'developers.openai.com/api/docs/guides/embeddings';
const bedrockPricing = 'aws.amazon.com/bedrock/pricing';
const mistralCaching = 'docs.mistral.ai/studio-api/conversations/advanced/prompt-caching';
const deepseekPricing = 'api-docs.deepseek.com/quick_start/pricing-details-usd';
const xaiModels = 'docs.x.ai/docs/models';

const million = 1_000_000;

/** Worked examples: the vendor multiplies and adds itself. */
const worked: readonly Example[] = [
  {
    at: claudePricing,
    says: 'a session of 50,000 input tokens ($0.25) and 15,000 output tokens ($0.375), its hour of run time aside',
    model: ['anthropic', 'claude-opus-4-6'],
    usage: ['anthropic', { input_tokens: 50_000, output_tokens: 15_000 }],
    total: '0.625',
  },
  {
    at: claudePricing,
    says: 'the same session with 40,000 of its input read from the cache: $0.05, $0.02 and $0.375, the run time aside',
    model: ['anthropic', 'claude-opus-4-6'],
    usage: ['anthropic', { input_tokens: 10_000, cache_read_input_tokens: 40_000, output_tokens: 15_000 }],
    total: '0.445',
  },
  {
    // The page prices all tokens of the conversation as input; with Opus and Sonnet, earlier copies of it gave totals that do not
    // follow from the prices beside them ($37.00 and $22.20).
    at: claudePricing,
    says: '10,000 support tickets of about 3,700 tokens each: about $37.00',
    model: ['anthropic', 'claude-haiku-4-5'],
    usage: ['anthropic', { input_tokens: 3_700, output_tokens: 0 }],
    calls: 10_000,
    total: '37.00',
  },
  ...(
    [
      ['200x200', 64, '0.19'],
      ['1000x1000', 1_296, '3.89'],
      ['1092x1092', 1_521, '4.56'],
      ['1920x1080', 1_560, '4.68'],
      ['2000x1500', 1_564, '4.69'],
    ] as const
  ).map(([size, tokens, total]): Example => ({
    at: claudeVision,
    says: `a thousand images of ${size} pixels, ${tokens} tokens each`,
    model: ['anthropic', 'claude-sonnet-4-6'],
    usage: ['anthropic', { input_tokens: tokens, output_tokens: 0 }],
    calls: 1_000,
    total,
  })),
  {
    at: `${sonar}/sonar`,
    says: '9 tokens in, 402 out (reckoned there as 411), search context size low: $0.005420',
    model: ['perplexity', 'sonar'],
    usage: ['chat', { prompt_tokens: 9, completion_tokens: 411, total_tokens: 420, search_context_size: 'low' }],
    total: '0.005420',
  },
  {
    at: `${sonar}/sonar-pro`,
    says: '26 tokens in, 832 out, search context size low: $0.018558',
    model: ['perplexity', 'sonar-pro'],
    usage: ['chat', { prompt_tokens: 26, completion_tokens: 832, total_tokens: 858, search_context_size: 'low' }],
    total: '0.018558',
  },
  {
    at: `${sonar}/sonar-reasoning-pro`,
    says: '17 tokens in, 1,152 out, search context size low: $0.015250',
    model: ['perplexity', 'sonar-reasoning-pro'],
    usage: ['chat', { prompt_tokens: 17, completion_tokens: 1_152, total_tokens: 1_169, search_context_size: 'low' }],
    total: '0.015250',
  },
  {
    at: `${sonar}/sonar-deep-research`,
    says: '33 in, 11,395 out, 19,028 of citations, 21 searches, 193,947 of reasoning beside all that: $0.816123',
    model: ['perplexity', 'sonar-deep-research'],
    usage: [
      'chat',
      {
        prompt_tokens: 33,
        completion_tokens: 11_395,
        total_tokens: 11_428,
        citation_tokens: 19_028,
        num_search_queries: 21,
        reasoning_tokens: 193_947,
      },
    ],
    total: '0.816123',
  },
  {
    at: geminiPricing,
    says: 'an image that comes out takes 1,290 tokens and is equivalent to $0.039',
    model: ['google', 'gemini-2.5-flash-image'],
    usage: [
      'google',
      {
        promptTokenCount: 0,
        candidatesTokenCount: 1_290,
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1_290 }],
      },
    ],
    total: '0.039',
  },
  ...(
    [
      ['1K or 2K', 1_120, '0.134'],
      ['4K', 2_000, '0.24'],
    ] as const
  ).map(([size, tokens, total]): Example => ({
    at: geminiPricing,
    says: `an image of ${size} that comes out takes ${tokens} tokens and is equivalent to $${total}`,
    model: ['google', 'gemini-3-pro-image'],
    usage: [
      'google',
      {
        promptTokenCount: 0,
        candidatesTokenCount: tokens,
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: tokens }],
      },
    ],
    total,
  })),
  ...(
    [
      ['text-embedding-3-small', 62_500],
      ['text-embedding-3-large', 9_615],
      ['text-embedding-ada-002', 12_500],
    ] as const
  ).map(([id, pages]): Example => ({
    at: openaiEmbeddings,
    says: `${pages} pages of 800 tokens for a dollar`,
    model: ['openai', id],
    usage: ['tasks', { prompt_tokens: 800, total_tokens: 800 }],
    calls: pages,
    total: '1.00',
  })),
  ...(
    [
      ['0.008', '0.024', '0.184', '2023-09-28'],
      ['0.01102', '0.03268', '0.25', '2023-11-29'],
    ] as const
  ).map(([input, output, total, day]): Example => ({
    at: bedrockPricing,
    says: `an application developer has 11K tokens summarised to 4K, at $${input} and $${output} for a thousand: $${total}`,
    model: ['bedrock', 'anthropic.claude-v2:1'],
    usage: ['bedrock', { inputTokens: 11_000, outputTokens: 4_000 }],
    total,
    day,
    // Historic: the model is gone, and the page now shows no figures without a script.
    documented: [
      { input: '0', output: '0' },
      { from: '2023-09-28', input: '8', output: '24' },
      { from: '2023-11-29', input: '11.02', output: '32.68' },
    ],
  })),
];

/** Prices that a page states for a million tokens or a thousand calls, as the bill of just that. */
const stated: readonly Example[] = [
  ...(
    [
      ['a cache written for 5 minutes', { cache_creation_input_tokens: million }, '6.25'],
      [
        'a cache written for an hour',
        {
          cache_creation_input_tokens: million,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: million },
        },
        '10',
      ],
      ['a cache read', { cache_read_input_tokens: million }, '0.50'],
    ] as const
  ).map(([says, usage, total]): Example => ({
    at: claudePricing,
    says: `a million tokens of ${says}, Opus 4.6`,
    model: ['anthropic', 'claude-opus-4-6'],
    usage: ['anthropic', { input_tokens: 0, output_tokens: 0, ...usage }],
    total,
  })),
  {
    at: claudePricing,
    says: 'a thousand web searches',
    model: ['anthropic', 'claude-opus-4-6'],
    usage: ['anthropic', { input_tokens: 0, output_tokens: 0, server_tool_use: { web_search_requests: 1_000 } }],
    total: '10.00',
  },
  ...(
    [
      ['2026-03-12', '6.00'],
      ['2026-03-13', '3.00'],
    ] as const
  ).map(([day, total]): Example => ({
    at: claudePricing,
    unread: true,
    says: `a million tokens in one call of Sonnet 4.6, which cost more above 200K until 2026-03-13, on ${day}`,
    model: ['anthropic', 'claude-sonnet-4-6'],
    usage: ['anthropic', { input_tokens: million, output_tokens: 0 }],
    total,
    day,
  })),
  ...(
    [
      [200_000, 0, 0, '0.25'],
      [200_001, 0, 0, '0.50'],
      [million, 0, million, '17.50'],
      [million, million, 0, '0.25'],
    ] as const
  ).flatMap(([input, cached, output, total]) =>
    (['google', 'vertex'] as const).map((vendor): Example => ({
      at: vendor === 'google' ? geminiPricing : 'cloud.google.com/vertex-ai/generative-ai/pricing',
      says: `2.5 Pro costs $1.25 in and $10 out up to 200K, $2.50, $15 and $0.25 cached above: ${input}, of it ${cached} cached, and ${output}`,
      model: [vendor, 'gemini-2.5-pro'],
      usage: ['google', { promptTokenCount: input, cachedContentTokenCount: cached, candidatesTokenCount: output }],
      total,
    })),
  ),
  {
    at: geminiPricing,
    says: 'a million tokens of text and one of sound that goes in: $0.30 and $1.00, 2.5 Flash',
    model: ['google', 'gemini-2.5-flash'],
    usage: [
      'google',
      {
        promptTokenCount: 2 * million,
        candidatesTokenCount: 0,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: million },
          { modality: 'AUDIO', tokenCount: million },
        ],
      },
    ],
    total: '1.30',
  },
  ...(
    [
      ['2026-12-31', '0.75'],
      ['2027-01-01', '1.50'],
    ] as const
  ).map(([day, total]): Example => ({
    at: geminiPricing,
    unread: true,
    says: `3.8 Flash costs twice as much from 2027 on: a million tokens on ${day}`,
    model: ['google', 'gemini-3.8-flash'],
    usage: ['google', { promptTokenCount: million, candidatesTokenCount: 0 }],
    total,
    day,
  })),
  {
    at: 'developers.openai.com/api/docs/models/gpt-5.6-luna',
    says: 'above 272K of input the whole call of gpt-5.6-luna costs twice as much in and half more out: $0.40 and $1.80',
    model: ['openai', 'gpt-5.6-luna'],
    usage: ['chat', { prompt_tokens: million, completion_tokens: million, total_tokens: 2 * million }],
    total: '2.20',
  },
  ...(
    [
      ['2025-06-09', '50.00'],
      ['2025-06-10', '10.00'],
    ] as const
  ).map(([day, total]): Example => ({
    at: openaiPricing,
    unread: true,
    says: `o3 became cheaper by four fifths on 2025-06-10: a million tokens each way on ${day}`,
    model: ['openai', 'o3'],
    usage: ['chat', { prompt_tokens: million, completion_tokens: million, total_tokens: 2 * million }],
    total,
    day,
  })),
  {
    at: openaiPricing,
    unread: true,
    says: 'a million tokens each of text and sound, in and out, of gpt-realtime: $4, $32, $16, $64',
    model: ['openai', 'gpt-realtime'],
    usage: [
      'chat',
      {
        prompt_tokens: 2 * million,
        completion_tokens: 2 * million,
        total_tokens: 4 * million,
        prompt_tokens_details: { audio_tokens: million },
        completion_tokens_details: { audio_tokens: million },
      },
    ],
    total: '116.00',
  },
  {
    at: mistralCaching,
    says: 'cached tokens cost a tenth of the input: a million of them, and one that is not, of Medium at $1.50',
    model: ['mistral', 'mistral-medium-latest'],
    usage: [
      'chat',
      {
        prompt_tokens: 2 * million,
        completion_tokens: 0,
        total_tokens: 2 * million,
        prompt_tokens_details: { cached_tokens: million },
      },
    ],
    total: '1.65',
  },
  {
    at: deepseekPricing,
    says: 'a million tokens of deepseek-chat that hit the cache, one that did not, and one out: $0.07, $0.27, $1.10',
    model: ['deepseek', 'deepseek-chat'],
    usage: [
      'chat',
      {
        prompt_tokens: 2 * million,
        completion_tokens: million,
        total_tokens: 3 * million,
        prompt_cache_hit_tokens: million,
      },
    ],
    total: '1.44',
    day: '2025-03-01',
    // Historic: what the page said after the discount of the first weeks had ended.
    documented: [
      { input: '0.14', cachedInput: '0.014', output: '0.28' },
      { from: '2025-02-08T16:00Z', input: '0.27', cachedInput: '0.07', output: '1.10' },
    ],
  },
  {
    at: xaiModels,
    unread: true,
    says: 'above 200K of input a call of grok-4.5 costs $4, $0.60 cached and $12',
    model: ['xai', 'grok-4.5'],
    usage: [
      'chat',
      {
        prompt_tokens: 2 * million,
        completion_tokens: 400_000,
        // Reasoning is in the total only.
        total_tokens: 3 * million,
        prompt_tokens_details: { cached_tokens: million },
        completion_tokens_details: { reasoning_tokens: 600_000 },
      },
    ],
    total: '16.60',
  },
];

/** Rounded as the vendor rounds: to the digits that are told, halves upwards. */
function rounded(units: bigint, decimals: number): string {
  const unit = 10n ** BigInt(18 - decimals);
  const digits = ((units + unit / 2n) / unit).toString().padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

function reproduces({ model: [vendor, id], usage: [dialect, told], ...example }: Example): void {
  const prices = example.documented ?? knownModel(vendor, id)?.prices;
  const usage: Usage | undefined = readers[dialect](told);
  assert.ok(prices && usage, 'the catalogue covers it, and the dialect reads it');
  const cost = costOf(usage, pricesAt(prices, Date.parse(example.day ?? today)));
  const decimals = example.total.split('.')[1]?.length ?? 0;
  assert.equal(rounded(cost.units * BigInt(example.calls ?? 1), decimals), example.total);
}

for (const [name, examples] of Object.entries({ 'worked examples': worked, 'stated prices': stated }))
  describe(`${name} of vendors come out to the cent`, () => {
    for (const example of examples)
      test(`${example.at}${example.unread ? ' (by the catalogue)' : ''}: ${example.says}`, () => reproduces(example));
  });
