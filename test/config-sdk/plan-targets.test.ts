/** What shares alone do not tell: how targets are chosen, which answers first, and vectors that no longer fit together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

const target = (model: string) => ({ kind: 'target', provider: 'east', model });
const group = (balance: string, more: object, ...models: string[]) => ({
  kind: 'group',
  balance,
  ...more,
  of: models.map((model) => ({ node: target(model) })),
});

function gateway(targets: object): Snapshot {
  const chat = { contextWindow: 8_192 };
  const vectors = { kind: 'embedding', contextWindow: 8_192 };
  return snapshotSchema.parse({
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: {
      east: {
        kind: 'sandbox',
        options: {},
        models: { big: { contextWindow: 16_384 }, mini: chat, near: vectors, far: vectors },
      },
    },
    models: { chat: { targets } },
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: {},
    consumers: {},
    upstreams: {},
    routes: {},
    sources: {},
  });
}

const said = (before: object, after: object): string[] =>
  planBetween(gateway(before), gateway(after)).changes.flatMap(({ risk, sentence, details }) => [
    `${risk}: ${plainText(sentence)}`,
    ...details.map((each) => `  ${plainText(each)}`),
  ]);

test('that each user stays at one target is told beside the shares, and where they are the same', () => {
  const weighted = group('weighted', {}, 'big', 'mini');
  const sticky = group('sticky', { options: { by: 'consumer' } }, 'big', 'mini');
  const weights = {
    ...weighted,
    of: [
      { weight: 3, node: target('big') },
      { weight: 1, node: target('mini') },
    ],
  };
  assert.deepEqual(said(weighted, sticky), [
    `medium: model 'chat' chooses its targets by 'sticky {"by":"consumer"}' instead of 'weighted'`,
    `  weighted('east/big', 'east/mini') → sticky('{"by":"consumer"}', 'east/big', 'east/mini')`,
  ]);
  const lines = said(weights, sticky);
  assert.match(lines[0] ?? '', /chooses its targets by 'sticky/);
  assert.equal(lines[2], "medium: model 'chat', share of first choices: 'east/big' 75% → 50%, 'east/mini' 25% → 50%");
  assert.match(said(weighted, target('big'))[0] ?? '', /chooses its targets by their order instead of 'weighted'/);
});

test('two targets in another order are compared as one in the place of the other', () => {
  assert.deepEqual(said(group('ordered', {}, 'mini', 'big'), group('ordered', {}, 'big', 'mini')), [
    "medium: model 'chat', share of first choices: 'east/big' 0% → 100%, 'east/mini' 100% → 0%",
    "  most requests go to 'east/big' first instead of 'east/mini'",
    '  context window 8,192 → 16,384 tokens',
  ]);
});

test('another embedding model is a high risk: what is stored no longer compares', () => {
  assert.deepEqual(said(target('near'), target('far')), [
    "high: model 'chat' switches from 'east/near' to 'east/far' (first choice)",
    '  its vectors cannot be compared with those of the other: what is stored must be embedded anew',
  ]);
});
