/** What a plan says of requests while the store of a quota is down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

type OnStoreDown = Snapshot['quotas'][string]['onStoreDown'];

function gateway(onStoreDown: OnStoreDown): Snapshot {
  return snapshotSchema.parse({
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: {},
    models: {},
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: { calls: { unit: 'requests', limit: 900, window: '1h', onStoreDown } },
    consumers: {},
    upstreams: {},
    routes: {},
    sources: {},
  });
}

const shared = (replicas: number): OnStoreDown => ({ local: { replicas } });

const changes: readonly (readonly [before: OnStoreDown, after: OnStoreDown, said: string])[] = [
  ['closed', 'open', "limit_loosened: quota 'calls' no longer holds while its store is down: requests pass uncounted"],
  ['local', 'open', "limit_loosened: quota 'calls' no longer holds while its store is down: requests pass uncounted"],
  [
    'open',
    'closed',
    "limit_tightened: quota 'calls' refuses requests (503) while its store is down; they passed uncounted before",
  ],
  [
    shared(4),
    'closed',
    "limit_tightened: quota 'calls' refuses requests (503) while its store is down; they were counted by each replica before",
  ],
  [
    'closed',
    'local',
    "limit_loosened: each replica counts quota 'calls' by itself, up to the whole limit, while its store is down (before: requests were refused)",
  ],
  [
    'open',
    shared(4),
    "limit_tightened: each replica counts quota 'calls' by itself, up to 1/4 of the limit, while its store is down (before: requests passed uncounted)",
  ],
  [
    shared(4),
    shared(2),
    "limit_loosened: each replica counts quota 'calls' by itself, up to 1/2 of the limit, while its store is down (before: requests were counted by each replica, up to 1/4 of the limit)",
  ],
  [
    'local',
    shared(2),
    "limit_tightened: each replica counts quota 'calls' by itself, up to 1/2 of the limit, while its store is down (before: requests were counted by each replica, up to the whole limit)",
  ],
];

test('a plan says what an outage of the store lets through, and whether it is more', () => {
  for (const [before, after, expected] of changes) {
    const said = planBetween(gateway(before), gateway(after)).changes.map(
      ({ kind, sentence }) => `${kind}: ${plainText(sentence)}`,
    );
    assert.deepEqual(said, [expected]);
  }
});
