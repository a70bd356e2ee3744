/** Perplexity: what its two APIs are sent, and how its Agent API is understood where it differs from OpenAI's Responses API. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../runtime/call.ts';
import { AnswerFailed } from '../../runtime/dialects/dialect.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import { perplexity } from '../../runtime/providers/perplexity.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const connected = (options: object) =>
  perplexity.connect(schemaOf(perplexity.options).parse({ apiKey: { $secret: 'KEY' }, ...options }), () => 'key');
const [agent] = connected({}).apis;
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const sent = (body: JsonObject): unknown => asJson(agent.address(body).body);
const translated = (body: JsonObject, model = 'sonar') => {
  const written = agent.dialect.writeCall(openaiChat.readCall({ model: 'any', ...body }), { model });
  return { body: sent(written.body) as JsonObject, dropped: written.dropped };
};
const asked = { messages: [{ role: 'user', content: 'hi' }] };

describe('perplexity', () => {
  test('speaks the Agent API at its own host, and chat completions where config says so', () => {
    const reach = (options: object) => {
      const { origin, apis } = connected(options);
      return [apis[0].dialect.name, origin + apis[0].address({}).path];
    };
    assert.deepEqual(reach({}), ['openai-responses', 'https://api.perplexity.ai/v1/responses']);
    const proxy = { baseUrl: 'https://proxy.example.org/pplx/', api: 'chat-completions' };
    assert.deepEqual(reach(proxy), ['openai-chat', 'https://proxy.example.org/pplx/chat/completions']);
    assert.equal(schemaOf(perplexity.options).safeParse({ apiKey: { $secret: 'KEY' }, api: 'sonar' }).success, false);
  });

  test('knows what took the place of each of Sonar’s models, and leaves other ids alone', () => {
    const presets = ['sonar', 'sonar-pro', 'sonar-reasoning', 'sonar-reasoning-pro', 'sonar-deep-research'].map(
      (model) => {
        const body = translated(asked, model).body;
        assert.equal(body.model, 'perplexity/sonar', model);
        return body['preset'];
      },
    );
    assert.deepEqual(presets, ['fast', 'fast', 'low', 'low', 'high']);
    assert.deepEqual(sent({ model: 'sonar', input: 'hi', preset: 'high' }), {
      model: 'perplexity/sonar',
      preset: 'high',
      input: 'hi',
    });
    assert.deepEqual(sent({ model: 'perplexity/sonar', input: 'hi' }), { model: 'perplexity/sonar', input: 'hi' });
  });

  test('is not asked for what it answers with 400, and what is left out is told', () => {
    const { body, dropped } = translated(
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: 'high' } }],
          },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'One. ' },
              { type: 'text', text: 'Two.' },
            ],
          },
          { role: 'assistant', refusal: 'No.', content: null },
          { role: 'user', content: 'Go on.' },
        ],
        reasoning_effort: 'none',
        response_format: { type: 'json_object' },
      },
      'openai/gpt-5.1',
    );
    assert.deepEqual(body, {
      model: 'openai/gpt-5.1',
      input: [
        { role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example/b.png' }] },
        { role: 'assistant', content: 'One. Two.' },
        { role: 'user', content: 'Go on.' },
      ],
      store: false,
    });
    assert.deepEqual(dropped.toSorted(), ['image.detail', 'reasoning_effort', 'refusal', 'response_format']);
  });

  test('gets the body of a client of its dialect under its own names, and nothing is taken from it', () => {
    const schema = { name: 'thing', schema: { type: 'object' }, strict: true };
    const own = {
      model: 'openai/gpt-5.1',
      input: [
        { role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example/b.png', detail: 'auto' }] },
      ],
      tool_choice: { type: 'function', name: 'look' },
      text: { verbosity: 'low', format: { type: 'json_schema', ...schema } },
      include: ['reasoning.encrypted_content'],
    };
    assert.deepEqual(sent(own), {
      model: 'openai/gpt-5.1',
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example/b.png' }] }],
      tool_choice: { name: 'look' },
      text: { verbosity: 'low' },
      include: ['reasoning.encrypted_content'],
      response_format: { type: 'json_schema', json_schema: schema },
    });
    assert.deepEqual(sent({ model: 'm', text: { format: { type: 'text' } }, tool_choice: { type: 'web_search' } }), {
      model: 'm',
      tool_choice: { type: 'web_search' },
    });
  });

  const usage = { input_tokens: 9, output_tokens: 2, tool_calls_details: { search_web: { invocation: 3 } } };

  test('counts its own searches', () => {
    const answer = agent.dialect.readAnswer({ object: 'response', status: 'completed', output: [], usage });
    assert.deepEqual(answer.usage, { inputTokens: 9, outputTokens: 2, searches: 3 });
  });

  test('ends a run that was given up as a failure, in a stream and as a whole', () => {
    const response = { object: 'response', status: 'cancelled', output: [], usage };
    const reader = agent.dialect.eventReader();
    const data = JSON.stringify({ type: 'response.cancelled', response });
    const events = reader.read({ event: undefined, data });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['usage', 'failure'],
    );
    assert.deepEqual(reader.read({ event: undefined, data }), []);
    assert.throws(() => agent.dialect.readAnswer(response), AnswerFailed);
  });
});
