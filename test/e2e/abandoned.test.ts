/** A client that leaves, in each dialect that clients speak, before each sort of vendor: the vendor is cut off within 100 ms, whole and streamed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import * as surfaces from '../../runtime/surfaces/index.ts';
import type { Surface } from '../../runtime/surfaces/surface.ts';
import { eventFrame } from '../support/event-stream.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import { startEvents, startScripted, type Received, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { wires } from '../support/upstream-faults.ts';
import { until } from '../support/until.ts';

const mostMs = 100;
/** A busy machine may take its time once, and not always. */
const mostTries = 4;

interface Vendor {
  readonly kind: string;
  readonly options: (url: string) => object;
  readonly begin: (received: Received) => void;
}

const eventVendors = wires.map(({ kind, first }): Vendor => {
  const options = (url: string) => ({ baseUrl: kind === 'openai' ? `${url}/v1` : url });
  const begin = ({ response }: Received) => {
    startEvents(response);
    response.write(first);
  };
  return { kind, options, begin };
});

const bedrock: Vendor = {
  kind: 'bedrock',
  options: (url) => ({ baseUrl: url, region: 'eu-central-1', apiKey: { $secret: 'ABANDONED_BEDROCK_KEY' } }),
  begin: ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
    response.write(eventFrame('messageStart', { role: 'assistant' }));
    response.write(eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'half ' } }));
  },
};
const vendors = [...eventVendors, bedrock];

interface Client {
  readonly dialect: string;
  readonly path: (model: string, stream: boolean) => string;
  readonly body: (model: string, stream: boolean) => object;
}

const messages = [{ role: 'user', content: 'hello' }];
const clients: Readonly<Record<string, Client>> = {
  'chat completions': {
    dialect: 'openai-chat',
    path: () => '/v1/chat/completions',
    body: (model, stream) => ({ model, stream, messages }),
  },
  responses: {
    dialect: 'openai-responses',
    path: () => '/v1/responses',
    body: (model, stream) => ({ model, stream, store: false, input: 'hello' }),
  },
  messages: {
    dialect: 'anthropic-messages',
    path: () => '/v1/messages',
    body: (model, stream) => ({ model, stream, max_tokens: 50, messages }),
  },
  generateContent: {
    dialect: 'gemini',
    path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: () => ({ contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }),
  },
};
const operations: Client = {
  dialect: 'openai-completions',
  path: () => '/v1/completions',
  body: (_, stream) => ({ model: 'operation', stream, prompt: 'hello' }),
};

let upstream: ScriptedUpstream;
let gateway: TestGateway;
/** What the vendor does with what comes next. */
let act: (received: Received) => void;

function parts(url: string): Partial<SnapshotInput> {
  const facts = { contextWindow: 8_192 };
  const own = vendors.map(
    ({ kind, options }) => [kind, { kind, options: options(url), models: { m: facts } }] as const,
  );
  const operation = {
    kind: 'openai',
    options: { baseUrl: `${url}/v1` },
    models: { m: { ...facts, kind: 'completion' as const } },
  };
  const target = (provider: string) => ({ targets: { kind: 'target' as const, provider, model: 'm' } });
  return {
    providers: { ...Object.fromEntries(own), operation },
    models: Object.fromEntries([...vendors.map(({ kind }) => kind), 'operation'].map((name) => [name, target(name)])),
  };
}

before(async () => {
  process.env['ABANDONED_BEDROCK_KEY'] = 'key';
  upstream = await startScripted((received) => {
    received.response.on('error', () => undefined);
    act(received);
  });
  gateway = await startGateway(snapshotOf(parts(upstream.url)));
});
after(async () => {
  await gateway.close();
  await upstream.close();
});

interface Moment {
  readonly stream: boolean;
  readonly act: (received: Received, vendor: Vendor) => void;
  /** Whether the client has heard something by then. */
  readonly hears: boolean;
}

const moments: Readonly<Record<string, Moment>> = {
  'before a whole answer': { stream: false, act: () => undefined, hears: false },
  'in the middle of a whole answer': {
    stream: false,
    act: ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"half":');
    },
    hears: false,
  },
  'before the first token of a stream': { stream: true, act: ({ response }) => startEvents(response), hears: false },
  'in the middle of a stream': { stream: true, act: (received, { begin }) => begin(received), hears: true },
};

/** How long the vendor's connection outlived its client. */
async function outlived(client: Client, vendor: Vendor, { stream, act: acts, hears }: Moment): Promise<number> {
  act = (received) => acts(received, vendor);
  const leaving = new AbortController();
  const asked = gateway.post(client.path(vendor.kind, stream), client.body(vendor.kind, stream), {
    signal: leaving.signal,
  });
  const heard = asked.then(
    async (response) => {
      assert.equal(response.status, 200, hears ? '' : 'nothing was answered yet');
      return response.body?.getReader().read();
    },
    () => undefined,
  );
  heard.catch(() => undefined);
  const { abandoned } = await upstream.request(upstream.received.length + 1);
  if (hears) assert.ok((await heard)?.value);
  const left = performance.now();
  leaving.abort();
  return (await abandoned) - left;
}

async function isCutOff(client: Client, vendor: Vendor, moment: Moment): Promise<void> {
  const times: number[] = [];
  while (times.length < mostTries && !times.some((ms) => ms < mostMs))
    times.push(await outlived(client, vendor, moment));
  assert.ok(Math.min(...times) < mostMs, `${times.map(Math.round).join(', ')} ms`);
}

describe('a client that leaves', () => {
  for (const [name, client] of Object.entries(clients))
    for (const vendor of vendors)
      for (const [when, moment] of Object.entries(moments))
        test(`${when}, in ${name} before ${vendor.kind}`, () => isCutOff(client, vendor, moment));

  const { [0]: vendor } = vendors;
  for (const [when, moment] of Object.entries(moments))
    test(`${when}, of an operation beside conversations`, () =>
      vendor && isCutOff(operations, { ...vendor, kind: 'operation' }, moment));

  test('is missed by nobody: nothing is in flight, and each was counted', async () => {
    await until('all is over', async () => /^headgate_requests_in_flight 0$/m.test(await gateway.metrics()));
    const counted = [...(await gateway.metrics()).matchAll(/^headgate_requests_total\{[^}]*status="(\d+)"\} (\d+)$/gm)];
    assert.deepEqual(new Set(counted.map(([, status]) => status)), new Set(['499']));
  });
});

test('every dialect that a client may speak is among them', () => {
  const spoken = Object.values<Surface>(surfaces).flatMap(({ calls }) => calls.map(({ dialect }) => dialect.name));
  assert.deepEqual(new Set(spoken), new Set(Object.values(clients).map(({ dialect }) => dialect)));
});
