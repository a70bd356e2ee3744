/** A plan ranks high what refuses requests that were served: values that they must bring, and words that they may not say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

function gateway(tone: unknown, words?: readonly string[]): Snapshot {
  return snapshotSchema.parse({
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: { home: { kind: 'sandbox', options: {}, models: { small: { contextWindow: 8_192 } } } },
    models: {
      chat: {
        targets: { kind: 'target', provider: 'home', model: 'small' },
        ...(tone !== undefined && { prompt: { name: 'mood', variables: { tone } } }),
      },
    },
    prompts: { mood: { system: 'Be {{tone}}.', ...(words && { choices: { tone: words } }) } },
    contextPolicies: {},
    policies: {},
    quotas: {},
    consumers: {},
    upstreams: {},
    routes: {},
    sources: {},
  });
}

const header = { from: 'header', name: 'x-tone' };
const withDefault = { ...header, default: 'dry' };
const refusal = "requests without header 'x-tone' are refused with 400 from then on";

const told = (base: Snapshot, head: Snapshot): string[] =>
  planBetween(base, head).changes.flatMap(({ risk, details }) => [risk, ...details.map(plainText)]);

test('a value that requests must bring from now on is of high risk', () => {
  assert.deepEqual(told(gateway(withDefault), gateway(header)), ['high', refusal]);
  assert.deepEqual(told(gateway('dry'), gateway(header)), [
    'high',
    refusal,
    'clients now write this part of the prompt',
  ]);
  assert.deepEqual(told(gateway(undefined), gateway(header)), ['high', refusal]);
  assert.deepEqual(told(gateway({ from: 'metadata', name: 'tone' }), gateway(header)), ['high', refusal]);
});

test('a value that requests need not bring any more, or may leave out, is not', () => {
  assert.deepEqual(told(gateway(header), gateway(withDefault)), ['medium']);
  assert.deepEqual(told(gateway(header), gateway('dry')), ['medium']);
});

test('a word that requests may no longer say is of high risk, one that they may say from now on is not', () => {
  const users = "stands before the conversations of model 'chat'";
  const [some, more] = [['dry'], ['dry', 'warm']];
  assert.deepEqual(told(gateway(withDefault, more), gateway(withDefault, some)), [
    'high',
    "requests whose header 'x-tone' says 'warm' are refused with 400 from then on",
    users,
  ]);
  assert.deepEqual(told(gateway(withDefault), gateway(withDefault, some)), [
    'high',
    "requests whose header 'x-tone' says anything but 'dry' are refused with 400 from then on",
    users,
  ]);
  assert.deepEqual(told(gateway(withDefault, some), gateway(withDefault, more)), ['low', users]);
  assert.deepEqual(told(gateway('dry', more), gateway('dry', some)), ['low', users], 'no request says it');
});
