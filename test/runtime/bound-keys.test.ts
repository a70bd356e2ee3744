/** Keys that open less than their consumer may use: a refusal tells whether it is the key's doing, live and offline, and never shows a key. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openDecider } from '../../runtime/decide.ts';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { keyHash, snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';

const house = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192, options: {} } } };
const target = { kind: 'target' as const, provider: 'house', model: 'm' };
const [bound, free] = ['hg_a_key_that_is_bound', 'hg_a_key_that_is_free'];
const id = keyHash(bound).slice(0, 'sha256:'.length + 12);

const snapshot: SnapshotInput = snapshotOf({
  providers: {
    house,
    vault: {
      kind: 'openai',
      options: { apiKey: { $secret: 'VAULT', optional: true } },
      models: {},
      files: { seal: { $secret: 'SEAL', optional: true } },
    },
  },
  upstreams: { shop: { url: 'https://shop.example' } },
  routes: { orders: { path: '/orders', upstream: 'shop' }, stock: { path: '/stock', upstream: 'shop' } },
  models: { small: { targets: target }, large: { targets: target }, other: { targets: target } },
  consumers: {
    app: {
      keys: [keyHash(bound), keyHash(free)],
      keyTerms: { [keyHash(bound)]: { models: ['small', 'other'], routes: ['stock'] } },
      models: ['small', 'large'],
      files: ['vault'],
    },
  },
  sources: { 'consumers.app': 'gateway.config.ts:9:3' },
});

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway(snapshot);
});
after(() => gateway.close());

const call = (model: string) => ({ model, messages: [{ role: 'user', content: 'hello' }], max_tokens: 5 });
const cure = (list: string) =>
  `, which its consumer may: add it to \`${list}\` beside the hash of the key in the configuration, or ask with another key.`;

const refusals: readonly (readonly [key: string, path: string, model: string | undefined, message: string])[] = [
  [bound, '/v1/chat/completions', 'large', `Key ${id}… of consumer 'app' may not use model 'large'${cure('models')}`],
  [bound, '/v1/chat/completions', 'other', "Consumer 'app' may not use model 'other'."],
  [free, '/v1/chat/completions', 'other', "Consumer 'app' may not use model 'other'."],
  [bound, '/orders', undefined, `Key ${id}… of consumer 'app' may not use route 'orders'${cure('routes')}`],
  [
    bound,
    '/v1/files',
    undefined,
    `Key ${id}… of consumer 'app' has no account for this: one that is bound to some models, routes or prompts opens no files. Ask with another key.`,
  ],
];

test('a refusal names the key where its consumer may, and else the consumer, offline as live', async () => {
  const decider = await openDecider(snapshot);
  for (const [key, path, model, message] of refusals) {
    const headers = { authorization: `Bearer ${key}` };
    const live = await (model === undefined
      ? gateway.ask(path, { headers })
      : gateway.post(path, call(model), { headers }));
    const { error, detail } = (await live.json()) as { error?: { message: string }; detail?: string };
    assert.equal(error?.message ?? detail, message);
    const asked = { path, consumer: 'app', key: keyHash(key), ...(model !== undefined && { body: call(model) }) };
    const decision = await decider.decide(asked);
    assert.equal(decision.refusal?.message, message);
    const refused = decider.explain(decision).steps.find(({ stage }) => stage === 'refused');
    assert.ok(refused?.said.endsWith(message));
    assert.equal(refused?.at, 'gateway.config.ts:9:3');
  }
});

test('a running gateway remembers that it was the key, and shows it nowhere', async () => {
  const headers = { authorization: `Bearer ${bound}`, 'x-request-id': 'bound-to-small' };
  assert.equal((await gateway.post('/v1/chat/completions', call('large'), { headers })).status, 403);
  const text = await (await fetch(`${gateway.adminUrl}/api/requests/bound-to-small`)).text();
  const { steps } = JSON.parse(text) as { steps: { stage: string; said: string }[] };
  assert.equal(
    steps.find(({ stage }) => stage === 'refused')?.said,
    `model_not_allowed (403): key ${id}… opens less than its consumer may`,
  );
  assert.ok(!text.includes(bound));
});
