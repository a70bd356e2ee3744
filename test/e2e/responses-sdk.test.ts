/**
 * The official OpenAI SDK's Responses API, unmodified, against the gateway: in front of a vendor that answers it itself, and
 * in front of the sandbox and of vendors that only know chat completions or Messages. And its chat completions in front of
 * a model that its vendor only serves behind responses.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  collect,
  piece,
  startEvents,
  startScripted,
  type Script,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';

const says = 'Hi there, all well – grüß dich 👋.';
const weather: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};
const person = z.object({ name: z.string() });

interface Vendor {
  readonly name: string;
  readonly model: string;
  readonly target: string;
  readonly says: string;
  readonly calls: number;
}
const vendors: readonly Vendor[] = [
  { name: 'a vendor that answers responses', model: 'native', target: 'full/m', says, calls: 2 },
  { name: 'a model only behind responses', model: 'deep', target: 'full/gpt-5-codex', says, calls: 2 },
  { name: 'the sandbox', model: 'sandboxed', target: 'box/echo', says: 'You said: hello', calls: 1 },
  { name: 'a vendor of chat completions', model: 'chat', target: 'plain/m', says, calls: 2 },
  { name: 'a vendor of Messages', model: 'claude', target: 'claude/claude-sonnet-4-5', says, calls: 2 },
];

const target = (provider: string, model: string) => ({ kind: 'target' as const, provider, model });
const models = { m: { contextWindow: 8_192 } };

/** Odd on purpose: spacing, escapes, numbers and names that a parse and a print would change. */
const oddAnswer = `{ "id":"resp_o",  "object":"response","created_at":1.0,"big":12345678901234567890,"status":"completed",
  "output":[{"type":"x_call","sig":"=="},{"type":"message","content":[{"type":"output_text","text":"gr\\u00fc\\u00df \\/"}]}]}\n`;
const oddStream = [
  ': ping\n\n',
  'event: response.created\r\ndata: {"type":"response.created","response":{"id":"resp_o"},"x":1.0}\r\n\r\n',
  'data:{ "type":"response.output_text.delta", "output_index":0,"delta":"gr\\u00fc\\u00df 😀","obfuscation":"ab" }\n\n',
  'event: response.x_call.y\ndata: {"type":"response.x_call.y"}\n\n',
  'event: response.completed\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":2}}}\n\n',
];

describe('the openai SDK with responses', () => {
  const mock = new LLMock({ port: 0, chunkSize: 3 });
  let scripted: ScriptedUpstream;
  let script: Script = () => undefined;
  let gateway: TestGateway;
  let client: OpenAI;

  function snapshot(): SnapshotInput {
    const openai = (url: string, more: object = {}) => ({
      kind: 'openai',
      options: { baseUrl: `${url}/v1`, ...more },
      models,
    });
    return snapshotOf({
      providers: {
        full: {
          ...openai(mock.url, { responses: true }),
          models: { ...models, 'gpt-5-codex': { contextWindow: 8_192, kind: 'responses' } },
        },
        plain: openai(mock.url),
        box: {
          kind: 'sandbox',
          options: {},
          models: {
            echo: { contextWindow: 8_192 },
            json: { contextWindow: 8_192, options: { reply: '{"name":"Ada"}' } },
          },
        },
        claude: {
          kind: 'anthropic',
          options: { baseUrl: mock.url },
          models: { 'claude-sonnet-4-5': { contextWindow: 200_000, maxOutputTokens: 1_000 } },
        },
        scripted: openai(scripted.url, { responses: true }),
        scriptedChat: openai(scripted.url),
      },
      prompts: { tone: { system: 'Be kind.' } },
      contextPolicies: { short: { kind: 'quantisedCut', options: { target: 400, reserveOutput: 0 } } },
      policies: { never: { kind: 'blockTerms', options: { terms: ['forbidden'] } } },
      models: {
        native: { targets: target('full', 'm') },
        deep: { targets: target('full', 'gpt-5-codex') },
        sandboxed: { targets: target('box', 'echo') },
        json: { targets: target('box', 'json') },
        chat: { targets: target('plain', 'm') },
        claude: { targets: target('claude', 'claude-sonnet-4-5') },
        odd: { targets: target('scripted', 'm') },
        oddChat: { targets: target('scriptedChat', 'm') },
        mixed: {
          targets: {
            kind: 'group',
            balance: 'ordered',
            of: [{ node: target('plain', 'm') }, { node: target('scripted', 'm') }],
          },
        },
        shaped: {
          targets: target('scripted', 'm'),
          prompt: { name: 'tone', variables: {} },
          context: 'short',
          policies: ['never'],
        },
      },
    });
  }

  before(async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 7, input_tokens: 11, output_tokens: 7 };
    mock.onToolResult('call_b', { content: 'Sunny in both.', usage });
    mock.onMessage('hello', { content: says, usage });
    mock.onMessage('who', { content: '{"name":"Ada"}', usage });
    mock.onMessage('weather', {
      toolCalls: [
        { id: 'call_a', name: 'weather', arguments: '{"city":"Köln"}' },
        { id: 'call_b', name: 'weather', arguments: '{"city":"Bonn"}' },
      ],
      usage,
    });
    await mock.start();
    scripted = await startScripted((received) => script(received));
    gateway = await startGateway(snapshot());
    client = new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey: testKey, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await scripted.close();
    await mock.stop();
  });

  const last = () => scripted.received.at(-1) ?? assert.fail('nothing arrived');

  for (const { name, model, target: label, says: expected, calls } of vendors) {
    describe(`in front of ${name}`, () => {
      test('gets a response with usage and the headers of the contract', async () => {
        const { data, response } = await client.responses.create({ model, input: 'hello' }).withResponse();
        assert.equal(data.object, 'response');
        assert.equal(data.status, 'completed');
        assert.equal(data.output_text, expected);
        assert.ok(data.usage && data.usage.input_tokens > 0 && data.usage.output_tokens > 0);
        assert.equal(response.headers.get('headgate-target'), label);
        assert.equal(response.headers.get('headgate-dropped'), null);
      });

      test('streams text in pieces, and the helper puts the same response together', async () => {
        const stream = client.responses.stream({ model, input: [{ role: 'user', content: 'hello' }] });
        const events = await collect(stream);
        const deltas = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []));
        assert.ok(deltas.length > 2, `only ${deltas.length} deltas`);
        assert.equal(deltas.join(''), expected);
        const final = await stream.finalResponse();
        assert.equal(final.output_text, expected);
        assert.ok(final.usage && final.usage.output_tokens > 0);
        assert.equal(events[0]?.type, 'response.created');
        assert.equal(events.at(-1)?.type, 'response.completed');
      });

      test('walks a loop of parallel function calls, whole and streamed', async () => {
        const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'what does weather say?' }];
        const ask = { model, tools: [weather], instructions: 'Be brief.' };
        const first = await client.responses.create({ ...ask, input });
        const called = first.output.filter((item) => item.type === 'function_call');
        assert.equal(called.length, calls);
        const outputs = called.map(({ call_id }) => ({
          type: 'function_call_output' as const,
          call_id,
          output: 'sunny',
        }));
        // The SDK's types of what comes and what goes differ in a role of an item that is not there.
        const told = [...input, ...first.output, ...outputs] as OpenAI.Responses.ResponseInput;
        const second = await client.responses.create({ ...ask, input: told });
        assert.equal(second.output_text, calls === 2 ? 'Sunny in both.' : 'You said: what does weather say?');

        const streamed = await client.responses.stream({ ...ask, input }).finalResponse();
        const again = streamed.output.filter((item) => item.type === 'function_call');
        assert.deepEqual(
          again.map((item) => JSON.parse(item.arguments) as unknown),
          called.map((item) => JSON.parse(item.arguments) as unknown),
        );
      });
    });
  }

  test('the calls of a turn reach chat completions in one message, with the instructions before all', async () => {
    const call = (call_id: string) => ({ type: 'function_call' as const, call_id, name: 'weather', arguments: '{}' });
    const output = (call_id: string) => ({ type: 'function_call_output' as const, call_id, output: 'sunny' });
    const input = [
      { role: 'user' as const, content: 'hello' },
      ...['call_a', 'call_b'].map(call),
      ...['call_a', 'call_b'].map(output),
    ];
    await client.responses.create({ model: 'chat', input, instructions: 'Be brief.', tools: [weather] });
    const { messages } = (mock.getLastRequest()?.body ?? {}) as unknown as OpenAI.ChatCompletionCreateParams;
    assert.deepEqual(
      messages.map((message) => [message.role, 'tool_calls' in message ? message.tool_calls?.length : undefined]),
      [
        ['system', undefined],
        ['user', undefined],
        ['assistant', 2],
        ['tool', undefined],
        ['tool', undefined],
      ],
    );
  });

  test('parses structured output, native and translated', async () => {
    for (const model of ['native', 'chat', 'json']) {
      const text = { format: zodTextFormat(person, 'person') };
      const response = await client.responses.parse({ model, input: 'who?', text });
      assert.deepEqual(response.output_parsed, { name: 'Ada' }, model);
      const streamed = await client.responses.stream({ model, input: 'who?', text }).finalResponse();
      assert.deepEqual(streamed.output_parsed, { name: 'Ada' }, model);
    }
  });

  test('chat completions work in front of a model that only responses reach', async () => {
    const messages = [{ role: 'user' as const, content: 'hello' }];
    const { data, response } = await client.chat.completions
      .create({ model: 'deep', messages, seed: 1, max_tokens: 50 })
      .withResponse();
    assert.equal(data.choices[0]?.message.content, says);
    assert.ok(data.usage && data.usage.prompt_tokens > 0);
    assert.equal(response.headers.get('headgate-target'), 'full/gpt-5-codex');
    assert.equal(response.headers.get('headgate-dropped'), 'seed');
    assert.equal(mock.getLastRequest()?.path, '/v1/responses');

    const chunks = await collect(await client.chat.completions.create({ model: 'deep', messages, stream: true }));
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), says);

    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: weather.parameters ?? {} } }];
    const asked = [{ role: 'user' as const, content: 'what does weather say?' }];
    const first = await client.chat.completions.stream({ model: 'deep', messages: asked, tools }).finalMessage();
    assert.deepEqual(
      first.tool_calls?.map((call) => call.id),
      ['call_a', 'call_b'],
    );
    const results = ['call_a', 'call_b'].map((id) => ({ role: 'tool' as const, tool_call_id: id, content: 'sunny' }));
    const second = await client.chat.completions.create({
      model: 'deep',
      messages: [...asked, first, ...results],
      tools,
    });
    assert.equal(second.choices[0]?.message.content, 'Sunny in both.');
  });

  test('says what a translation could not carry', async () => {
    const { response } = await client.responses
      .create({ model: 'chat', input: 'hello', store: true, truncation: 'auto', tools: [{ type: 'web_search' }] })
      .withResponse();
    assert.equal(response.headers.get('headgate-dropped'), 'store, truncation, tools.web_search');
  });

  test('refuses what only the vendor’s own state could answer, naming the field, and finds a target that has it', async () => {
    const cases: readonly (readonly [Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>, string])[] = [
      [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
      [{ conversation: 'conv_1' }, 'conversation'],
      [{ background: true }, 'background'],
      [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0]'],
    ];
    for (const [more, param] of cases) {
      await assert.rejects(client.responses.create({ model: 'chat', input: 'hello', ...more }), (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError);
        assert.equal(error.param, param);
        assert.equal(error.code, 'invalid_request');
        assert.ok(error.message.includes(`${param} only means something`), error.message);
        return true;
      });
    }
    script = ({ response }) => answerJson(response, 200, oddAnswer);
    await client.responses.create({ model: 'mixed', input: 'hello', previous_response_id: 'resp_1' });
    assert.deepEqual(last().json, { model: 'm', input: 'hello', previous_response_id: 'resp_1' });
  });

  describe('where the vendor answers it itself', () => {
    const body = {
      zeta: { nested: [1, { deep: null }] },
      model: 'odd',
      previous_response_id: 'resp_0',
      store: true,
      background: false,
      input: [
        { role: 'user', content: 'hello', 'x-marks': { cache: true } },
        { type: 'web_search_call', id: 'ws_1' },
      ],
      tools: [{ type: 'mcp', server_label: 'a' }],
      alpha: 'x',
    };

    test('a request keeps every field and an answer every byte', async () => {
      script = ({ response }) => answerJson(response, 200, oddAnswer);
      const response = await gateway.post('/v1/responses', body);
      assert.equal(last().path, '/v1/responses');
      assert.equal(last().body, JSON.stringify({ ...body, model: 'm' }));
      assert.equal(await response.text(), oddAnswer);
    });

    test('a stream arrives byte for byte, in lumps that fit neither events nor characters', async () => {
      script = async ({ response }) => {
        startEvents(response);
        const bytes = Buffer.from(oddStream.join(''));
        for (let at = 0; at < bytes.length; at += 37) {
          response.write(bytes.subarray(at, at + 37));
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
        response.end();
      };
      const response = await gateway.post('/v1/responses', { ...body, stream: true });
      assert.equal(last().body, JSON.stringify({ ...body, model: 'm', stream: true }));
      assert.equal(await response.text(), oddStream.join(''));
    });

    test('a prompt stands before the instructions, and the cut leaves whole turns', async () => {
      script = ({ response }) => answerJson(response, 200, oddAnswer);
      const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' };
      const output = { type: 'function_call_output', call_id: 'c', output: 'out' };
      const long = { role: 'user', content: 'many words '.repeat(150) };
      const input = [long, call, output, { role: 'user', content: 'second' }];
      const response = await gateway.post('/v1/responses', { model: 'shaped', instructions: 'Be brief.', input });
      assert.equal(response.status, 200, await response.text());
      assert.deepEqual(last().json, {
        model: 'm',
        instructions: 'Be kind.\n\nBe brief.',
        input: [{ role: 'user', content: 'second' }],
      });
      assert.match(response.headers.get('headgate-context') ?? '', /in=4, kept=1, cut=3/);
    });

    test('policies read the instructions too', async () => {
      const refused = client.responses.create({ model: 'shaped', instructions: 'Be Forbidden.', input: 'hello' });
      await assert.rejects(refused, OpenAI.UnprocessableEntityError);
    });

    test('a response that failed is no answer', async () => {
      script = ({ response }) =>
        answerJson(response, 200, {
          object: 'response',
          status: 'failed',
          output: [],
          error: { code: 'rate_limit_exceeded', message: 'secret of the vendor' },
        });
      await assert.rejects(client.responses.create({ model: 'odd', input: 'hello' }), (error) => {
        assert.ok(error instanceof OpenAI.RateLimitError);
        assert.ok(!error.message.includes('secret'));
        return true;
      });
    });

    test('a failure in the first event of a stream has its status', async () => {
      script = ({ response }) => {
        startEvents(response);
        const error = { type: 'tokens', code: 'rate_limit_exceeded', message: 'secret of the vendor' };
        response.end(`event: error\ndata: ${JSON.stringify({ type: 'error', sequence_number: 0, error })}\n\n`);
      };
      await assert.rejects(
        client.responses.create({ model: 'odd', input: 'hello', stream: true }),
        OpenAI.RateLimitError,
      );
    });
  });

  test('errors are the SDK’s own classes', async () => {
    const stranger = new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey: 'hg_wrong', maxRetries: 0 });
    await assert.rejects(stranger.responses.create({ model: 'chat', input: 'hello' }), OpenAI.AuthenticationError);
    await assert.rejects(client.responses.create({ model: 'nobody', input: 'hello' }), OpenAI.NotFoundError);
    await assert.rejects(
      client.responses.create({ model: 'chat', input: [{ role: 'user' } as never] }),
      (error) => error instanceof OpenAI.BadRequestError && error.param === 'input[0].content',
    );
    script = ({ response }) => answerJson(response, 503, { error: { message: 'secret', code: null } });
    for (const model of ['odd', 'oddChat'])
      await assert.rejects(client.responses.create({ model, input: 'hello' }), (error) => {
        assert.ok(error instanceof OpenAI.InternalServerError);
        assert.equal(error.code, 'upstream_failed');
        return true;
      });
  });

  test('a stream that breaks ends in an error of the SDK, native and translated', async () => {
    const broken: Readonly<Record<string, string>> = { odd: oddStream.slice(0, 3).join(''), oddChat: piece('Hel') };
    for (const [model, text] of Object.entries(broken)) {
      script = ({ response }) => {
        startEvents(response);
        response.end(text);
      };
      const stream = await client.responses.create({ model, input: 'hello', stream: true });
      await assert.rejects(collect(stream), (error) => {
        assert.ok(error instanceof OpenAI.APIError, String(error));
        assert.equal(error.code, 'upstream_broken_answer');
        return true;
      });
    }
  });

  test('a client that leaves in the middle of a stream takes the vendor’s connection with it', async () => {
    for (const [model, text] of [
      ['odd', oddStream.slice(0, 3).join('')],
      ['oddChat', piece('Hel')],
    ] as const) {
      script = ({ response }) => {
        startEvents(response);
        response.write(text);
      };
      const stream = await client.responses.create({ model, input: 'hello', stream: true });
      let left = 0;
      for await (const event of stream) {
        if (event.type !== 'response.output_text.delta') continue;
        left = performance.now();
        stream.controller.abort();
      }
      const outlived = (await last().abandoned) - left;
      assert.ok(outlived < 500, `${model}: ${outlived} ms`);
    }
  });
});
