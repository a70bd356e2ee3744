/** Whose counts a request draws from, when its provider has no room, and when so much is used that a cheaper model serves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryStore, openDecider, type AskedRequest, type Decision } from '../../runtime/decide.ts';
import { decisionGraph } from '../../runtime/graph.ts';
import type { LiveQuota } from '../../runtime/generation/live.ts';
import { sharesOf, type Drawing } from '../../runtime/pipeline/shares.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf } from '../support/gateway.ts';

const prices = { input: '1000', output: '2000' };
const box = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192, prices } } };
const target = (provider: string) => ({ kind: 'target' as const, provider, model: 'm' });
const both = {
  kind: 'group',
  balance: 'ordered',
  of: [{ node: target('first') }, { node: target('spare') }],
} as const;
const requests = (limit: number, scope: unknown, more: object = {}) =>
  ({ unit: 'requests', limit, window: '1h', scope, ...more }) as NonNullable<SnapshotInput['quotas']>[string];

type Parts = Pick<SnapshotInput, 'quotas'> & Partial<SnapshotInput>;
const parts = ({ quotas, ...more }: Parts): SnapshotInput =>
  snapshotOf({
    providers: { first: box, spare: box },
    models: { chat: { targets: both, quotas: Object.keys(quotas) }, other: { targets: both } },
    quotas,
    ...more,
  });

const call = (more: { body?: object; headers?: Record<string, string>; path?: string } = {}): AskedRequest => ({
  path: more.path ?? '/v1/chat/completions',
  consumer: 'tester',
  ...(more.headers && { headers: more.headers }),
  body: { model: 'chat', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }], ...more.body },
});

const usedIn = ({ outcome, refusal }: Decision) =>
  refusal?.code ?? outcome.drawn.map(({ whose, used }) => [whose, used]);

describe('whose count it is', () => {
  test('end users are told apart as each API names them, and those without a name are one', async () => {
    const decider = await openDecider(parts({ quotas: { each: requests(9, 'endUser') } }));
    const quotas = memoryStore(() => 0);
    const ask = async (body: object, path?: string) =>
      usedIn(await decider.decide(call({ body, ...(path !== undefined && { path }) }), { quotas }));
    assert.deepEqual(await ask({ user: 'ada' }), [['this end user', 1]]);
    assert.deepEqual(await ask({ safety_identifier: 'ada' }), [['this end user', 2]]);
    assert.deepEqual(await ask({ metadata: { user_id: 'ada' } }, '/v1/messages'), [['this end user', 3]]);
    assert.deepEqual(await ask({ user: 'bob' }), [['this end user', 1]]);
    for (const count of [1, 2])
      assert.deepEqual(await ask(count === 1 ? {} : { user: '' }), [['all requests that name no end user', count]]);
  });

  test('a header names the end user where the quota says so, and the body does not', async () => {
    const decider = await openDecider(parts({ quotas: { each: requests(9, 'endUser', { endUserHeader: 'x-user' }) } }));
    const quotas = memoryStore(() => 0);
    for (const [headers, body, used] of [
      [{ 'x-user': 'ada' }, {}, ['this end user', 1]],
      [{ 'x-user': 'ada' }, { user: 'bob' }, ['this end user', 2]],
      [{}, { user: 'ada' }, ['all requests that name no end user', 1]],
    ] as const)
      assert.deepEqual(usedIn(await decider.decide(call({ headers, body }), { quotas })), [used]);
  });

  test('each combination of a list has its own count, in whatever order it is written', async () => {
    const quotas = memoryStore(() => 0);
    for (const [index, scope] of [
      ['consumer', 'model'],
      ['model', 'consumer'],
    ].entries()) {
      const decider = await openDecider(
        parts({
          quotas: { each: requests(9, scope) },
          models: { chat: { targets: both, quotas: ['each'] }, other: { targets: both, quotas: ['each'] } },
        }),
      );
      for (const model of ['chat', 'other'])
        assert.deepEqual(usedIn(await decider.decide(call({ body: { model } }), { quotas })), [
          [`consumer 'tester', model '${model}'`, index + 1],
        ]);
    }
  });

  test('each tag of consumer and model has a count, and what has none shares one', async () => {
    const decider = await openDecider(
      parts({
        quotas: { each: requests(9, 'tag') },
        models: {
          chat: { targets: both, quotas: ['each'], tags: ['gold', 'eu'] },
          other: { targets: both, quotas: ['each'] },
        },
      }),
    );
    assert.deepEqual(usedIn(await decider.decide(call())), [
      ["tag 'gold'", 1],
      ["tag 'eu'", 1],
    ]);
    assert.deepEqual(usedIn(await decider.decide(call({ body: { model: 'other' } }))), [
      ['all requests without a tag', 1],
    ]);
  });

  test('what clients write is in no key but as a digest, and addresses of one IPv6 network are one', () => {
    const quota = { name: 'q', unit: 'requests', scope: ['endUser', 'address'] } as unknown as LiveQuota;
    const key = (address: string, user: string) =>
      sharesOf(quota, { address, body: { user } } as unknown as Drawing)[0]?.key ?? '';
    assert.match(key('1.2.3.4', 'x'.repeat(100_000)), /^q:endUser=[0-9a-f]{32},address=1\.2\.3\.4$/);
    assert.match(key('::ffff:1.2.3.4', 'ada@example.com'), /,address=1\.2\.3\.4$/);
    assert.equal(key('2001:db8:0:1::1', 'a'), key('2001:DB8::1:ffff:2:3:4', 'a'));
    assert.notEqual(key('2001:db8:0:1::1', 'a'), key('2001:db8:0:2::1', 'a'));
    assert.match(key('fe80::1%eth0', 'a'), /address=fe80%3A0%3A0%3A0%3A%3A%2F64$/);
  });

  test('a quota by model does not count routes, for invariants neither', async () => {
    const input = parts({
      quotas: { each: requests(9, ['consumer', 'model']) },
      upstreams: { back: { url: 'http://127.0.0.1:9' } },
      routes: { orders: { path: '/orders', upstream: 'back', quotas: ['each'] } },
    });
    const decider = await openDecider(input);
    const { outcome, refusal } = await decider.decide({ path: '/orders', consumer: 'tester' });
    assert.deepEqual([refusal, outcome.drawn], [undefined, []]);
    const { paths } = decisionGraph(snapshotSchema.parse(input));
    assert.deepEqual(paths.find(({ entry }) => entry.sort === 'route')?.quotas, []);
  });
});

describe('by provider', () => {
  test('a provider without room is passed over, and the call refused when none has any', async () => {
    const decider = await openDecider(parts({ quotas: { each: requests(2, 'provider') } }));
    const quotas = memoryStore(() => 0);
    const firsts: unknown[] = [];
    for (let asked = 0; asked < 5; asked += 1) {
      const { outcome, refusal } = await decider.decide(call(), { quotas });
      firsts.push(refusal?.code ?? outcome.order[0]);
    }
    // Nothing was held at the fallback: it was not asked.
    assert.deepEqual(firsts, ['first/m', 'first/m', 'spare/m', 'spare/m', 'quota_exceeded']);
  });

  test('money is held at the dearest target of the provider that is asked, and nowhere else', async () => {
    const dear = { ...box, models: { m: { contextWindow: 8_192, prices: { input: '1000', output: '20000' } } } };
    const decider = await openDecider(
      parts({
        quotas: { each: { unit: 'usd', limit: '1.00', window: '1h', scope: 'provider' } },
        providers: { first: dear, spare: box },
      }),
    );
    const quotas = memoryStore(() => 0);
    const { outcome } = await decider.decide(call(), { quotas, spends: { inputTokens: 10, outputTokens: 10 } });
    assert.deepEqual(
      outcome.drawn.map(({ whose, used, amount }) => [whose, used, amount > 0]),
      [["provider 'first'", 210_000_000, true]],
    );
    // An answer of 60 tokens could cost $1.20 at the first one, more than it may ever have.
    const long = await decider.decide(call({ body: { max_tokens: 60 } }), { quotas });
    assert.deepEqual(long.outcome.order, ['spare/m']);
    assert.deepEqual(long.outcome.crowded, [{ target: 'first/m', quota: 'each' }]);
  });
});

describe('thresholds', () => {
  const cheap = {
    kind: 'sandbox',
    options: {},
    models: { m: { contextWindow: 4_000, prices: { input: '1', output: '1' } } },
  };
  const input = parts({
    quotas: {
      month: requests(4, 'gateway', { downgrade: { at: 0.5, to: 'small' } }),
      few: requests(1, 'gateway', { downgrade: { at: 1, to: 'tiny' } }),
    },
    providers: { first: box, spare: box, low: cheap, least: cheap },
    models: {
      chat: { targets: both, quotas: ['month'], policies: ['calm'] },
      small: { targets: target('low'), context: 'recent', quotas: ['few'] },
      tiny: { targets: target('least'), quotas: ['month'] },
    },
    policies: { calm: { kind: 'blockTerms', options: { terms: ['rage'] } } },
    contextPolicies: { recent: { kind: 'quantisedCut', options: { target: 'window', reserveOutput: 100 } } },
  });

  test('beyond its share a cheaper model serves, what limits the one asked for stays, and its own limits come on top', async () => {
    const decider = await openDecider(input);
    const quotas = memoryStore(() => 0);
    const served: unknown[] = [];
    for (let asked = 0; asked < 5; asked += 1) {
      const { outcome, refusal } = await decider.decide(call(), { quotas });
      const names = outcome.drawn.map(({ quota }) => quota);
      served.push(refusal?.code ?? [outcome.order.join(), names.join(), outcome.passed.join(), outcome.fit?.policy]);
    }
    assert.deepEqual(served, [
      ['first/m,spare/m', 'month', 'calm', undefined],
      ['first/m,spare/m', 'month', 'calm', undefined],
      ['low/m', 'month,few', 'calm', 'recent'],
      // The cheaper one's own quota is used up to its share as well: on to the next, which leads back to nobody.
      'quota_exceeded',
      'quota_exceeded',
    ]);
  });

  test('a revision whose quota names no model is refused', async () => {
    const quotas = { month: requests(4, 'gateway', { downgrade: { at: 0.5, to: 'gone' } }) };
    await assert.rejects(openDecider(parts({ quotas })), /quotas\.month: refers to 'gone', which does not exist/);
  });

  test('explain tells it, and invariants see the path with all that limits it', async () => {
    const decider = await openDecider(input);
    const quotas = memoryStore(() => 0);
    for (const _ of [1, 2]) await decider.decide(call(), { quotas });
    const trace = decider.explain(await decider.decide(call(), { quotas }));
    assert.deepEqual(
      trace.steps.filter(({ stage }) => stage === 'downgrade').map(({ said }) => said),
      ['month: so much of it is used that small serves'],
    );
    assert.deepEqual(
      trace.orders?.map(({ targets }) => targets),
      [['low/m']],
    );
    const { paths } = decisionGraph(snapshotSchema.parse(input));
    const ends = paths.filter(({ entry, downgradedTo }) => entry.name === 'chat' && downgradedTo !== undefined);
    assert.deepEqual(
      ends.map(({ end, downgradedTo, quotas: all, policies, chance }) => [
        end.name,
        downgradedTo,
        all.map(({ name }) => name).join(),
        policies.join(),
        chance,
      ]),
      [
        ['low', 'small', 'month,few', 'calm', 0],
        ['least', 'tiny', 'month,few', 'calm', 0],
      ],
    );
  });
});
