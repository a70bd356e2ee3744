/** Groups inside a gateway: what each strategy makes of real requests, and what explanations and paths say of it beforehand. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openDecider, seededRandom, type AskedRequest } from '../../runtime/decide.ts';
import { decisionGraph } from '../../runtime/graph.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { keyHash, snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';

type Node = NonNullable<SnapshotInput['models'][string]['targets']>;
const target = (model: string): Node => ({ kind: 'target', provider: 'sandbox', model, timeout: '60s' });
const group = (balance: string, of: readonly Node[], options?: object): Node => ({
  kind: 'group',
  balance,
  ...(options && { options }),
  of: of.map((node) => ({ node })),
});
const when = (options: object, node: Node) => group('when', [node], options);
const all = ['quick', 'other', 'slow'].map(target);
const [quick = target('quick'), other = target('other')] = all;

const facts = { contextWindow: 100_000 };
const snapshot = snapshotOf({
  providers: {
    sandbox: {
      kind: 'sandbox',
      options: {},
      models: {
        quick: { ...facts, options: {}, prices: { input: '2', output: '2' } },
        other: { ...facts, options: {}, prices: { input: '1', output: '9' } },
        slow: { ...facts, options: { latency: '400ms' }, prices: { input: '9', output: '9' } },
      },
    },
  },
  models: {
    turns: { targets: group('roundRobin', all) },
    sticky: { targets: group('sticky', all, { by: 'header:x-session' }) },
    busy: { targets: group('leastBusy', all) },
    fastest: { targets: group('fastest', [quick, target('slow')]) },
    cheapest: { targets: group('cheapest', all) },
    private: {
      targets: group('when', [quick, group('roundRobin', [other, target('slow')])], {
        headers: { 'x-data': ['private'] },
      }),
    },
    picky: { targets: when({ tools: true }, quick) },
    nested: {
      targets: group('ordered', [
        when({ consumers: ['batch'] }, group('roundRobin', [quick, other])),
        when(
          { headers: { 'x-tier': ['gold'] } },
          group('sticky', [quick, group('leastBusy', [other])], { by: 'user' }),
        ),
        target('slow'),
      ]),
    },
  },
  consumers: { batch: { keys: [keyHash('hg_batch_key')] } },
});

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway(snapshot);
});
after(() => gateway.close());

async function targetOf(model: string, headers: Record<string, string> = {}, more: object = {}): Promise<string> {
  const body = { model, messages: [{ role: 'user', content: 'Hello' }], ...more };
  const response = await gateway.post('/v1/chat/completions', body, { headers });
  await response.text();
  assert.equal(response.status, 200);
  return response.headers.get('headgate-target') ?? '';
}

async function firsts(model: string, times: number, headersOf: (time: number) => Record<string, string> = () => ({})) {
  const seen: string[] = [];
  for (let time = 0; time < times; time += 1) seen.push(await targetOf(model, headersOf(time)));
  return seen;
}

test('round robin sends each next request to the next target', async () => {
  const seen = await firsts('turns', 9);
  const labels = ['sandbox/quick', 'sandbox/other', 'sandbox/slow'];
  const start = labels.indexOf(seen[0] ?? '');
  assert.deepEqual(
    seen,
    seen.map((_, turn) => labels[(start + turn) % 3]),
  );
});

test('what belongs together stays together, and the rest is spread', async () => {
  assert.equal(new Set(await firsts('sticky', 4, () => ({ 'x-session': 'one' }))).size, 1);
  assert.equal(new Set(await firsts('sticky', 20, (time) => ({ 'x-session': `s${time}` }))).size, 3);
});

test('requests under way send the next one elsewhere', async () => {
  // All but those at the slow one are over at once: it is not asked again before its own are.
  const seen: string[] = [];
  const slow: Promise<string>[] = [];
  while (slow.length === 0 && seen.length < 100) {
    const asked = targetOf('busy');
    const ended = await Promise.race([asked, new Promise<undefined>((resolve) => setTimeout(resolve, 60, undefined))]);
    if (ended === undefined) slow.push(asked);
    else seen.push(ended);
  }
  const meanwhile = await firsts('busy', 6);
  assert.ok(!meanwhile.includes('sandbox/slow'), meanwhile.join());
  assert.deepEqual(await Promise.all(slow), ['sandbox/slow']);
});

test('who answers sooner is asked first, once both are known', async () => {
  await firsts('fastest', 6);
  assert.deepEqual(new Set(await firsts('fastest', 8)), new Set(['sandbox/quick']));
});

test('the cheapest depends on what is sent and on what may come back', async () => {
  const long = { messages: [{ role: 'user', content: 'word '.repeat(9_000) }], max_tokens: 10 };
  assert.equal(await targetOf('cheapest', {}, long), 'sandbox/other');
  assert.equal(await targetOf('cheapest', {}, { max_tokens: 4_000 }), 'sandbox/quick');
});

test('conditions choose between groups', async () => {
  const batch = { authorization: 'Bearer hg_batch_key' };
  assert.deepEqual(new Set(await firsts('nested', 4, () => batch)), new Set(['sandbox/quick', 'sandbox/other']));
  const gold = await firsts('nested', 4, () => ({ 'x-tier': 'gold' }));
  assert.equal(new Set(gold).size, 1);
  assert.notEqual(gold[0], 'sandbox/slow');
  assert.equal(await targetOf('nested', { 'x-tier': 'silver' }), 'sandbox/slow');
});

test('what a condition keeps at home has no other target, and what it does not never comes there', async () => {
  const decider = await openDecider(snapshot);
  const decide = async (headers: Record<string, string>) => {
    const decision = await decider.decide(asked('private', { headers }));
    return [...decision.outcome.order, ...(decider.explain(decision).orders ?? []).flatMap(({ targets }) => targets)];
  };
  assert.deepEqual(new Set(await decide({ 'x-data': 'private' })), new Set(['sandbox/quick']));
  assert.deepEqual(new Set(await decide({})), new Set(['sandbox/other', 'sandbox/slow']));
  assert.equal(await targetOf('private', { 'x-data': 'private' }), 'sandbox/quick');
});

test('who meets no condition is told so, and with tools is served', async () => {
  const messages = [{ role: 'user', content: 'Hello' }];
  const refused = await gateway.post('/v1/chat/completions', { model: 'picky', messages });
  assert.equal(refused.status, 503);
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'no_target_available');
  assert.match(error.message, /each stands under a condition/);
  const tools = [{ type: 'function', function: { name: 'find', parameters: { type: 'object' } } }];
  assert.equal(await targetOf('picky', {}, { tools }), 'sandbox/quick');
});

const asked = (model: string, more: Partial<AskedRequest> = {}): AskedRequest => ({
  path: '/v1/chat/completions',
  consumer: 'tester',
  body: { model, messages: [{ role: 'user', content: 'Hello' }] },
  ...more,
});

test('offline, the same request with the same draws is always decided alike', async () => {
  const decider = await openDecider(snapshot);
  for (const model of decider.names('models')) {
    const orders = new Set<string>();
    for (let time = 0; time < 5; time += 1) {
      const { outcome } = await decider.decide(asked(model), { random: seededRandom(4) });
      orders.add(outcome.order.join());
    }
    assert.equal(orders.size, 1, model);
  }
});

test('offline, draws spread what live turns and loads would', async () => {
  const decider = await openDecider(snapshot);
  const random = seededRandom(9);
  for (const model of ['turns', 'busy', 'fastest']) {
    const seen = new Map<string, number>();
    for (let time = 0; time < 600; time += 1) {
      const { outcome } = await decider.decide(asked(model), { random });
      const first = outcome.order[0] ?? '';
      seen.set(first, (seen.get(first) ?? 0) + 1);
    }
    const wanted = 600 / seen.size;
    assert.equal(seen.size, model === 'fastest' ? 2 : 3);
    for (const [label, count] of seen)
      assert.ok(Math.abs(count - wanted) < wanted * 0.25, `${model} ${label} ${count}`);
  }
});

test('an explanation knows what a request decides, and tells every order where live facts would', async () => {
  const decider = await openDecider(snapshot);
  const explained = async (request: AskedRequest) => {
    const decision = await decider.decide(request);
    return { order: decision.outcome.order, orders: decider.explain(decision).orders ?? [] };
  };
  const sticky = await explained(asked('sticky', { headers: { 'x-session': 'one' } }));
  assert.deepEqual(
    sticky.orders.map(({ targets }) => targets),
    [sticky.order],
  );
  assert.equal((await explained(asked('busy'))).orders.length, 6);
  assert.deepEqual((await explained(asked('nested'))).orders, [{ chance: 1, targets: ['sandbox/slow'] }]);
  const batch = await explained(asked('nested', { consumer: 'batch' }));
  assert.deepEqual(
    batch.orders.map(({ chance, targets }) => [chance, targets.at(-1)]),
    [
      [0.5, 'sandbox/slow'],
      [0.5, 'sandbox/slow'],
    ],
  );
});

test('every member is on a path, with a chance for each that may be first', () => {
  const { paths } = decisionGraph(snapshotSchema.parse(snapshot));
  const chances = (model: string, name = 'tester') =>
    paths
      .filter(({ consumer, entry }) => consumer.name === name && entry.name === model)
      .map(({ end, chance }) => [end.model, Math.round(chance * 1e6) / 1e6]);
  const third = 0.333333;
  for (const model of ['turns', 'sticky', 'busy'])
    assert.deepEqual(chances(model), [
      ['quick', third],
      ['other', third],
      ['slow', third],
    ]);
  assert.deepEqual(chances('nested'), [
    ['quick', 0.25],
    ['other', 0.25],
    ['slow', 0.5],
  ]);
  // Who asks is known, so that a condition on it is met or not.
  assert.deepEqual(chances('nested', 'batch'), [
    ['quick', 0.5],
    ['other', 0.5],
    ['quick', 0],
    ['other', 0],
    ['slow', 0],
  ]);
  assert.deepEqual(chances('picky'), [['quick', 0.5]]);
  assert.deepEqual(chances('private'), [
    ['quick', 0.5],
    ['other', 0.25],
    ['slow', 0.25],
  ]);
  const [first, second, never] = chances('cheapest').map(([, chance]) => Number(chance));
  assert.ok(first && second && first + second > 0.999);
  assert.equal(never, 0);
});

test('a group with options that its strategy does not know, or with too many members, is refused', () => {
  const refused = (targets: Node) => !snapshotSchema.safeParse({ ...snapshot, models: { one: { targets } } }).success;
  assert.ok(!refused(group('sticky', all, { by: 'consumer' })));
  assert.ok(refused(group('sticky', all)));
  assert.ok(refused(group('sticky', all, { by: 'session' })));
  assert.ok(refused(group('roundRobin', all, { by: 'consumer' })));
  assert.ok(refused(group('when', all, { stream: true })));
  assert.ok(!refused(group('when', [quick, other], { stream: true })));
  assert.ok(refused(group('nonsense', all)));
});
