/** Tokens in place of keys, with a real server of public keys: rotation, tricks with headers, clocks, and an issuer that is down. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { openDecider } from '../../runtime/decide.ts';
import type { HeadgateError } from '../../runtime/errors.ts';
import type { Exchange } from '../../runtime/exchange.ts';
import type { Generation } from '../../runtime/generation/generation.ts';
import { offlineGeneration } from '../../runtime/generation/offline.ts';
import { HeldReply } from '../../runtime/held-reply.ts';
import { createLog } from '../../runtime/log.ts';
import { offlineHouse } from '../../runtime/offline-house.ts';
import { newOutcome } from '../../runtime/outcome.ts';
import { identify } from '../../runtime/pipeline/identify.ts';
import { headOf } from '../../runtime/request-file.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { Tokens } from '../../runtime/tokens/tokens.ts';
import { keyHash, snapshotOf, startGateway } from '../support/gateway.ts';

interface Pair {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const pairs = {
  first: { kid: 'first', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
  second: { kid: 'second', ...generateKeyPairSync('rsa', { modulusLength: 2048 }) },
  foreign: { kid: 'first', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
} satisfies Record<string, Pair>;

const jwkOf = ({ kid, publicKey }: Pair): object => ({ ...publicKey.export({ format: 'jwk' }), kid });

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed by hand: what is under test must not vouch for itself. */
function tokenOf(claims: object, pair: Pair, header: object = {}): string {
  const isRsa = pair.privateKey.asymmetricKeyType === 'rsa';
  const head = encoded({ alg: isRsa ? 'RS256' : 'ES256', kid: pair.kid, typ: 'JWT', ...header });
  const signed = `${head}.${encoded(claims)}`;
  const key = isRsa ? pair.privateKey : { key: pair.privateKey, dsaEncoding: 'ieee-p1363' as const };
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

class Issuer {
  readonly #server = createServer((request, response) => {
    this.asked.push(request.url ?? '');
    if (this.isDown) return void response.writeHead(503).end();
    const isKeys = request.url === '/keys';
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify(
        isKeys ? { keys: this.keys, padding: this.padding } : { issuer: this.url, jwks_uri: `${this.url}/keys` },
      ),
    );
  });
  readonly asked: string[] = [];
  url = '';
  keys: readonly object[] = [jwkOf(pairs.first)];
  isDown = false;
  padding = '';

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  fetches(): number {
    return this.asked.filter((path) => path === '/keys').length;
  }
}

const start = Date.parse('2027-03-01T12:00:00Z');
const minute = 60_000;

function snapshotFor(url: string): SnapshotInput {
  const jwt = (...where: object[]) =>
    [{ issuer: 'corp', where }] as NonNullable<SnapshotInput['consumers'][string]['jwt']>;
  return snapshotOf({
    issuers: {
      corp: { url, audience: ['headgate', 'gateway'] },
      named: { url: `${url}/named`, jwks: `${url}/keys`, audience: ['headgate'], consumerClaim: ['app', 'name'] },
    },
    consumers: {
      shop: { keys: [], jwt: jwt({ claim: ['groups'], includes: ['shop'] }) },
      robot: { keys: [], jwt: jwt({ claim: ['sub'], is: ['robot-1'] }, { claim: ['level'], is: ['3'] }) },
      scoped: { keys: [], jwt: jwt({ claim: ['scope'], includes: ['models:use'] }) },
      byname: { keys: [], jwt: [{ issuer: 'named' }] },
      other: { keys: [], jwt: [{ issuer: 'named' }] },
    },
  });
}

interface Stage extends AsyncDisposable {
  readonly issuer: Issuer;
  now: number;
  /** Name of the consumer, or the code and message of the refusal. */
  who(token: string): Promise<string>;
  /** The same, decided offline: the token stands in a header. */
  offline(token: string): Promise<string>;
  /** A token of the first key that is good now, with other claims. */
  good(claims?: object, pair?: Pair, header?: object): string;
}

async function stage(): Promise<Stage> {
  const issuer = await new Issuer().start();
  const generation: Generation = await offlineGeneration(
    snapshotSchema.parse(snapshotFor(issuer.url)),
    (name) => `offline-${name}`,
  );
  const decider = await openDecider(snapshotFor(issuer.url));
  const now = () => made.now;
  const tokens = new Tokens({ now, log: createLog('silent') });
  const made: Stage = {
    issuer,
    now: start,
    async who(token) {
      const { request } = headOf({ path: '/v1/models' }, token);
      await tokens.learn(request.headers, () => [generation]);
      const exchange: Exchange = {
        id: 'one',
        house: { ...offlineHouse(createMetrics(), {}), now },
        generation,
        request,
        reply: new HeldReply(),
        address: undefined,
        signal: new AbortController().signal,
        outcome: newOutcome(),
      };
      try {
        return identify(exchange).consumer.name;
      } catch (error) {
        const { code, message } = error as HeadgateError;
        assert.ok(!message.includes(token.slice(4)), 'a message repeats the token');
        return `${code}: ${message}`;
      }
    },
    async offline(token) {
      const headers = { Authorization: `Bearer ${token}` };
      const { outcome, refusal } = await decider.decide({ path: '/v1/models', headers }, { at: made.now });
      return refusal ? `${refusal.code}: ${refusal.message}` : (outcome.consumer ?? 'nobody');
    },
    good(claims = {}, pair = pairs.first, header = {}) {
      const seconds = made.now / 1_000;
      const usual = {
        iss: issuer.url,
        aud: 'headgate',
        sub: 'ada',
        groups: ['shop'],
        iat: seconds,
        exp: seconds + 300,
      };
      return tokenOf({ ...usual, ...claims }, pair, header);
    },
    [Symbol.asyncDispose]: () => issuer.close(),
  };
  return made;
}

describe('tokens', () => {
  let at: Stage;
  before(async () => {
    at = await stage();
  });
  after(() => at[Symbol.asyncDispose]());

  const refusedFor = (why: string): string => `invalid_token: This token is not accepted: ${why}.`;
  const inSeconds = start / 1_000;
  const table: readonly (readonly [what: string, token: () => string, answer: string])[] = [
    ['a member of a group', () => at.good(), 'shop'],
    ['one of several audiences', () => at.good({ aud: ['x', 'gateway'] }), 'shop'],
    ['all conditions of a consumer', () => at.good({ groups: [], sub: 'robot-1', level: 3 }), 'robot'],
    [
      'some conditions of a consumer',
      () => at.good({ groups: [], sub: 'robot-1', level: 2 }),
      refusedFor('no consumer is for its claims'),
    ],
    ['a word of a scope', () => at.good({ groups: [], scope: 'openid models:use' }), 'scoped'],
    [
      'part of a word of a scope',
      () => at.good({ groups: [], scope: 'models:user' }),
      refusedFor('no consumer is for its claims'),
    ],
    [
      'a claim that is inherited',
      () => at.good({ groups: [], constructor: 'x' }),
      refusedFor('no consumer is for its claims'),
    ],
    [
      'two consumers at once',
      () => at.good({ scope: 'models:use' }),
      refusedFor('more than one consumer is for its claims'),
    ],
    ['the name of a consumer', () => at.good({ iss: `${at.issuer.url}/named`, app: { name: 'byname' } }), 'byname'],
    [
      'the name of one that takes no such tokens',
      () => at.good({ iss: `${at.issuer.url}/named`, app: { name: 'shop' } }),
      refusedFor('no consumer is for its claims'),
    ],
    ['expired', () => at.good({ exp: inSeconds - 31 }), refusedFor('it has expired')],
    ['expired within the skew', () => at.good({ exp: inSeconds - 29 }), 'shop'],
    ['not valid yet', () => at.good({ nbf: inSeconds + 31 }), refusedFor('it is not valid yet')],
    ['nearly valid', () => at.good({ nbf: inSeconds + 29 }), 'shop'],
    ['issued in the future', () => at.good({ iat: inSeconds + 31 }), refusedFor('it is not valid yet')],
    [
      'without an end',
      () => at.good({ exp: undefined }),
      refusedFor('a claim that every token needs is absent or wrong'),
    ],
    ['for somebody else', () => at.good({ aud: 'payroll' }), refusedFor('it is for another audience')],
    ['for nobody', () => at.good({ aud: undefined }), refusedFor('it is for another audience')],
    [
      'of an unknown issuer',
      () => at.good({ iss: 'https://evil.example' }),
      refusedFor('its issuer is not known here'),
    ],
    [
      'of an issuer with a slash more',
      () => at.good({ iss: `${at.issuer.url}/` }),
      refusedFor('its issuer is not known here'),
    ],
    [
      'signed by a stranger under a known kid',
      () => at.good({}, pairs.foreign),
      refusedFor('its signature or its form is wrong'),
    ],
    [
      'with a key of its own in the header',
      () => at.good({}, pairs.foreign, { jwk: jwkOf(pairs.foreign) }),
      refusedFor('its signature or its form is wrong'),
    ],
    [
      'with an address of keys in the header',
      () => at.good({}, pairs.foreign, { jku: `${at.issuer.url}/evil`, kid: 'first' }),
      refusedFor('its signature or its form is wrong'),
    ],
    [
      'a kid that is a path',
      () => at.good({}, pairs.foreign, { kid: '../../etc/passwd' }),
      refusedFor('its issuer has no such key'),
    ],
    [
      'a header that must be understood',
      () => at.good({}, pairs.first, { crit: ['unheard-of'], 'unheard-of': 1 }),
      refusedFor('its signature or its form is wrong'),
    ],
    [
      'another payload under a good signature',
      () => {
        const [head, , signature] = at.good().split('.');
        return `${head}.${encoded({ iss: at.issuer.url, aud: 'headgate', sub: 'eve', groups: ['shop'], exp: inSeconds + 300 })}.${signature}`;
      },
      refusedFor('its signature or its form is wrong'),
    ],
    [
      'alg none',
      () => `${encoded({ alg: 'none' })}.${at.good().split('.')[1]}.`,
      refusedFor('its algorithm is not allowed'),
    ],
    [
      'the public key as a shared secret',
      () => {
        const signed = `${encoded({ alg: 'HS256', kid: 'first' })}.${at.good().split('.')[1]}`;
        const secret = pairs.first.publicKey.export({ format: 'pem', type: 'spki' });
        return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      },
      refusedFor('its algorithm is not allowed'),
    ],
    ['no token at all', () => 'hg_no_token', 'invalid_api_key: This key is not known to the gateway.'],
    ['dots without content', () => 'eyJ.a.b', refusedFor('its issuer is not known here')],
  ];
  for (const [what, token, answer] of table)
    test(`${what}: ${answer.length < 20 ? answer : 'refused'}`, async () =>
      assert.equal(await at.who(token()), answer));

  test('offline the same is decided of each, where the signature does not decide it', async () => {
    const bySignature = /^signed by|^with a|^a kid|^a header that|^another payload/;
    for (const [what, token, answer] of table)
      assert.equal(await at.offline(token()), bySignature.test(what) ? 'shop' : answer, what);
    assert.equal(await at.offline(at.good().replace(/[^.]*$/, '')), refusedFor('its signature or its form is wrong'));
  });

  test('nothing was fetched but the keys and where they are', () => {
    assert.deepEqual([...new Set(at.issuer.asked)].toSorted(), ['/.well-known/openid-configuration', '/keys']);
  });
});

test('a hundred at once fetch the keys of a cold issuer once', async () => {
  await using at = await stage();
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => at.who(at.good({ jti: `${index}` }))));
  assert.deepEqual([...new Set(answers)], ['shop']);
  assert.equal(at.issuer.fetches(), 1);
});

test('a key that the issuer brings works at once, and names of keys that are not there fetch nothing more', async () => {
  await using at = await stage();
  assert.equal(await at.who(at.good()), 'shop');
  at.now += minute;
  at.issuer.keys = [jwkOf(pairs.first), jwkOf(pairs.second)];
  assert.equal(await at.who(at.good({}, pairs.second)), 'shop');
  assert.equal(at.issuer.fetches(), 2);
  for (let index = 0; index < 20; index += 1) await at.who(at.good({}, pairs.foreign, { kid: `made-up-${index}` }));
  assert.equal(at.issuer.fetches(), 2);
});

test('a key that the issuer takes away opens nothing a quarter of an hour later, though its tokens were seen before', async () => {
  await using at = await stage();
  const token = at.good({ exp: start / 1_000 + 86_400 });
  assert.equal(await at.who(token), 'shop');
  at.issuer.keys = [jwkOf(pairs.second)];
  at.now += 11 * minute;
  // Fetched anew beside a request, which still goes by what was known.
  await at.who(at.good({}, pairs.second));
  at.now += 4 * minute;
  assert.match(await at.who(token), /its issuer has no such key/);
});

test('while an issuer is down its last keys serve on for a day, and without any the gateway says that it cannot tell', async () => {
  await using at = await stage();
  at.issuer.isDown = true;
  assert.equal(
    await at.who(at.good()),
    'issuer_unavailable: This token cannot be verified now: the keys of its issuer cannot be fetched.',
  );
  at.issuer.isDown = false;
  at.now += minute;
  assert.equal(await at.who(at.good()), 'shop');
  at.issuer.isDown = true;
  at.now += 23 * 60 * minute;
  assert.equal(await at.who(at.good()), 'shop');
  at.now += 2 * 60 * minute;
  assert.match(await at.who(at.good()), /^issuer_unavailable/);
  at.issuer.isDown = false;
  at.now += minute;
  assert.equal(await at.who(at.good()), 'shop');
});

/** As a set holds them whose issuer names none. */
const unnamed = ({ publicKey }: Pair): object => publicKey.export({ format: 'jwk' });
const ecPair = (): Pair => ({ kid: '', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) });
const noKid = { kid: undefined };

test('of keys that no name tells apart, each that fits is tried, whichever side has no names', async () => {
  await using at = await stage();
  const [one, other] = [ecPair(), ecPair()];
  at.issuer.keys = [unnamed(pairs.second), { ...unnamed(ecPair()), use: 'enc' }, unnamed(one), unnamed(other)];
  for (const pair of [pairs.second, one, other]) {
    assert.equal(await at.who(at.good({}, pair, noKid)), 'shop');
    assert.equal(await at.who(at.good({}, pair, { kid: 'unheard-of' })), 'shop');
  }
  assert.match(await at.who(at.good({}, pairs.foreign, noKid)), /its signature or its form is wrong/);
  assert.match(await at.who(at.good({ exp: start / 1_000 - 60 }, other, noKid)), /it has expired/);
  at.now += minute;
  at.issuer.keys = [{ ...unnamed(other), kid: 'one' }, { ...unnamed(one), kid: 'other' }, unnamed(pairs.second)];
  assert.match(await at.who(at.good({}, pairs.first, { kid: 'new' })), /no such key/);
  assert.equal(await at.who(at.good({}, one, noKid)), 'shop');
  assert.match(await at.who(at.good({}, one, { kid: 'one' })), /its signature or its form is wrong/);
});

test('of many keys that fit only eight are tried', async () => {
  await using at = await stage();
  const all = Array.from({ length: 10 }, ecPair);
  at.issuer.keys = all.map(unnamed);
  const found = await Promise.all(all.map(async (pair) => (await at.who(at.good({}, pair, noKid))) === 'shop'));
  assert.deepEqual(found, [...Array<boolean>(8).fill(true), false, false]);
});

test('a key without a name that the issuer brings works at once, and false tokens fetch no more than each half minute', async () => {
  await using at = await stage();
  const [old, fresh] = [ecPair(), ecPair()];
  at.issuer.keys = [unnamed(old)];
  assert.equal(await at.who(at.good({}, old, noKid)), 'shop');
  at.issuer.keys = [unnamed(fresh)];
  assert.match(await at.who(at.good({}, fresh, noKid)), /its signature or its form is wrong/);
  at.now += minute;
  assert.equal(await at.who(at.good({}, fresh, noKid)), 'shop');
  for (let index = 0; index < 20; index += 1)
    assert.match(await at.who(at.good({ jti: `${index}` }, pairs.foreign, noKid)), /signature/);
  assert.equal(at.issuer.fetches(), 2);
});

test('keys that are too many bytes are not read to their end', async () => {
  await using at = await stage();
  at.issuer.padding = 'x'.repeat(300_000);
  assert.match(await at.who(at.good()), /^issuer_unavailable/);
});

test('a gateway takes tokens in every place where keys are taken, and shows none of them', async (context) => {
  const issuer = await new Issuer().start();
  const gateway = await startGateway({
    ...snapshotFor(issuer.url),
    providers: { house: { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192, options: {} } } } },
    models: { small: { targets: { kind: 'target', provider: 'house', model: 'm' } } },
  });
  context.after(() => Promise.all([gateway.close(), issuer.close()]));
  const seconds = Math.floor(Date.now() / 1_000);
  const claims = { iss: issuer.url, aud: 'headgate', sub: 'ada', groups: ['shop'], iat: seconds, exp: seconds + 300 };
  const token = tokenOf(claims, pairs.first);
  const call = { model: 'small', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] };
  const json = { 'content-type': 'application/json' };
  const post = (path: string, headers: Record<string, string>) =>
    fetch(`${gateway.dataUrl}${path}`, {
      method: 'POST',
      headers: { ...json, ...headers },
      body: JSON.stringify(call),
    });
  assert.equal((await post('/v1/chat/completions', { authorization: `Bearer ${token}` })).status, 200);
  assert.equal((await post('/v1/messages', { 'x-api-key': token, 'anthropic-version': '2023-06-01' })).status, 200);
  const bad = tokenOf({ ...claims, exp: seconds - 3_600 }, pairs.first);
  const refused = await post('/v1/messages', { 'x-api-key': bad, 'anthropic-version': '2023-06-01' });
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer error="invalid_token"']);
  assert.equal(((await refused.json()) as { error: { type: string } }).error.type, 'authentication_error');
  const shown = [
    await gateway.metrics(),
    JSON.stringify(await gateway.status()),
    await (await fetch(`${gateway.adminUrl}/api/requests`)).text(),
  ];
  for (const text of shown) for (const each of [token, bad]) assert.ok(!text.includes(each.split('.')[2] ?? each));
});

test('conditions of targets see the claims of the token, of each request its own, and nothing shows them', async (context) => {
  const issuer = await new Issuer().start();
  const house = (reply: string) => ({ contextWindow: 8_192, options: { reply } });
  const target = (model: string) => ({ node: { kind: 'target' as const, provider: 'house', model } });
  const claims = [{ claim: ['account', 'tier'], is: ['gold-of-ada'] }];
  const snapshot = snapshotFor(issuer.url);
  const shop = snapshot.consumers['shop'];
  assert.ok(shop);
  const gateway = await startGateway({
    ...snapshot,
    consumers: { shop: { ...shop, keys: [keyHash('hg_shop_key')] } },
    providers: {
      house: { kind: 'sandbox', options: {}, models: { best: house('the best'), plain: house('the plain') } },
    },
    models: {
      tiered: {
        targets: { kind: 'group', balance: 'when', options: { claims }, of: [target('best'), target('plain')] },
      },
    },
  });
  context.after(() => Promise.all([gateway.close(), issuer.close()]));
  const seconds = Math.floor(Date.now() / 1_000);
  const usual = { iss: issuer.url, aud: 'headgate', sub: 'ada', groups: ['shop'], iat: seconds, exp: seconds + 300 };
  const answer = async (key: string): Promise<string | undefined> => {
    const response = await fetch(`${gateway.dataUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'tiered', messages: [{ role: 'user', content: 'hello' }] }),
    });
    const { choices } = (await response.json()) as { choices?: { message: { content: string } }[] };
    return choices?.[0]?.message.content;
  };
  const gold = tokenOf({ ...usual, account: { tier: 'gold-of-ada' } }, pairs.first);
  const silver = tokenOf({ ...usual, account: { tier: 'silver' } }, pairs.first);
  const keys = [gold, silver, 'hg_shop_key', tokenOf(usual, pairs.first), gold];
  const answers: (string | undefined)[] = [];
  for (const key of keys) answers.push(await answer(key));
  assert.deepEqual(answers, ['the best', 'the plain', 'the plain', 'the plain', 'the best']);
  const shown = [
    await gateway.metrics(),
    JSON.stringify(await gateway.status()),
    await (await fetch(`${gateway.adminUrl}/api/requests`)).text(),
  ];
  for (const text of shown) assert.ok(!text.includes('gold-of-ada'));
});
