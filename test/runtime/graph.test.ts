/** The decision graph holds every path that the engine takes, and no path that it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDecider, type AskedRequest } from '../../runtime/decide.ts';
import { decisionGraph, requestTo, type Path } from '../../runtime/graph.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf } from '../support/gateway.ts';

const target = (provider: string, model: string) => ({ kind: 'target' as const, provider, model });
const models = { small: { contextWindow: 8_000, options: {} }, big: { contextWindow: 8_000, options: {} } };

const input: SnapshotInput = snapshotOf({
  providers: {
    home: { kind: 'sandbox', options: {}, models, tags: ['eu'] },
    away: { kind: 'sandbox', options: {}, models },
    vault: {
      kind: 'anthropic',
      options: { baseUrl: 'http://127.0.0.1:9' },
      models: {},
      files: { seal: { $secret: 'FILES_SEAL' } },
    },
  },
  models: {
    one: { targets: target('home', 'small'), tags: ['pii'], quotas: ['some'], policies: ['calm'] },
    many: {
      targets: {
        kind: 'group',
        balance: 'ordered',
        of: [
          {
            node: {
              kind: 'group',
              balance: 'weighted',
              of: [
                { weight: 3, node: target('home', 'big') },
                { weight: 1, node: target('away', 'big') },
              ],
            },
          },
          { node: target('away', 'small') },
        ],
      },
      quotas: ['some', 'all'],
    },
    told: { targets: target('home', 'small'), prompt: { name: 'desk', variables: {} } },
  },
  prompts: { desk: { system: 'You help.' } },
  policies: { calm: { kind: 'blockTerms', options: { terms: ['rage'] } } },
  quotas: {
    some: { unit: 'requests', limit: 1_000, window: '1h' },
    all: { unit: 'requests', limit: 9_000, window: '1d', scope: 'gateway' },
  },
  upstreams: { back: { url: 'http://127.0.0.1:9' } },
  routes: {
    every: { path: '/every/*', upstream: 'back' },
    orders: { path: '/orders', methods: ['PUT'], host: 'shop.example.com', upstream: 'back', quotas: ['some'] },
  },
  consumers: {
    tester: { keys: [], quotas: ['some'] },
    mute: { keys: [], prompts: [], routes: [] },
    narrow: { keys: [], models: ['one'], routes: [], tags: ['free'] },
    keeper: { keys: [], models: [], routes: [], files: ['vault'], quotas: ['all'] },
  },
});
const snapshot = snapshotSchema.parse(input);
const { paths } = decisionGraph(snapshot);

const asked = ({ consumer, entry }: Path): AskedRequest =>
  requestTo({ consumer: consumer.name, sort: entry.sort, entry: entry.name }, snapshot) as AskedRequest;

test('each path is one that the engine takes: the same access, quotas, policies and ends', async () => {
  const decider = await openDecider(input);
  for (const path of paths) {
    const { consumer, entry, end, quotas, policies } = path;
    const { refusal, outcome, upstream } = await decider.decide(asked(path));
    const where = JSON.stringify(path);
    assert.equal(refusal, undefined, where);
    assert.equal(outcome.matched, `${entry.sort}:${entry.name}`, where);
    assert.equal(outcome.consumer, consumer.name, where);
    assert.deepEqual(outcome.drawn.map(({ quota }) => quota).sort(), quotas.map(({ name }) => name).sort(), where);
    assert.deepEqual(outcome.passed, policies, where);
    if (end.sort === 'upstream') assert.equal(upstream?.name, end.name, where);
    else assert.ok(outcome.order.includes(`${end.name}/${end.model ?? entry.sort}`), where);
  }
});

test('each model, route and end that the engine reaches is on a path', async () => {
  const decider = await openDecider(input);
  const known = new Set(
    [...paths].map((each) => `${each.consumer.name} ${each.entry.name} ${each.end.name}/${each.end.model}`),
  );
  for (const consumer of decider.names('consumers')) {
    for (const entry of decider.names('models')) {
      const { refusal, outcome } = await decider.decide(
        requestTo({ consumer, sort: 'model', entry }, snapshot) as AskedRequest,
      );
      for (const label of refusal ? [] : outcome.order) assert.ok(known.has(`${consumer} ${entry} ${label}`), label);
    }
  }
  assert.equal(known.size, 13);
});

test('chances of the first choice are those of the orders, and a mere fallback has none', () => {
  const chances = paths
    .filter(({ consumer, entry }) => consumer.name === 'tester' && entry.name === 'many')
    .map(({ end, chance }) => [`${end.name}/${end.model}`, chance]);
  assert.deepEqual(chances, [
    ['home/big', 0.75],
    ['away/big', 0.25],
    ['away/small', 0],
  ]);
});

test('the path that ends an `every` is remembered, until one holds', () => {
  assert.equal(
    paths.every(({ end }) => end.name !== 'away'),
    false,
  );
  assert.equal(paths.counterexample?.entry.name, 'many');
  assert.ok(paths.every(({ consumer }) => consumer.name !== 'nobody'));
  assert.equal(paths.counterexample, undefined);
  assert.ok(paths.some(({ consumer }) => consumer.tags.includes('free')));
});

test('a million paths are walked without being held', () => {
  const wide = snapshotSchema.parse({
    ...input,
    models: Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`model-${index}`, input.models['many']])),
    consumers: Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`consumer-${index}`, { keys: [] }])),
  });
  const began = process.memoryUsage().heapUsed;
  let count = 0;
  for (const path of decisionGraph(wide).paths) if (path.entry.sort === 'model') count += 1;
  assert.equal(count, 1_200_000);
  assert.ok(process.memoryUsage().heapUsed - began < 200 * 1024 * 1024);
});
