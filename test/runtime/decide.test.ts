/** The engine of explanations decides as the gateway serves: same stages, same refusals, no socket and no secret. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { memoryStore, openDecider, seededRandom, type AskedRequest, type Decider } from '../../runtime/decide.ts';
import { keyHash, snapshotOf, startGateway, testKey } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const sandbox = (model: string) => ({ kind: 'target' as const, provider: 'sandbox', model });
const behindKey = { kind: 'target' as const, provider: 'remote', model: 'big' };

const snapshot = snapshotOf({
  providers: {
    sandbox: {
      kind: 'sandbox',
      options: {},
      models: {
        small: { contextWindow: 1_000, options: {} },
        spare: { contextWindow: 2_000, options: {} },
        broken: { contextWindow: 2_000, options: { fault: { type: 'status', status: 503 } } },
        vectors: { kind: 'embedding', contextWindow: 2_000, options: {} },
      },
    },
    remote: {
      kind: 'openai',
      options: { baseUrl: 'https://llm.example.com/v1', apiKey: { $secret: 'NOBODY_HAS_THIS' } },
      models: { big: { contextWindow: 100_000, options: {} } },
    },
  },
  models: {
    chat: {
      targets: { kind: 'group', balance: 'ordered', of: [{ node: sandbox('small') }, { node: sandbox('spare') }] },
      context: 'recent',
      policies: ['no-gossip', 'no-plans'],
      quotas: ['few'],
    },
    failing: {
      targets: { kind: 'group', balance: 'ordered', of: [{ node: sandbox('broken') }, { node: sandbox('spare') }] },
    },
    split: {
      targets: {
        kind: 'group',
        balance: 'weighted',
        of: [
          { weight: 3, node: sandbox('small') },
          {
            weight: 1,
            node: { kind: 'group', balance: 'ordered', of: [{ node: sandbox('spare') }, { node: behindKey }] },
          },
        ],
      },
    },
    search: { targets: sandbox('vectors'), policies: ['no-gossip'], quotas: ['few'] },
    desk: {
      targets: sandbox('small'),
      prompt: { name: 'support', variables: { name: { from: 'metadata', name: 'customer' }, tone: 'kind' } },
    },
  },
  prompts: { support: { system: 'Be {{tone}} to {{name}}.' } },
  contextPolicies: { recent: { kind: 'quantisedCut', options: { target: 'window', reserveOutput: 100 } } },
  policies: {
    'no-gossip': { kind: 'blockTerms', options: { terms: ['gossip'] } },
    'no-plans': { kind: 'blockTerms', options: { terms: ['secret plan'] } },
  },
  quotas: { few: { unit: 'requests', limit: 2, window: '1m' } },
  consumers: {
    narrow: { keys: [keyHash('hg_narrow_key')], models: ['desk'], routes: [] },
    mute: { keys: [keyHash('hg_mute_key')], prompts: [] },
  },
  upstreams: { orders: { url: 'http://127.0.0.1:9/base' } },
  routes: { orders: { path: '/orders/*', methods: ['GET'], upstream: 'orders', stripPrefix: '/orders' } },
  sources: {
    'models.chat': 'gateway.config.ts:10:1',
    'policies.no-plans': 'policies/plans.ts:3:24',
    'quotas.few': 'gateway.config.ts:4:13',
    'consumers.narrow': 'gateway.config.ts:20:9',
    'consumers.mute': 'gateway.config.ts:21:9',
    'contextPolicies.recent': 'policies/recent.ts:1:1',
  },
});

const decider = await openDecider(snapshot);
const call = (model: string, content = 'Hello', more: object = {}): AskedRequest => ({
  path: '/v1/chat/completions',
  consumer: 'tester',
  body: { model, messages: [{ role: 'user', content }], ...more },
});

test('a call is followed from its surface to the targets in order, with the line behind each step', async () => {
  const { steps, outcome, refusal } = decider.explain(await decider.decide(call('chat')));
  assert.equal(refusal, undefined);
  assert.deepEqual(outcome.order, ['sandbox/small', 'sandbox/spare']);
  assert.deepEqual(
    steps.map(({ stage, said, at }) => [stage, said, at]),
    [
      ['surface', 'POST /v1/chat/completions is a model call (openai)', undefined],
      ['consumer', 'tester', undefined],
      ['model', 'chat', 'gateway.config.ts:10:1'],
      ['access', 'tester may use model chat', undefined],
      ['target', 'sandbox/small', undefined],
      ['fallback', 'sandbox/spare', undefined],
      ['policy', 'no-gossip lets it pass', undefined],
      ['policy', 'no-plans lets it pass', 'policies/plans.ts:3:24'],
      ['context', 'recent: keeps 1 of 1 messages, about 6 tokens', 'policies/recent.ts:1:1'],
      ['quota', 'few: number 1 of 2 requests in 1m of tester; the window ends in 1m', 'gateway.config.ts:4:13'],
    ],
  );
});

test('an operation beside chat is followed in the same steps', async () => {
  const decider = await openDecider(snapshot);
  const ask = (model: string, input: string) =>
    decider.decide({ path: '/v1/embeddings', consumer: 'tester', body: { model, input } });
  const trace = decider.explain(await ask('search', 'hello'));
  assert.deepEqual(
    trace.steps.map(({ stage }) => stage),
    ['surface', 'consumer', 'model', 'access', 'target', 'policy', 'quota'],
  );
  assert.deepEqual([trace.outcome.order, trace.kept, trace.refusal], [['sandbox/vectors'], undefined, undefined]);
  assert.equal((await ask('search', 'some gossip')).refusal?.code, 'blocked_by_policy');
  assert.equal((await ask('chat', 'hello')).refusal?.code, 'operation_not_supported');
});

test('a secret that is absent here takes nothing out of rotation', async () => {
  const { orders } = decider.explain(await decider.decide(call('split')));
  assert.deepEqual(orders, [
    { chance: 0.75, targets: ['sandbox/small', 'sandbox/spare', 'remote/big'] },
    { chance: 0.25, targets: ['sandbox/spare', 'remote/big', 'sandbox/small'] },
  ]);
});

test('what weights draw depends on the seed alone, and comes out in their shares', async () => {
  const first = async (random: () => number) => (await decider.decide(call('split'), { random })).outcome.order[0];
  assert.equal(await first(seededRandom(7)), await first(seededRandom(7)));
  const random = seededRandom(11);
  let small = 0;
  for (let round = 0; round < 400; round += 1) if ((await first(random)) === 'sandbox/small') small += 1;
  assert.ok(small > 270 && small < 330, `${small} of 400 went to the target with a share of 75 %`);
});

test('a prompt is rendered with what the request brings', async () => {
  const asked = call('desk', 'Hello', { metadata: { customer: 'Ada' } });
  assert.deepEqual((await decider.decide(asked)).prompt, [{ role: 'system', text: 'Be kind to Ada.' }]);
  assert.deepEqual(decider.render('support', { name: 'Bo', tone: 'brief' }), [
    { role: 'system', text: 'Be brief to Bo.' },
  ]);
});

test('a conversation that is cut tells which of its messages stay', async () => {
  const messages = Array.from({ length: 40 }, (_, turn) => ({
    role: turn % 2 === 0 ? 'user' : 'assistant',
    content: `Turn ${turn}. ${'And so it goes on and on. '.repeat(6)}`,
  }));
  const { kept = [], outcome } = await decider.decide({ ...call('chat'), body: { model: 'chat', messages } });
  assert.ok(kept.length > 0 && kept.length < 40);
  assert.deepEqual(
    kept,
    [...kept].sort((a, b) => a - b),
  );
  assert.equal(kept.at(-1), 39);
  assert.deepEqual([outcome.fit?.messages, outcome.fit?.kept], [40, kept.length]);
});

test('quotas draw from the counts and the clock they are given', async () => {
  let now = Date.parse('2028-02-29T23:59:58Z');
  const quotas = memoryStore(
    () => now,
    () => now,
  );
  const used = async () => (await decider.decide(call('chat'), { quotas })).outcome.drawn.map((each) => each.used);
  assert.deepEqual([await used(), await used()], [[1], [2]]);
  const { refusal } = await decider.decide(call('chat'), { quotas });
  assert.deepEqual([refusal?.code, refusal?.status, refusal?.object], ['quota_exceeded', 429, 'quotas.few']);
  now += 2_000;
  assert.deepEqual(await used(), [1]);
});

test('a route is explained up to the address at its upstream', async () => {
  const decision = await decider.decide({ method: 'GET', path: '/orders/7?x=1', consumer: 'tester' });
  assert.deepEqual(decision.upstream, { name: 'orders', path: '/base/7' });
  assert.equal(decider.explain(decision).steps.at(-1)?.said, 'orders, at /base/7');
});

interface Case {
  readonly name: string;
  readonly asked: AskedRequest;
  /** Undefined: served. */
  readonly code?: string;
  readonly object?: string;
}

const cases: readonly Case[] = [
  { name: 'served', asked: call('chat') },
  { name: 'no key', asked: { path: '/v1/chat/completions', body: {} }, code: 'missing_api_key' },
  {
    name: 'a wrong key',
    asked: { path: '/v1/chat/completions', headers: { authorization: 'Bearer hg_nobody' }, body: {} },
    code: 'invalid_api_key',
  },
  { name: 'an unknown model', asked: call('chta'), code: 'model_not_found' },
  {
    name: 'a model of others',
    asked: { ...call('chat'), consumer: 'narrow' },
    code: 'model_not_allowed',
    object: 'consumers.narrow',
  },
  {
    name: 'a prompt of others',
    asked: { ...call('desk'), consumer: 'mute' },
    code: 'prompt_not_allowed',
    object: 'consumers.mute',
  },
  {
    name: 'a policy',
    asked: call('chat', 'tell me the secret PLAN'),
    code: 'blocked_by_policy',
    object: 'policies.no-plans',
  },
  {
    name: 'too long',
    asked: call('chat', 'word '.repeat(3_000)),
    code: 'context_length_exceeded',
    object: 'contextPolicies.recent',
  },
  { name: 'a variable is missing', asked: call('desk'), code: 'prompt_variable_missing' },
  {
    name: 'no JSON',
    asked: { ...call('chat'), body: '{', headers: { 'content-type': 'application/json' } },
    code: 'invalid_json',
  },
  {
    name: 'another type',
    asked: { ...call('chat'), body: 'x', headers: { 'content-type': 'text/plain' } },
    code: 'unsupported_media_type',
  },
  { name: 'a bad body', asked: { ...call('chat'), body: { model: 'chat' } }, code: 'invalid_request' },
  { name: 'no such path', asked: { method: 'GET', path: '/nothing', consumer: 'tester' }, code: 'route_not_found' },
  {
    name: 'a wrong method',
    asked: { method: 'DELETE', path: '/orders/1', consumer: 'tester' },
    code: 'method_not_allowed',
  },
  {
    name: 'a route of others',
    asked: { method: 'GET', path: '/orders/1', consumer: 'narrow' },
    code: 'route_not_allowed',
    object: 'consumers.narrow',
  },
  {
    name: 'dot segments',
    asked: { method: 'GET', path: '/orders/%2e%2e/x', consumer: 'tester' },
    code: 'invalid_request',
  },
  { name: 'the list of models', asked: { method: 'GET', path: '/v1/models', consumer: 'tester' } },
  {
    name: 'a model that is not listed',
    asked: { method: 'GET', path: '/v1/models/chat', consumer: 'narrow' },
    code: 'model_not_found',
  },
];

const keys: Readonly<Record<string, string>> = { tester: testKey, narrow: 'hg_narrow_key', mute: 'hg_mute_key' };

async function liveAnswer(context: TestContext): Promise<(asked: AskedRequest) => Promise<string | undefined>> {
  process.env['NOBODY_HAS_THIS'] = 'for the live one';
  const gateway = await startGateway(snapshot);
  context.after(() => gateway.close());
  return async ({ method = 'POST', path, headers, body, consumer }) => {
    const key = consumer === undefined ? undefined : keys[consumer];
    const answer = await fetch(`${gateway.dataUrl}${path}`, {
      method,
      headers: {
        ...(typeof body === 'object' && { 'content-type': 'application/json' }),
        ...headers,
        ...(key && { authorization: `Bearer ${key}` }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const told = (await answer.json()) as { code?: string; error?: { code: string } };
    return answer.ok ? undefined : (told.code ?? told.error?.code);
  };
}

test('every refusal that the gateway gives, the engine gives too', async (context) => {
  const live = await liveAnswer(context);
  for (const { name, asked, code, object } of cases) {
    const { refusal } = await decider.decide(asked);
    assert.equal(refusal?.code, code, name);
    assert.equal(refusal?.object, object, name);
    // `fetch` takes dot segments out before it sends them.
    if (name !== 'dot segments') assert.equal(await live(asked), code, `live: ${name}`);
  }
});

test('what the configuration cannot serve, the engine does not open', async () => {
  const broken = snapshotOf({ models: { chat: { targets: sandbox('small') } } });
  await assert.rejects(openDecider(broken), /models\.chat: refers to 'sandbox', which does not exist/);
});

test('deciding opens no socket and leaves nothing behind', async () => {
  const before = process.getActiveResourcesInfo();
  const opened = await openDecider(snapshot);
  for (const { asked } of cases) await opened.decide(asked);
  const countOf = (all: readonly string[], kind: string) => all.filter((each) => each === kind).length;
  // What was open before may have ended by now: what earlier tests left is still closing.
  const more = () => {
    const now = process.getActiveResourcesInfo();
    return [...new Set(now)].filter((kind) => countOf(now, kind) > countOf(before, kind)).join();
  };
  // What the runner of the tests writes down meanwhile is over in a moment.
  await until('nothing to be left', async () => more() === '', 2_000).catch(() => undefined);
  assert.equal(more(), '');
});

test('a decider can be asked many things at once', async () => {
  const many = await Promise.all(cases.map(({ asked }) => decider.decide(asked)));
  assert.deepEqual(
    many.map(({ refusal }) => refusal?.code),
    cases.map(({ code }) => code),
  );
  const opened: Decider = decider;
  assert.deepEqual(opened.names('routes'), ['orders']);
});
