/** A rename that comes with an edit: told as one object, with what changed in it, unless there is doubt which is which. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

const key = (digit: string): string => `sha256:${digit.repeat(64)}`;
const gpt = { kind: 'target', provider: 'east', model: 'gpt' };
const mini = { kind: 'target', provider: 'east', model: 'mini' };
const split = (weight: number) => ({
  kind: 'group',
  balance: 'weighted',
  of: [
    { weight, node: gpt },
    { weight: 1, node: mini },
  ],
});

function gateway(objects: object): Snapshot {
  const facts = { contextWindow: 8_192 };
  const empty = {
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: {},
    consumers: {},
    upstreams: {},
    routes: {},
  };
  return snapshotSchema.parse({
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: { east: { kind: 'sandbox', options: {}, models: { gpt: facts, mini: facts } } },
    models: {},
    ...empty,
    sources: {},
    ...objects,
  });
}

const changes = (base: object, head: object): string[] =>
  planBetween(gateway(base), gateway(head)).changes.flatMap(({ risk, sentence, details }) => [
    `${risk}: ${plainText(sentence)}`,
    ...details.map((each) => `  ${plainText(each)}`),
  ]);

const renames = (base: object, head: object): string[] =>
  changes(base, head).filter((line) => line.includes('is now called'));

test('a model that is renamed and whose weights move is one model, and its weights are told', () => {
  const lines = changes({ models: { chat: { targets: split(1) } } }, { models: { talk: { targets: split(3) } } });
  assert.deepEqual(lines, [
    "high: model 'chat' is now called 'talk' and is edited besides",
    '  clients that ask for the old name get 404',
    "  what else changed is told on its own: 'targets'",
    "  taken for a rename: 2 of 2 things compared are the same: target 'east/gpt' and 'east/mini'",
    "medium: model 'talk', share of first choices: 'east/gpt' 50% → 75%, 'east/mini' 50% → 25%",
  ]);
});

test('models that share half of what they say, or less, are gone and new', () => {
  const quotas = { few: { unit: 'requests', limit: 10, window: '1h' } };
  const one = { quotas, models: { chat: { targets: gpt, quotas: ['few'] } } };
  assert.deepEqual(renames(one, { quotas, models: { talk: { targets: mini, quotas: ['few'] } } }), []);
});

test('a renamed prompt keeps its diff and what it costs; another text is another prompt', () => {
  const prompts = (name: string, system: string) => ({
    prompts: { [name]: { system } },
    models: { chat: { targets: gpt, prompt: { name, variables: {} } } },
  });
  const base = prompts('support', 'You answer questions, briefly. Say so when you do not know.');
  const head = prompts('desk', 'You answer questions, briefly. Say so when you do not know it.');
  assert.deepEqual(renames(base, head), ["info: prompt 'support' is now called 'desk' and is edited besides"]);
  const [shown] = planBetween(gateway(base), gateway(head)).prompts;
  assert.ok(shown?.diff.some((line) => line.startsWith('-')) && shown.diff.some((line) => line.startsWith('+')));
  assert.deepEqual(renames(base, prompts('poet', 'You write poems about questions that nobody asks.')), []);
});

test('a quota is found by what draws from it, and one that counts otherwise elsewhere is another', () => {
  const drawn = (name: string, limit: number, window: string, model = 'chat') => ({
    quotas: { [name]: { unit: 'requests', limit, window } },
    models: { chat: { targets: gpt }, fast: { targets: mini }, [model]: { targets: gpt, quotas: [name] } },
  });
  const base = drawn('few', 10, '1h');
  assert.deepEqual(renames(base, drawn('many', 20, '1h')), [
    "medium: quota 'few' is now called 'many' and is edited besides",
  ]);
  assert.deepEqual(renames(base, drawn('many', 20, '1d')), []);
  assert.deepEqual(renames(base, drawn('many', 20, '1h', 'fast')), []);
});

test('two quotas alike are told apart by what draws from each', () => {
  const drawn = (one: string, other: string) => ({
    quotas: {
      [one]: { unit: 'requests', limit: 10, window: '1h' },
      [other]: { unit: 'requests', limit: 10, window: '1h' },
    },
    models: { chat: { targets: gpt, quotas: [one] }, fast: { targets: mini, quotas: [other] } },
  });
  assert.deepEqual(changes(drawn('a', 'b'), drawn('x', 'y')), [
    "medium: quota 'a' is now called 'x' and is otherwise the same",
    '  a count belongs to the name: what was used so far is forgotten',
    "  to keep what was counted, write into the quota: 'was: 'a''",
    "medium: quota 'b' is now called 'y' and is otherwise the same",
    '  a count belongs to the name: what was used so far is forgotten',
    "  to keep what was counted, write into the quota: 'was: 'b''",
  ]);
});

test('where two are as good, neither is taken', () => {
  const base = { models: { chat: { targets: split(1) } } };
  assert.deepEqual(renames(base, { models: { one: { targets: split(2) }, two: { targets: split(3) } } }), []);
  const [best] = renames(base, { models: { one: { targets: gpt }, two: { targets: split(3) } } });
  assert.equal(best, "high: model 'chat' is now called 'two' and is edited besides");
});

test('a consumer is who holds its key, and a route is where it answers, whatever else they say', () => {
  const upstreams = { back: { url: 'https://back.example.com' }, other: { url: 'https://other.example.com' } };
  const consumers = (name: string, digit: string, models: string[]) => ({
    models: { chat: { targets: gpt }, fast: { targets: mini } },
    consumers: { [name]: { keys: [key(digit)], models } },
  });
  assert.deepEqual(renames(consumers('ada', 'a', ['chat']), consumers('bob', 'a', ['fast'])), [
    "low: consumer 'ada' is now called 'bob' and is edited besides",
  ]);
  assert.deepEqual(renames(consumers('ada', 'a', ['chat']), consumers('bob', 'b', ['chat'])), []);
  const routes = (name: string, path: string, upstream: string) => ({
    upstreams,
    routes: { [name]: { path, upstream } },
  });
  assert.deepEqual(renames(routes('orders', '/orders/*', 'back'), routes('list', '/orders/*', 'other')), [
    "info: route 'orders' is now called 'list' and is edited besides",
  ]);
  assert.deepEqual(renames(routes('orders', '/orders/*', 'back'), routes('list', '/list/*', 'back')), []);
});

test('what a header of an upstream says is not repeated as a reason', () => {
  const upstream = (name: string, timeout: string) => ({
    upstreams: { [name]: { url: 'https://back.example.com', headers: { 'x-tenant': 'nobody-else' }, timeout } },
  });
  const lines = changes(upstream('back', '10s'), upstream('rear', '20s')).join('\n');
  assert.match(lines, /upstream 'back' is now called 'rear' and is edited besides/);
  assert.doesNotMatch(lines, /nobody-else/);
});

test('a thousand prompts that are all renamed and edited are found within seconds', () => {
  const many = (rename: (index: number) => string, edit: string) => ({
    prompts: Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [
        rename(index),
        { system: `You answer questions about the article number ${index} of our catalogue.${edit}` },
      ]),
    ),
  });
  const from = performance.now();
  const found = renames(
    many((index) => `p${index}`, ''),
    many((index) => `q${index}`, ' Be brief.'),
  );
  assert.equal(found.length, 1_000);
  assert.ok(performance.now() - from < 10_000);
});
