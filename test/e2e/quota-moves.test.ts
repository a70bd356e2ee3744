/** On the wire: a cheaper model beyond a share of a quota, providers that have no room, and end users told apart. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Step } from '../../runtime/trace.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

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
          crowd: { targets: twice, quotas: ['room'] },
          crowdFirst: { targets: target('first'), quotas: ['room'] },
          crowdSpare: { targets: target('spare'), quotas: ['room'] },
          onward: { targets: twice, quotas: ['narrow'] },
          onwardSpare: { targets: target('spare'), quotas: ['narrow'] },
          raced: { targets: twice, quotas: ['race'], hedge: '20ms' },
          racedSpare: { targets: target('spare'), quotas: ['race'] },
        },
        quotas: {
          month: { unit: 'requests', limit: 3, window: '24h', downgrade: { at: 0.6, to: 'cheap' } },
          each: { unit: 'requests', limit: 2, window: '24h', scope: 'provider' },
          money: { unit: 'usd', limit: '1.00', window: '24h', scope: 'provider' },
          room: { unit: 'requests', limit: 4, window: '24h', scope: 'provider' },
          narrow: { unit: 'requests', limit: 1, window: '24h', scope: 'provider' },
          race: { unit: 'requests', limit: 2, window: '24h', scope: 'provider' },
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

  test('in a burst nobody is refused while any provider has room', async () => {
    script = answerWell;
    for (const _ of [1, 2, 3]) assert.deepEqual(told(await ask('crowdFirst')), [200, 'first/m', null]);
    const held: Received[] = [];
    script = (received) => void held.push(received);
    const targets: string[] = [];
    const burst = [1, 2, 3, 4, 5].map(async () => {
      const [status, by] = told(await ask('crowd'));
      targets.push(`${status} ${by}`);
    });
    // The one that the first provider has room for stays there until all others are answered.
    await until('the others are answered', async () => targets.length === 4);
    assert.equal(held.length, 1);
    for (const received of held) answerWell(received);
    await Promise.all(burst);
    assert.deepEqual(targets, [...Array<string>(4).fill('200 spare/m'), '200 first/m']);
    script = answerWell;
    for (const full of ['crowd', 'crowdFirst', 'crowdSpare']) assert.equal((await ask(full)).status, 429, full);
  });

  test('a fallback without room is passed over, and the failure before it is what is told', async () => {
    assert.deepEqual(told(await ask('onwardSpare')), [200, 'spare/m', null]);
    script = ({ response }) => answerJson(response, 404, { error: { message: 'no such model' } });
    const failed = await ask('onward');
    assert.equal(failed.status, 502);
    assert.match(failed.headers.get('ratelimit') ?? '', /^"narrow";r=0;/, 'of the one that was asked');
    const id = failed.headers.get('x-request-id') ?? '';
    const trace = (await (await fetch(`${gateway.adminUrl}/api/requests/${id}`)).json()) as { steps: Step[] };
    assert.deepEqual(
      trace.steps
        .filter(({ stage }) => stage === 'passed' || stage === 'quota')
        .map(({ said }) => said.split(' of ')[0]),
      ['spare/m: quota narrow has no room for its provider', 'narrow: number 1'],
    );
    script = answerWell;
    // Nobody was served by the first, so that it still has its room.
    assert.deepEqual(told(await ask('onward')), [200, 'first/m', null]);
    assert.equal((await ask('onward')).status, 429);
  });

  test('who hedges takes from the second provider when it is asked, and waits for the first where that has no room', async () => {
    const held: Received[] = [];
    script = (received) => void held.push(received);
    assert.deepEqual(told(await ask('raced')), [200, 'spare/m', null]);
    script = answerWell;
    assert.deepEqual(told(await ask('racedSpare')), [200, 'spare/m', null]);
    assert.equal((await ask('racedSpare')).status, 429, 'both calls count there');
    script = (received) => void setTimeout(() => answerWell(received), 80).unref();
    const last = await ask('raced');
    assert.deepEqual([told(last), last.headers.get('headgate-attempts')], [[200, 'first/m', null], '1']);
    assert.equal(held.length, 1);
    script = answerWell;
    assert.equal((await ask('raced')).status, 429, 'the one that was outrun counts at the first');
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
