/** The next move after each class of failure: which key, which target, how long to wait, and when to give up. */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  deadUrl,
  legs,
  piece,
  startEvents,
  startScripted,
  type Received,
  type Script,
} from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

const secrets = { FIRST_KEY: 'sk-first-PLANTED', SECOND_KEY: 'sk-second-PLANTED', THIRD_KEY: 'sk-third-PLANTED' };
before(() => void Object.assign(process.env, secrets));
after(() => {
  for (const name of Object.keys(secrets)) delete process.env[name];
});

interface Leg {
  readonly script: Script;
  readonly keys?: readonly (keyof typeof secrets)[];
  readonly timeout?: `${number}ms`;
  readonly retries?: number;
  readonly contextWindow?: number;
}

interface Options {
  readonly model?: Partial<SnapshotInput['models'][string]>;
  readonly firstTokenTimeout?: `${number}ms`;
}

/** A gateway whose model `chat` tries these targets in order. */
async function behind(context: TestContext, all: readonly Leg[], { model = {}, firstTokenTimeout }: Options = {}) {
  const upstreams = await Promise.all(all.map(({ script }) => startScripted(script)));
  const parts = legs(
    all.map(({ script: _, keys: _keys, ...leg }, index) => ({ url: upstreams[index]?.url ?? '', ...leg })),
    model,
  );
  const { providers, models } = structuredClone(parts) as unknown as {
    providers: Record<string, { options: object }>;
    models: { chat: { targets: { of: { node: object }[] } } };
  };
  for (const [index, { keys }] of all.entries())
    if (keys)
      Object.assign(providers[`leg${index + 1}`]?.options ?? {}, { apiKeys: keys.map(($secret) => ({ $secret })) });
  if (firstTokenTimeout) Object.assign(models.chat.targets.of[0]?.node ?? {}, { firstTokenTimeout });
  const gateway = await startGateway(snapshotOf({ providers, models }));
  context.after(async () => {
    await gateway.close();
    await Promise.all(upstreams.map((each) => each.close()));
  });
  return { gateway, upstreams };
}

const ask = (gateway: TestGateway, more: object = {}, model = 'chat') =>
  gateway.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hello there' }], ...more });

async function heard(response: Response) {
  const { error, choices } = (await response.json()) as {
    error?: { code: string };
    choices?: { message: { content: string } }[];
  };
  return [response.status, error?.code ?? choices?.[0]?.message.content];
}

const keyOf = ({ headers }: Received) => headers.authorization?.replace(/^Bearer sk-|-PLANTED$/g, '');
const says =
  (status: number, body: object = {}, headers: object = {}): Script =>
  ({ response }) =>
    answerJson(response, status, body, headers);
const well: Script = (received) => answerWell(received, 'from the second');
const metric = async (gateway: TestGateway, pattern: RegExp) => Number(pattern.exec(await gateway.metrics())?.[1] ?? 0);

describe('several keys', () => {
  test('are used in turn', async (context) => {
    const { gateway, upstreams } = await behind(context, [
      { script: answerWell, keys: ['FIRST_KEY', 'SECOND_KEY', 'THIRD_KEY'] },
    ]);
    for (let turn = 0; turn < 6; turn += 1) assert.equal((await ask(gateway)).status, 200);
    assert.deepEqual(upstreams[0]?.received.map(keyOf), ['first', 'second', 'third', 'first', 'second', 'third']);
  });

  for (const status of [401, 403])
    test(`and one is refused with ${status}: the next one serves the request, and the refused one rests`, async (context) => {
      const script: Script = (received) =>
        keyOf(received) === 'first' ? says(status)(received) : answerWell(received, 'with the second key');
      const { gateway, upstreams } = await behind(context, [
        { script, keys: ['FIRST_KEY', 'SECOND_KEY'] },
        { script: well },
      ]);
      const response = await ask(gateway);
      assert.equal(response.headers.get('headgate-attempts'), '2');
      assert.deepEqual(await heard(response), [200, 'with the second key']);
      for (let turn = 0; turn < 3; turn += 1) assert.equal((await ask(gateway)).headers.get('headgate-attempts'), '1');
      assert.deepEqual(upstreams[0]?.received.map(keyOf), ['first', 'second', 'second', 'second', 'second']);
      assert.equal(upstreams[1]?.received.length, 0);
      assert.ok(!(await gateway.metrics()).includes('PLANTED'));
      assert.ok(!JSON.stringify(await gateway.status()).includes('PLANTED'));
    });

  test('that are all refused: the next target serves, and the provider is asked again each time so that it shows', async (context) => {
    const { gateway, upstreams } = await behind(context, [
      { script: says(401), keys: ['FIRST_KEY', 'SECOND_KEY'] },
      { script: well },
    ]);
    for (const attempts of ['3', '2', '2']) {
      const response = await ask(gateway);
      assert.deepEqual(await heard(response), [200, 'from the second']);
      assert.equal(response.headers.get('headgate-attempts'), attempts);
    }
    assert.deepEqual(upstreams[0]?.received.map(keyOf).toSorted(), ['first', 'first', 'second', 'second']);
  });

  test('of which one is rate limited: it rests as long as the vendor says', async (context) => {
    const script: Script = (received) =>
      keyOf(received) === 'first' && received.number === 1
        ? says(429, {}, { 'retry-after-ms': '300' })(received)
        : answerWell(received);
    const { gateway, upstreams } = await behind(context, [{ script, keys: ['FIRST_KEY', 'SECOND_KEY'] }]);
    await ask(gateway);
    await ask(gateway);
    assert.deepEqual(upstreams[0]?.received.map(keyOf), ['first', 'second', 'second']);
    await until('the first key is used again', async () => {
      await ask(gateway);
      return keyOf(upstreams[0]?.received.at(-1) as Received) === 'first';
    });
  });
});

describe('a rate limit', () => {
  const limited = says(429, {}, { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '5m0s' });

  test('sends requests to the next target, and passes the limited one over until its reset', async (context) => {
    const { gateway, upstreams } = await behind(context, [{ script: limited }, { script: well }]);
    assert.equal((await ask(gateway)).headers.get('headgate-attempts'), '2');
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await ask(gateway)).headers.get('headgate-attempts'), '1');
    assert.deepEqual(
      upstreams.map(({ received }) => received.length),
      [1, 4],
    );
  });

  test('of the only target is told to the client with the vendor’s reset', async (context) => {
    const { gateway } = await behind(context, [{ script: limited, retries: 2 }], { model: { deadline: '2s' } });
    const response = await ask(gateway);
    assert.equal(response.headers.get('retry-after'), '300');
    assert.deepEqual(await heard(response), [429, 'upstream_rate_limited']);
  });

  test('is waited for as told where nothing else is there and the deadline allows it', async (context) => {
    const script: Script = (received) =>
      received.number === 1 ? says(429, {}, { 'retry-after-ms': '250' })(received) : answerWell(received, 'at last');
    const { gateway, upstreams } = await behind(context, [{ script, retries: 1 }]);
    const started = performance.now();
    assert.deepEqual(await heard(await ask(gateway)), [200, 'at last']);
    assert.ok(performance.now() - started >= 245);
    assert.equal(upstreams[0]?.received.length, 2);
  });

  test('is not waited for beyond the deadline, nor by a target without retries', async (context) => {
    const script = says(429, {}, { 'retry-after': '1' });
    const late = await behind(context, [{ script, retries: 3 }], { model: { deadline: '500ms' } });
    const never = await behind(context, [{ script }]);
    for (const { gateway, upstreams } of [late, never]) {
      const started = performance.now();
      assert.deepEqual(await heard(await ask(gateway)), [429, 'upstream_rate_limited']);
      assert.ok(performance.now() - started < 450);
      assert.equal(upstreams[0]?.received.length, 1);
    }
  });
});

describe('an overloaded target', () => {
  test('that says when to come back is not asked before', async (context) => {
    const script: Script = (received) =>
      received.number === 1 ? says(503, {}, { 'retry-after-ms': '300' })(received) : answerWell(received);
    const { gateway } = await behind(context, [{ script, retries: 1 }, { script: well }]);
    const started = performance.now();
    assert.equal((await ask(gateway)).headers.get('headgate-target'), 'leg1/m');
    assert.ok(performance.now() - started >= 295);
  });

  test('that says to come back in a minute is left for the next one at once', async (context) => {
    const { gateway, upstreams } = await behind(context, [
      { script: says(503, {}, { 'retry-after': '60' }), retries: 3 },
      { script: well },
    ]);
    assert.equal((await ask(gateway)).headers.get('headgate-target'), 'leg2/m');
    assert.equal(upstreams[0]?.received.length, 1);
  });

  test('gets no more retries than its budget, however many requests fail', async (context) => {
    const { gateway, upstreams } = await behind(context, [{ script: says(503), retries: 5 }]);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(gateway)));
    assert.ok(answers.every(({ status }) => status === 502));
    assert.equal(upstreams[0]?.received.length, 40, 'thirty requests and ten retries');
    assert.ok((await metric(gateway, /^headgate_upstream_retries_denied_total\{target="leg1\/m"\} (\d+)$/m)) > 0);
  });
});

describe('a conversation that is too long', () => {
  const tooLong = says(400, { error: { code: 'context_length_exceeded', message: 'x' } });

  test('goes to the next target with a larger window, past those with the same or a smaller one', async (context) => {
    const { gateway, upstreams } = await behind(context, [
      { script: tooLong, contextWindow: 8_000 },
      { script: tooLong, contextWindow: 8_000 },
      { script: tooLong, contextWindow: 4_000 },
      { script: well, contextWindow: 16_000 },
    ]);
    const response = await ask(gateway);
    assert.equal(response.headers.get('headgate-target'), 'leg4/m');
    assert.deepEqual(
      upstreams.map(({ received }) => received.length),
      [1, 0, 0, 1],
    );
  });

  test('is refused where no window is larger', async (context) => {
    const { gateway, upstreams } = await behind(context, [{ script: tooLong, retries: 2 }, { script: well }]);
    assert.deepEqual(await heard(await ask(gateway)), [400, 'context_length_exceeded']);
    assert.equal(upstreams[1]?.received.length, 0);
  });
});

test('content that is refused goes nowhere else, whatever retries and keys there are', async (context) => {
  const script = says(400, { error: { code: 'content_policy_violation' } });
  const { gateway, upstreams } = await behind(context, [
    { script, retries: 3, keys: ['FIRST_KEY', 'SECOND_KEY'] },
    { script: well },
  ]);
  assert.deepEqual(await heard(await ask(gateway)), [422, 'upstream_content_refused']);
  assert.deepEqual(
    upstreams.map(({ received }) => received.length),
    [1, 0],
  );
});

describe('a deadline', () => {
  test('ends a request that hangs, with 504 and its length', async (context) => {
    const { gateway } = await behind(context, [{ script: () => undefined }], { model: { deadline: '250ms' } });
    const started = performance.now();
    const response = await ask(gateway);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.deepEqual([response.status, error.code], [504, 'upstream_timeout']);
    assert.match(error.message, /deadline of 250 ms/);
    assert.ok(performance.now() - started < 1_500);
  });

  test('covers retries and the pauses between them', async (context) => {
    const script = says(503, {}, { 'retry-after-ms': '200' });
    const { gateway, upstreams } = await behind(context, [{ script, retries: 5 }], { model: { deadline: '500ms' } });
    assert.deepEqual(await heard(await ask(gateway)), [504, 'upstream_timeout']);
    assert.equal(upstreams[0]?.received.length, 3);
  });

  test('ends a stream that drips with a typed event, and the vendor’s connection', async (context) => {
    const drip: Script = ({ response }) => {
      startEvents(response);
      const timer = setInterval(() => response.write(piece('drop ')), 40);
      response.once('close', () => clearInterval(timer));
    };
    const { gateway, upstreams } = await behind(context, [{ script: drip }], { model: { deadline: '400ms' } });
    const text = await (await ask(gateway, { stream: true })).text();
    assert.match(text, /drop /);
    assert.ok(!text.includes('[DONE]'));
    assert.match(text.trimEnd().split('\n\n').at(-1) ?? '', /"code":"upstream_timeout"/);
    await upstreams[0]?.received[0]?.abandoned;
  });
});

test('a stream that only pings is replaced once its time to the first token is over', async (context) => {
  const pings: Script = ({ response }) => {
    startEvents(response);
    const timer = setInterval(() => response.write(': ping\n\n'), 30);
    response.once('close', () => clearInterval(timer));
  };
  const { gateway, upstreams } = await behind(context, [{ script: pings, timeout: '5000ms' }, { script: well }], {
    firstTokenTimeout: '200ms',
  });
  const response = await ask(gateway, { stream: true });
  assert.equal(response.headers.get('headgate-target'), 'leg2/m');
  assert.match(await response.text(), /from the second/);
  await upstreams[0]?.received[0]?.abandoned;
});

describe('an upstream that fails on', () => {
  const state = (gateway: TestGateway, target = 'leg1/m') =>
    metric(gateway, new RegExp(`^headgate_breaker_state\\{target="${target}"\\} (\\d)$`, 'm'));

  test('is passed over after five failures, shown as such, and serves again once a single request was answered', async (context) => {
    let isDown = true;
    const script: Script = (received) => (isDown ? says(500)(received) : answerWell(received, 'well again'));
    const { gateway, upstreams } = await behind(context, [{ script }, { script: well }]);
    for (let turn = 0; turn < 8; turn += 1) assert.equal((await ask(gateway)).status, 200);
    assert.equal(upstreams[0]?.received.length, 5);
    assert.equal(await state(gateway), 2);
    const { ailing } = await gateway.status();
    assert.deepEqual(ailing, [{ target: 'leg1/m', state: 'open', failures: 5 }]);
    isDown = false;
    await until('it serves again', async () => (await ask(gateway)).headers.get('headgate-target') === 'leg1/m');
    assert.equal(await state(gateway), 0);
    assert.equal((await ask(gateway)).headers.get('headgate-target'), 'leg1/m');
  });

  test('is tried by one request at a time', async (context) => {
    let release: (() => void) | undefined;
    const script: Script = async (received) => {
      if (received.number > 5) await new Promise<void>((resolve) => (release = resolve));
      await says(500)(received);
    };
    const { gateway, upstreams } = await behind(context, [{ script }, { script: well }]);
    for (let turn = 0; turn < 5; turn += 1) await ask(gateway);
    const first = upstreams[0];
    const asked: Promise<Response>[] = [];
    await until('one tries it again', async () => {
      asked.push(ask(gateway));
      return (first?.received.length ?? 0) > 5;
    });
    for (let turn = 0; turn < 5; turn += 1) assert.equal((await ask(gateway)).status, 200);
    assert.equal(first?.received.length, 6);
    assert.equal(await state(gateway), 1);
    release?.();
    await Promise.all(asked);
  });

  test('is asked all the same when nothing else is there, and when everything else failed', async (context) => {
    const { gateway, upstreams } = await behind(context, [{ script: says(500) }]);
    for (let turn = 0; turn < 8; turn += 1) assert.equal((await ask(gateway)).status, 502);
    assert.equal(upstreams[0]?.received.length, 8);
    const both = await behind(context, [{ script: says(500) }, { script: says(500) }]);
    for (let turn = 0; turn < 7; turn += 1) assert.equal((await ask(both.gateway)).status, 502);
    assert.deepEqual(
      both.upstreams.map(({ received }) => received.length),
      [7, 7],
    );
  });

  test('is known by where it is, and not by the name that a configuration gives it', async (context) => {
    const url = await deadUrl();
    const second = await startScripted(well);
    const target = (provider: string) => ({ kind: 'target' as const, provider, model: 'm' });
    const group = (first: string) => ({
      kind: 'group' as const,
      balance: 'ordered',
      of: [{ node: target(first) }, { node: target('other') }],
    });
    const provider = (origin: string) => ({
      kind: 'openai',
      options: { baseUrl: `${origin}/v1` },
      models: { m: { contextWindow: 8_192 } },
    });
    const gateway = await startGateway(
      snapshotOf({
        providers: { one: provider(url), namesake: provider(url), other: provider(second.url) },
        models: { chat: { targets: group('one') }, draft: { targets: group('namesake') } },
      }),
    );
    context.after(() => Promise.all([gateway.close(), second.close()]));
    for (let turn = 0; turn < 5; turn += 1) await ask(gateway);
    assert.equal((await ask(gateway, {}, 'draft')).headers.get('headgate-attempts'), '1');
  });
});
