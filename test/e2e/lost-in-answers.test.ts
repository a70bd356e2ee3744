/** What gets lost beside fields of a translated request: parts of answers, and of conversations that come back to a vendor. The header tells both. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotOf, startGateway, testKey } from '../support/gateway.ts';
import { logged } from '../support/logged-gateway.ts';
import { answerJson, sse, startEvents, startScripted } from '../support/scripted-upstream.ts';

const answers = {
  anthropic: {
    id: 'msg_1',
    type: 'message',
    model: 'm',
    content: [
      { type: 'redacted_thinking', data: 'xx' },
      { type: 'text', text: 'fine' },
    ],
    stop_reason: 'end_turn',
  },
  google: {
    candidates: [
      {
        content: { role: 'model', parts: [{ text: 'fine' }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }] },
        finishReason: 'STOP',
      },
    ],
  },
};

test('what of an answer cannot be carried is told beside what of the request could not', async (context) => {
  const upstream = await startScripted(({ response, path }) =>
    answerJson(response, 200, path === '/v1/messages' ? answers.anthropic : answers.google),
  );
  const models = { m: { contextWindow: 8_192 } };
  const target = (provider: string) => ({ targets: { kind: 'target' as const, provider, model: 'm' } });
  const gateway = await startGateway(
    snapshotOf({
      providers: {
        anthropic: { kind: 'anthropic', options: { baseUrl: upstream.url }, models },
        google: { kind: 'google', options: { baseUrl: upstream.url }, models },
      },
      models: { 'at-anthropic': target('anthropic'), 'at-google': target('google') },
    }),
  );
  context.after(() => Promise.all([gateway.close(), upstream.close()]));
  const told = async (path: string, body: object) => {
    const response = await gateway.post(path, body);
    assert.match(await response.text(), /fine/);
    return response.headers.get('headgate-dropped');
  };
  const messages = [{ role: 'user', content: 'hi' }];
  const chat = (model: string, more: object = {}) => told('/v1/chat/completions', { model, messages, ...more });
  assert.equal(await chat('at-anthropic', { seed: 1 }), 'seed, redacted_thinking');
  assert.equal(await chat('at-google'), 'inlineData');
  assert.equal(await told('/v1/messages', { model: 'at-anthropic', max_tokens: 9, messages }), null);
  const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'headgate' };
  const turn = { role: 'assistant', content: [thinking, { type: 'text', text: 'fine' }] };
  const goesOn = [...messages, turn, ...messages];
  assert.equal(await told('/v1/messages', { model: 'at-anthropic', max_tokens: 9, messages: goesOn }), 'thinking');
  assert.ok(!upstream.received.at(-1)?.body.includes('Hm.'));
});

const streamed = [
  { type: 'message_start', message: { id: 'msg_1', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'redacted_thinking', data: 'xx' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'fine' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
  { type: 'message_stop' },
];

test('what of a streamed answer cannot be carried is told by the log and the trace', async (context) => {
  const upstream = await startScripted(({ response }) => {
    startEvents(response);
    response.end(streamed.map(sse).join(''));
  });
  context.after(() => upstream.close());
  const options = { baseUrl: upstream.url };
  const gateway = await logged(
    context,
    snapshotOf({
      providers: { anthropic: { kind: 'anthropic', options, models: { m: { contextWindow: 8_192 } } } },
      models: { chat: { targets: { kind: 'target', provider: 'anthropic', model: 'm' } } },
    }),
  );
  const messages = [{ role: 'user', content: 'hi' }];
  const told = async (path: string, body: object) => {
    const response = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${testKey}` },
      body: JSON.stringify({ model: 'chat', messages, stream: true, ...body }),
    });
    assert.match(await response.text(), /fine/);
    const id = response.headers.get('x-request-id') ?? '';
    const line = await gateway.requestLine(id);
    const trace = await (await fetch(`${gateway.adminUrl}/api/requests/${id}`)).json();
    const { steps } = trace as { readonly steps: readonly { readonly stage: string; readonly said: string }[] };
    const traced = steps.filter(({ stage }) => stage === 'dropped').map(({ said }) => said);
    return { header: response.headers.get('headgate-dropped'), logged: line['dropped'], traced };
  };
  assert.deepEqual(await told('/v1/chat/completions', { seed: 1 }), {
    header: 'seed',
    logged: 'seed, redacted_thinking',
    traced: ['cannot be carried: seed, redacted_thinking'],
  });
  assert.deepEqual(await told('/v1/messages', { max_tokens: 9 }), { header: null, logged: undefined, traced: [] });
});

test('a native stream may begin with an image of more than a megabyte', async (context) => {
  const image = { inlineData: { mimeType: 'image/png', data: 'A'.repeat(1_500_000) } };
  const upstream = await startScripted(({ response }) => {
    startEvents(response);
    response.write(sse({ candidates: [{ content: { role: 'model', parts: [image] } }] }));
    response.end(sse({ candidates: [{ content: { role: 'model', parts: [] }, finishReason: 'STOP' }] }));
  });
  const options = { baseUrl: upstream.url };
  const gateway = await startGateway(
    snapshotOf({
      providers: { google: { kind: 'google', options, models: { m: { contextWindow: 8_192 } } } },
      models: { chat: { targets: { kind: 'target', provider: 'google', model: 'm' } } },
    }),
  );
  context.after(() => Promise.all([gateway.close(), upstream.close()]));
  const contents = [{ role: 'user', parts: [{ text: 'draw' }] }];
  const response = await gateway.post('/v1beta/models/chat:streamGenerateContent?alt=sse', { contents });
  assert.equal(response.status, 200);
  assert.ok((await response.text()).includes(image.inlineData.data));
});
