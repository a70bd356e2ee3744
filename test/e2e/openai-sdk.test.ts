/** The official OpenAI SDK, unmodified, against the gateway: in front of the sandbox, of an OpenAI-like and of an Anthropic-like vendor. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { collect, legs } from '../support/scripted-upstream.ts';

const hello = [{ role: 'user' as const, content: 'hello' }];
const askForTool = [{ role: 'user' as const, content: 'what does weather say?' }];
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

interface Vendor {
  readonly name: string;
  readonly model: string;
  readonly target: string;
  readonly says: string;
  readonly city: string;
}
const vendors: readonly Vendor[] = [
  { name: 'the sandbox', model: 'sandboxed', target: 'box/echo', says: 'You said: hello', city: 'sandbox' },
  {
    name: 'an OpenAI-like vendor',
    model: 'chat',
    target: 'leg1/m',
    says: 'Hi there, all well – grüß dich 👋.',
    city: 'Köln',
  },
  {
    name: 'an Anthropic-like vendor',
    model: 'translated',
    target: 'claude/claude-sonnet-4-5',
    says: 'Hi there, all well – grüß dich 👋.',
    city: 'Köln',
  },
];

describe('the openai SDK', () => {
  const mock = new LLMock({ port: 0, chunkSize: 3 });
  let gateway: TestGateway;
  let client: OpenAI;

  before(async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 7, input_tokens: 11, output_tokens: 7 };
    mock.onMessage('hello', { content: 'Hi there, all well – grüß dich 👋.', usage });
    mock.onMessage('weather', { toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Köln"}' }] });
    await mock.start();
    const upstream = legs([{ url: mock.url }], { quotas: ['plenty'] });
    gateway = await startGateway(
      snapshotOf({
        providers: {
          ...upstream.providers,
          box: { kind: 'sandbox', options: {}, models: { echo: { contextWindow: 8_192 } } },
          claude: {
            kind: 'anthropic',
            options: { baseUrl: mock.url },
            models: { 'claude-sonnet-4-5': { contextWindow: 200_000, maxOutputTokens: 1_000 } },
          },
        },
        models: {
          ...upstream.models,
          sandboxed: { targets: { kind: 'target', provider: 'box', model: 'echo' }, quotas: ['plenty'] },
          translated: {
            targets: { kind: 'target', provider: 'claude', model: 'claude-sonnet-4-5' },
            quotas: ['plenty'],
          },
        },
        quotas: { plenty: { unit: 'requests', limit: 1_000, window: '1h' } },
      }),
    );
    client = new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey: testKey, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await mock.stop();
  });

  for (const { name, model, target, says, city } of vendors) {
    describe(`in front of ${name}`, () => {
      test('gets a chat completion with usage and every header of the contract', async () => {
        const { data, response } = await client.chat.completions.create({ model, messages: hello }).withResponse();
        assert.equal(data.object, 'chat.completion');
        assert.equal(data.choices[0]?.message.content, says);
        assert.equal(data.choices[0]?.finish_reason, 'stop');
        assert.ok(data.usage && data.usage.prompt_tokens > 0 && data.usage.completion_tokens > 0);
        const { headers } = response;
        assert.equal(headers.get('headgate-revision'), gateway.revision);
        assert.equal(headers.get('headgate-target'), target);
        assert.equal(headers.get('headgate-attempts'), '1');
        assert.equal(headers.get('headgate-cache'), 'bypass');
        assert.equal(headers.get('ratelimit-policy'), '"plenty";q=1000;w=3600');
        assert.match(headers.get('ratelimit') ?? '', /^"plenty";r=9\d\d;t=\d+$/);
        assert.equal(headers.get('x-ratelimit-limit-requests'), '1000');
        assert.match(headers.get('x-ratelimit-remaining-requests') ?? '', /^9\d\d$/);
        assert.match(headers.get('x-ratelimit-reset-requests') ?? '', /^\d+s$/);
        assert.match(headers.get('x-request-id') ?? '', /^req_[\w-]{36}$/);
      });

      test('streams text in pieces, and no usage when it did not ask for any', async () => {
        const stream = await client.chat.completions.create({ model, messages: hello, stream: true });
        const chunks = await collect(stream);
        assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), says);
        assert.ok(chunks.length > 3, `only ${chunks.length} chunks`);
        assert.ok(
          chunks.every((chunk) => chunk.choices.length > 0),
          'a chunk without choices',
        );
        assert.equal(chunks.filter((chunk) => chunk.usage).length, 0);
        assert.equal(chunks.findLast((chunk) => chunk.choices[0]?.finish_reason)?.choices[0]?.finish_reason, 'stop');
        assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
      });

      test('gets one usage chunk at the end of a stream when it asked for it', async () => {
        const stream = await client.chat.completions.create({
          model,
          messages: hello,
          stream: true,
          stream_options: { include_usage: true },
        });
        const chunks = await collect(stream);
        const last = chunks.at(-1);
        assert.deepEqual(last?.choices, []);
        assert.ok(last?.usage && last.usage.total_tokens > 0);
        assert.equal(chunks.filter((chunk) => chunk.usage).length, 1);
      });

      test('gets a tool call whole and streamed, with the same arguments', async () => {
        const params = { model, messages: askForTool, tools: [weather] };
        const whole = await client.chat.completions.create(params);
        const [call] = whole.choices[0]?.message.tool_calls ?? [];
        assert.ok(call?.type === 'function');
        assert.equal(call.function.name, 'weather');
        assert.deepEqual(JSON.parse(call.function.arguments), { city });
        assert.equal(whole.choices[0]?.finish_reason, 'tool_calls');

        const streamed = await client.chat.completions.stream(params).finalChatCompletion();
        const [again] = streamed.choices[0]?.message.tool_calls ?? [];
        assert.ok(again?.type === 'function' && again.id !== '');
        assert.deepEqual(JSON.parse(again.function.arguments), { city });
        assert.equal(streamed.choices[0]?.finish_reason, 'tool_calls');
      });
    });
  }

  test('sends instructions, tool calls, results and parameters so that another vendor’s reader understands them', async () => {
    await client.chat.completions.create({
      model: 'translated',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hello, once more' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_9', type: 'function', function: { name: 'weather', arguments: '{"city":"Bonn"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_9', content: 'sunny' },
        { role: 'user', content: 'hello' },
      ],
      tools: [weather],
      max_tokens: 17,
      temperature: 0.3,
      stop: ['END'],
    });
    const sent = mock.getLastRequest();
    assert.equal(sent?.path, '/v1/messages');
    assert.equal(sent.headers['anthropic-version'], '2023-06-01');
    // What the vendor's own reader made of it; it moves results behind the text of their turn.
    const body = sent.body as unknown as Record<string, unknown> & { messages: { role: string; content: unknown }[] };
    assert.deepEqual(body.messages.map(({ role }) => role).toSorted(), ['assistant', 'system', 'tool', 'user', 'user']);
    assert.equal(body.messages.find(({ role }) => role === 'tool')?.content, 'sunny');
    assert.equal(body['max_tokens'], 17);
    assert.equal(body['temperature'], 0.3);
  });

  test('says in a header what a translation could not carry', async () => {
    const { response } = await client.chat.completions
      .create({ model: 'translated', messages: hello, seed: 7, logit_bias: { '50256': -100 } })
      .withResponse();
    assert.equal(response.headers.get('headgate-dropped'), 'logit_bias, seed');
  });

  test('lists and retrieves models', async () => {
    const models = await collect(client.models.list());
    assert.deepEqual(
      models.map(({ id }) => id),
      ['chat', 'sandboxed', 'translated'],
    );
    assert.equal(models[0]?.object, 'model');
    assert.equal((await client.models.retrieve('translated')).id, 'translated');
    await assert.rejects(client.models.retrieve('nobody'), OpenAI.NotFoundError);
  });

  test('keeps a sane request id and replaces any other', async () => {
    const idFor = async (given: string) => {
      const { response, request_id: id } = await client.chat.completions
        .create({ model: 'sandboxed', messages: hello }, { headers: { 'x-request-id': given } })
        .withResponse();
      assert.equal(response.headers.get('x-request-id'), id);
      return id;
    };
    assert.equal(await idFor('trace-42:a.b_c'), 'trace-42:a.b_c');
    for (const odd of ['two words', '"quoted"', 'x'.repeat(129), '<script>']) {
      assert.match((await idFor(odd)) ?? '', /^req_[\w-]{36}$/, odd);
    }
  });
});
