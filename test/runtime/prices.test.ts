/** Prices of each sort of token, of long calls and of days: what is charged, what is held at most, what a list must say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDecider } from '@headgate/runtime/decide';
import { factsOver } from '../../config-sdk/compile/model-facts.ts';
import { priceOf } from '../../config-sdk/plan/cost.ts';
import { cheapest } from '../../runtime/balancing/cheapest.ts';
import { costOf, mostItCosts, usdText } from '../../runtime/cost.ts';
import { readUsage as readAnthropic } from '../../runtime/dialects/anthropic-messages/answer.ts';
import { writeUsage as writeAnthropic } from '../../runtime/dialects/anthropic-messages/write-answer.ts';
import { readUsage as readConverse } from '../../runtime/dialects/bedrock-converse/answer.ts';
import { readUsage as readGemini } from '../../runtime/dialects/gemini/answer.ts';
import { readUsage as readChat, writeUsage as writeChat } from '../../runtime/dialects/openai-chat/answer.ts';
import { usageIn } from '../../runtime/dialects/task-fields.ts';
import { pricesAt, type PriceTable, type Prices } from '../../runtime/prices.ts';
import { priceTable } from '../../runtime/snapshot-prices.ts';
import { snapshotOf } from '../support/gateway.ts';

const all: Prices = {
  input: '1',
  cachedInput: '0.1',
  cacheWrite: '1.25',
  cacheWriteHour: '2',
  audioInput: '10',
  cachedAudioInput: '0.5',
  imageInput: '5',
  output: '4',
  reasoning: '3',
  audioOutput: '20',
  imageOutput: '30',
  citations: '7',
  long: [
    { above: 1_000_000, input: '2', output: '6' },
    { above: 5_000_000, input: '3', output: '9', cachedInput: '0.3' },
  ],
};

const cents = (usage: Parameters<typeof costOf>[0], prices = all): string => usdText(costOf(usage, prices));

test('each token is charged once, at the price of its sort', () => {
  const usage = {
    inputTokens: 1_000_000,
    cachedInputTokens: 300_000,
    cachedAudioInputTokens: 100_000,
    cacheWriteTokens: 200_000,
    cacheWriteHourTokens: 50_000,
    audioInputTokens: 150_000,
    imageInputTokens: 50_000,
    outputTokens: 1_000_000,
    reasoningTokens: 400_000,
    audioOutputTokens: 100_000,
    imageOutputTokens: 100_000,
    citationTokens: 10_000,
  };
  const input = 0.05 + 0.02 + 0.1 + 0.1875 + 0.5 + 0.25 + 0.4;
  const output = 1.2 + 2 + 3 + 1.6 + 0.07;
  assert.equal(cents(usage), (input + output).toFixed(4));
  // A vendor that counts more of the parts than of the whole is charged for the whole.
  assert.equal(cents({ inputTokens: 10, audioInputTokens: 99, outputTokens: 10, imageOutputTokens: 99 }), '0.0004');
});

test('what has no price of its own costs what it is a part of', () => {
  const plain = { input: '1', output: '2' };
  const usage = { inputTokens: 1e6, audioInputTokens: 4e5, cacheWriteHourTokens: 1e5, cacheWriteTokens: 2e5 };
  assert.equal(cents({ ...usage, outputTokens: 1e6, reasoningTokens: 5e5, imageOutputTokens: 1e5 }, plain), '3');
  assert.equal(cents({ ...usage, outputTokens: 0 }, { ...plain, cacheWrite: '11' }), '3');
});

test('a call that is longer than a tier is charged as a whole at it, and keeps what the tier does not say', () => {
  assert.equal(cents({ inputTokens: 1e6, outputTokens: 1e6 }), '5');
  assert.equal(cents({ inputTokens: 1_000_001, outputTokens: 1e6 }), '8.000002');
  assert.equal(cents({ inputTokens: 6e6, cachedInputTokens: 1e6, outputTokens: 1e6 }), '24.3');
  assert.equal(cents({ inputTokens: 2e6, cachedInputTokens: 1e6, outputTokens: 0 }), '2.1');
});

test('fees are added for the call and for each search, by its depth where they go by that', () => {
  const fees = { input: '1', output: '1', request: '0.002', search: { low: '0.005', medium: '0.008', high: '0.012' } };
  const none = { inputTokens: 0, outputTokens: 0 };
  assert.equal(cents({ ...none, searches: 2, searchDepth: 'medium' }, fees), '0.018');
  assert.equal(cents({ ...none, searches: 1 }, fees), '0.007');
  assert.equal(cents(none, fees), '0.002');
  assert.equal(usdText(mostItCosts(none, fees)), '0.014');
});

test('held is the dearest that may apply: sorts that may be in it, and tiers that it reaches', () => {
  const most = (inputTokens: number, outputTokens: number, isText?: boolean): string =>
    usdText(mostItCosts({ inputTokens, outputTokens, ...(isText !== undefined && { isText }) }, all));
  assert.equal(most(1e6, 0), '2');
  assert.equal(most(1e6, 0, false), '10');
  assert.equal(most(0, 1e6), '30');
  assert.equal(most(6e6, 0), '18');
  const usage = { inputTokens: 1e6, outputTokens: 1e6, cacheWriteTokens: 1e6, cacheWriteHourTokens: 1e6 };
  assert.ok(costOf(usage, all).units <= mostItCosts(usage, all).units);
});

const dated: PriceTable = [
  { input: '10', output: '40' },
  { from: '2026-03-01', input: '2', output: '8' },
  { from: '2026-06-01T16:00Z', input: '3', output: '9' },
];

test('prices hold from their day on, at midnight UTC or at the minute', () => {
  const input = (at: string) => pricesAt(dated, Date.parse(at)).input;
  assert.equal(input('1999-12-31T00:00:00Z'), '10');
  assert.equal(input('2026-02-28T23:59:59.999Z'), '10');
  assert.equal(input('2026-03-01T00:00:00Z'), '2');
  assert.equal(input('2026-06-01T15:59:59Z'), '2');
  assert.equal(input('2026-06-01T16:00:00Z'), '3');
  assert.equal(pricesAt(all, 0), all);
});

test('the cheapest changes with the day, and with the length of a call', () => {
  const member = (name: string, prices: PriceTable) => ({
    name,
    weight: 1,
    targets: [{ upstream: '', prices, tags: [], capabilities: undefined }],
  });
  const draw = (one: PriceTable, other: PriceTable, at: string, tokens = 10) =>
    cheapest.prepare({ name: '', options: undefined, members: [member('one', one), member('other', other)] })({
      at: Date.parse(at),
      random: () => 0,
      asking: {
        consumer: '',
        consumerTags: [],
        claims: undefined,
        call: { model: '', messages: [], stream: false, tools: [], untranslated: [] },
        header: () => undefined,
        metadata: () => undefined,
        tokens: () => tokens,
      },
      load: () => 0,
      latencyMs: () => undefined,
      turn: () => 0,
    })[0];
  const steady = { input: '5', output: '20' };
  assert.equal(draw(dated, steady, '2026-02-28'), 1);
  assert.equal(draw(dated, steady, '2026-03-01'), 0);
  const long = { input: '4', output: '20', long: [{ above: 100_000, input: '8' }] };
  assert.equal(draw(long, steady, '2026-03-01', 100_000), 0);
  assert.equal(draw(long, steady, '2026-03-01', 100_001), 1);
});

const problems = (table: unknown): readonly string[] =>
  priceTable
    .safeParse(table)
    .error?.issues.flatMap((issue) =>
      issue.code === 'invalid_union' ? (issue.errors[0] ?? []).map(({ message }) => message) : [issue.message],
    ) ?? [];

test('a list that leaves days without a price, or is out of order, is refused with the cure', () => {
  const price = { input: '1', output: '2' };
  assert.deepEqual(problems(dated), []);
  assert.deepEqual(problems([{ from: '2026-01-01', ...price }]), [
    'nothing says what it costs before 2026-01-01: leave `from` out of the first',
  ]);
  assert.deepEqual(problems([price, price]), ['only the first may hold from the beginning: say from when']);
  assert.deepEqual(problems([price, { from: '2026-02-01', ...price }, { from: '2026-01-01', ...price }]), [
    'write the earlier ones first: 2026-02-01 stands before it',
  ]);
  assert.deepEqual(problems([price, { from: '2026-02-30', ...price }]), ['there is no such day']);
  assert.ok(problems([]).length > 0);
});

test('what a config dates stands over the catalogue, which holds before it', () => {
  const marked: string[] = [];
  const facts = (kind: string, id: string, prices?: object[]) =>
    factsOver({ ...(prices && { prices: JSON.parse(JSON.stringify(prices)) }) }, { kind, id }, (path, value) => {
      marked.push(path.join('.'));
      return value;
    })['prices'];
  const own = { from: '2027-06-01', input: '9', output: '9' };
  const [was, then, mine] = facts('google', 'gemini-3.8-flash', [own]) as { from?: string; input: string }[];
  assert.deepEqual(
    [was?.input, was?.from, then?.input, then?.from, mine],
    ['0.75', undefined, '1.5', '2027-01-01', own],
  );
  assert.deepEqual(marked, ['prices.0', 'prices']);
  // What a config takes over before a change that is announced: the change is no more.
  const early = { ...own, from: '2026-12-01' };
  assert.equal((facts('google', 'gemini-3.8-flash', [early]) as object[]).length, 2);
  assert.deepEqual(facts('openai', 'nobody-knows-it', [own]), [own]);
  // Prices that others took the place of before the catalogue was made hold for nobody any more.
  const o3 = facts('openai', 'o3') as Prices;
  assert.deepEqual([o3.input, 'from' in o3], ['2', false]);
});

test('a call is charged at the prices of the moment at which it came in', async () => {
  const house = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 100_000, prices: dated } } };
  const decider = await openDecider(
    snapshotOf({
      providers: { house },
      models: { m: { targets: { kind: 'target', provider: 'house', model: 'm' } } },
    }),
  );
  const costs = async (at: string) => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
    const asked = { path: '/v1/chat/completions', consumer: 'tester', body };
    const spends = { inputTokens: 1e6, outputTokens: 1e6 };
    const { outcome, refusal } = await decider.decide(asked, { at: Date.parse(at), spends });
    assert.equal(refusal, undefined);
    return outcome.costUsd;
  };
  assert.deepEqual([await costs('2026-02-28T23:59:59Z'), await costs('2026-03-01T00:00:00Z')], ['50', '10']);
});

test('a plan goes by the dearest of the days, for it has no clock', () => {
  const snapshot = { providers: { a: { models: { m: { prices: dated } } } } } as unknown as Parameters<
    typeof priceOf
  >[0];
  assert.equal(priceOf(snapshot, { provider: 'a', model: 'm' }, 'input'), '10');
});

test('what vendors tell of sorts is read, and told on where another API has words for it', () => {
  const claude = readAnthropic({
    usage: {
      input_tokens: 1,
      output_tokens: 2,
      cache_creation_input_tokens: 50,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
      server_tool_use: { web_search_requests: 3 },
    },
  });
  assert.deepEqual(claude, {
    inputTokens: 51,
    outputTokens: 2,
    cacheWriteTokens: 50,
    cacheWriteHourTokens: 30,
    searches: 3,
  });
  assert.deepEqual(writeAnthropic(claude)['cache_creation'], {
    ephemeral_5m_input_tokens: 20,
    ephemeral_1h_input_tokens: 30,
  });
  const converse = readConverse({
    usage: {
      inputTokens: 1,
      outputTokens: 2,
      cacheWriteInputTokens: 9,
      cacheDetails: [
        { ttl: '5m', inputTokens: 4 },
        { ttl: '1h', inputTokens: 5 },
      ],
    },
  });
  assert.equal(converse?.cacheWriteHourTokens, 5);
  const gemini = (modelVersion: string) =>
    readGemini({
      modelVersion,
      usageMetadata: {
        promptTokenCount: 9,
        promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 7 }],
        cacheTokensDetails: [{ modality: 'IMAGE', tokenCount: 2 }],
        candidatesTokenCount: 5,
        candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 4 }],
      },
      candidates: [{ groundingMetadata: { webSearchQueries: ['one', 'two', 'one', ''] } }],
    });
  assert.deepEqual(gemini('gemini-3.8-flash'), {
    inputTokens: 9,
    outputTokens: 5,
    audioInputTokens: 7,
    cachedImageInputTokens: 2,
    audioOutputTokens: 4,
    searches: 2,
  });
  assert.equal(gemini('gemini-2.5-pro')?.searches, 1);
  const chat = readChat({
    usage: {
      prompt_tokens: 9,
      completion_tokens: 5,
      total_tokens: 14,
      prompt_tokens_details: { audio_tokens: 7, image_tokens: 1 },
      completion_tokens_details: { audio_tokens: 4 },
    },
  });
  assert.deepEqual([chat?.audioInputTokens, chat?.imageInputTokens, chat?.audioOutputTokens], [7, 1, 4]);
  assert.deepEqual(chat && writeChat(chat)['completion_tokens_details'], { audio_tokens: 4 });
  const image = usageIn({
    usage: {
      input_tokens: 9,
      output_tokens: 5,
      input_tokens_details: { image_tokens: 8 },
      output_tokens_details: { image_tokens: 5 },
    },
  });
  assert.deepEqual([image?.imageInputTokens, image?.imageOutputTokens], [8, 5]);
});
