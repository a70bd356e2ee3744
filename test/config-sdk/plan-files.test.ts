/** A plan tells who may have files kept where, and what takes from consumers what they have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

const key = { $secret: 'KEY' };

function gateway(files: readonly string[] | undefined, vault: object = {}, more: object = {}): Snapshot {
  const provider = (own: object) => ({
    kind: 'openai',
    options: { apiKey: key },
    models: {},
    files: { seal: { $secret: 'SEAL' }, ...own },
  });
  return snapshotSchema.parse({
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: { vault: provider(vault), attic: provider({}) },
    models: {},
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: {},
    consumers: { ada: { keys: [], ...(files && { files }) }, ...more },
    upstreams: {},
    routes: {},
    sources: {},
  });
}

const said = (base: Snapshot, head: Snapshot): string[] =>
  planBetween(base, head).changes.map(({ risk, sentence }) => `${risk}: ${plainText(sentence)}`);

test('accounts that a consumer gains and loses', () => {
  const gained = ["medium: consumer 'ada' may have files and batches kept at 'vault'"];
  assert.deepEqual(said(gateway(undefined), gateway(['vault'])), gained);
  assert.deepEqual(said(gateway(['vault']), gateway(undefined)), [
    "high: consumer 'ada' loses the files and batches that it has at 'vault'",
  ]);
  assert.deepEqual(said(gateway(['vault', 'attic']), gateway(['attic', 'vault'])), [
    "high: consumer 'ada': another account comes first for its files and batches",
  ]);
  const bob = { bob: { keys: [], files: ['vault'] } };
  assert.ok(said(gateway(undefined), gateway(undefined, {}, bob)).includes(gained[0]?.replace('ada', 'bob') ?? ''));
  assert.deepEqual(said(gateway(['vault']), gateway(['vault'])), []);
});

test('another secret, and lists', () => {
  assert.deepEqual(said(gateway(['vault']), gateway(['vault'], { seal: { $secret: 'NEW' } })), [
    "high: provider 'vault': ids of files and batches are sealed with another secret, and those that consumers have stop working",
  ]);
  assert.deepEqual(said(gateway(['vault']), gateway(['vault'], { sole: true })), [
    "high: provider 'vault': its one consumer may list all files and batches of the account, whoever put them there",
  ]);
  assert.deepEqual(said(gateway(['vault'], { sole: true }), gateway(['vault'])), [
    "high: provider 'vault': files and batches are no longer listed",
  ]);
});
