/** What tokens cost: exact to the last digit, the cached and the written input at their own prices, rounded up only for quotas. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf, mostItCosts, nanoOf, nanoUsd, plus, usdNumber, usdOfNano, usdText } from '../../runtime/cost.ts';

const sonnet = { input: '3', cachedInput: '0.3', cacheWrite: '3.75', output: '15' };

const examples = [
  ['nothing', { inputTokens: 0, outputTokens: 0 }, sonnet, '0', 0],
  ['a million of each', { inputTokens: 1e6, outputTokens: 1e6 }, sonnet, '18', 18e9],
  ['one token', { inputTokens: 1, outputTokens: 0 }, { input: '0.15', output: '0.6' }, '0.00000015', 150],
  ['less than a billionth', { inputTokens: 1, outputTokens: 0 }, { input: '0.0001', output: '1' }, '0.0000000001', 1],
  [
    'cached and written input are parts of the input',
    { inputTokens: 10_000, outputTokens: 500, cachedInputTokens: 6_000, cacheWriteTokens: 3_000 },
    sonnet,
    // 1,000 × 3 + 6,000 × 0.30 + 3,000 × 3.75 + 500 × 15, by a million.
    '0.02355',
    23_550_000,
  ],
  [
    'cached input without a price of its own',
    { inputTokens: 100, outputTokens: 0, cachedInputTokens: 60 },
    { input: '2', output: '8' },
    '0.0002',
    200_000,
  ],
  [
    'a vendor that tells more cached than all',
    { inputTokens: 10, outputTokens: 0, cachedInputTokens: 99, cacheWriteTokens: 99 },
    sonnet,
    '0.000003',
    3_000,
  ],
  // A tenth of a cent has no exact float; a sum of floats would end in …0000000004.
  [
    'three times what no float holds',
    { inputTokens: 3, outputTokens: 0 },
    { input: '0.1', output: '0' },
    '0.0000003',
    300,
  ],
  [
    'twelve decimals',
    { inputTokens: 1e6, outputTokens: 0 },
    { input: '1.000000000001', output: '0' },
    '1.000000000001',
    1_000_000_001,
  ],
] as const;

for (const [name, usage, prices, text, nano] of examples) {
  test(`the cost of ${name} is $${text}`, () => {
    const cost = costOf(usage, prices);
    assert.equal(usdText(cost), text);
    assert.equal(nanoUsd(cost), nano);
  });
}

test('costs add up exactly', () => {
  let sum = costOf({ inputTokens: 0, outputTokens: 0 }, sonnet);
  for (let count = 0; count < 1_000; count += 1)
    sum = plus(sum, costOf({ inputTokens: 1, outputTokens: 1 }, { input: '0.1', output: '0.2' }));
  assert.equal(usdText(sum), '0.0003');
  assert.equal(usdNumber(sum), 0.0003);
});

test('nobody knows beforehand what is in a cache: the dearest price of the input holds', () => {
  const asked = { inputTokens: 1_000, outputTokens: 0 };
  assert.equal(usdText(mostItCosts(asked, sonnet)), '0.00375');
  assert.equal(usdText(mostItCosts(asked, { input: '3', cachedInput: '0.3', output: '15' })), '0.003');
});

test('a limit is read and told to the billionth, and shown with cents', () => {
  for (const [text, nano, shown] of [
    ['250.00', 250_000_000_000, '250.00'],
    ['0.000000001', 1, '0.000000001'],
    ['1000000', 1e15, '1000000.00'],
    ['12.5', 12_500_000_000, '12.50'],
  ] as const) {
    assert.equal(nanoOf(text), nano);
    assert.equal(usdOfNano(nano), shown);
  }
});
