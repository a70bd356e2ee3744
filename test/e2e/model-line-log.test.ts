/** What the process writes about model requests: one line each, and never a secret, a prompt or a vendor's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotOf, testKey } from '../support/gateway.ts';
import { logged } from '../support/logged-gateway.ts';
import {
  answerJson,
  answerWell,
  done,
  legs,
  piece,
  sse,
  startEvents,
  startScripted,
} from '../support/scripted-upstream.ts';

test('each request leaves one line, and no line or answer holds what must not be told', async (context) => {
  const vendorKey = 'sk-vendor-KEY-0815';
  const planted = 'PLANTED-by-the-vendor';
  const prompt = 'MY-PRIVATE-PROMPT';
  const upstream = await startScripted(({ response, json }) => {
    const { messages } = json as { messages: { content: string }[] };
    const order = messages[0]?.content.split(' ')[1] ?? '';
    const headers = { 'x-echo': planted, 'x-request-id': planted, 'set-cookie': planted };
    const error = { message: `${planted} ${vendorKey} ${prompt}`, type: planted, param: planted, code: planted };
    if (order === 'hang') return;
    if (order === 'garbage') return answerJson(response, 200, `${planted}${vendorKey}`, headers);
    if (order === 'reset') {
      startEvents(response, headers);
      response.write(piece('ok') + done, () => setTimeout(() => response.socket?.resetAndDestroy(), 20));
      return;
    }
    if (order === 'half') {
      startEvents(response, headers);
      response.end(piece('ok') + sse({ error }));
      return;
    }
    if (/^\d+$/.test(order)) return answerJson(response, Number(order), { error }, headers);
    answerWell({ response, json } as never);
  });
  context.after(() => upstream.close());
  const { providers, models } = legs([{ url: upstream.url, retries: 1 }]);
  const withKey = structuredClone(providers) as Record<string, { options: object }>;
  Object.assign(withKey['leg1']?.options ?? {}, { apiKey: { $secret: 'VENDOR_KEY' } });
  const gateway = await logged(context, snapshotOf({ providers: withKey, models }), {
    VENDOR_KEY: vendorKey,
  });

  const seen: string[] = [];
  const ask = async (
    id: string,
    order: string,
    more: { stream?: boolean; key?: string; signal?: AbortSignal } = {},
  ) => {
    const { stream = false, key = testKey, signal } = more;
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model: 'chat', stream, messages: [{ role: 'user', content: `${prompt} ${order}` }] }),
      ...(signal ? { signal } : {}),
    });
    seen.push(JSON.stringify([...response.headers]), await response.text());
    return gateway.requestLine(id);
  };

  const well = await ask('well', 'please');
  const { ms, revision, ...rest } = well;
  assert.ok(typeof ms === 'number' && ms > 0 && typeof revision === 'string');
  for (const name of ['time', 'level', 'msg']) delete rest[name];
  assert.deepEqual(rest, {
    event: 'request',
    request: 'well',
    method: 'POST',
    host: new URL(gateway.url).hostname,
    path: '/v1/chat/completions',
    surface: 'openai',
    matched: 'model:chat',
    consumer: 'tester',
    target: 'leg1/m',
    attempts: 1,
    status: 200,
    messages: 1,
    stream: false,
    input_tokens: 3,
    output_tokens: 2,
  });
  assert.equal(upstream.received[0]?.headers.authorization, `Bearer ${vendorKey}`);

  assert.equal((await ask('streamed', 'please', { stream: true }))['output_tokens'], 2);
  for (const status of [400, 401, 404, 429, 500, 503]) assert.ok((await ask(`s${status}`, String(status)))['code']);
  assert.deepEqual(await ask('garbage', 'garbage').then(({ code, attempts }) => [code, attempts]), [
    'upstream_broken_answer',
    2,
  ]);
  const reset = await ask('reset', 'reset', { stream: true });
  assert.deepEqual([reset['status'], reset['code']], [200, undefined], 'the answer was complete before the reset');
  const half = await ask('half', 'half', { stream: true });
  assert.deepEqual([half['status'], half['code']], [200, 'upstream_broken_answer']);
  assert.equal((await ask('stranger', 'x', { key: 'hg_WRONG_KEY' }))['code'], 'invalid_api_key');

  const client = new AbortController();
  const leaving = ask('left', 'hang', { signal: client.signal }).catch(() => undefined);
  await upstream.request(upstream.received.length + 1);
  client.abort();
  await leaving;
  const left = await gateway.requestLine('left');
  assert.deepEqual([left['status'], left['code']], [499, 'client_closed_request']);
  for (const line of [half, left]) assert.equal(line['usage_estimated'], true, 'the vendor told no usage');

  const ids = gateway.lines.filter(({ event }) => event === 'request').map(({ request }) => request);
  assert.equal(new Set(ids).size, ids.length, 'a request left two lines');
  assert.equal(gateway.lines.filter(({ event }) => event === 'internal_error').length, 0);
  const everything = [...gateway.text, ...seen].join('\n');
  for (const secret of [vendorKey, planted, prompt, testKey, 'hg_WRONG_KEY']) {
    assert.ok(
      !everything.includes(secret),
      `${secret} was told: ${everything.slice(everything.indexOf(secret) - 300, everything.indexOf(secret) + 50)}`,
    );
  }
});

test('what could not be carried is told in the line of its request, as in the header', async (context) => {
  const upstream = await startScripted(({ response }) =>
    answerJson(response, 200, {
      id: 'msg_1',
      type: 'message',
      model: 'm',
      content: [{ type: 'text', text: 'fine' }],
      stop_reason: 'end_turn',
    }),
  );
  context.after(() => upstream.close());
  const gateway = await logged(
    context,
    snapshotOf({
      providers: {
        other: { kind: 'anthropic', options: { baseUrl: upstream.url }, models: { m: { contextWindow: 8_192 } } },
      },
      models: { chat: { targets: { kind: 'target', provider: 'other', model: 'm' } } },
    }),
    {},
  );
  const told = async (id: string, more: object) => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'hi' }], ...more }),
    });
    assert.equal(response.status, 200);
    return [response.headers.get('headgate-dropped'), (await gateway.requestLine(id))['dropped']];
  };
  assert.deepEqual(await told('some', { seed: 1, logit_bias: { 1: 1 } }), ['logit_bias, seed', 'logit_bias, seed']);
  assert.deepEqual(await told('none', {}), [null, undefined]);
});
