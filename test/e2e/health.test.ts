/** Bad health through the real gateway: what is held against a revision, how soon it is gone, and what comes after. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sourceOf } from '../support/artifact-branch.ts';
import { keyHash, type TestGateway } from '../support/gateway.ts';
import { answerWell, deadUrl, piece, startEvents, startScripted, type Received } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { held, serves, trialStage, which } from '../support/trial-stage.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const options = { skip: skipWithout(tools.gitHttpBackend), timeout: 90_000 };
const sandboxTarget = { kind: 'target' as const, provider: 'sandbox', model: 'small' };

/** The old revision answers again within a second of the request that broke the rule. */
async function backWithin(gateway: TestGateway, n: number, breaks: () => Promise<unknown>): Promise<void> {
  await breaks();
  const broken = performance.now();
  await serves(gateway, n, 3_000);
  const took = performance.now() - broken;
  assert.ok(took < 1_000, `the old revision answers after ${Math.round(took)} ms`);
}

const times = async (count: number, ask: () => Promise<Response>, status: number): Promise<void> => {
  for (let asked = 0; asked < count; asked += 1) {
    const response = await ask();
    assert.equal(response.status, status);
    await response.arrayBuffer();
  }
};

test('a changed credential that is refused is back within a second of the third refusal', options, async (context) => {
  const { branch, start, upstream } = await trialStage(context);
  const vendor = await upstream((received) => {
    if (received.path.startsWith('/good')) answerWell(received);
    else received.response.writeHead(401).end('{}');
  });
  await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/good` }));
  const gateway = await start('--bake', '60s');
  await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/bad` }));
  await serves(gateway, 2);
  await backWithin(gateway, 1, () => times(3, () => gateway.post('/v1/chat/completions', question('vendor')), 502));
  const { held: why } = await held(gateway, 'bad-health');
  const short = sourceOf(2).slice(0, 12);
  assert.match(
    why?.detail ?? '',
    new RegExp(
      `^revision ${short} by Ada \\("A change"\\) was taken back: vendor/m refused our credential \\(3 times, 0 good answers\\); changed object providers\\.vendor at gateway\\.config\\.ts:7:16$`,
    ),
  );
  assert.match(await gateway.metrics(), /headgate_config_rollbacks_total\{rule="target_refused"\} 1/);
});

test('a wrong base URL that answers with a page is back within a second', options, async (context) => {
  const { branch, start, upstream } = await trialStage(context);
  const page = await upstream(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>welcome</html>');
  });
  const vendor = await upstream((received) => answerWell(received));
  await branch.publish(versioned(1, { vendorUrl: vendor.url }));
  const gateway = await start('--bake', '60s');
  await branch.publish(versioned(2, { vendorUrl: page.url }));
  await serves(gateway, 2);
  await backWithin(gateway, 1, () => times(3, () => gateway.post('/v1/chat/completions', question('vendor')), 502));
  assert.match((await held(gateway, 'bad-health')).held?.detail ?? '', /sends answers that cannot be understood/);
});

test('a changed base URL whose streams all break off is back within a second', options, async (context) => {
  const { branch, start, upstream } = await trialStage(context);
  const cutting = await upstream((received) => {
    if (received.json['stream'] !== true) return answerWell(received);
    startEvents(received.response);
    received.response.end(piece('half '));
  });
  const vendor = await upstream((received) => answerWell(received));
  await branch.publish(versioned(1, { vendorUrl: vendor.url }));
  const gateway = await start('--bake', '60s');
  await branch.publish(versioned(2, { vendorUrl: cutting.url }));
  await serves(gateway, 2);
  const streamed = () => gateway.post('/v1/chat/completions', { ...question('vendor'), stream: true });
  await backWithin(gateway, 1, () => times(3, streamed, 200));
  assert.match((await held(gateway, 'bad-health')).held?.detail ?? '', /sends answers that cannot be understood/);
});

test(
  'a route that vanished while clients use it is back within a second, with the place where it stood',
  options,
  async (context) => {
    const { branch, start, upstream } = await trialStage(context);
    const orders = await upstream(({ response }) => void response.end('ok'));
    const parts = {
      upstreams: { orders: { url: orders.url } },
      routes: { orders: { path: '/orders/*', upstream: 'orders' } },
    };
    await branch.publish(versioned(1, { parts: { ...parts, sources: { 'routes.orders': 'routes.ts:12:3' } } }));
    const gateway = await start('--bake', '60s');
    await times(1, () => gateway.ask('/orders/1'), 200);
    await branch.publish(versioned(2));
    await serves(gateway, 2);
    // A stranger's requests say nothing: anybody could send them.
    await times(5, () => gateway.ask('/orders/1', { headers: { authorization: 'Bearer nobody' } }), 404);
    await times(5, () => gateway.ask('/never-there'), 404);
    await backWithin(gateway, 1, () => times(3, () => gateway.ask('/orders/1'), 404));
    const { held: why } = await held(gateway, 'bad-health');
    assert.match(why?.detail ?? '', /3 requests for routes\.orders that the revision before would have served/);
    assert.match(why?.detail ?? '', /removed object routes\.orders, before it at routes\.ts:12:3$/);
    await times(1, () => gateway.ask('/orders/1'), 200);

    const meant = { removed: { 'routes.orders': 'replaced by the new shop' } };
    await branch.publish(versioned(3, { parts: meant }));
    await serves(gateway, 3);
    await times(4, () => gateway.ask('/orders/1'), 404);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(await which(gateway), 'version 3');
  },
);

test(
  'a model that was renamed and a prompt that wants what nobody sends are back within a second',
  options,
  async (context) => {
    const { branch, start } = await trialStage(context);
    const prompt = (text: string) => ({
      prompts: { greeting: { system: text } },
      models: {
        chat: {
          targets: sandboxTarget,
          prompt: { name: 'greeting', variables: { tone: { from: 'header' as const, name: 'x-tone' } } },
        },
      },
      sources: { 'prompts.greeting': 'prompts.ts:3:1', 'models.chat': 'models.ts:9:1' },
    });
    await branch.publish(versioned(1, { parts: prompt('Be kind') }));
    const gateway = await start('--bake', '60s');
    await branch.publish(versioned(2, { parts: prompt('Be {{tone}}') }));
    await serves(gateway, 2);
    const ask = () => gateway.post('/v1/chat/completions', question('chat'));
    await backWithin(gateway, 1, () => times(3, ask, 400));
    assert.match(
      (await held(gateway, 'bad-health')).held?.detail ?? '',
      /models\.chat .*prompt_variable_missing.*changed object prompts\.greeting at prompts\.ts:3:1$/,
    );

    await branch.publish(versioned(3));
    await serves(gateway, 3);
    await backWithin(gateway, 1, () => times(3, ask, 404));
    assert.match(
      (await held(gateway, 'bad-health')).held?.detail ?? '',
      /removed object models\.chat.*models\.ts:9:1$/,
    );
  },
);

test(
  'two points more failures of our own are back within a second of the fiftieth request',
  options,
  async (context) => {
    const { branch, start, upstream } = await trialStage(context);
    let asked = 0;
    const vendor = await upstream((received: Received) => {
      asked += 1;
      if (received.path.startsWith('/bad') && asked % 10 === 0) received.response.writeHead(401).end('{}');
      else answerWell(received);
    });
    await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/good` }));
    const gateway = await start('--bake', '60s');
    await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/bad` }));
    await serves(gateway, 2);
    const ask = () =>
      gateway.post('/v1/chat/completions', question('vendor')).then((response) => response.arrayBuffer());
    await backWithin(gateway, 1, async () => {
      for (let sent = 0; sent < 50; sent += 1) await ask();
    });
    assert.match((await held(gateway, 'bad-health')).held?.detail ?? '', /10\.0 % of 50 requests for models\.vendor/);
  },
);

test('a revision that makes the gateway itself slow is back within a second', options, async (context) => {
  const { branch, start } = await trialStage(context);
  const chat = (parts: object) => ({
    ...parts,
    models: { chat: { targets: sandboxTarget, ...('policies' in parts ? { policies: ['terms'] } : {}) } },
  });
  const terms = Array.from({ length: 1_000 }, (_, index) => `nobody-writes-${index}`);
  const slow = { policies: { terms: { kind: 'blockTerms', options: { terms } } } };
  await branch.publish(versioned(1, { parts: chat({}) }));
  const gateway = await start('--bake', '60s');
  // Long enough that a thousand terms over it take tens of milliseconds.
  const long = { model: 'chat', messages: [{ role: 'user', content: 'nobody-writes-x '.repeat(3_000) }] };
  const ask = () => gateway.post('/v1/chat/completions', long).then((response) => response.arrayBuffer());
  for (let sent = 0; sent < 50; sent += 1) await ask();
  await branch.publish(versioned(2, { parts: chat(slow) }));
  await serves(gateway, 2);
  await backWithin(gateway, 1, async () => {
    for (let sent = 0; sent < 50; sent += 1) await ask();
  });
  assert.match(
    (await held(gateway, 'bad-health')).held?.detail ?? '',
    /the gateway itself takes [\d.]+ ms for a request for models\.chat, before it .*changed object/,
  );
});

test(
  'fault 67: a candidate whose building throws is refused with its reason, and the old one serves',
  options,
  async (context) => {
    const { branch, start } = await trialStage(context);
    await branch.publish(versioned(1));
    const gateway = await start();
    const key = keyHash('shared');
    const commit = await branch.publish(
      versioned(2, {
        parts: {
          consumers: { one: { keys: [key] }, two: { keys: [key] } },
          sources: { 'consumers.two': 'teams.ts:4:1' },
        },
      }),
    );
    const status = await held(gateway, 'invalid');
    assert.equal(status.held?.commit, commit);
    assert.match(status.held?.detail ?? '', /teams\.ts:4:1 consumers\.two: shares a key with consumer 'one'/);
    assert.equal(await which(gateway), 'version 1');
    await branch.publish(versioned(3));
    await serves(gateway, 3);
  },
);

test(
  'fault 76: a revision that is kept unproved is still taken back when it turns bad, on disk as well',
  options,
  async (context) => {
    const { branch, start, upstream, stateDir } = await trialStage(context);
    const vendor = await upstream((received) => {
      if (received.path.startsWith('/good')) answerWell(received);
      else received.response.writeHead(401).end('{}');
    });
    const good = await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/good` }));
    const first = await start('--bake', '2s');
    const bad = await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/bad` }));
    await serves(first, 2);
    const kept = await until('2 is kept', async () => {
      const status = await first.status();
      return status.lkg.commit === bad && status;
    });
    assert.equal(kept.active?.health, 'unverified');
    assert.ok(kept.watch, 'it is watched on');
    assert.equal(kept.bake, undefined);
    await backWithin(first, 1, () => times(3, () => first.post('/v1/chat/completions', question('vendor')), 502));
    const status = await held(first, 'bad-health');
    assert.notEqual(status.lkg.commit, bad);
    assert.equal(status.watch, undefined);

    await first.close();
    const seal = await readFile(join(stateDir, 'current', '.commit'), 'utf8');
    assert.ok(seal.startsWith(good), 'a start begins with what proved itself');
    const again = await start();
    assert.equal(await which(again), 'version 1');
    assert.equal((await again.status()).held?.commit, bad);
  },
);

test(
  'fault 75: a vendor that nobody can reach is held against a revision that moved it, not against one that only describes it anew',
  options,
  async (context) => {
    const { branch, start, upstream } = await trialStage(context);
    let isDown = false;
    const vendor = await upstream((received) => {
      if (isDown) received.response.destroy();
      else answerWell(received);
    });
    const described = (url: string, contextWindow: number) => ({
      parts: {
        providers: { vendor: { kind: 'openai', options: { baseUrl: url }, models: { m: { contextWindow } } } },
        models: { vendor: { targets: { kind: 'target' as const, provider: 'vendor', model: 'm', retries: 0 } } },
      },
    });
    await branch.publish(versioned(1, described(vendor.url, 8_192)));
    const gateway = await start('--bake', '2s');
    const ask = () => gateway.post('/v1/chat/completions', question('vendor'));
    await times(1, ask, 200);
    await branch.publish(versioned(2, described(await deadUrl(), 8_192)));
    await serves(gateway, 2);
    await backWithin(gateway, 1, () => times(3, ask, 502));
    assert.match((await held(gateway, 'bad-health')).held?.detail ?? '', /vendor\/m could not be reached/);

    await times(1, ask, 200);
    const good = await branch.publish(versioned(3, described(`${vendor.url}/`, 16_384)));
    await serves(gateway, 3);
    isDown = true;
    await times(6, ask, 502);
    await until('3 is kept', async () => (await gateway.status()).lkg.commit === good);
    await times(6, ask, 502);
    assert.equal(await which(gateway), 'version 3');
    assert.equal((await gateway.status()).held, undefined);
  },
);

test('fault 76: enough good requests after the trial prove it at last, and end the watch', options, async (context) => {
  const { branch, start } = await trialStage(context);
  await branch.publish(versioned(1));
  const gateway = await start('--bake', '1s', '--bake-samples', '5');
  const second = await branch.publish(versioned(2));
  await until('2 is watched', async () => {
    const status = await gateway.status();
    return status.active?.commit === second && status.watch !== undefined;
  });
  for (let asked = 0; asked < 5; asked += 1) assert.equal(await which(gateway), 'version 2');
  const status = await until('proved', async () => {
    const now = await gateway.status();
    return now.active?.health === 'verified' && now;
  });
  assert.equal(status.watch, undefined);
  assert.equal(status.generationsLive, 1);
});

test(
  'fault 79: after a rollback a provider that the bad revision had removed answers over the connection it had before',
  options,
  async (context) => {
    const { branch, start, upstream } = await trialStage(context);
    // As long as a vendor's: what idles in between is not closed because of its time.
    const removed = await startScripted((received) => answerWell(received), { keepAliveTimeout: 60_000 });
    context.after(() => removed.close());
    const vendor = await upstream((received) => {
      if (received.path.startsWith('/good')) answerWell(received);
      else received.response.writeHead(401).end('{}');
    });
    const provider = { kind: 'openai', options: { baseUrl: removed.url }, models: { m: { contextWindow: 8_192 } } };
    const parts = {
      providers: { removed: provider },
      models: { removed: { targets: { kind: 'target' as const, provider: 'removed', model: 'm' } } },
    };
    await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/good`, parts }));
    const gateway = await start('--bake', '60s');
    const ask = () => gateway.post('/v1/chat/completions', question('removed'));
    await times(2, ask, 200);
    assert.equal(removed.connections, 1);
    await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/bad` }));
    await serves(gateway, 2);
    await times(1, ask, 404);
    await backWithin(gateway, 1, () => times(3, () => gateway.post('/v1/chat/completions', question('vendor')), 502));
    assert.match((await held(gateway, 'bad-health')).held?.detail ?? '', /vendor\/m refused our credential/);
    await times(2, ask, 200);
    assert.deepEqual([removed.received.length, removed.connections], [4, 1]);
  },
);

test(
  'when the symptoms go on after a rollback, that is said, and nothing is rolled back further',
  options,
  async (context) => {
    const { branch, start, upstream } = await trialStage(context);
    let isDown = false;
    const vendor = await upstream((received) => {
      if (isDown) received.response.writeHead(401).end('{}');
      else answerWell(received);
    });
    await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/one` }));
    const gateway = await start('--bake', '20s');
    await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/two` }));
    await serves(gateway, 2);
    isDown = true;
    const fail = () => times(3, () => gateway.post('/v1/chat/completions', question('vendor')), 502);
    await backWithin(gateway, 1, fail);
    assert.equal((await gateway.status()).rollback?.helped, undefined);
    await fail();
    const status = await until('it is said', async () => {
      const now = await gateway.status();
      return now.rollback?.helped === false && now;
    });
    assert.equal(status.state, 'HELD');
    assert.equal(await which(gateway), 'version 1');
  },
);
