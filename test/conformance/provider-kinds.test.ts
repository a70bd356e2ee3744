/**
 * Every provider kind over shapes of its vendor: whole answers, streams, tools, refusals, usage, and what it is sent. The walk
 * goes by the registry, so that a kind without fixtures fails; `test/support/provider-fixtures.ts` says what fixtures are.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { schemaOf, providerKinds, type SnapshotInput } from '@headgate/runtime/snapshot';
import type { AnswerEvent, FailureKind, JsonObject } from '../../runtime/call.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import type { Api, Connection } from '../../runtime/providers/provider.ts';
import { readSse } from '../../runtime/upstream/sse.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  aboutKind,
  bytesOf,
  expectedOf,
  hasShapes,
  kindsWithFixtures,
  missingFiles,
  refusalsOf,
  request,
  requestsTo,
  saidIn,
  saidInStream,
  shapeNames,
  type Refusal,
  type Said,
  type ShapeName,
} from '../support/provider-fixtures.ts';
import { startScripted, type Received, type ScriptedUpstream } from '../support/scripted-upstream.ts';

/** Kinds whose vendors send what another kind's does, and who says so. What they are sent is their own. */
const shapesOf: Readonly<Record<string, { readonly like: string; readonly because: string }>> = {
  cohere: {
    like: 'openai',
    because: 'its compatibility API is for the OpenAI SDK (docs.cohere.com/docs/compatibility-api)',
  },
  fireworks: { like: 'openai', because: 'its SDK has the same types (fw-ai-external/python-sdk)' },
  huggingface: { like: 'openai', because: 'the router words answers as OpenAI does (huggingface/hub-docs)' },
  nvidia: { like: 'vllm', because: 'NIM is backed by vLLM (docs.nvidia.com/nim, API reference)' },
  together: { like: 'openai', because: 'compatible with the OpenAI SDKs (docs.together.ai, OpenAI compatibility)' },
};

/** Kinds that answer in process have no vendor to be faithful to. */
const kinds = Object.entries(providerKinds).flatMap(([name, { transport }]) => (transport ? [] : [name]));
const shapeOwner = (kind: string): string => shapesOf[kind]?.like ?? kind;
/** A kind without fixtures has failed its test of them; nothing can be asked of it. */
const walked = kinds.filter((kind) => missingFiles(kind, kind in shapesOf).length === 0);
const isStream = (shape: ShapeName): boolean => shape === 'stream' || shape === 'toolsStream';

/** What the client is told of a failure, by what the vendor meant. */
const codes: Readonly<Partial<Record<FailureKind, string>>> = {
  credential: 'upstream_credential_refused',
  rate_limited: 'upstream_rate_limited',
  overloaded: 'upstream_failed',
  context_too_long: 'context_length_exceeded',
  bad_request: 'upstream_rejected_request',
  not_found: 'upstream_model_unknown',
  content_refused: 'upstream_content_refused',
  broken_answer: 'upstream_broken_answer',
  timeout: 'upstream_timeout',
};

function connectionOf(kind: string): Connection {
  const known = providerKinds[kind] ?? assert.fail(kind);
  return known.connect(schemaOf(known.options).parse(optionsOf(kind, 'http://127.0.0.1:1')), () => 'key-of-test');
}

const speaksOpenaiChat = (kind: string): boolean =>
  connectionOf(kind).apis.some(({ dialect }) => dialect.name === openaiChat.name);

const optionsOf = (kind: string, upstream: string): JsonObject =>
  JSON.parse(JSON.stringify(aboutKind(kind).options).replaceAll('{upstream}', upstream)) as JsonObject;

async function eventsIn(bytes: Buffer, { dialect }: Api): Promise<AnswerEvent[]> {
  async function* whole() {
    yield bytes;
  }
  const reader = dialect.eventReader();
  const events: AnswerEvent[] = [];
  if (dialect.frames) for await (const message of dialect.frames(whole())) events.push(...reader.read(message));
  else for await (const { message } of readSse(whole())) if (message) events.push(...reader.read(message));
  return [...events, ...(reader.finish?.() ?? [])];
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('fixtures', () => {
  for (const kind of kinds)
    test(`stand for kind ${kind}`, () => {
      assert.deepEqual(missingFiles(kind, kind in shapesOf), [], 'write them, or declare whose shapes it has');
      assert.equal(hasShapes(kind), !(kind in shapesOf), 'shapes of its own, or declared as another’s');
      const native = speaksOpenaiChat(kind);
      assert.equal(requestsTo(kind).native !== undefined, native, '`native` stands where the dialect is its own');
    });

  test('are missed where there are none, and stand for kinds only', () => {
    assert.ok(missingFiles('nobody', false).length > 6);
    assert.deepEqual(kindsWithFixtures().toSorted(), kinds.toSorted());
  });
});

describe('in process', () => {
  for (const kind of walked) {
    const { apis } = connectionOf(kind);
    const [api] = apis;
    const owner = shapeOwner(kind);

    test(`${kind} is sent a call in its own words, and what it cannot take is told`, () => {
      const call = openaiChat.readCall(request);
      const { body, dropped } = api.dialect.writeCall(call, { model: aboutKind(kind).model });
      assert.deepEqual(asJson({ body: api.address(body).body, dropped }), asJson(requestsTo(kind).translated));
    });

    for (const shape of shapeNames)
      test(`${kind} is understood: ${shape}`, async () => {
        const bytes = bytesOf(owner, shape);
        const expected = expectedOf(owner)[shape];
        const said = isStream(shape)
          ? saidInStream(await eventsIn(bytes, api))
          : saidIn(api.dialect.readAnswer(JSON.parse(bytes.toString()) as JsonObject));
        assert.deepEqual(said, isStream(shape) ? { ...expected, ended: true } : expected);
      });

    test(`${kind} is understood: refusals`, () => {
      for (const { why, status, body, kind: meant } of refusalsOf(owner))
        if (status !== 200) assert.equal(api.dialect.readFailure(status, body ?? undefined, {}).kind, meant, why);
    });
  }
});

interface Vendor {
  readonly upstream: ScriptedUpstream;
  /** What it answers next. */
  next: ShapeName | Refusal;
}

function answer(kind: string, vendor: Vendor, { response }: Received): void {
  const { next } = vendor;
  if (typeof next === 'object') {
    response.writeHead(next.status, { 'content-type': next.body ? 'application/json' : 'text/html' });
    response.end(next.body ? JSON.stringify(next.body) : '<html>');
    return;
  }
  const streamType = aboutKind(shapeOwner(kind)).streamType ?? 'text/event-stream';
  response.writeHead(200, { 'content-type': isStream(next) ? streamType : 'application/json' });
  response.end(bytesOf(shapeOwner(kind), next));
}

describe('through the gateway', () => {
  const vendors = new Map<string, Vendor>();
  let gateway: TestGateway;

  before(async () => {
    process.env['CONFORMANCE_KEY'] = 'key-of-test';
    for (const kind of walked) {
      const upstream = await startScripted((received) => answer(kind, vendorOf(kind), received));
      vendors.set(kind, { upstream, next: 'unary' });
    }
    const each = <Item>(item: (kind: string) => Item) => Object.fromEntries(walked.map((kind) => [kind, item(kind)]));
    const snapshot: Pick<SnapshotInput, 'providers' | 'models'> = {
      providers: each((kind) => ({
        kind,
        options: optionsOf(kind, vendorOf(kind).upstream.url),
        models: { [aboutKind(kind).model]: { contextWindow: 100_000, maxOutputTokens: 4_000 } },
      })),
      models: each((kind) => ({ targets: { kind: 'target', provider: kind, model: aboutKind(kind).model } })),
    };
    gateway = await startGateway(snapshotOf(snapshot));
  });
  after(async () => {
    delete process.env['CONFORMANCE_KEY'];
    await gateway.close();
    await Promise.all([...vendors.values()].map(({ upstream }) => upstream.close()));
  });

  const vendorOf = (kind: string): Vendor => vendors.get(kind) ?? assert.fail(kind);
  const ask = (kind: string, next: Vendor['next'], body: JsonObject) => {
    vendorOf(kind).next = next;
    return gateway.post('/v1/chat/completions', { ...body, model: kind });
  };
  const small = { messages: [{ role: 'user', content: 'hi' }], max_completion_tokens: 10 };
  const streamed = { ...small, stream: true, stream_options: { include_usage: true } };

  async function said(response: Response, shape: ShapeName): Promise<Said> {
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(response.status, 200, bytes.toString());
    if (!isStream(shape)) return saidIn(openaiChat.readAnswer(JSON.parse(bytes.toString()) as JsonObject));
    const { ended: _, ...rest } = saidInStream(await eventsIn(bytes, { dialect: openaiChat } as unknown as Api));
    return rest;
  }

  async function tokensOf(response: Response): Promise<readonly (number | undefined)[]> {
    const id = response.headers.get('x-request-id') ?? '';
    const trace = (await (await fetch(`${gateway.adminUrl}/api/requests/${id}`)).json()) as {
      readonly inputTokens?: number;
      readonly outputTokens?: number;
    };
    return [trace.inputTokens, trace.outputTokens];
  }

  for (const kind of walked) {
    const about = aboutKind(kind);

    test(`${kind} answers a client of OpenAI's API, and its usage is known`, async () => {
      for (const shape of shapeNames) {
        const response = await ask(kind, shape, isStream(shape) ? streamed : small);
        const expected = expectedOf(shapeOwner(kind))[shape];
        assert.deepEqual(await said(response, shape), expected, shape);
        assert.equal(response.headers.get('headgate-target'), `${kind}/${about.model}`);
        const { inputTokens, outputTokens } = expected.usage ?? {};
        assert.deepEqual(await tokensOf(response), [inputTokens, outputTokens], `usage of ${shape}`);
        const last = vendorOf(kind).upstream.received.at(-1) ?? assert.fail('nothing arrived');
        assert.equal(last.path, isStream(shape) ? (about.streamPath ?? about.path) : about.path);
        for (const [name, value] of Object.entries(about.headers)) assert.equal(last.headers[name], value, name);
      }
    });

    test(`${kind} refuses, and the client is told in stable words`, async () => {
      for (const refusal of refusalsOf(shapeOwner(kind))) {
        const response = await ask(kind, refusal, small);
        const { error } = (await response.json()) as { readonly error: { readonly code: string } };
        assert.equal(error.code, codes[refusal.kind], refusal.why);
      }
    });

    if (!speaksOpenaiChat(kind)) continue;
    test(`${kind} is sent what a client of its own dialect wrote, under the names that it knows`, async () => {
      await (await ask(kind, 'stream', request)).arrayBuffer();
      assert.deepEqual(vendorOf(kind).upstream.received.at(-1)?.json, requestsTo(kind).native);
    });
  }
});
