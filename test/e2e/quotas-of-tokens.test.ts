/** Quotas of tokens, money and calls in flight on the model line: held by estimate, settled with what was used, however a call ends. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  collect,
  completion,
  piece,
  startEvents,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

const prices = { input: '1000', cachedInput: '100', output: '2000' };
const target = (provider: string) => ({ kind: 'target' as const, provider, model: 'm' });
const dollars = (limit: string, more: object = {}) => ({ unit: 'usd', limit, window: '24h', ...more }) as const;
const tokens = (limit: number, more: object = {}) => ({ unit: 'tokens', limit, window: '24h', ...more }) as const;

/** Each model has a quota of its own name. */
const quotas: SnapshotInput['quotas'] = {
  'unary-money': dollars('1.00'),
  'unary-tokens': tokens(1_000),
  streamed: tokens(1_000),
  aborted: tokens(100_000),
  failed: tokens(1_000),
  failover: dollars('1.00'),
  cached: dollars('1.00'),
  rush: tokens(1_000),
  warned: dollars('1.00', { warnAt: 0.2 }),
  soft: tokens(1, { mode: 'soft' }),
  flight: { unit: 'concurrency', limit: 1 },
  uncapped: tokens(1_000),
  month: dollars('0.05', { window: { calendar: 'month', zone: 'Europe/Berlin' } }),
};

const say = (content: string) => [{ role: 'user' as const, content }];

describe('quotas of tokens, money and calls in flight', () => {
  let upstream: ScriptedUpstream;
  let spare: ScriptedUpstream;
  let gateway: TestGateway;
  let client: OpenAI;
  let script: (received: Received) => void = answerWell;

  before(async () => {
    upstream = await startScripted((received) => script(received));
    spare = await startScripted(answerWell);
    const vendor = (url: string, price = prices) => ({
      kind: 'openai',
      options: { baseUrl: `${url}/v1` },
      models: { m: { contextWindow: 100_000, maxOutputTokens: 4_000, prices: price } },
    });
    const boxed = ['unary-money', 'unary-tokens', 'streamed', 'warned', 'soft', 'uncapped', 'month'];
    const models = Object.keys(quotas).map((name) => [
      name,
      {
        quotas: [name],
        targets:
          name === 'failover'
            ? { kind: 'group', balance: 'ordered', of: [{ node: target('first') }, { node: target('spare') }] }
            : target(boxed.includes(name) ? 'box' : 'first'),
      },
    ]);
    gateway = await startGateway(
      snapshotOf({
        providers: {
          box: { kind: 'sandbox', options: {}, models: { m: { contextWindow: 8_192, prices } } },
          first: vendor(upstream.url),
          spare: vendor(spare.url, { ...prices, input: '10000' }),
        },
        models: Object.fromEntries(models) as SnapshotInput['models'],
        quotas,
        sources: { 'quotas.unary-money': 'gateway.config.ts:7:23' },
      }),
    );
    client = new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey: testKey, maxRetries: 0 });
  });

  after(async () => {
    await gateway.close();
    await upstream.close();
    await spare.close();
  });

  const ask = (model: string, more: object = {}) =>
    gateway.post('/v1/chat/completions', { model, max_tokens: 100, messages: say('hello'), ...more });
  const refusalOf = async (response: Response): Promise<string> => {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.deepEqual([response.status, error.code], [429, 'quota_exceeded']);
    return error.message;
  };

  test('a call pays what it cost, tells it, and is refused once the money is gone', async () => {
    const calls = { model: 'unary-money', max_tokens: 100, messages: say('hello') };
    // 9 input tokens of the sandbox at $0.001 and 4 of output at $0.002, whatever was held for it.
    const { data, response } = await client.chat.completions.create(calls).withResponse();
    assert.deepEqual([data.usage?.prompt_tokens, data.usage?.completion_tokens], [9, 4]);
    assert.equal(response.headers.get('headgate-cost-usd'), '0.017');
    assert.match(response.headers.get('ratelimit-policy') ?? '', /^"unary-money";q=1\.00;qu="usd";w=86400$/);
    let refused: unknown;
    let served = 1;
    while (refused === undefined && served < 100) {
      try {
        await client.chat.completions.create(calls);
        served += 1;
      } catch (error) {
        refused = error;
      }
    }
    assert.ok(refused instanceof OpenAI.RateLimitError);
    // What is held for one call, about $0.22, no longer fits beside what was spent.
    assert.match(
      refused.message,
      /Quota 'unary-money' for consumer 'tester' has no room for this call: \$0\.\d+ of \$1\.00 in 86400 s are used or held, and it may take up to \$0\.2\d+; resets in \d+ s \(gateway\.config\.ts:7:23\)/,
    );
    assert.ok(served > 42 && served < 59, `${served} calls of $0.017 were served`);
    const cost = /^headgate_cost_usd_total\{target="box\/m",consumer="tester"\} ([\d.]+)$/m.exec(
      await gateway.metrics(),
    );
    assert.ok(Math.abs(Number(cost?.[1]) - served * 0.017) < 1e-9);
  });

  test('token quotas tell what is left as OpenAI does', async () => {
    const answer = await ask('unary-tokens');
    assert.equal(answer.headers.get('x-ratelimit-limit-tokens'), '1000');
    const left = Number(answer.headers.get('x-ratelimit-remaining-tokens'));
    assert.ok(left > 850 && left < 900, `${left}: an answer of 100 tokens and the question are held`);
    const next = await ask('unary-tokens');
    assert.equal(
      Number(next.headers.get('x-ratelimit-remaining-tokens')),
      left - 13,
      'of the first, 9 and 4 were used',
    );
    assert.match(next.headers.get('ratelimit') ?? '', /^"unary-tokens";r=\d+;t=\d+$/);
    assert.equal(next.headers.get('x-ratelimit-limit-requests'), null);
  });

  test('a stream is settled with the usage at its end', async () => {
    const { data: stream, response } = await client.chat.completions
      .create({ model: 'streamed', max_tokens: 100, messages: say('hello'), stream: true })
      .withResponse();
    const held = Number(response.headers.get('x-ratelimit-remaining-tokens'));
    await collect(stream);
    const left = await until('the stream is settled', async () => {
      const now = Number((await ask('streamed', { max_tokens: 1 })).headers.get('x-ratelimit-remaining-tokens'));
      return now > held ? now : undefined;
    });
    assert.ok(left > held + 50);
  });

  test('what a client that leaves has been told is paid for, and no more is held', async () => {
    script = ({ response }) => {
      startEvents(response);
      response.write(piece('word '.repeat(200)));
    };
    const stream = await client.chat.completions.create({ model: 'aborted', messages: say('hello'), stream: true });
    for await (const _ of stream) break;
    stream.controller.abort();
    script = answerWell;
    const used = await until('the call is settled', async () => {
      const { headers } = await ask('aborted', { max_tokens: 1 });
      const spent = 100_000 - Number(headers.get('x-ratelimit-remaining-tokens'));
      return spent < 4_000 ? spent : undefined;
    });
    assert.ok(used > 190 && used < 400, `${used} tokens, of about 200 that were sent`);
  });

  test('a call that failed costs nothing; one that was wrong counts no tokens', async () => {
    const left: (string | null)[] = [];
    // The last is read to its end, and what it cost is known: it is the gateway's own loss.
    for (const [status, body] of [
      [503, {}],
      [429, {}],
      [401, {}],
      [400, {}],
      [200, { usage: { prompt_tokens: 50, completion_tokens: 5, total_tokens: 55 } }],
    ] as const) {
      script = ({ response }) => answerJson(response, status, body);
      const failed = await ask('failed', { max_tokens: 900 });
      left.push(failed.headers.get('x-ratelimit-remaining-tokens'));
      await failed.text();
    }
    script = answerWell;
    const { status, headers } = await ask('failed', { max_tokens: 900 });
    assert.equal(status, 200);
    assert.deepEqual(
      new Set([...left, headers.get('x-ratelimit-remaining-tokens')]).size,
      1,
      'all began with the same',
    );
  });

  test('after a fallback the price of the target that answered counts; held is the dearest', async () => {
    script = ({ response }) => answerJson(response, 503, {});
    const answer = await ask('failover', { max_tokens: 10 });
    script = answerWell;
    assert.equal(answer.headers.get('headgate-target'), 'spare/m');
    // 3 × $0.01 and 2 × $0.002.
    assert.equal(answer.headers.get('headgate-cost-usd'), '0.034');
    const held = 1 - Number(/r=([\d.]+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1]);
    assert.ok(held > 0.08, `$${held} held: the input at $0.01 a token`);
  });

  test('cached input has its own price', async () => {
    script = ({ response }) => {
      const usage = {
        prompt_tokens: 30,
        completion_tokens: 2,
        total_tokens: 32,
        prompt_tokens_details: { cached_tokens: 20 },
      };
      answerJson(response, 200, completion('fine', { usage }));
    };
    const answer = await ask('cached');
    script = answerWell;
    // 10 × $0.001, 20 × $0.0001 and 2 × $0.002.
    assert.equal(answer.headers.get('headgate-cost-usd'), '0.016');
  });

  test('many at once cannot spend the same tokens', async () => {
    const release = Promise.withResolvers<void>();
    script = (received) => void release.promise.then(() => answerWell(received));
    let refused = 0;
    const asking = Array.from({ length: 20 }, async () => {
      const { status } = await ask('rush', { max_tokens: 400 });
      if (status === 429) refused += 1;
      return status;
    });
    await until('all but those that are served are refused', async () => refused === 18 || undefined);
    const told = await ask('rush', { max_tokens: 400 });
    assert.deepEqual([told.headers.get('retry-after'), told.headers.get('x-should-retry')], ['1', null]);
    assert.match(
      await refusalOf(told),
      /8\d\d of 1000 tokens in 86400 s are used or held \(8\d\d of it held by calls under way\), and it may take up to 4\d\d; resets in \d+ s, or sooner as calls end/,
    );
    release.resolve();
    script = answerWell;
    const served = (await Promise.all(asking)).filter((status) => status === 200).length;
    assert.equal(served, 2, 'two times 400 and the questions fit into 1,000, three times do not');
  });

  test('near its end a quota warns, and a soft one refuses nothing', async () => {
    const early = await ask('warned', { max_tokens: 10 });
    assert.equal(early.headers.get('headgate-quota-warning'), null);
    const warned = await ask('warned', { max_tokens: 200 });
    assert.equal(warned.status, 200);
    assert.match(warned.headers.get('headgate-quota-warning') ?? '', /^"warned";u=0\.4\d+;q=1\.00$/);
    const soft = await ask('soft');
    assert.equal(soft.status, 200);
    assert.match(soft.headers.get('headgate-quota-warning') ?? '', /^"soft";u=10;q=1$/);
    assert.equal(soft.headers.get('ratelimit'), null, 'what refuses nothing is no limit');
    assert.match(await gateway.metrics(), /^headgate_quota_warnings_total\{quota="soft",consumer="tester"\} 1$/m);
  });

  test('a place is free again when a call has ended', async () => {
    const asked = upstream.received.length;
    const release = Promise.withResolvers<void>();
    script = (received) => void release.promise.then(() => answerWell(received));
    const first = ask('flight');
    await upstream.request(asked + 1);
    const second = await ask('flight');
    assert.equal(second.headers.get('retry-after'), '1');
    assert.match(
      await refusalOf(second),
      /Quota 'flight' for consumer 'tester' is used up: 1 of 1 requests at once; one of them must end first/,
    );
    release.resolve();
    assert.equal((await first).status, 200);
    script = answerWell;
    await until('the place is free', async () => (await ask('flight')).status === 200 || undefined);
  });

  test('a call that can never fit is told so, and no store is asked', async () => {
    const refused = await ask('uncapped', { max_tokens: undefined });
    assert.deepEqual([refused.headers.get('retry-after'), refused.headers.get('x-should-retry')], [null, 'false']);
    assert.match(
      await refusalOf(refused),
      /may take up to 41\d\d tokens, and quota 'uncapped' allows 1000 tokens .* can never pass: ask for a shorter answer \(such as with max_tokens\)/,
    );
    assert.match(await refusalOf(await ask('uncapped', { n: 11 })), /may take up to 11\d\d tokens/);
    assert.equal((await ask('uncapped')).status, 200);
  });

  test('a calendar month is named by its zone, and has no length', async () => {
    const served = await ask('month', { max_tokens: 1 });
    assert.equal(served.headers.get('ratelimit-policy'), '"month";q=0.05;qu="usd"');
    await ask('month', { max_tokens: 1 });
    const words = await refusalOf(await ask('month', { max_tokens: 10 }));
    assert.match(
      words,
      /\$0\.0\d+ of \$0\.05 in a calendar month \(Europe\/Berlin\) are used or held, and it may take up to \$0\.0\d+; resets in \d+ s/,
    );
  });
});
