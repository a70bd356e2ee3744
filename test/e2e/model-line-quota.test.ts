/** Quotas on the model line: exact under concurrency, given back when the vendor failed, and declared when the store is down. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { keyHash, snapshotOf, startGateway, testKey } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  deadUrl,
  legs,
  piece,
  startEvents,
  startScripted,
  type Script,
} from '../support/scripted-upstream.ts';

const call = { model: 'chat', messages: [{ role: 'user', content: 'hello' }] };

async function behind(
  context: TestContext,
  script: Script,
  quotas: SnapshotInput['quotas'],
  more: { flags?: string[]; consumers?: SnapshotInput['consumers']; timeout?: `${number}ms` } = {},
) {
  const upstream = await startScripted(script);
  const gateway = await startGateway(
    snapshotOf({
      ...legs([{ url: upstream.url, ...(more.timeout ? { timeout: more.timeout } : {}) }], {
        quotas: Object.keys(quotas),
      }),
      quotas,
      ...(more.consumers ? { consumers: more.consumers } : {}),
    }),
    more.flags,
  );
  context.after(async () => {
    await gateway.close();
    await upstream.close();
  });
  return { upstream, gateway, ask: (init?: RequestInit) => gateway.post('/v1/chat/completions', call, init) };
}

const perDay = (limit: number, more: object = {}) => ({ unit: 'requests', limit, window: '24h', ...more }) as const;
const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

test('exactly as many requests pass as the limit says, however many come at once', async (context) => {
  const { upstream, gateway, ask } = await behind(context, answerWell, { daily: perDay(20) });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
  assert.equal(answers.filter(({ status }) => status === 200).length, 20);
  assert.equal(answers.filter(({ status }) => status === 429).length, 30);
  assert.equal(upstream.received.length, 20, 'a refused request cost money');
  const refused = answers.find(({ status }) => status === 429) ?? assert.fail();
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'quota_exceeded');
  assert.match(error.message, /Quota 'daily'.*20 of 20 requests in 86400 s; resets in \d+ s/);
  assert.match(await gateway.metrics(), /^headgate_quota_refusals_total\{quota="daily",consumer="tester"\} 30$/m);
  const remaining = answers.flatMap(({ status, headers }) =>
    status === 200 ? Number(headers.get('x-ratelimit-remaining-requests')) : [],
  );
  assert.deepEqual(
    remaining.toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('each consumer has a count of its own, and a gateway quota one for all', async (context) => {
  const { ask } = await behind(
    context,
    answerWell,
    { own: perDay(2), shared: perDay(3, { scope: 'gateway' }) },
    { consumers: { other: { keys: [keyHash('hg_other')] } } },
  );
  const other = { headers: { authorization: 'Bearer hg_other' } };
  const statuses: number[] = [];
  for (const init of [{}, {}, {}, other, other]) statuses.push((await ask(init)).status);
  // The third is refused by `own` and must not cost `shared` anything.
  assert.deepEqual(statuses, [200, 200, 429, 200, 429]);
});

test('what the vendor failed is given back, before the first byte and only then', async (context) => {
  let script: Script = () => undefined;
  const { ask } = await behind(context, (received) => script(received), { daily: perDay(1) }, { timeout: '150ms' });
  const failing: readonly (readonly [Script, string])[] = [
    [({ response }) => answerJson(response, 503, {}), 'upstream_failed'],
    [({ response }) => answerJson(response, 429, {}), 'upstream_rate_limited'],
    [({ response }) => answerJson(response, 401, {}), 'upstream_credential_refused'],
    [({ response }) => answerJson(response, 404, {}), 'upstream_model_unknown'],
    [({ response }) => answerJson(response, 200, 'garbage'), 'upstream_broken_answer'],
    [() => undefined, 'upstream_timeout'],
  ];
  for (const [failure, code] of failing) {
    script = failure;
    assert.equal(await codeOf(await ask()), code);
  }
  script = ({ response }) => answerJson(response, 400, {});
  assert.equal(await codeOf(await ask()), 'upstream_rejected_request');
  assert.equal((await ask()).status, 429, 'a request that was wrong counts: anyone can send those');
});

test('a stream that broke off after its first byte counts', async (context) => {
  const { gateway } = await behind(
    context,
    ({ response }) => {
      startEvents(response);
      response.end(piece('half '));
    },
    { daily: perDay(1) },
  );
  const ask = () => gateway.post('/v1/chat/completions', { ...call, stream: true });
  assert.match(await (await ask()).text(), /upstream_broken_answer/);
  assert.equal((await ask()).status, 429);
});

test('without its store a closed quota refuses, an open one serves, and a local one counts by itself', async (context) => {
  const store = ['--store', (await deadUrl()).replace('http', 'redis')];
  const closed = await behind(context, answerWell, { daily: perDay(5) }, { flags: store });
  const refused = await closed.ask();
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal(await codeOf(refused), 'quota_store_unavailable');
  assert.equal(closed.upstream.received.length, 0);
  const open = await behind(context, answerWell, { daily: perDay(5, { onStoreDown: 'open' }) }, { flags: store });
  const served = await open.ask({ headers: { authorization: `Bearer ${testKey}` } });
  assert.deepEqual([served.status, served.headers.get('ratelimit')], [200, null]);
  assert.match(await open.gateway.metrics(), /^headgate_quota_uncounted_total\{quota="daily"\} 1$/m);
  const third = perDay(6, { onStoreDown: { local: { replicas: 3 } } });
  const local = await behind(context, answerWell, { daily: third }, { flags: store });
  const left: (string | null)[] = [];
  for (const _ of [1, 2]) {
    const counted = await local.ask();
    left.push(counted.headers.get('x-ratelimit-remaining-requests'));
    assert.equal(counted.status, 200);
  }
  assert.deepEqual(left, ['1', '0']);
  const over = await local.ask();
  assert.deepEqual([over.status, over.headers.get('retry-after'), local.upstream.received.length], [429, '1', 2]);
  const { error } = (await over.json()) as { error: { code: string; message: string } };
  assert.match(
    error.message,
    /store does not answer.*lets through 2 requests in 86400 s, its share of 6, of which 2 are/,
  );
  assert.match(await local.gateway.metrics(), /^headgate_quota_local_total\{quota="daily"\} 2$/m);
});
