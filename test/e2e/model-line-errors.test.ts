/** Every class of failure as the official SDK throws it, with the gateway's stable code. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { keyHash, snapshotOf, startGateway, startWith, testKey, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  collect,
  deadUrl,
  legs,
  startScripted,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];
const guestKey = 'hg_guest_key';
/** Stands in every error of the vendor: in its body and in its headers. */
const planted = 'sk-live-PLANTED-4711';

type ErrorClass = abstract new (...parameters: never[]) => InstanceType<typeof OpenAI.APIError>;

/** What the vendor does, by the text of the user's message. */
const vendorAnswers: Readonly<Record<string, readonly [number, object, object?]>> = {
  'is rejected': [400, { error: { message: `bad ${planted}`, param: 'temperature', code: null } }],
  'is too long': [400, { error: { message: planted, code: 'context_length_exceeded' } }],
  'is refused': [400, { error: { message: planted, code: 'content_policy_violation' } }],
  'meets a bad key': [401, { error: { message: `Incorrect API key provided: ${planted}` } }],
  'meets an unknown model': [404, { error: { message: planted, code: 'model_not_found' } }],
  'is rate limited': [429, { error: { message: planted } }, { 'retry-after': '7' }],
  'has no credit': [429, { error: { message: planted, code: 'insufficient_quota' } }, { 'retry-after': '1' }],
  'fails inside': [500, { error: { message: planted, stack: planted } }],
  'is overloaded': [503, { error: { message: planted } }],
  'is redirected': [302, {}, { location: `http://127.0.0.1:9/${planted}` }],
};

describe('a failure', () => {
  let vendor: ScriptedUpstream;
  let gateway: TestGateway;
  let client: OpenAI;

  const as = (apiKey: string | null) =>
    new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey: apiKey ?? '', maxRetries: 0 });

  before(async () => {
    vendor = await startScripted(({ response, json }) => {
      const [message] = (json as { messages: { content: string }[] }).messages;
      const answer = vendorAnswers[message?.content ?? ''];
      if (!answer) return; // hangs
      answerJson(response, answer[0], answer[1], { 'x-debug': planted, 'set-cookie': planted, ...answer[2] });
    });
    const to = (url: string, timeout = 300) => legs([{ url, timeout: `${timeout}ms` }]);
    const { providers, models } = to(vendor.url, 2_000);
    const down = to(await deadUrl());
    const slow = to(vendor.url, 150);
    const target = (provider: string, timeout: string) => ({
      kind: 'target' as const,
      provider,
      model: 'm',
      timeout: timeout as '1s',
    });
    gateway = await startGateway(
      snapshotOf({
        providers: {
          ...providers,
          down: down.providers['leg1'] ?? {},
          slow: slow.providers['leg1'] ?? {},
          absent: {
            kind: 'openai',
            options: { apiKey: { $secret: 'A_SECRET_NOBODY_SET', optional: true } },
            models: { m: { contextWindow: 1_000 } },
          },
        },
        models: {
          ...models,
          down: { targets: target('down', '1s') },
          slow: { targets: target('slow', '150ms') },
          absent: { targets: target('absent', '1s') },
          strict: { targets: target('leg1', '1s'), policies: ['clean'] },
          scarce: { targets: target('leg1', '1s'), quotas: ['one'] },
          narrow: { targets: target('leg1', '1s'), context: 'small' },
        },
        contextPolicies: { small: { kind: 'quantisedCut', options: { target: 256, reserveOutput: 0 } } },
        policies: { clean: { kind: 'blockTerms', options: { terms: ['forbidden'] } } },
        quotas: { one: { unit: 'requests', limit: 1, window: '1h' } },
        consumers: { guest: { keys: [keyHash(guestKey)], models: ['strict'] } },
        sources: { 'quotas.one': 'gateway.config.ts:7:1' },
      }),
    );
    client = as(testKey);
  });
  after(async () => {
    await gateway.close();
    await vendor.close();
  });

  async function thrown(ask: Promise<unknown>, type: ErrorClass): Promise<InstanceType<typeof OpenAI.APIError>> {
    const error = await ask.then(
      () => assert.fail('nothing was thrown'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof type, `${String(error)} is no ${type.name}`);
    const seen = JSON.stringify([error.error, error.message, [...(error.headers ?? [])]]);
    assert.ok(!seen.includes(planted), `the vendor's text came through: ${seen}`);
    assert.ok(!/\\n +at |node:internal/.test(seen), `a stack came through: ${seen}`);
    return error;
  }
  const say = (content: string, model = 'chat') =>
    client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
  const odd = (body: object) => client.chat.completions.create(body as never);

  test('of the request itself is a BadRequestError that names the field', async () => {
    const cases: readonly (readonly [object, string])[] = [
      [{ messages }, 'model'],
      [{ model: 'chat', messages: [] }, 'messages'],
      [{ model: 'chat', messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
      [{ model: 'chat', messages, temperature: 'hot' }, 'temperature'],
    ];
    for (const [body, param] of cases) {
      const error = await thrown(odd(body), OpenAI.BadRequestError);
      assert.deepEqual([error.code, error.param, error.type], ['invalid_request', param, 'invalid_request_error']);
    }
  });

  test('to be JSON is invalid_json, and quotes nothing of the body', async () => {
    for (const body of ['{"model": "chat", secret-ish', '', '\uFEFF{}x', Buffer.from([0x7b, 0xff, 0x7d])]) {
      const response = await gateway.ask('/v1/chat/completions', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      assert.deepEqual([response.status, error.code], [400, 'invalid_json']);
      assert.ok(!error.message.includes('secret-ish'));
    }
  });

  test('to fit is context_length_exceeded, told by the gateway or by the vendor', async () => {
    const own = await thrown(say('word '.repeat(2_000), 'narrow'), OpenAI.BadRequestError);
    assert.deepEqual([own.code, own.param], ['context_length_exceeded', 'messages']);
    assert.match(own.message, /about 2\d{3} tokens; 23\d fit \(context policy 'small'\)/);
    const theirs = await thrown(say('is too long'), OpenAI.BadRequestError);
    assert.equal(theirs.code, 'context_length_exceeded');
  });

  test('to identify is an AuthenticationError', async () => {
    const wrong = await thrown(as('hg_wrong').models.list(), OpenAI.AuthenticationError);
    assert.equal(wrong.code, 'invalid_api_key');
    const missing = await thrown(client.models.list({ headers: { authorization: null } }), OpenAI.AuthenticationError);
    assert.equal(missing.code, 'missing_api_key');
  });

  test('to be allowed is a PermissionDeniedError', async () => {
    const error = await thrown(
      as(guestKey).chat.completions.create({ model: 'chat', messages }),
      OpenAI.PermissionDeniedError,
    );
    assert.equal(error.code, 'model_not_allowed');
    const listed = await collect(as(guestKey).models.list());
    assert.deepEqual(
      listed.map(({ id }) => id),
      ['strict'],
    );
  });

  test('to find the model or the path is a NotFoundError', async () => {
    assert.equal((await thrown(say('x', 'nobody'), OpenAI.NotFoundError)).code, 'model_not_found');
    const path = client.post('/moon', { body: {} });
    assert.equal((await thrown(path, OpenAI.NotFoundError)).code, 'route_not_found');
  });

  test('of a policy or of the vendor’s content rules is an UnprocessableEntityError', async () => {
    const own = await thrown(say('this is Forbidden', 'strict'), OpenAI.UnprocessableEntityError);
    assert.equal(own.code, 'blocked_by_policy');
    assert.equal(own.headers?.get('x-should-retry'), 'false');
    assert.equal((await thrown(say('is refused'), OpenAI.UnprocessableEntityError)).code, 'upstream_content_refused');
  });

  test('of a quota is a RateLimitError that tells quota, usage, reset and the line of config', async () => {
    await say('is rejected', 'scarce').catch(() => undefined);
    const error = await thrown(say('x', 'scarce'), OpenAI.RateLimitError);
    assert.equal(error.code, 'quota_exceeded');
    assert.match(
      error.message,
      /Quota 'one' for consumer 'tester' is used up: 1 of 1 requests in 3600 s; resets in \d+ s \(gateway\.config\.ts:7:1\)/,
    );
    const wait = Number(error.headers?.get('retry-after'));
    assert.ok(wait > 0 && wait <= 3_600, `retry-after ${wait}`);
  });

  test('of the vendor’s rate limit is a RateLimitError with Retry-After in true seconds', async () => {
    const limited = await thrown(say('is rate limited'), OpenAI.RateLimitError);
    assert.deepEqual([limited.code, limited.headers?.get('retry-after')], ['upstream_rate_limited', '7']);
    const empty = await thrown(say('has no credit'), OpenAI.RateLimitError);
    assert.equal(empty.headers?.get('retry-after'), '60', 'an empty account does not recover within a second');
  });

  test('of the vendor is an InternalServerError with a code that tells what happened', async () => {
    const cases: readonly (readonly [string, string, number, string])[] = [
      ['fails inside', 'chat', 502, 'upstream_failed'],
      ['is overloaded', 'chat', 502, 'upstream_failed'],
      ['meets a bad key', 'chat', 502, 'upstream_credential_refused'],
      ['meets an unknown model', 'chat', 502, 'upstream_model_unknown'],
      ['is redirected', 'chat', 502, 'upstream_broken_answer'],
      ['x', 'down', 502, 'upstream_failed'],
      ['hangs', 'slow', 504, 'upstream_timeout'],
      ['x', 'absent', 503, 'no_target_available'],
    ];
    for (const [content, model, status, code] of cases) {
      const error = await thrown(say(content, model), OpenAI.InternalServerError);
      assert.deepEqual([error.status, error.code], [status, code], content);
    }
    const rejected = await thrown(say('is rejected'), OpenAI.BadRequestError);
    assert.equal(rejected.code, 'upstream_rejected_request');
    assert.equal(rejected.param, null, 'a field that the request does not have is not named');
  });

  test('to be ready is a 503', async () => {
    const empty = await startWith(['--repo', '/nonexistent/repository', '--poll', '1h']);
    try {
      const ask = new OpenAI({ baseURL: `${empty.dataUrl}/v1`, apiKey: testKey, maxRetries: 0 }).models.list();
      const error = await thrown(ask, OpenAI.InternalServerError);
      assert.deepEqual([error.status, error.code], [503, 'not_ready']);
    } finally {
      await empty.close();
    }
  });

  test('to connect is an APIConnectionError, and the user’s own abort an APIUserAbortError', async () => {
    const closed = new OpenAI({ baseURL: `${await deadUrl()}/v1`, apiKey: testKey, maxRetries: 0 });
    await thrown(closed.models.list(), OpenAI.APIConnectionError);
    const before = vendor.received.length;
    const abort = new AbortController();
    const asked = client.chat.completions.create({ model: 'chat', messages }, { signal: abort.signal });
    void vendor.request(before + 1).then(() => abort.abort());
    await thrown(asked, OpenAI.APIUserAbortError);
    await until('nothing is in flight', async () => /^headgate_requests_in_flight 0$/m.test(await gateway.metrics()));
  });
});
