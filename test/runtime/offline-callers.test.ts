/** Who asks, offline: one of a consumer's keys, or a token with certain claims, from somewhere and at some time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explain } from '../../config-sdk/explain/explain.ts';
import { DecidedGateway } from '../../config-sdk/testing/gateway.ts';
import { openDecider, readRequest, RequestProblem, type AskedRequest } from '../../runtime/decide.ts';
import { requestTo } from '../../runtime/graph.ts';
import { keyHash, snapshotOf } from '../support/gateway.ts';

const place = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192, options: {} } } };
const target = (provider: string) => ({ kind: 'target' as const, provider, model: 'm' });
const [bound, plain] = [keyHash('hg_bound'), keyHash('hg_plain')];
const where = (...groups: string[]) => [{ claim: ['groups'], includes: groups }];

const decider = await openDecider(
  snapshotOf({
    issuers: {
      corp: { url: 'https://corp.example', audience: ['headgate'] },
      partner: { url: 'https://partner.example', audience: ['headgate'], consumerClaim: ['app', 'name'] },
    },
    providers: { best: place, usual: place },
    models: {
      small: { targets: target('usual') },
      large: { targets: target('usual') },
      tiered: {
        targets: {
          kind: 'group',
          balance: 'when',
          options: { claims: [{ claim: ['tier'], is: ['gold'] }] },
          of: [{ node: target('best') }, { node: target('usual') }],
        },
      },
    },
    quotas: { each: { unit: 'requests', limit: 1, window: '1h', scope: 'key' } },
    organisations: { acme: {} },
    teams: { sales: { organisation: 'acme' } },
    consumers: {
      shop: {
        keys: [bound, plain],
        keyTerms: { [bound]: { expires: '2027-01-31', addresses: ['10.1.2.3/16'], models: ['small'], owner: 'ada' } },
        addresses: ['192.0.2.0/24', '10.0.0.0/8'],
        team: 'sales',
        organisation: 'acme',
        tags: ['gold', 'eu'],
        quotas: ['each'],
        jwt: [{ issuer: 'corp', where: where('shop') }],
      },
      desk: { keys: [], jwt: [{ issuer: 'corp', where: where('desk') }, { issuer: 'partner' }] },
      robot: { keys: [keyHash('hg_robot')] },
    },
    sources: { 'consumers.shop': 'gateway.config.ts:9:3', 'consumers.desk': 'gateway.config.ts:10:3' },
  }),
);

const call = (model = 'small') => ({ model, messages: [{ role: 'user', content: 'Hi' }] });
const asking = (said: Partial<AskedRequest>, model?: string): AskedRequest => ({
  path: '/v1/chat/completions',
  body: call(model),
  ...said,
});

type Case = readonly [what: string, said: Partial<AskedRequest>, consumer: string | undefined, code?: string];

const shop = { consumer: 'shop' };
const withBound = { ...shop, key: bound };
const corp = (claims: object) => ({ issuer: 'corp', claims: claims as NonNullable<AskedRequest['claims']> });

const cases: readonly Case[] = [
  ['by name, from wherever it may call', shop, 'shop'],
  ['from elsewhere', { ...shop, address: '198.51.100.1' }, 'shop', 'address_not_allowed'],
  ['a key, from wherever both may', { ...withBound, at: '2027-01-31' }, 'shop'],
  ['in its last second', { ...withBound, at: '2027-01-31T23:59:59.999Z' }, 'shop'],
  ['when it has ended', { ...withBound, at: '2027-02-01' }, 'shop', 'key_expired'],
  ['where the key may be', { ...withBound, at: '2026-01-01', address: '10.1.9.9' }, 'shop'],
  ['where only others may', { ...withBound, at: '2026-01-01', address: '192.0.2.1' }, 'shop', 'address_not_allowed'],
  ['another key there', { ...shop, key: plain.slice(0, 15), address: '192.0.2.1' }, 'shop'],
  ['claims of the shop', corp({ groups: ['shop', 'x'] }), 'shop'],
  ['claims of the desk, in words', corp({ groups: 'desk x' }), 'desk'],
  ['claims of nobody', corp({ groups: ['x'] }), undefined, 'invalid_token'],
  ['claims of both', corp({ groups: ['shop', 'desk'] }), undefined, 'invalid_token'],
  ['whom iss names', { claims: { iss: 'https://corp.example', groups: 'desk' } }, 'desk'],
  ['iss of nobody', { claims: { iss: 'https://evil.example', groups: 'desk' } }, undefined, 'invalid_token'],
  ['iss of another', corp({ iss: 'https://partner.example', groups: 'desk' }), undefined, 'invalid_token'],
  ['for us too', corp({ groups: 'desk', aud: ['x', 'headgate'] }), 'desk'],
  ['for others', corp({ groups: 'desk', aud: 'x' }), undefined, 'invalid_token'],
  ['over', { ...corp({ groups: 'desk', exp: 1_800_000_000 }), at: '2028-01-01' }, undefined, 'invalid_token'],
  ['not over', { ...corp({ groups: 'desk', exp: 1_800_000_000 }), at: '2026-01-01' }, 'desk'],
  ['too early', { ...corp({ groups: 'desk', nbf: 1_800_000_000 }), at: '2026-01-01' }, undefined, 'invalid_token'],
  [
    'from the future',
    { ...corp({ groups: 'desk', iat: 1_800_000_000 }), at: '2026-01-01' },
    undefined,
    'invalid_token',
  ],
  ['a claim with the name', { issuer: 'partner', claims: { app: { name: 'desk' } } }, 'desk'],
  ['the name of who takes none', { issuer: 'partner', claims: { app: { name: 'shop' } } }, undefined, 'invalid_token'],
];

for (const [what, said, consumer, code] of cases)
  test(`${what}: ${code ?? 'admitted'}`, async () => {
    const { outcome, refusal } = await decider.decide(asking(said));
    assert.deepEqual([outcome.consumer, refusal?.code], [consumer, code]);
  });

test('a key for some models opens no other', async () => {
  const { refusal } = await decider.decide(asking({ ...withBound, at: '2026-01-01' }, 'large'));
  assert.equal(refusal?.code, 'model_not_allowed');
});

test('the claims by which a consumer is found lead to targets too', async () => {
  const order = async (claims: object) =>
    decider.explain(await decider.decide(asking(corp(claims), 'tiered'))).orders?.[0]?.targets;
  assert.deepEqual(await order({ groups: 'desk', tier: 'gold' }), ['best/m']);
  assert.deepEqual(await order({ groups: 'desk' }), ['usual/m']);
});

const said = async (asked: AskedRequest): Promise<string[]> =>
  (await explain(decider, asked)).steps.flatMap(({ stage, said: words, at }) =>
    ['consumer', 'key', 'token', 'belongs', 'tags'].includes(stage) ? `${stage} ${words} ${at ?? ''}`.trim() : [],
  );

test('an explanation says what the key is bound to, and which conditions made a token stand for whom', async () => {
  const who = ['belongs to team sales, of organisation acme', 'tags gold, eu gateway.config.ts:9:3'];
  const key = `sha256:${bound.slice(7, 19)}…`;
  assert.deepEqual(await said(asking({ ...withBound, at: '2026-01-01' })), [
    'consumer shop gateway.config.ts:9:3',
    `key ${key}, of ada, until 2027-01-31, from 10.1.2.3/16, for models small gateway.config.ts:9:3`,
    ...who,
  ]);
  assert.deepEqual(await said(asking(corp({ groups: 'shop', email: 'ada@corp.example' }))), [
    'consumer shop gateway.config.ts:9:3',
    'token of corp, where groups includes shop gateway.config.ts:9:3',
    ...who,
  ]);
  assert.deepEqual(await said(asking({ issuer: 'partner', claims: { app: { name: 'desk' } } })), [
    'consumer desk gateway.config.ts:10:3',
    'token of partner, where app.name is desk gateway.config.ts:10:3',
  ]);
  assert.deepEqual(await said(asking(shop)), ['consumer shop gateway.config.ts:9:3']);
  const shown = { headers: { Authorization: 'Bearer hg_bound' }, at: '2026-01-01', address: '10.1.2.3' };
  assert.deepEqual(
    (await said(asking(shown)))[1],
    `key ${key}, of ada, until 2027-01-31, from 10.1.2.3/16, for models small gateway.config.ts:9:3`,
  );
});

test('claims that stand for several are told whom, and those of nobody who takes such tokens', async () => {
  const near = async (groups: string) =>
    (await explain(decider, asking(corp({ groups })))).near?.map((each) => each.name);
  assert.deepEqual(await near('shop desk'), ['shop', 'desk']);
  assert.deepEqual(await near('x'), ['shop', 'desk']);
  assert.deepEqual((await explain(decider, asking({ issuer: 'partner', claims: {} }))).near, [
    { name: 'desk', at: 'gateway.config.ts:10:3' },
  ]);
});

/** Of nobody who could sign it. */
const tokenWith = (claims: object, header: object = { alg: 'RS256' }): string =>
  [header, claims].map((each) => Buffer.from(JSON.stringify(each)).toString('base64url')).join('.') + '.c2ln';
const inHeader = (claims: object) => ({
  headers: {
    'X-Api-Key': tokenWith({ iss: 'https://corp.example', aud: 'headgate', exp: 1_800_000_000, ...claims }),
  },
  at: '2026-01-01',
});

test('a token in the headers is asked with, and nobody is told that its signature was verified', async () => {
  assert.deepEqual(await said(asking(inHeader({ groups: 'desk' }))), [
    'consumer desk gateway.config.ts:10:3',
    'token of corp, where groups includes desk; its signature is not verified offline gateway.config.ts:10:3',
  ]);
  const { steps, near } = await explain(decider, asking(inHeader({ groups: 'x' })));
  assert.deepEqual(steps.map(({ stage, said: words }) => `${stage} ${words}`).slice(1), [
    'token of corp; its signature is not verified offline',
    'refused invalid_token (401): This token is not accepted: no consumer is for its claims.',
  ]);
  assert.deepEqual(
    near?.map(({ name }) => name),
    ['shop', 'desk'],
  );
  assert.deepEqual(await said(asking({ ...inHeader({ groups: 'desk' }), ...shop })), [
    'consumer shop gateway.config.ts:9:3',
  ]);
});

test('a consumer and claims that stand for another, or for nobody, are refused with what would do', async () => {
  const problem = async (consumer: string, claims: object) =>
    decider.decide(asking({ consumer, claims: claims as NonNullable<AskedRequest['claims']> })).then(
      ({ outcome }) => outcome.consumer,
      (error: unknown) => (error as RequestProblem).problems?.join(),
    );
  assert.equal(await problem('desk', { groups: 'desk' }), 'desk');
  assert.equal(await problem('desk', { app: { name: 'desk' } }), 'desk');
  assert.equal(
    await problem('robot', { groups: 'shop' }),
    'consumer \'robot\' takes no tokens, so that no claims come with it: leave "claims" out, or name another consumer',
  );
  assert.equal(
    await problem('desk', { groups: 'shop' }),
    "the claims stand for 'shop', not for 'desk': leave \"consumer\" out, or say what its tokens say",
  );
  assert.equal(
    await problem('shop', { groups: 'shop desk' }),
    "the claims stand for several consumers: 'shop' and 'desk', and live such a token is refused: add what tells 'shop' from the others",
  );
  assert.equal(
    await problem('desk', { tier: 'gold' }),
    "the claims do not stand for 'desk', which takes tokens of 'corp' where groups includes desk, and of 'partner' where app.name is desk: say so in \"claims\"",
  );
  assert.equal(
    await problem('shop', { iss: 'https://partner.example', groups: 'shop' }),
    'the claims do not stand for \'shop\', which takes no tokens of the issuer that "iss" names',
  );
  const gateway = new DecidedGateway(decider);
  await assert.rejects(gateway.ask({ model: 'small', consumer: 'robot', claims: {} }), /'robot' takes no tokens/);
  (await gateway.ask({ model: 'small', headers: inHeader({ groups: 'desk' }).headers })).isFrom('desk');
});

test('an example of a path past claims says what makes them stand for its consumer', async () => {
  const ends = { consumer: 'desk', sort: 'model', entry: 'tiered', end: 'best/m' } as const;
  const asked = requestTo(ends, decider.snapshot) as AskedRequest;
  assert.deepEqual(asked.claims, { tier: 'gold', groups: ['desk'] });
  assert.deepEqual(decider.explain(await decider.decide(asked)).orders?.[0]?.targets, ['best/m']);
});

test('tests of a configuration ask with a key until it ends, and with the claims of a token', async () => {
  const gateway = new DecidedGateway(decider);
  const key = { hash: bound as `sha256:${string}` };
  gateway.clock.set('2027-01-31T23:00:00Z');
  (await gateway.ask({ model: 'small', consumer: 'shop', key })).isAdmitted().isFrom('shop').draws('each', 1);
  (await gateway.ask({ model: 'small', consumer: 'shop', key })).isRefused('quota_exceeded');
  (await gateway.ask({ model: 'small', consumer: 'shop', key: plain as typeof key.hash })).draws('each', 1);
  (await gateway.ask({ model: 'small', consumer: 'shop', key, address: '192.0.2.1' })).isRefused('address_not_allowed');
  gateway.clock.advance('1h');
  (await gateway.ask({ model: 'small', consumer: 'shop', key })).isRefused('key_expired');
  (await gateway.ask({ model: 'small', issuer: 'corp', claims: { groups: ['desk'] } })).isAdmitted().isFrom('desk');
  const nobody = await gateway.ask({ model: 'small', issuer: 'corp', claims: {} });
  assert.throws(() => nobody.isFrom('desk'), /the request is from/);
});

describe('a request file', () => {
  const problems = (more: object, beside: Parameters<typeof readRequest>[1] = {}): readonly string[] => {
    try {
      readRequest(JSON.stringify({ path: '/v1/models', ...more }), beside);
      return [];
    } catch (error) {
      assert.ok(error instanceof RequestProblem);
      return error.problems;
    }
  };

  test('that says who asks in two ways, or half of one, is refused with what is missing', () => {
    assert.deepEqual(problems({ key: 'abc' }), ['"key" is that of a consumer: write "consumer" too']);
    assert.deepEqual(problems({ ...shop, key: 'abc', claims: {} }), ['"key" has no claims: write one of them']);
    assert.deepEqual(problems({ issuer: 'corp' }), ['"issuer" has tokens with claims: write "claims" too']);
    assert.deepEqual(problems({ ...shop, ...corp({}) }), [
      '"issuer" lets the claims tell whom they stand for: leave "consumer" out',
    ]);
    assert.deepEqual(problems({ ...shop, address: 'home', at: '2027-02-30' }), [
      '"address" is none: \'home\'',
      '"at" must be a day such as 2027-01-31, or a moment with its zone such as 2027-01-31T17:00:00Z',
    ]);
    assert.deepEqual(problems({ ...shop, at: 7 }), ['"at" must be a text']);
  });

  test('is asked as who is said beside it', () => {
    assert.deepEqual(problems({ ...shop, claims: {} }, { consumer: 'robot', key: 'abc' }), []);
    const asked = readRequest(JSON.stringify(asking({ ...shop, at: '2027-01-01' })), corp({ groups: 'desk' }));
    assert.deepEqual(asked, asking({ ...corp({ groups: 'desk' }), at: '2027-01-01' }));
  });

  test('that means no key, several, or an issuer that is not there, is told what there is', async () => {
    const rejected = async (asked: Partial<AskedRequest>) =>
      decider.decide(asking(asked)).catch((error: unknown) => (error as Error).message);
    const [first, second] = [bound, plain].map((hash) => `sha256:${hash.slice(7, 19)}…`);
    assert.equal(
      await rejected({ ...shop, key: 'ffff' }),
      `consumer 'shop' has no key whose hash begins with 'ffff': it has ${first}, ${second}`,
    );
    assert.equal(
      await rejected({ ...shop, key: 'sha256:' }),
      `consumer 'shop' has several keys like 'sha256:': it has ${first}, ${second}`,
    );
    assert.equal(await rejected({ issuer: 'crop', claims: {} }), "no issuer is named 'crop': there are corp, partner");
  });
});
