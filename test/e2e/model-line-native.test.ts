/** Native in, native out: what the gateway does not own passes through it byte for byte. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import { done, legs, piece, startScripted, usagePiece, type ScriptedUpstream } from '../support/scripted-upstream.ts';

const messages = [{ role: 'user', content: 'hello', 'x-marks': { cache: true } }];

/** Odd on purpose: spacing, escapes, numbers and names that a parse and a print would change. */
const oddAnswer = `{ "id":"c",  "object":"chat.completion","created":1.0,"big":12345678901234567890,
  "choices":[{"index":0,"message":{"role":"assistant","content":"gr\\u00fc\\u00df \\ud83d\\ude00 \\/","thinking":[{"sig":"=="}]},"finish_reason":"stop"}],
  "usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},"x_vendor":null}\n`;
const customToolAnswer = JSON.stringify({
  id: 'c',
  choices: [
    { index: 0, message: { role: 'assistant', content: null, tool_calls: [{ id: 't', type: 'custom', custom: {} }] } },
  ],
});
const oddStream = [
  ': ping\n\n',
  'retry: 10\r\nid: 7\r\nevent: x\r\ndata: {"id":"c","choices":[],"prompt_filter_results":[]}\r\n\r\n',
  'data:{ "id":"c", "choices":[{"index":0,"delta":{"content":"gr\\u00fc\\u00df 😀"},"logprobs":{"n":1.0}}],"usage":null }\n\n',
  'data: {"id":"c",\ndata: "choices":[{"index":1,"delta":{"content":"two"}}]}\n\n',
  piece('plain'),
  '\n: pong\r\n\r\n',
];

describe('in its own dialect', () => {
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;
  let answer = oddAnswer;

  before(async () => {
    upstream = await startScripted(async ({ response, json }) => {
      if (json['stream'] !== true) {
        response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'x-secret-header': 'planted' });
        response.end(answer);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const bytes = Buffer.from([...oddStream, usagePiece, done].join(''));
      // In lumps that fit neither events nor characters.
      for (let at = 0; at < bytes.length; at += 37) {
        response.write(bytes.subarray(at, at + 37));
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      response.end();
    });
    gateway = await startGateway(
      snapshotOf({
        ...legs([{ url: upstream.url }], { prompt: { name: 'tone', variables: {} } }),
        prompts: { tone: { system: 'Be kind.' } },
        models: {
          chat: legs([{ url: upstream.url }]).models['chat'] ?? assert.fail(),
          prompted: {
            ...(legs([{ url: upstream.url }]).models['chat'] ?? assert.fail()),
            prompt: { name: 'tone', variables: {} },
          },
        },
      }),
    );
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const last = () => upstream.received.at(-1) ?? assert.fail('nothing arrived');

  test('a request keeps every field, known or not, and its order; only the model is the vendor’s', async () => {
    const body = {
      zeta: { nested: [1, { deep: null }] },
      model: 'chat',
      logit_bias: { '1': -1 },
      messages,
      tools: [{ type: 'custom', custom: { name: 'sql', format: { type: 'grammar' } } }],
      reasoning: { effort: 'high' },
      metadata: { team: 'a' },
      alpha: 'x',
    };
    await gateway.post('/v1/chat/completions', body);
    assert.equal(last().body, JSON.stringify({ ...body, model: 'm' }));
    assert.equal(last().path, '/v1/chat/completions');
  });

  test('a prompt stands before the messages, which stay as they are', async () => {
    await gateway.post('/v1/chat/completions', { model: 'prompted', messages, metadata: { a: 'b' } });
    const expected = {
      model: 'm',
      messages: [{ role: 'system', content: 'Be kind.' }, ...messages],
      metadata: { a: 'b' },
    };
    assert.deepEqual(last().json, expected);
  });

  test('nothing of the client’s head reaches the vendor', async () => {
    const response = await gateway.post(
      '/v1/chat/completions',
      { model: 'chat', messages },
      {
        headers: { cookie: 'planted', 'x-planted': 'planted', 'x-api-key': 'planted' },
      },
    );
    assert.ok(!JSON.stringify(last().headers).includes('planted'));
    assert.equal(last().headers.authorization, undefined);
    assert.equal(response.headers.get('x-secret-header'), null);
  });

  test('an answer arrives byte for byte', async () => {
    const response = await gateway.post('/v1/chat/completions', { model: 'chat', messages });
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(await response.text(), oddAnswer);
  });

  test('an answer that only this dialect can express is an answer', async () => {
    answer = customToolAnswer;
    try {
      const response = await gateway.post('/v1/chat/completions', { model: 'chat', messages });
      assert.deepEqual([response.status, await response.text()], [200, customToolAnswer]);
    } finally {
      answer = oddAnswer;
    }
  });

  test('a stream arrives byte for byte, the usage that only the gateway asked for aside', async () => {
    const ask = async (more: object) =>
      (await gateway.post('/v1/chat/completions', { model: 'chat', messages, stream: true, ...more })).text();
    assert.equal(await ask({}), [...oddStream, done].join(''));
    assert.deepEqual(last().json['stream_options'], { include_usage: true });
    assert.equal(await ask({ stream_options: { include_usage: false, x: 1 } }), [...oddStream, done].join(''));
    assert.deepEqual(last().json['stream_options'], { include_usage: true, x: 1 });
    assert.equal(await ask({ stream_options: { include_usage: true } }), [...oddStream, usagePiece, done].join(''));
  });
});
