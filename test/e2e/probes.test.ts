/** Declared probes: what refuses a candidate before it serves, and what says nothing about it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { answerJson, answerWell, deadUrl, type Script } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { held, serves, trialStage, which } from '../support/trial-stage.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const options = { skip: skipWithout(tools.gitHttpBackend), timeout: 90_000 };
const target = { kind: 'target' as const, provider: 'vendor', model: 'm' };
type Probe = NonNullable<SnapshotInput['models'][string]['probe']>;

const probed = (n: number, vendorUrl: string, probe: Partial<Probe> = {}, parts: Partial<SnapshotInput> = {}) =>
  versioned(n, {
    vendorUrl,
    parts: {
      models: { chat: { targets: target, probe: { message: 'ping', ...probe } } },
      sources: { 'models.chat': 'models.ts:5:21' },
      ...parts,
    },
  });

const wrong: Readonly<Record<string, { script: Script; probe?: Partial<Probe>; says: RegExp }>> = {
  'a refused credential': {
    script: ({ response }) => answerJson(response, 401, { error: { message: 'sk-planted is wrong' } }),
    says: /models\.chat at models\.ts:5:21: its probe found that vendor\/m refused our credential \(401\)$/,
  },
  'an unknown model': {
    script: ({ response }) => answerJson(response, 404, { error: { code: 'model_not_found' } }),
    says: /vendor\/m does not know the model or the path \(404\)$/,
  },
  'a page': {
    script: ({ response }) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    says: /vendor\/m sends answers that cannot be understood$/,
  },
  'another answer than expected': {
    script: (received) => answerWell(received, 'who?'),
    probe: { expect: 'pong' },
    says: /vendor\/m answers without the expected text$/,
  },
};

const good = async (context: TestContext) => {
  const stage = await trialStage(context);
  const vendor = await stage.upstream((received) => answerWell(received, 'pong'));
  await stage.branch.publish(probed(1, vendor.url));
  const gateway = await stage.start('--bake', '60s');
  assert.equal(await which(gateway), 'version 1');
  return { ...stage, gateway, vendor };
};

test('a probe that shows what only configuration can cause refuses the candidate', options, async (context) => {
  const { branch, upstream, gateway, vendor } = await good(context);
  let n = 1;
  for (const [what, { script, probe, says }] of Object.entries(wrong)) {
    const bad = await upstream(script);
    n += 1;
    const commit = await branch.publish(probed(n, bad.url, probe));
    const status = await until(what, async () => {
      const now = await gateway.status();
      return now.held?.commit === commit && now;
    });
    assert.equal(status.held?.reason, 'invalid', what);
    assert.match(status.held?.detail ?? '', says, what);
    assert.doesNotMatch(status.held?.detail ?? '', /planted/);
    assert.equal(await which(gateway), 'version 1', what);
    assert.ok(bad.received.length <= 2, 'asked once, and once more at most');
  }
  await branch.publish(probed(9, await deadUrl()));
  assert.match((await held(gateway, 'invalid')).held?.detail ?? '', /models\.chat/);
  assert.equal(vendor.received.length, 0, 'the first revision of all is not probed');
});

test('each key of a provider is probed, and one that is refused refuses the candidate', options, async (context) => {
  const { branch, upstream, gateway } = await good(context);
  Object.assign(process.env, { PROBED_GOOD: 'sk-good-PLANTED', PROBED_DEAD: 'sk-dead-PLANTED' });
  context.after(() => {
    delete process.env['PROBED_GOOD'];
    delete process.env['PROBED_DEAD'];
  });
  const picky = await upstream((received) => {
    if (received.headers.authorization?.includes('dead')) answerJson(received.response, 401, {});
    else answerWell(received, 'pong');
  });
  const snapshot = probed(2, picky.url);
  const vendor = snapshot.providers['vendor'] as { options: object };
  Object.assign(vendor.options, { apiKeys: [{ $secret: 'PROBED_GOOD' }, { $secret: 'PROBED_DEAD' }] });
  await branch.publish(snapshot);
  const { held: why } = await held(gateway, 'invalid');
  assert.match(why?.detail ?? '', /vendor\/m with key 2 refused our credential \(401\)$/);
  assert.doesNotMatch(why?.detail ?? '', /PLANTED/);
});

const weather: Readonly<Record<string, Script>> = {
  'an overloaded vendor': ({ response }) => void response.writeHead(503).end(),
  'a rate limit': ({ response }) => answerJson(response, 429, {}, { 'retry-after': '60' }),
  'a vendor that says nothing in time': () => undefined,
};

test('fault 75: a vendor in trouble says nothing about the candidate', options, async (context) => {
  const { branch, upstream, gateway } = await good(context);
  let n = 1;
  for (const [what, script] of Object.entries(weather)) {
    const troubled = await upstream(script);
    n += 1;
    await branch.publish(probed(n, troubled.url, { timeout: '300ms' }));
    await serves(gateway, n);
    assert.equal(troubled.received.length, 1, what);
  }
});

test(
  'what a revision left as it was is not probed, and an unchanged target is not held against it',
  options,
  async (context) => {
    const stage = await trialStage(context);
    let isRefusing = false;
    const vendor = await stage.upstream((received) => {
      if (isRefusing) received.response.writeHead(401).end('{}');
      else answerWell(received, 'pong');
    });
    await stage.branch.publish(probed(1, vendor.url));
    const gateway = await stage.start();
    await stage.branch.publish(probed(2, vendor.url));
    await serves(gateway, 2);
    assert.equal(vendor.received.length, 0);
    isRefusing = true;
    // The model is changed, the provider behind it is not.
    await stage.branch.publish(probed(3, vendor.url, { message: 'hello' }));
    await serves(gateway, 3);
    assert.equal(vendor.received.length, 1);
  },
);

test(
  'fault 75: a vendor that cannot be reached at the place where it was before refuses no candidate',
  options,
  async (context) => {
    const { branch, start, upstream } = await trialStage(context);
    const vendor = await upstream(({ response }) => void response.destroy());
    const shop = await upstream(({ response }) => void response.destroy());
    const declared = (n: number, contextWindow: number, timeout: `${number}s`) => {
      const providers = {
        vendor: { kind: 'openai', options: { baseUrl: vendor.url }, models: { m: { contextWindow } } },
      };
      const upstreams = { shop: { url: shop.url, timeout } };
      const routes = { orders: { path: '/orders/*', upstream: 'shop', probe: { path: '/orders/1' } } } as never;
      return probed(n, vendor.url, {}, { providers, upstreams, routes });
    };
    await branch.publish(declared(1, 8_192, '3s'));
    const gateway = await start();
    await branch.publish(declared(2, 16_384, '4s'));
    await serves(gateway, 2);
    assert.ok(vendor.received.length > 0 && shop.received.length > 0, 'both were asked');
  },
);

test('a probe asks with the message and the cap that are declared, and draws on no quota', options, async (context) => {
  const { branch, upstream, gateway } = await good(context);
  const vendor = await upstream((received) => answerWell(received, 'pong'));
  const quotas = { tight: { unit: 'requests' as const, limit: 1, window: '1h' as const, scope: 'gateway' as const } };
  const models = {
    chat: { targets: target, quotas: ['tight'], probe: { message: 'ping', expect: 'pong', maxTokens: 7 } },
  };
  await branch.publish(probed(2, vendor.url, {}, { quotas, models }));
  await serves(gateway, 2);
  const { json } = await vendor.request(1);
  assert.deepEqual(json['messages'], [{ role: 'user', content: 'ping' }]);
  assert.equal(json['max_completion_tokens'] ?? json['max_tokens'], 7);
  const asked = await gateway.post('/v1/chat/completions', {
    model: 'chat',
    messages: [{ role: 'user', content: 'x' }],
  });
  assert.equal(asked.status, 200, 'the only request of the hour is still there');
});

test('a newer commit ends the probing of the one before', options, async (context) => {
  const { branch, upstream, gateway } = await good(context);
  const silent = await upstream(() => undefined);
  await branch.publish(probed(2, silent.url, { timeout: '15s' }));
  const waiting = await silent.request(1);
  await branch.publish(versioned(3));
  await serves(gateway, 3, 3_000);
  await waiting.abandoned;
});

const routed = (n: number, url: string, probe: object, route: object = {}) =>
  versioned(n, {
    parts: {
      upstreams: { shop: { url } },
      routes: { orders: { path: '/orders/*', upstream: 'shop', stripPrefix: '/orders', ...route, probe } as never },
      sources: { 'routes.orders': 'routes.ts:8:1' },
    },
  });

test('a route is probed at its upstream: a wrong status refuses, a bad moment does not', options, async (context) => {
  const { branch, upstream, start } = await trialStage(context);
  const shop = await upstream(({ path, response }) => {
    if (path === '/health?deep=1') response.end('well');
    else if (path === '/busy') response.writeHead(503).end();
    else response.writeHead(404).end('planted text');
  });
  await branch.publish(versioned(1));
  const gateway = await start();
  await branch.publish(routed(2, shop.url, { path: '/orders/health?deep=1' }));
  await serves(gateway, 2);
  assert.equal(shop.received.length, 1);

  await branch.publish(routed(3, shop.url, { path: '/orders/gone' }));
  const status = await held(gateway, 'invalid');
  assert.match(
    status.held?.detail ?? '',
    /^routes\.orders at routes\.ts:8:1: its probe found that upstream shop answers GET \/orders\/gone with 404, not 200$/,
  );
  await branch.publish(routed(4, shop.url, { path: '/orders/gone', expectStatus: 404 }));
  await serves(gateway, 4);
  await branch.publish(routed(5, shop.url, { path: '/orders/busy' }));
  await serves(gateway, 5);
  await branch.publish(routed(6, shop.url, { path: '/elsewhere' }));
  assert.match((await held(gateway, 'invalid')).held?.detail ?? '', /its path \/elsewhere leads to no route for GET/);
  await branch.publish(routed(7, await deadUrl(), { path: '/orders/health' }));
  await until('the dead upstream is refused', async () =>
    /upstream shop could not be reached/.test((await gateway.status()).held?.detail ?? ''),
  );
  assert.equal(await which(gateway), 'version 5');
});
