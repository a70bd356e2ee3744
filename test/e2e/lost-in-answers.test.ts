/** What gets lost beside fields of a translated request: parts of answers, and of conversations that come back to a vendor. The header tells both. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotOf, startGateway } from '../support/gateway.ts';
import { answerJson, startScripted } from '../support/scripted-upstream.ts';

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
