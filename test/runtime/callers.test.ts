/** Who may call: keys that end, keys bound to addresses, what teams share, and how each refusal is worded. */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { AddressRanges, addressRange } from '../../runtime/address-ranges.ts';
import { clientAddress } from '../../runtime/client-address.ts';
import { openDecider } from '../../runtime/decide.ts';
import type { HeadgateError } from '../../runtime/errors.ts';
import type { Exchange } from '../../runtime/exchange.ts';
import { offlineGeneration } from '../../runtime/generation/offline.ts';
import { HeldReply } from '../../runtime/held-reply.ts';
import { offlineHouse } from '../../runtime/offline-house.ts';
import { newOutcome } from '../../runtime/outcome.ts';
import { identify } from '../../runtime/pipeline/identify.ts';
import { headOf } from '../../runtime/request-file.ts';
import { expiryOf } from '../../runtime/expiry.ts';
import { snapshotSchema } from '../../runtime/snapshot.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { keyHash, snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';

describe('ranges of addresses', () => {
  const table: readonly (readonly [ranges: readonly string[], address: string, isIn: boolean])[] = [
    [['10.0.0.0/8'], '10.255.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8'], '::ffff:11.1.2.3', false],
    [['192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.8', false],
    [['2001:db8::/32'], '2001:db8:1::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['2001:db8::/32', '10.0.0.0/8'], '10.0.0.1', true],
    [['10.0.0.0/8'], 'unknown', false],
    [['10.0.0.0/8'], '10.0.0.1:80', false],
  ];
  for (const [ranges, address, isIn] of table)
    test(`${address} is ${isIn ? '' : 'not '}in ${ranges.join()}`, () => {
      assert.equal(new AddressRanges(ranges).has(address), isIn);
    });

  test('what is no range is refused', () => {
    for (const text of ['10.0.0.0/33', '10.0.0/8', '::/129', 'localhost', '', '10.0.0.0/', 'fe80::1%eth0', '010.0.0.1'])
      assert.equal(addressRange(text), undefined, text);
  });
});

describe('the address of a client behind proxies', () => {
  const proxies = new AddressRanges(['10.0.0.0/8', 'fd00::/8']);
  const table: readonly (readonly [
    what: string,
    connected: string,
    headers: IncomingHttpHeaders,
    address: string | undefined,
  ])[] = [
    ['nobody in front', '192.0.2.1', {}, '192.0.2.1'],
    ['who is no proxy says what it likes', '192.0.2.1', { 'x-forwarded-for': '10.9.9.9' }, '192.0.2.1'],
    ['one proxy', '10.0.0.1', { 'x-forwarded-for': '192.0.2.1' }, '192.0.2.1'],
    [
      'what the client wrote before its proxy did',
      '10.0.0.1',
      { 'x-forwarded-for': '10.9.9.9, 192.0.2.1' },
      '192.0.2.1',
    ],
    ['two proxies', '::ffff:10.0.0.1', { 'x-forwarded-for': '192.0.2.1, 10.0.0.2' }, '192.0.2.1'],
    ['a port and brackets', '10.0.0.1', { forwarded: 'for="[2001:db8::1]:4711";proto=https' }, '2001:db8::1'],
    ['several in Forwarded', 'fd00::1', { forwarded: 'for=198.51.100.1, for=192.0.2.1:80;by=x' }, '192.0.2.1'],
    ['a hidden client', '10.0.0.1', { forwarded: 'for=_hidden' }, undefined],
    ['an element that names nobody', '10.0.0.1', { forwarded: 'for=192.0.2.1, proto=https' }, undefined],
    ['both headers', '10.0.0.1', { forwarded: 'for=192.0.2.1', 'x-forwarded-for': '192.0.2.1' }, undefined],
    ['no address', '10.0.0.1', { 'x-forwarded-for': 'localhost' }, undefined],
    ['only proxies', '10.0.0.1', { 'x-forwarded-for': '10.0.0.3' }, '10.0.0.3'],
  ];
  for (const [what, connected, headers, address] of table)
    test(what, () => assert.equal(clientAddress(connected, headers, proxies), address));
});

test('a day that a key expires on is its last, and an instant is exact', () => {
  const iso = (text: string) => {
    const at = expiryOf(text);
    return at === undefined ? undefined : new Date(at).toISOString();
  };
  assert.equal(iso('2027-01-31'), '2027-02-01T00:00:00.000Z');
  assert.equal(iso('2028-02-29'), '2028-03-01T00:00:00.000Z');
  assert.equal(iso('2027-01-31T17:00:00+01:00'), '2027-01-31T16:00:00.000Z');
  for (const text of [
    '2027-02-29',
    '2027-02-30T00:00:00Z',
    '2027-01-31T25:00:00Z',
    '2027-01-31T17:00:00',
    'tomorrow',
    '2027-1-1',
  ])
    assert.equal(expiryOf(text), undefined, text);
});

const sandbox = {
  kind: 'sandbox' as const,
  options: {},
  models: { m: { contextWindow: 8_192, options: {} } },
};
const target = { kind: 'target' as const, provider: 'house', model: 'm' };
const keys = ['ends', 'ended', 'home', 'away', 'narrow', 'spoken', 'plain', 'twin', 'lone'] as const;
const secretOf = (name: (typeof keys)[number]): string => `hg_${name}_key_that_nobody_shows`;
const hashOf = (name: (typeof keys)[number]): string => keyHash(secretOf(name));

const snapshot = snapshotOf({
  providers: { house: sandbox },
  prompts: { desk: { system: 'You help.' }, shop: { system: 'You sell.' } },
  models: {
    small: { targets: target },
    large: { targets: target },
    desk: { targets: target, prompt: { name: 'desk', variables: {} } },
    shop: { targets: target, prompt: { name: 'shop', variables: {} } },
  },
  quotas: {
    team: { unit: 'requests', limit: 2, window: '24h', scope: 'team' },
    single: { unit: 'requests', limit: 1, window: '24h', scope: 'key' },
  },
  consumers: {
    app: {
      keys: [hashOf('ends'), hashOf('ended'), hashOf('home'), hashOf('away'), hashOf('narrow'), hashOf('spoken')],
      prompts: ['desk', 'shop'],
      keyTerms: {
        [hashOf('ends')]: { expires: '2099-12-31' },
        [hashOf('ended')]: { expires: '2001-01-01' },
        [hashOf('home')]: { addresses: ['127.0.0.0/8'] },
        [hashOf('away')]: { addresses: ['192.0.2.0/24'] },
        [hashOf('narrow')]: { models: ['small', 'other'] },
        [hashOf('spoken')]: { models: ['small', 'desk', 'shop'], prompts: ['desk', 'other'] },
      },
    },
    one: { keys: [hashOf('plain')], team: 'shop', quotas: ['team'] },
    two: { keys: [hashOf('twin')], team: 'shop', quotas: ['team'] },
    apart: { keys: [hashOf('lone')], quotas: ['team'] },
  },
});

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway(snapshot, ['--trusted-proxies', '127.0.0.0/8,::1']);
});
after(() => gateway.close());

const call = (model = 'small') => ({ model, messages: [{ role: 'user', content: 'hello' }], max_tokens: 5 });
const ask = (name: (typeof keys)[number], headers: Record<string, string> = {}, model = 'small') =>
  gateway.post('/v1/chat/completions', call(model), {
    headers: { authorization: `Bearer ${secretOf(name)}`, ...headers },
  });
const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

test('a key works until it expires, and is refused as expired from then on', async () => {
  assert.equal((await ask('ends')).status, 200);
  const refused = await ask('ended');
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"$/);
  assert.equal(await codeOf(refused), 'key_expired');
});

test('a key bound to addresses opens nothing from elsewhere, and proxies are believed only as far as they are trusted', async () => {
  assert.equal((await ask('home')).status, 200);
  assert.equal((await ask('away')).status, 403);
  assert.equal((await ask('away', { 'x-forwarded-for': '192.0.2.9' })).status, 200);
  assert.equal((await ask('away', { 'x-forwarded-for': '192.0.2.9, 198.51.100.1' })).status, 403);
  assert.equal((await ask('home', { 'x-forwarded-for': '192.0.2.9' })).status, 403);
  assert.equal(await codeOf(await ask('away')), 'address_not_allowed');
});

const listedFor = async (name: (typeof keys)[number]) => {
  const headers = { authorization: `Bearer ${secretOf(name)}` };
  const { data } = (await (await gateway.ask('/v1/models', { headers })).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
};

test('a key for some models opens no other, and lists no other', async () => {
  assert.equal((await ask('narrow')).status, 200);
  assert.equal(await codeOf(await ask('narrow', {}, 'large')), 'model_not_allowed');
  assert.deepEqual(await listedFor('narrow'), ['small']);
});

test('a key for some prompts opens and lists models with those or none, and the refusal names no prompt', async () => {
  assert.equal((await ask('spoken')).status, 200);
  assert.equal((await ask('spoken', {}, 'desk')).status, 200);
  assert.equal(await codeOf(await ask('spoken', {}, 'large')), 'model_not_allowed');
  const refused = await ask('spoken', {}, 'shop');
  assert.equal(refused.status, 403);
  assert.deepEqual(((await refused.json()) as { error: object }).error, {
    message: `Key ${hashOf('spoken').slice(0, 19)}… of consumer 'app' may not use the prompt of model 'shop', which its consumer may: add it to \`prompts\` beside the hash of the key in the configuration, or ask with another key.`,
    type: 'permission_error',
    param: 'model',
    code: 'prompt_not_allowed',
  });
  assert.deepEqual(await listedFor('spoken'), ['desk', 'small']);
  assert.deepEqual(await listedFor('home'), ['desk', 'large', 'shop', 'small']);
});

test('the applications of a team draw from one count, and who is in none counts alone', async () => {
  assert.equal((await ask('plain')).status, 200);
  assert.equal((await ask('twin')).status, 200);
  const refused = await ask('plain');
  assert.equal(refused.status, 429);
  assert.match(
    ((await refused.json()) as { error: { message: string } }).error.message,
    /Quota 'team' for team 'shop'/,
  );
  assert.equal((await ask('lone')).status, 200);
});

test('offline, a key that is named by its hash opens what it opens live', async () => {
  const decider = await openDecider(snapshot);
  const cases = (['ends', 'ended', 'home', 'away', 'narrow', 'spoken'] as const).flatMap((name) =>
    ['small', 'large', 'shop'].map((model) => [name, model] as const),
  );
  for (const [name, model] of cases) {
    const live = await ask(name, {}, model);
    const asked = { path: '/v1/chat/completions', consumer: 'app', key: hashOf(name), address: '127.0.0.1' };
    const { refusal } = await decider.decide({ ...asked, body: call(model) });
    assert.equal(refusal?.code, live.ok ? undefined : await codeOf(live), `${name} ${model}`);
    if (live.ok) await live.arrayBuffer();
  }
});

test('each dialect words a refused key as its own vendor does', async () => {
  const authorization = `Bearer ${secretOf('ended')}`;
  const json = { 'content-type': 'application/json' };
  const messages = await gateway.post('/v1/messages', call(), {
    headers: { ...json, authorization, 'anthropic-version': '2023-06-01' },
  });
  assert.deepEqual(
    [messages.status, ((await messages.json()) as { error: { type: string } }).error.type],
    [401, 'authentication_error'],
  );
  const contents = await gateway.post(
    '/v1beta/models/small:generateContent',
    { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
    { headers: { authorization } },
  );
  assert.deepEqual(
    [contents.status, ((await contents.json()) as { error: { status: string } }).error.status],
    [401, 'UNAUTHENTICATED'],
  );
  const away = { authorization: `Bearer ${secretOf('away')}` };
  const elsewhere = await gateway.post('/v1/messages', call(), {
    headers: { ...json, ...away, 'anthropic-version': '2023-06-01' },
  });
  assert.deepEqual(
    [elsewhere.status, ((await elsewhere.json()) as { error: { type: string } }).error.type],
    [403, 'permission_error'],
  );
});

test('operators see when keys expire, and no key anywhere', async () => {
  const metrics = await gateway.metrics();
  const id = hashOf('ended').slice('sha256:'.length, 'sha256:'.length + 12);
  assert.match(
    metrics,
    new RegExp(`^headgate_key_expiry_timestamp_seconds\\{consumer="app",key="${id}"\\} 978393600$`, 'm'),
  );
  for (const text of [metrics, JSON.stringify(await gateway.status())])
    for (const name of keys) assert.ok(!text.includes(secretOf(name)));
});

test('on a clock of its own, a key ends with the last millisecond of its day', async () => {
  const generation = await offlineGeneration(snapshotSchema.parse(snapshot), (consumer) => `offline-${consumer}`);
  const at = (moment: string) => {
    const exchange: Exchange = {
      id: 'one',
      house: { ...offlineHouse(createMetrics(), {}), now: () => Date.parse(moment) },
      generation,
      request: headOf({ path: '/v1/models' }, secretOf('ends')).request,
      reply: new HeldReply(),
      address: undefined,
      signal: new AbortController().signal,
      outcome: newOutcome(),
    };
    try {
      return identify(exchange).consumer.name;
    } catch (error) {
      return (error as HeadgateError).code;
    }
  };
  assert.equal(at('2099-12-31T23:59:59.999Z'), 'app');
  assert.equal(at('2100-01-01T00:00:00.000Z'), 'key_expired');
});
