/** On the wire: a cheaper model beyond a share of a quota, providers that have no room, and end users told apart. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';

const prices = { input: '1000', output: '2000' };
const target = (provider: string) => ({ kind: 'target' as const, provider, model: 'm' });
const twice = {
  kind: 'group' as const,
  balance: 'ordered',
  of: [{ node: target('first') }, { node: target('spare') }],
};

describe('quotas that move calls', () => {
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;
  let script: (received: Received) => void = answerWell;

  before(async () => {
    upstream = await startScripted((received) => script(received));
    const vendor = {
      kind: 'openai',
      options: { baseUrl: `${upstream.url}/v1` },
      models: { m: { contextWindow: 8_000, prices: { input: '1000', output: '4000' } } },
    };
    const box = { kind: 'sandbox', options: {}, models: { m: { contextWindow: 4_000, prices } } };
    gateway = await startGateway(
      snapshotOf({
        providers: { first: vendor, spare: box },
        models: {
          chat: { targets: target('first'), quotas: ['month'] },
          cheap: { targets: target('spare') },
          both: { targets: twice, quotas: ['each'] },
          paid: { targets: twice, quotas: ['money'] },
          users: { targets: target('spare'), quotas: ['user'] },
        },
        quotas: {
          month: { unit: 'requests', limit: 3, window: '24h', downgrade: { at: 0.6, to: 'cheap' } },
          each: { unit: 'requests', limit: 2, window: '24h', scope: 'provider' },
          money: { unit: 'usd', limit: '1.00', window: '24h', scope: 'provider' },
          user: { unit: 'requests', limit: 1, window: '24h', scope: ['consumer', 'endUser'] },
        },
        sources: { 'quotas.user': 'gateway.config.ts:9:14' },
      }),
    );
  });

  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const ask = (model: string, more: object = {}) =>
    gateway.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hello' }], ...more });
  const told = ({ status, headers }: Response) =>
    [status, headers.get('headgate-target'), headers.get('headgate-quota-downgrade')] as const;

  test('the answer says which quota sent it to which model, and the limit refuses all the same', async () => {
    assert.deepEqual(told(await ask('chat')), [200, 'first/m', null]);
    assert.deepEqual(told(await ask('chat')), [200, 'first/m', null]);
    assert.deepEqual(told(await ask('chat', { stream: true })), [200, 'spare/m', '"month";to="cheap"']);
    assert.equal((await ask('chat')).status, 429);
  });

  test('what is asked of a provider counts there, also where another one answered', async () => {
    script = ({ response }) => answerJson(response, 500, { error: { message: 'broken' } });
    assert.deepEqual(told(await ask('both')), [200, 'spare/m', null]);
    script = answerWell;
    assert.deepEqual(told(await ask('both')), [200, 'first/m', null]);
    // The first has answered once and failed once.
    const last = await ask('both');
    assert.deepEqual(told(last), [200, 'spare/m', null]);
    assert.equal(last.headers.get('ratelimit')?.startsWith('"each";r=0;'), true);
    assert.equal((await ask('both')).status, 429);
  });

  test('money is paid at the provider that took it', async () => {
    script = ({ response }) => answerJson(response, 500, { error: { message: 'broken' } });
    const left: number[] = [];
    const askPaid = async (answeredBy: string) => {
      const answer = await ask('paid', { max_tokens: 100 });
      assert.deepEqual(told(answer), [200, answeredBy, null]);
      left.push(Number(/;r=([\d.]+);/.exec(answer.headers.get('ratelimit') ?? '')?.[1]));
    };
    for (const _ of [1, 2]) await askPaid('spare/m');
    script = answerWell;
    await askPaid('first/m');
    const [before = 0, after = 0, first = 0] = left;
    assert.ok(before > 0.7 && after > 0.7 && after < before, `${left.join()}: what the spare one took counts there`);
    assert.ok(first > 0.55 && first < 0.6, `${first}: at the dearer one, which failed twice, only this call is held`);
  });

  test('a refusal names whose count it is, and no user', async () => {
    assert.equal((await ask('users', { user: 'ada@example.com' })).status, 200);
    assert.equal((await ask('users', { safety_identifier: 'bob' })).status, 200);
    const refused = await ask('users', { user: 'ada@example.com' });
    const { error } = (await refused.json()) as { error: { message: string } };
    assert.match(
      error.message,
      /^Quota 'user' for consumer 'tester', this end user is used up: 1 of 1 requests in 86400 s; resets in \d+ s \(gateway\.config\.ts:9:14\)\.$/,
    );
  });
});
