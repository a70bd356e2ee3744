/** Certificates of clients in place of keys, over real TLS: whom they stand for, what is believed of them, and what comes first. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI, { type ClientOptions } from 'openai';
import { Agent, fetch as fetchOver } from 'undici';
import type { HeadgateError } from '../../runtime/errors.ts';
import { offlineGeneration } from '../../runtime/generation/offline.ts';
import { HeldReply } from '../../runtime/held-reply.ts';
import { offlineHouse } from '../../runtime/offline-house.ts';
import { newOutcome } from '../../runtime/outcome.ts';
import { callerOf, noteCertificate } from '../../runtime/pipeline/credentials.ts';
import { identify } from '../../runtime/pipeline/identify.ts';
import { headOf } from '../../runtime/request-file.ts';
import { snapshotSchema } from '../../runtime/snapshot.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { Authority, type Pair } from '../support/certificates.ts';
import { keyHash, snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { getOver, tlsFolder, type TlsFolder } from '../support/tls-stage.ts';

const house = new Authority('House authority');
const foreign = new Authority('Foreign authority');
const hour = 3_600_000;
const past = { from: new Date(Date.now() - 2 * hour), until: new Date(Date.now() - hour) };
const future = { from: new Date(Date.now() + hour), until: new Date(Date.now() + 2 * hour) };

const shop = { commonName: 'shop', uri: ['spiffe://corp.example/shop'], usage: 'client' as const };
const pinned = house.issue({ commonName: 'pinned' });

const target = { kind: 'target' as const, provider: 'house', model: 'm' };
/** Each consumer may use one model, which tells who it is. */
const consumers = {
  shop: ['URI:spiffe://corp.example/shop'],
  names: ['DNS:batch.corp.example', 'email:ops@corp.example', 'URI:x:a,URI:spiffe://corp.example/other'],
  other: ['URI:spiffe://corp.example/other'],
  legacy: ['CN:legacy'],
  pinned: [pinned.fingerprint, `sha256:${'0'.repeat(63)}1`],
};
const names = Object.keys(consumers);

let folder: TlsFolder;
let gateway: TestGateway;
const server = house.server();

before(async () => {
  folder = await tlsFolder();
  await folder.write(server, house.certificate);
  gateway = await startGateway(
    snapshotOf({
      providers: { house: { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192, options: {} } } } },
      models: Object.fromEntries([...names, 'tester'].map((name) => [name, { targets: target }])),
      quotas: { single: { unit: 'requests', limit: 1, window: '24h', scope: 'key' } },
      consumers: {
        tester: { keys: [keyHash(testKey)], models: ['tester'] },
        ...Object.fromEntries(
          Object.entries(consumers).map(([name, certificates]) => [
            name,
            { keys: [], certificates, models: [name], ...(name === 'legacy' && { quotas: ['single'] }) },
          ]),
        ),
      },
    }),
    folder.flags,
  );
});

after(async () => {
  await gateway.close();
  await folder.remove();
});

const as = ({ certificate, key }: Pair) => ({ cert: certificate, key, ca: house.certificate });

/** The models that the gateway lists, which name the caller; or its refusal. */
async function who(pair: Pair | undefined, headers: Record<string, string> = {}): Promise<string> {
  const shown = pair ? as(pair) : { ca: house.certificate };
  const { status, body } = await getOver(`${gateway.dataUrl}/v1/models`, { ...shown, headers });
  const { data, error } = JSON.parse(body) as { data?: { id: string }[]; error?: { code: string; message: string } };
  if (status === 200) return data?.map(({ id }) => id).join() ?? '';
  return `${status} ${error?.code}: ${error?.message}`;
}

const refused = (why: string): string =>
  `401 invalid_certificate: No key was sent, and the client certificate is not accepted: ${why}.`;
const untrusted = refused('no authority that is trusted here vouches for it');
const nobody = refused('no consumer is for it');

describe('a certificate', () => {
  const cases: Record<string, [Pair, string]> = {
    'with a URI stands for the consumer that names it': [house.issue(shop), 'shop'],
    'that was renewed does too': [house.issue(shop), 'shop'],
    'with a DNS name does, whatever its case': [house.issue({ dns: ['Batch.Corp.example'] }), 'names'],
    'with a mailbox does': [house.issue({ email: ['ops@corp.example'], ip: '10.0.0.1' }), 'names'],
    'with two names of one consumer does': [
      house.issue({ email: ['ops@corp.example'], dns: ['x', 'batch.corp.example'] }),
      'names',
    ],
    'with a common name alone does': [house.issue({ commonName: 'legacy' }), 'legacy'],
    'is known by its digest': [pinned, 'pinned'],
    'like a pinned one is not that one': [house.issue({ commonName: 'pinned' }), nobody],
    'with a common name beside other names is not known by it': [
      house.issue({ commonName: 'legacy', dns: ['legacy.corp.example'] }),
      nobody,
    ],
    'whose common name looks like another sort of name is not that': [
      house.issue({ commonName: 'x\nURI:spiffe://corp.example/shop' }),
      nobody,
    ],
    'with a name in its name is one name': [house.issue({ uri: ['x:a,URI:spiffe://corp.example/other'] }), 'names'],
    'with a wildcard stands for no name below it': [house.issue({ dns: ['*.corp.example'] }), nobody],
    'in another case of a URI is another': [house.issue({ uri: ['spiffe://corp.example/Shop'] }), nobody],
    'for two consumers stands for none': [
      house.issue({ uri: ['spiffe://corp.example/shop', 'spiffe://corp.example/other'] }),
      refused('more than one consumer is for it'),
    ],
    'of another authority proves nothing': [foreign.issue(shop), untrusted],
    'of an authority that calls itself the same proves nothing': [
      new Authority('House authority').issue(shop),
      refused('no authority that is trusted here vouches for it'),
    ],
    'that has expired proves nothing': [house.issue({ ...shop, ...past }), refused('it has expired')],
    'from tomorrow proves nothing': [house.issue({ ...shop, ...future }), refused('it is not valid yet')],
    'for servers proves nothing': [house.issue({ ...shop, usage: 'server' }), refused('it is not meant for clients')],
  };
  for (const [what, [pair, answer]] of Object.entries(cases))
    test(what, async () => assert.equal(await who(pair), answer));

  test('is not needed where a key is sent, nor the other way round', async () => {
    assert.equal(await who(undefined, { authorization: `Bearer ${testKey}` }), 'tester');
    assert.match(await who(undefined), /^401 missing_api_key/);
  });

  test('stands back behind a key, good or not: what was sent with the request decides', async () => {
    const good = house.issue(shop);
    for (const header of ['x-api-key', 'api-key']) assert.equal(await who(good, { [header]: testKey }), 'tester');
    assert.match(await who(good, { authorization: 'Bearer hg_wrong' }), /^401 invalid_api_key/);
    assert.equal(await who(foreign.issue(shop), { authorization: `Bearer ${testKey}` }), 'tester');
  });

  test('is not believed from a header', async () => {
    const quoted = encodeURIComponent(house.issue(shop).certificate);
    const headers = {
      'x-forwarded-client-cert': `By=x;Cert="${quoted}";URI=spiffe://corp.example/shop`,
      'ssl-client-cert': quoted,
      'x-client-cert': quoted,
    };
    assert.match(await who(undefined, headers), /^401 missing_api_key/);
  });

  test('renewed goes on under the same count', async () => {
    const question = JSON.stringify({ model: 'legacy', messages: [{ role: 'user', content: 'hello' }] });
    const ask = async () => {
      const dispatcher = new Agent({ connect: as(house.issue({ commonName: 'legacy' })) });
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', body: question, headers, dispatcher };
      const { status } = await fetchOver(`${gateway.dataUrl}/v1/chat/completions`, init);
      await dispatcher.destroy();
      return status;
    };
    assert.deepEqual([await ask(), await ask()], [200, 429]);
  });
});

test('the official SDK calls with a certificate and no key, and is refused with that of a stranger', async () => {
  const clientOf = (pair: Pair) => {
    const dispatcher = new Agent({ connect: as(pair) });
    const client = new OpenAI({
      baseURL: `${gateway.dataUrl}/v1`,
      apiKey: 'none',
      defaultHeaders: { authorization: null },
      maxRetries: 0,
      fetch: fetchOver as unknown as typeof fetch,
      fetchOptions: { dispatcher } as unknown as NonNullable<ClientOptions['fetchOptions']>,
    });
    return { client, dispatcher };
  };
  const ask = { model: 'shop', messages: [{ role: 'user' as const, content: 'hello' }] };
  const good = clientOf(house.issue(shop));
  const answer = await good.client.chat.completions.create(ask);
  assert.ok(answer.choices[0]?.message.content);
  const stream = await good.client.chat.completions.create({ ...ask, stream: true });
  let pieces = 0;
  for await (const piece of stream) pieces += piece.choices.length;
  assert.ok(pieces > 0);
  const bad = clientOf(foreign.issue(shop));
  await assert.rejects(bad.client.chat.completions.create(ask), (error: InstanceType<typeof OpenAI.APIError>) => {
    assert.equal(error.status, 401);
    assert.equal(error.code, 'invalid_certificate');
    return true;
  });
  await Promise.all([good.dispatcher.destroy(), bad.dispatcher.destroy()]);
});

test('a connection that outlives its certificate knows nobody any more, and until then looks him up once', async () => {
  const parts = { consumers: { shop: { keys: [], certificates: ['CN:shop'] } } };
  const generation = await offlineGeneration(snapshotSchema.parse(snapshotOf(parts)), (name) => `offline-${name}`);
  const certificate = { names: ['CN:shop'], expiresAt: 5_000, refused: undefined };
  const requestOf = () => {
    const { request } = headOf({ path: '/v1/models' }, '');
    noteCertificate(request.headers, certificate);
    return request;
  };
  const at = (now: number) => {
    const house = { ...offlineHouse(createMetrics(), {}), now: () => now };
    const outcome = newOutcome();
    const [reply, { signal }] = [new HeldReply(), new AbortController()];
    try {
      const asked = { id: 'one', house, generation, request: requestOf(), reply, address: undefined, signal, outcome };
      return identify(asked).consumer.name;
    } catch (error) {
      return (error as HeadgateError).message;
    }
  };
  assert.equal(at(4_999), 'shop');
  assert.equal(at(5_000), 'No key was sent, and the client certificate is not accepted: it has expired.');
  const [one, other] = [requestOf(), requestOf()].map(({ headers }) => callerOf(generation.tables, headers));
  assert.equal(one, other);
});
