/** The fault matrix of upstreams: each fault, in each dialect, whole and streamed. Bounded, well formed, telling nothing, and nothing is left open. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { snapshotOf, testKey } from '../support/gateway.ts';
import { startProcess, type GatewayProcess } from '../support/gateway-process.ts';
import { deadUrl, startScripted, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';
import { faults, planted, wireAt, wires, type Expected, type Wire } from '../support/upstream-faults.ts';

/** Of a target that is silent, and of a whole request. */
const timeoutMs = 800;
const deadlineMs = 2_000;
/** Twice the longest a cell may wait, for a machine with other things to do. */
const boundMs = 2 * deadlineMs + 2_500;

let upstream: ScriptedUpstream;
let gateway: GatewayProcess;
let idleFiles = 0;

function provider({ kind }: Wire, url: string) {
  return { kind, options: { baseUrl: kind === 'openai' ? `${url}/v1` : url }, models: { m: { contextWindow: 8_192 } } };
}

/** The user's message says which fault it is to be, so that all may be tried at once. */
function ask(model: string, fault: string, stream: boolean): Promise<Response> {
  return fetch(`${gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: fault }] }),
    signal: AbortSignal.timeout(2 * boundMs),
  });
}

const openFiles = async () => (await readdir(`/proc/${gateway.pid}/fd`)).length;

interface Text {
  readonly text: string;
}

function faultOf(json: Record<string, unknown>): string {
  const { messages, contents } = json as Record<string, { content?: string | Text[]; parts?: Text[] }[] | undefined>;
  const [{ content = '' } = {}] = messages ?? [];
  const parts = contents?.[0]?.parts ?? content;
  return typeof parts === 'string' ? parts : (parts[0]?.text ?? '');
}

const ignore = () => undefined;

before(async () => {
  upstream = await startScripted((received) => {
    const wire = wireAt(received.path) as Wire;
    const stream = received.json['stream'] === true || received.path.includes(':stream');
    const fault = faults[faultOf(received.json)];
    received.response.on('error', () => undefined);
    // A connection has many requests.
    received.response.socket?.off('error', ignore).on('error', ignore);
    if (fault) return fault.act({ received, wire, stream });
    const type = stream ? 'text/event-stream' : 'application/json';
    received.response.writeHead(200, { 'content-type': type });
    received.response.end(stream ? wire.first + wire.rest : JSON.stringify(wire.whole));
  });
  const dead = await deadUrl();
  const model = (name: string) => ({
    targets: { kind: 'target' as const, provider: name, model: 'm', timeout: `${timeoutMs}ms` as const },
    deadline: `${deadlineMs}ms` as const,
  });
  const each = <Value>(make: (wire: Wire, at: string) => Value) =>
    Object.fromEntries(wires.flatMap((wire) => ['', '-dead'].map((at) => [wire.name + at, make(wire, at)])));
  gateway = await startProcess(
    snapshotOf({
      providers: each((wire, at) => provider(wire, at === '' ? upstream.url : dead)),
      models: each(({ name }, at) => model(name + at)),
    }),
  );
  for (const { name } of wires) for (const stream of [false, true]) await (await ask(name, 'none', stream)).text();
  idleFiles = await openFiles();
});
after(async () => {
  await gateway.kill();
  await upstream.close();
});

/** What the client was told, in the words of the table. */
async function told(response: Response, stream: boolean): Promise<string> {
  const text = await response.text();
  assert.ok(!text.includes('PLANTED'), `the upstream's words came through: ${text}`);
  assert.ok(!JSON.stringify([...response.headers]).includes('PLANTED'));
  if (response.headers.get('content-type') === 'application/json') {
    const { error } = JSON.parse(text) as { error?: { code: string } };
    return error ? `${response.status} ${error.code}` : 'fine';
  }
  assert.ok(stream && response.status === 200);
  const events = text
    .trimEnd()
    .split('\n\n')
    .map((event) => event.replace(/^data: /, ''));
  assert.ok(text.includes('half '), 'what came before the fault is the client’s');
  if (events.at(-1) === '[DONE]') return 'fine';
  assert.ok(!text.includes('[DONE]'));
  const { error } = JSON.parse(events.at(-1) ?? '') as { error: { code: string } };
  return `event ${error.code}`;
}

function cell(
  name: string,
  expected: Expected,
  { model, stream, fault }: { model: string; stream: boolean; fault: string },
) {
  test(`${name}: ${expected}`, async () => {
    const started = performance.now();
    const response = await ask(model, fault, stream);
    assert.equal(await told(response, stream), expected);
    assert.ok(performance.now() - started < boundMs, `it took ${Math.round(performance.now() - started)} ms`);
    if (fault === 'status 429') assert.equal(response.headers.get('retry-after'), '3');
  });
}

describe('an upstream fault', { concurrency: 6 }, () => {
  for (const wire of wires)
    for (const stream of [false, true]) {
      const { name: model } = wire;
      const where = `in ${model}, ${stream ? 'streamed' : 'whole'}`;
      cell(`a refused connection ${where}`, '502 upstream_failed', { model: `${model}-dead`, stream, fault: '' });
      for (const [fault, { whole, stream: streamed, isUnknownTo }] of Object.entries(faults)) {
        const expected = stream ? streamed : whole;
        if (expected && !isUnknownTo?.(wire)) cell(`${fault} ${where}`, expected, { model, stream, fault });
      }
    }
});

describe('after all faults', () => {
  test('good requests are answered as ever, none with what was left of another', async () => {
    for (const { name } of wires)
      for (const stream of [false, true, false, true])
        assert.equal(await told(await ask(name, 'none', stream), stream), 'fine');
  });

  test('no redirect was followed', () => assert.ok(upstream.received.every(({ path }) => !path.includes('trap'))));

  test('no fault was held to be the gateway’s own, and nothing the upstream said is in the log', () => {
    assert.ok(!gateway.output().includes('"internal_error"'));
    assert.ok(!gateway.output().includes(planted));
  });

  test('no file or socket is left open', async () => {
    await until('all is closed', async () => (await openFiles()) <= idleFiles + 20);
    const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    assert.match(text, /^headgate_requests_in_flight 0$/m);
  });
});
