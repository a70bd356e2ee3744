/** What a plan says where tags and capabilities decide which targets a request may come to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot, type SnapshotInput } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

const place = (url: string, tags: readonly string[]) => ({
  kind: 'openai',
  options: { baseUrl: `https://${url}.example.com/v1`, apiKey: { $secret: 'KEY' } },
  tags: [...tags],
  models: { m: { contextWindow: 8_192 } },
});
const target = (provider: string) => ({ node: { kind: 'target' as const, provider, model: 'm' } });

interface Parts {
  readonly eastTags?: readonly string[];
  readonly options?: object;
}

function withGroup({ eastTags = ['us'], options = { tags: ['eu'] } }: Parts): Snapshot {
  const snapshot: SnapshotInput = {
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: { home: place('home', ['eu', 'private']), east: place('east', eastTags) },
    models: {
      chat: { targets: { kind: 'group', balance: 'only', options, of: [target('east'), target('home')] } },
    },
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: {},
    consumers: {},
    upstreams: {},
    routes: {},
    sources: {},
  };
  return snapshotSchema.parse(snapshot);
}

const said = (before: Parts, after: Parts): string[] =>
  planBetween(withGroup(before), withGroup(after)).changes.map(
    ({ risk, sentence }) => `${risk}: ${plainText(sentence)}`,
  );

test('a tag that a provider gains opens its targets to what is narrowed to it', () => {
  const changes = said({}, { eastTags: ['eu'] });
  assert.ok(changes.includes("high: model 'chat' gains target 'east/m' (first choice)"), changes.join('\n'));
  assert.ok(changes.includes("medium: model 'chat', share of first choices: 'home/m' 100% → 0%"), changes.join('\n'));
});

test('tags that change are told with the targets that they cost, and a condition on its own', () => {
  const anyone = { options: { tags: ['eu'] } };
  assert.deepEqual(said({ eastTags: ['eu'], ...anyone }, { eastTags: ['eu'], options: { tags: ['private'] } }), [
    "medium: model 'chat' loses 'east/m' (first choice)",
    "medium: model 'chat': the conditions by which its targets are chosen change",
    "medium: model 'chat', share of first choices: 'home/m' 0% → 100%",
  ]);
  const held = (value: string) => ({ options: { tags: ['eu'], when: { headers: { 'x-region': [value] } } } });
  assert.deepEqual(said(held('eu'), held('ch')), [
    "medium: model 'chat': the conditions by which its targets are chosen change",
  ]);
  const claimed = (tier: string) => ({
    options: { tags: ['eu'], when: { claims: [{ claim: ['tier'], is: [tier] }] } },
  });
  assert.deepEqual(said(claimed('gold'), claimed('silver')), [
    "medium: model 'chat': the conditions by which its targets are chosen change",
  ]);
});
