/** Targets by the claims of a token: which are met, what is known beforehand, and how a request without a token is told what would be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecidedGateway } from '../../config-sdk/testing/gateway.ts';
import { when } from '../../runtime/balancing/when.ts';
import { openDecider, readRequest, RequestProblem } from '../../runtime/decide.ts';
import { decisionGraph, requestTo, type Paths } from '../../runtime/graph.ts';
import { schemaOf, snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { keyHash, snapshotOf } from '../support/gateway.ts';

const place = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192, options: {} } } };
const target = (provider: string) => ({ node: { kind: 'target' as const, provider, model: 'm' } });
const gold = { claim: ['plan', 'tier'], is: ['gold', '1'] };
const shop = { claim: ['groups'], includes: ['shop'] };

const snapshot: SnapshotInput = snapshotOf({
  issuers: { corp: { url: 'https://corp.example', audience: ['headgate'] } },
  providers: { best: place, plain: place },
  models: {
    tiered: {
      targets: {
        kind: 'group',
        balance: 'when',
        options: { claims: [gold, shop] },
        of: [target('best'), target('plain')],
      },
    },
  },
  consumers: {
    staff: { keys: [keyHash('hg_staff')], jwt: [{ issuer: 'corp' }] },
    robot: { keys: [keyHash('hg_robot')] },
  },
});

const both = { plan: { tier: 'gold' }, groups: ['desk', 'shop'] };
const request = {
  path: '/v1/chat/completions',
  body: { model: 'tiered', messages: [{ role: 'user', content: 'Hi' }] },
};

test('claims lead to a target where all that is asked of them holds, and none leads there with a key', async () => {
  const decider = await openDecider(snapshot);
  const cases = [
    ['best', both],
    ['best', { plan: { tier: 1 }, groups: 'desk shop' }],
    ['plain', { plan: { tier: 'gold' } }],
    ['plain', { plan: { tier: ['gold'] }, groups: ['shop'] }],
    ['plain', { plan: 'gold', groups: ['shop'] }],
    ['plain', { 'plan.tier': 'gold', groups: ['shop'] }],
    ['plain', {}],
    ['plain', undefined],
  ] as const;
  for (const [wanted, claims] of cases) {
    const decision = await decider.decide({ ...request, consumer: 'staff', ...(claims && { claims }) });
    const { orders } = decider.explain(decision);
    assert.deepEqual(
      orders?.map(({ targets }) => targets),
      [[`${wanted}/m`]],
      JSON.stringify(claims),
    );
  }
});

test('the claims of one request are not those of the next', async () => {
  const decider = await openDecider(snapshot);
  const came = async (claims?: typeof both) => {
    const decision = await decider.decide({ ...request, consumer: 'staff', ...(claims && { claims }) });
    return decider.explain(decision).orders?.[0]?.targets;
  };
  assert.deepEqual([await came(both), await came()], [['best/m'], ['plain/m']]);
});

test('tests of a configuration ask with claims', async () => {
  const gateway = new DecidedGateway(await openDecider(snapshot));
  (await gateway.ask({ model: 'tiered', consumer: 'staff', claims: both })).goesTo('best/m');
  (await gateway.ask({ model: 'tiered', consumer: 'staff' })).goesTo('plain/m');
  (await gateway.send({ ...request, consumer: 'staff', claims: both })).goesTo('best/m');
});

test('the graph knows who has no tokens, and which claims were given', () => {
  const graph = decisionGraph(snapshotSchema.parse(snapshot));
  const ends = (paths: Paths) =>
    [...paths]
      .filter(({ consumer }) => consumer.name !== 'tester')
      .map(({ consumer, end, chance }) => `${consumer.name} ${end.name} ${chance}`);
  assert.deepEqual(ends(graph.paths), ['staff best 0.5', 'staff plain 0.5', 'robot plain 1']);
  assert.deepEqual(ends(graph.given({ claims: both })), ['staff best 1']);
  assert.deepEqual(ends(graph.given({ claims: { groups: ['desk'] } })), ['staff plain 1']);
  assert.deepEqual(ends(graph.given({ claims: { groups: ['shop'] } })), ['staff best 0.5', 'staff plain 0.5']);
  assert.deepEqual(ends(graph.given({ claims: { plan: '' } })), ['staff plain 1', 'robot plain 1']);
});

test('a path past a condition on claims is shown with claims that meet it', async () => {
  const parsed = snapshotSchema.parse(snapshot);
  const asked = requestTo({ consumer: 'staff', sort: 'model', entry: 'tiered', end: 'best/m' }, parsed);
  assert.deepEqual((asked as { claims?: object }).claims, { plan: { tier: 'gold' }, groups: ['shop'] });
  const decider = await openDecider(snapshot);
  const { orders } = decider.explain(await decider.decide(readRequest(JSON.stringify(asked))));
  assert.deepEqual(orders?.[0]?.targets, ['best/m']);
  const other = requestTo({ consumer: 'robot', sort: 'model', entry: 'tiered', end: 'plain/m' }, parsed);
  assert.ok(!('claims' in other));
});

test('a file with claims needs a consumer, and claims as a token has them', () => {
  const problems = (more: object) => {
    try {
      readRequest(JSON.stringify({ ...request, ...more }));
      return [];
    } catch (error) {
      assert.ok(error instanceof RequestProblem);
      return error.problems;
    }
  };
  assert.deepEqual(problems({ consumer: 'staff', claims: both }), []);
  assert.deepEqual(problems({ claims: both }), [
    '"claims" are those of somebody\'s token: write "consumer", or whose token it is as "issuer"',
  ]);
  assert.deepEqual(problems({ consumer: 'staff', claims: ['gold'] }), ['"claims" must be an object, as in a token']);
});

test('a condition asks something of claims', () => {
  for (const claims of [
    [],
    [{ claim: [], is: ['x'] }],
    [{ claim: ['x'] }],
    [{ claim: ['x'], is: [] }],
    { tier: ['x'] },
  ])
    assert.ok(!schemaOf(when.options).safeParse({ claims }).success, JSON.stringify(claims));
});
