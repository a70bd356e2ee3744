/** The admin plane remembers the last requests: which there were, what was decided about each, and no content. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import { headgate, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const target = (model: string) => ({ kind: 'target' as const, provider: 'sandbox', model });

const snapshot = snapshotOf({
  providers: {
    sandbox: {
      kind: 'sandbox',
      options: {},
      models: {
        small: { contextWindow: 8_000, options: {} },
        broken: { contextWindow: 8_000, options: { fault: { type: 'status', status: 503 } } },
      },
    },
  },
  models: {
    chat: {
      targets: { kind: 'group', balance: 'ordered', of: [{ node: target('broken') }, { node: target('small') }] },
      policies: ['no-plans'],
      quotas: ['few'],
    },
  },
  policies: { 'no-plans': { kind: 'blockTerms', options: { terms: ['secret plan'] } } },
  quotas: { few: { unit: 'requests', limit: 50, window: '1d' } },
  sources: {
    'models.chat': 'gateway.config.ts:10:1',
    'policies.no-plans': 'policies/plans.ts:3:24',
    'providers.sandbox': 'gateway.config.ts:2:1',
  },
});

interface Told {
  readonly id: string;
  readonly matched: string;
  readonly status: number;
  readonly code?: string;
  readonly steps: readonly { readonly stage: string; readonly said: string; readonly at?: string }[];
}

async function gatewayFor(context: TestContext): Promise<TestGateway> {
  const gateway = await startGateway(snapshot);
  context.after(() => gateway.close());
  return gateway;
}

const say = (gateway: TestGateway, content: string, id: string) =>
  gateway.post(
    '/v1/chat/completions',
    { model: 'chat', messages: [{ role: 'user', content }] },
    { headers: { 'x-request-id': id } },
  );

const traceOf = async (gateway: TestGateway, id: string): Promise<Told> =>
  (await (await fetch(`${gateway.adminUrl}/api/requests/${id}`)).json()) as Told;

test('a request can be asked for by its id, with the line behind each decision', async (context) => {
  const gateway = await gatewayFor(context);
  await (await say(gateway, 'Hello', 'mine-1')).text();
  const { matched, status, steps } = await traceOf(gateway, 'mine-1');
  assert.deepEqual([matched, status], ['model:chat', 200]);
  const told = steps.filter(({ stage }) => stage !== 'quota').map(({ stage, said, at }) => [stage, said, at]);
  assert.deepEqual(told, [
    ['surface', 'POST /v1/chat/completions is a model call (openai)', undefined],
    ['consumer', 'tester', undefined],
    ['model', 'chat', 'gateway.config.ts:10:1'],
    ['access', 'tester may use model chat', undefined],
    ['target', 'sandbox/broken', 'gateway.config.ts:2:1'],
    ['fallback', 'sandbox/small', 'gateway.config.ts:2:1'],
    ['policy', 'no-plans lets it pass', 'policies/plans.ts:3:24'],
    ['attempt', '1. sandbox/broken: overloaded', 'gateway.config.ts:2:1'],
    ['attempt', '2. sandbox/small: answered', 'gateway.config.ts:2:1'],
  ]);
});

test('a refusal names the line that refused, and nothing of what was said', async (context) => {
  const gateway = await gatewayFor(context);
  await (await say(gateway, 'my secret plan is marmalade', 'mine-2')).text();
  const trace = await traceOf(gateway, 'mine-2');
  assert.equal(trace.code, 'blocked_by_policy');
  assert.deepEqual(trace.steps.at(-1), {
    stage: 'refused',
    said: 'blocked_by_policy (422)',
    object: 'policies.no-plans',
    at: 'policies/plans.ts:3:24',
  });
  assert.doesNotMatch(JSON.stringify(trace), /marmalade|secret plan/);
});

test('the newest requests come first, and no more than were asked for', async (context) => {
  const gateway = await gatewayFor(context);
  for (const id of ['a', 'b', 'c']) await (await say(gateway, 'Hello', id)).text();
  const list = async (query: string) => {
    const answer = await fetch(`${gateway.adminUrl}/api/requests${query}`);
    return { status: answer.status, body: (await answer.json()) as { requests?: Told[] } };
  };
  assert.deepEqual(
    (await list('')).body.requests?.map(({ id }) => id),
    ['c', 'b', 'a'],
  );
  assert.deepEqual(
    (await list('?limit=2')).body.requests?.map(({ id }) => id),
    ['c', 'b'],
  );
  assert.equal((await list('?limit=0')).status, 400);
});

test('what is not remembered is not found', async (context) => {
  const gateway = await gatewayFor(context);
  const answer = await fetch(`${gateway.adminUrl}/api/requests/never`);
  assert.equal(answer.status, 404);
});

test('where the admin plane wants a token, so do these', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { token: 'open-sesame' });
  const gateway = await startGateway(snapshot, ['--admin-token-file', join(folder, 'token')]);
  context.after(() => gateway.close());
  await (await say(gateway, 'Hello', 'mine-3')).text();
  for (const path of ['/api/requests', '/api/requests/mine-3']) {
    assert.equal((await fetch(`${gateway.adminUrl}${path}`)).status, 401);
    const headers = { authorization: 'Bearer open-sesame' };
    assert.equal((await fetch(`${gateway.adminUrl}${path}`, { headers })).status, 200);
  }
  const flags = ['--id', 'mine-3', '--url', gateway.adminUrl];
  assert.equal((await headgate(folder, ['explain', ...flags])).code, 3);
  const told = await headgate(folder, ['explain', ...flags, '--token-file', 'token']);
  assert.deepEqual([told.code, told.stdout.includes('mine-3')], [0, true]);
});

test('a thousand requests are remembered, and no more', async (context) => {
  const gateway = await gatewayFor(context);
  for (let round = 0; round < 1_010; round += 10)
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const headers = { 'x-request-id': `many-${round + index}` };
        await (await gateway.ask('/v1/models', { headers })).text();
      }),
    );
  const answer = await fetch(`${gateway.adminUrl}/api/requests?limit=1000`);
  assert.equal(((await answer.json()) as { requests: unknown[] }).requests.length, 1_000);
  assert.equal((await fetch(`${gateway.adminUrl}/api/requests/many-1009`)).status, 200);
});
