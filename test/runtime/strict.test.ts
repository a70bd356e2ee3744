/** Models that are strict: for each pair of dialects, what cannot be carried is refused by name; in a group the next target gets it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../runtime/call.ts';
import { openDecider, type Decision } from '../../runtime/decide.ts';
import type { ClientDialect, VendorDialect } from '../../runtime/dialects/dialect.ts';
import { schemaOf, providerKinds, type SnapshotInput } from '../../runtime/snapshot.ts';
import * as surfaces from '../../runtime/surfaces/index.ts';
import { snapshotOf, startGateway } from '../support/gateway.ts';
import { aboutKind } from '../support/provider-fixtures.ts';

/** One for each dialect that calls are translated to. */
const kinds = ['openai', 'anthropic', 'google', 'bedrock'];

function optionsOf(kind: string): JsonObject {
  const text = JSON.stringify(aboutKind(kind).options).replaceAll('{upstream}', 'http://127.0.0.1:1');
  return JSON.parse(text) as JsonObject;
}

const providers = Object.fromEntries([
  ...kinds.map((kind) => [
    kind,
    {
      kind,
      options: optionsOf(kind),
      models: { m: { contextWindow: 100_000 }, v: { kind: 'embedding', contextWindow: 100 } },
    },
  ]),
  ['box', { kind: 'sandbox', options: {}, models: { m: { contextWindow: 100_000 } } }],
]) as SnapshotInput['providers'];

const target = (provider: string, model = 'm') => ({ kind: 'target' as const, provider, model });
const inOrder = (...nodes: readonly ReturnType<typeof target>[]) =>
  ({ kind: 'group', balance: 'ordered', of: nodes.map((node) => ({ node })) }) as const;
const evenly = (...nodes: readonly ReturnType<typeof target>[]) =>
  ({ kind: 'group', balance: 'weighted', of: nodes.map((node) => ({ weight: 1, node })) }) as const;

const models = {
  ...Object.fromEntries(kinds.map((kind) => [`to-${kind}`, { strict: true, targets: target(kind) }])),
  ...Object.fromEntries(kinds.map((kind) => [`loose-${kind}`, { targets: target(kind) }])),
  group: { strict: true, quotas: ['few'], targets: inOrder(target('openai'), target('anthropic'), target('google')) },
  wide: { strict: true, targets: inOrder(target('anthropic'), target('bedrock')) },
  drawn: { strict: true, targets: evenly(target('openai'), target('anthropic')) },
  search: { strict: true, targets: inOrder(target('openai', 'v'), target('google', 'v')) },
  boxed: { strict: true, targets: target('box'), quotas: ['few'] },
} as unknown as NonNullable<SnapshotInput['models']>;

const snapshot = snapshotOf({
  providers,
  models,
  quotas: { few: { unit: 'requests', limit: 1, window: '1h' } },
});
const decider = await openDecider(snapshot);

interface Client {
  readonly path: string;
  readonly dialect: ClientDialect;
  readonly says: JsonObject;
}
const clients: readonly Client[] = [
  ...new Map(
    Object.values(surfaces)
      .flatMap(({ calls }) => calls)
      .filter(({ writeCount }) => writeCount === undefined)
      .map(({ path, dialect, says, query }) => [
        dialect.name,
        { path: query ? `${path}?${new URLSearchParams(query).toString()}` : path, dialect, says: says ?? {} },
      ]),
  ).values(),
];

const full = (name: string): JsonObject =>
  JSON.parse(readFileSync(new URL(`../fixtures/surfaces/${name}.json`, import.meta.url), 'utf8')) as JsonObject;

const ask = ({ path }: Pick<Client, 'path'>, model: string, body: JsonObject): Promise<Decision> =>
  decider.decide({ path: path.replace('{model}', model), consumer: 'tester', body: { ...body, model } });

const vendorDialects = (kind: string): readonly VendorDialect[] => {
  const known = providerKinds[kind];
  assert.ok(known);
  return known
    .connect(schemaOf(known.options).parse(optionsOf(kind)), () => 'absent')
    .apis.map(({ dialect }) => dialect);
};

describe('a strict model', () => {
  for (const client of clients)
    for (const kind of kinds) {
      const { name } = client.dialect;
      const [first] = vendorDialects(kind);
      const isNative = vendorDialects(kind).some((dialect) => dialect.name === name);
      test(`refuses of ${name} exactly what ${first?.name} would not be told, unless it speaks it`, async () => {
        const body = full(name);
        const decision = await ask(client, `to-${kind}`, body);
        const loose = await ask(client, `loose-${kind}`, body);
        assert.equal(loose.refusal, undefined, 'one that is not strict takes it');
        assert.deepEqual(loose.outcome.unable, []);
        if (isNative) return assert.equal(decision.refusal, undefined);
        const { dropped } =
          first?.writeCall({ ...client.dialect.readCall({ ...body, model: 'm' }), model: 'm' }, { model: 'm' }) ?? {};
        assert.ok(dropped && dropped.length > 0);
        const { refusal, outcome } = decision;
        assert.deepEqual([refusal?.code, refusal?.status], ['not_carried', 400]);
        const [unable] = outcome.unable;
        const told = unable?.fields.at(-1)?.endsWith(' more') ? unable.fields.slice(0, -1) : unable?.fields;
        assert.deepEqual(told, [...new Set(dropped)].toSorted().slice(0, told?.length));
        assert.equal(refusal?.param, told?.[0]);
        assert.match(refusal?.message ?? '', new RegExp(`${kind}/m cannot carry `));
        for (const field of told ?? []) assert.ok(refusal?.message.includes(field), field);
        assert.deepEqual(outcome.drawn, [], 'no quota was drawn from');
        return undefined;
      });
    }

  test('takes what every dialect can say', async () => {
    const chat = { path: '/v1/chat/completions' };
    for (const kind of kinds) {
      const body = { messages: [{ role: 'user', content: 'Hello' }], max_completion_tokens: 9, temperature: 0.5 };
      assert.equal((await ask(chat, `to-${kind}`, body)).refusal, undefined, kind);
    }
  });

  const hello = { max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] };
  const messages = { path: '/v1/messages' };

  test('passes over the targets that cannot carry all, and explain says which and why', async () => {
    const decision = await ask(messages, 'group', {
      ...hello,
      top_k: 3,
      thinking: { type: 'enabled', budget_tokens: 1_024 },
    });
    const { steps, refusal } = decider.explain(decision);
    assert.equal(refusal, undefined);
    assert.deepEqual(decision.outcome.order, ['anthropic/m']);
    assert.deepEqual(
      steps
        .filter(({ stage }) => ['passed', 'target', 'fallback'].includes(stage))
        .map(({ stage, said }) => [stage, said]),
      [
        ['passed', 'openai/m: cannot carry thinking.budget_tokens, top_k'],
        ['passed', 'google/m: cannot carry thinking.budget_tokens, top_k'],
        ['target', 'anthropic/m'],
      ],
    );
    assert.deepEqual((await ask(messages, 'group', hello)).outcome.order, ['openai/m', 'anthropic/m', 'google/m']);
  });

  test('names every target with its own fields where none is left', async () => {
    const body = { input: 'Hello', truncation: 'auto', text: { verbosity: 'low' }, reasoning: { effort: 'low' } };
    const { refusal, outcome } = await ask({ path: '/v1/responses' }, 'wide', body);
    assert.deepEqual(outcome.unable, [
      { target: 'anthropic/m', fields: ['text.verbosity', 'truncation'] },
      { target: 'bedrock/m', fields: ['reasoning_effort', 'text.verbosity', 'truncation'] },
    ]);
    assert.equal(
      refusal?.message,
      "Model 'wide' is strict, and no target of it takes all of this request: anthropic/m cannot carry text.verbosity, truncation; bedrock/m cannot carry reasoning_effort, text.verbosity, truncation. Leave out what one of them cannot carry.",
    );
    assert.equal(refusal?.object, 'models.wide');
  });

  test('is drawn for among those that are left', async () => {
    const trace = decider.explain(await ask(messages, 'drawn', { ...hello, top_k: 3 }));
    assert.deepEqual(trace.orders, [{ chance: 1, targets: ['anthropic/m'] }]);
  });

  test('holds for operations beside chat, values included that a vendor has no words for', async () => {
    const embeddings = { path: '/v1/embeddings' };
    const plain = await ask(embeddings, 'search', { input: 'a' });
    assert.deepEqual(plain.outcome.order, ['openai/v', 'google/v']);
    const tokens = await ask(embeddings, 'search', { input: [1, 2] });
    assert.deepEqual(tokens.outcome.order, ['openai/v']);
    assert.deepEqual(tokens.outcome.unable, [{ target: 'google/v', fields: ['input'] }]);
    const gemini = { path: '/v1beta/models/{model}:embedContent' };
    const typed = await ask(gemini, 'search', { content: { parts: [{ text: 'a' }] }, taskType: 'RETRIEVAL_QUERY' });
    assert.deepEqual(typed.outcome.order, ['google/v']);
  });
});

test('each client is refused in the words of its own API, and pays nothing for it', async (context) => {
  const { box } = providers;
  const { boxed } = models;
  assert.ok(box && boxed);
  const gateway = await startGateway(snapshotOf({ providers: { box }, models: { boxed }, quotas: snapshot.quotas }));
  context.after(() => gateway.close());
  const told = async (path: string, body: object) => {
    const answer = await gateway.post(path, body);
    return {
      status: answer.status,
      body: await answer.json(),
      retry: answer.headers.get('x-should-retry'),
    };
  };
  const why =
    "Model 'boxed' is strict, and no target of it takes all of this request: box/m cannot carry top_k. Leave out what one of them cannot carry.";
  const anthropic = await told('/v1/messages', {
    model: 'boxed',
    max_tokens: 5,
    top_k: 3,
    messages: [{ role: 'user', content: 'x' }],
  });
  assert.deepEqual(anthropic, {
    status: 400,
    body: {
      type: 'error',
      error: { type: 'invalid_request_error', message: why, details: { error_code: 'not_carried', param: 'top_k' } },
    },
    retry: 'false',
  });
  const gemini = await told('/v1beta/models/boxed:generateContent', {
    contents: [{ role: 'user', parts: [{ text: 'x' }] }],
    safetySettings: [],
  });
  assert.equal(gemini.status, 400);
  assert.match(JSON.stringify(gemini.body), /INVALID_ARGUMENT.*not_carried|not_carried.*INVALID_ARGUMENT/);
  const responses = await told('/v1/responses', { model: 'boxed', input: 'x', truncation: 'auto' });
  assert.deepEqual(
    [responses.status, (responses.body as { error: { code: string; param: string } }).error.param],
    [400, 'truncation'],
  );
  // The quota has room for one: it is still there.
  const answered = await gateway.post('/v1/responses', { model: 'boxed', input: 'x' });
  assert.equal(answered.status, 200);
  assert.equal(answered.headers.get('headgate-dropped'), null);
});
