/** The official Anthropic SDK against the gateway: in front of a vendor of its own dialect, and of others by translation. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  collect,
  startEvents,
  startScripted,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';

const says = 'Hi there, all well – grüß dich 👋.';
const hello = [{ role: 'user' as const, content: 'hello' }];
const inputOf = (city: string) => ({ city });
const toolOf = (name: string): Anthropic.Tool => ({
  name,
  description: 'Tells something of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
});
const tools = [toolOf('weather'), toolOf('population')];
const textOf = (message: Anthropic.Message) =>
  message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
const usesOf = (message: Anthropic.Message) =>
  message.content.flatMap((block) => (block.type === 'tool_use' ? [{ name: block.name, input: block.input }] : []));

/** A body as SDKs of tomorrow may send it. */
const marked = {
  zeta: { nested: [1, { deep: null }] },
  model: 'scripted',
  max_tokens: 2048,
  system: [{ type: 'text', text: 'Long.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  thinking: { type: 'enabled', budget_tokens: 1024 },
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'hello', cache_control: { type: 'ephemeral' }, 'x-of': 1 }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'EqQB+/==' },
        { type: 'redacted_thinking', data: 'EmwK' },
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [] },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
      ],
    },
  ],
  tools: [{ type: 'web_search_20990101', name: 'web_search', max_uses: 2 }],
  mcp_servers: [{ type: 'url', url: 'https://example.com/mcp', name: 'm' }],
  metadata: { user_id: 'u-1' },
  alpha: 'x',
};
const plainAnswer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'fine' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
};
const event = (body: { type: string; [key: string]: unknown }) =>
  `event: ${body.type}\ndata: ${JSON.stringify(body)}\n\n`;
const chunk = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;

describe('the Anthropic SDK', () => {
  const mock = new LLMock({ port: 0, chunkSize: 3 });
  let scripted: ScriptedUpstream;
  let gateway: TestGateway;
  let client: Anthropic;
  /** How the scripted vendor counts; undefined: it does not. */
  let counted: { status: number; body: object } | undefined;

  before(async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 7, input_tokens: 11, output_tokens: 7 };
    mock.onMessage('hello', { content: says, usage });
    mock.onMessage('think', { content: says, reasoning: 'Let me see, step by step.', usage });
    mock.onMessage('both', {
      toolCalls: [
        { id: 'call_1', name: 'weather', arguments: '{"city":"Köln"}' },
        { id: 'call_2', name: 'population', arguments: '{"city":"Bonn"}' },
      ],
    });
    mock.onMessage('busy', { error: { message: 'slow down', type: 'rate_limit_error' }, status: 429 });
    await mock.start();
    scripted = await startScripted(({ response, json, path }) => {
      if (path.endsWith('/count_tokens')) {
        answerJson(response, counted?.status ?? 404, counted?.body ?? {});
        return;
      }
      if (path.endsWith('/chat/completions') && json['stream'] === true) {
        startEvents(response);
        response.write(chunk({ role: 'assistant', content: 'half ' }));
        if (json['user'] === 'cut') response.end();
        return;
      }
      if (json['stream'] === true) {
        startEvents(response);
        response.write(event({ type: 'message_start', message: { ...plainAnswer, content: [] } }));
        response.write(event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }));
        const delta = { type: 'text_delta', text: 'half ' };
        response.write(event({ type: 'content_block_delta', index: 0, delta }));
        return;
      }
      answerJson(response, 200, plainAnswer);
    });
    const vendor = (kind: string, baseUrl: string) => ({
      kind,
      options: { baseUrl },
      models: { 'claude-sonnet-4-5': { contextWindow: 200_000, maxOutputTokens: 1_000 } },
    });
    const at = (provider: string, more: object = {}) => ({
      targets: { kind: 'target' as const, provider, model: 'claude-sonnet-4-5', retries: 0 },
      ...more,
    });
    gateway = await startGateway(
      snapshotOf({
        providers: {
          claude: vendor('anthropic', mock.url),
          open: vendor('openai', `${mock.url}/v1`),
          scripted: vendor('anthropic', scripted.url),
          halfway: vendor('openai', `${scripted.url}/v1`),
          box: { kind: 'sandbox', options: {}, models: { echo: { contextWindow: 8_192 } } },
        },
        models: {
          native: at('claude', { quotas: ['plenty'] }),
          translated: at('open', { quotas: ['plenty'] }),
          scripted: at('scripted', { quotas: ['counted'], policies: ['clean'] }),
          prompted: at('scripted', { prompt: { name: 'tone', variables: {} }, context: 'short' }),
          halfway: at('halfway'),
          sandboxed: { targets: { kind: 'target', provider: 'box', model: 'echo' } },
          scarce: { targets: { kind: 'target', provider: 'box', model: 'echo' }, quotas: ['none'] },
        },
        prompts: { tone: { system: 'Be kind.' } },
        policies: { clean: { kind: 'blockTerms', options: { terms: ['forbidden'] } } },
        contextPolicies: { short: { kind: 'quantisedCut', options: { target: 256, reserveOutput: 0 } } },
        quotas: {
          plenty: { unit: 'requests', limit: 1_000, window: '1h' },
          counted: { unit: 'requests', limit: 1_000, window: '1h' },
          none: { unit: 'requests', limit: 1, window: '1h' },
        },
      }),
    );
    client = new Anthropic({ baseURL: gateway.dataUrl, apiKey: testKey, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await Promise.all([mock.stop(), scripted.close()]);
  });

  const vendors = [
    { name: 'a vendor of its own dialect', model: 'native', target: 'claude/claude-sonnet-4-5' },
    { name: 'a vendor of another dialect', model: 'translated', target: 'open/claude-sonnet-4-5' },
  ];
  for (const { name, model, target } of vendors) {
    describe(`in front of ${name}`, () => {
      const ask = (content: Anthropic.MessageParam['content']) => ({
        model,
        max_tokens: 500,
        messages: [{ role: 'user' as const, content }],
      });

      test('gets a message with usage and the headers of the contract', async () => {
        const { data, response, request_id: id } = await client.messages.create(ask('hello')).withResponse();
        assert.deepEqual([data.type, data.role, data.stop_reason], ['message', 'assistant', 'end_turn']);
        assert.equal(textOf(data), says);
        assert.deepEqual([data.usage.input_tokens, data.usage.output_tokens], [11, 7]);
        assert.equal(response.headers.get('headgate-target'), target);
        assert.equal(response.headers.get('headgate-dropped'), null);
        assert.equal(response.headers.get('ratelimit-policy'), '"plenty";q=1000;w=3600');
        assert.ok(id !== null && id === response.headers.get('x-request-id'));
      });

      test('streams text in pieces, and puts the message together with its usage', async () => {
        const stream = client.messages.stream(ask('hello'));
        const pieces: string[] = [];
        stream.on('text', (text) => pieces.push(text));
        const message = await stream.finalMessage();
        assert.equal(pieces.join(''), says);
        assert.ok(pieces.length > 3, `only ${pieces.length} pieces`);
        assert.equal(textOf(message), says);
        assert.equal(message.stop_reason, 'end_turn');
        assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [11, 7]);
      });

      test('gets parallel tool calls whole and streamed, and sends their results', async () => {
        const params = { ...ask('both, please'), tools };
        const expected = [
          { name: 'weather', input: inputOf('Köln') },
          { name: 'population', input: inputOf('Bonn') },
        ];
        const whole = await client.messages.create(params);
        assert.deepEqual(usesOf(whole), expected);
        assert.equal(whole.stop_reason, 'tool_use');
        const stream = client.messages.stream(params);
        let pieces = 0;
        const blocks: string[] = [];
        stream.on('inputJson', () => (pieces += 1));
        stream.on('contentBlock', (block) => blocks.push(block.type === 'tool_use' ? block.name : block.type));
        const streamed = await stream.finalMessage();
        assert.deepEqual(usesOf(streamed), expected);
        assert.deepEqual(blocks, ['weather', 'population']);
        assert.ok(pieces > 4, `only ${pieces} pieces of arguments`);

        const results = streamed.content.flatMap((block) =>
          block.type === 'tool_use'
            ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: `of ${block.name}` }]
            : [],
        );
        const next = await client.messages.create({
          ...params,
          messages: [
            { role: 'user', content: 'both, please' },
            { role: 'assistant', content: streamed.content },
            { role: 'user', content: [...results, { type: 'text', text: 'hello' }] },
          ],
        });
        assert.equal(textOf(next), says);
        const sent = JSON.stringify(mock.getLastRequest()?.body);
        assert.match(sent, /of weather.*of population/);
      });

      test('shows thinking, whole and streamed', async () => {
        const params = {
          ...ask('think'),
          max_tokens: 4_096,
          thinking: { type: 'enabled', budget_tokens: 1_024 } as const,
        };
        const thoughts = ({ content }: Anthropic.Message) =>
          content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join('');
        const whole = await client.messages.create(params);
        assert.equal(thoughts(whole), 'Let me see, step by step.');
        assert.equal(textOf(whole), says);
        const streamed = await client.messages.stream(params).finalMessage();
        assert.equal(thoughts(streamed), 'Let me see, step by step.');
        assert.deepEqual(
          streamed.content.map(({ type }) => type),
          ['thinking', 'text'],
        );
      });

      test('sends images', async () => {
        const data = 'iVBORw0KGgo=';
        const source = { type: 'base64', media_type: 'image/png', data } as const;
        const message = await client.messages.create(
          ask([
            { type: 'image', source },
            { type: 'text', text: 'hello' },
          ]),
        );
        assert.equal(textOf(message), says);
        // What the mock keeps of a request in Anthropic's words has no images; `marked` below has one.
        if (model === 'translated') assert.ok(JSON.stringify(mock.getLastRequest()?.body).includes(data));
      });

      test('sees the vendor’s limit as its own class', async () => {
        await assert.rejects(client.messages.create(ask('busy')), (error) => {
          assert.ok(error instanceof Anthropic.RateLimitError);
          assert.equal(error.errorCode, 'upstream_rate_limited');
          return true;
        });
      });
    });
  }

  test('is told in a header what a translation could not carry', async () => {
    const { response } = await client.messages
      .create({
        model: 'translated',
        max_tokens: 5,
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        messages: hello,
        metadata: { user_id: 'u-1' },
        inference_geo: 'eu',
      })
      .withResponse();
    assert.equal(response.headers.get('headgate-dropped'), 'inference_geo, system.cache_control');
    const sent = mock.getLastRequest()?.body as unknown as Record<string, unknown>;
    assert.deepEqual(sent['messages'], [{ role: 'system', content: 'Be brief.' }, ...hello]);
    assert.equal(sent['user'], 'u-1');
  });

  test('has a body reach a vendor of its dialect as it is, but for the model', async () => {
    const response = await gateway.post('/v1/messages', marked, {
      headers: { 'anthropic-beta': 'mcp-client-2099-01-01', 'anthropic-version': '2023-06-01' },
    });
    assert.equal(await response.text(), JSON.stringify(plainAnswer));
    const sent = scripted.received.at(-1);
    assert.equal(sent?.body, JSON.stringify({ ...marked, model: 'claude-sonnet-4-5' }));
    assert.equal(sent.path, '/v1/messages');
    assert.equal(sent.headers['anthropic-beta'], 'mcp-client-2099-01-01');
  });

  test('has a context policy cut whole turns, and instructions kept', async () => {
    const long = 'word '.repeat(80);
    const turns = [
      { role: 'user', content: long },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: long }] },
      { role: 'assistant', content: 'So.' },
      ...hello,
    ];
    const response = await gateway.post('/v1/messages', {
      model: 'prompted',
      max_tokens: 5,
      system: 'Mine.',
      messages: turns,
    });
    assert.match(response.headers.get('headgate-context') ?? '', /in=5, kept=1, cut=4/);
    const { system, messages } = scripted.received.at(-1)?.json ?? {};
    assert.deepEqual(messages, hello);
    assert.deepEqual(system, [
      { type: 'text', text: 'Be kind.' },
      { type: 'text', text: 'Mine.' },
    ]);
  });

  test('has its instructions count against the window, and policies look at them', async () => {
    const asked = (system: string, model: string) =>
      client.messages.create({ model, max_tokens: 5, system, messages: hello });
    await assert.rejects(asked('word '.repeat(400), 'prompted'), (error) => {
      assert.ok(error instanceof Anthropic.BadRequestError);
      assert.equal(error.errorCode, 'context_length_exceeded');
      return true;
    });
    await assert.rejects(asked('Say the forbidden thing.', 'scripted'), Anthropic.UnprocessableEntityError);
  });

  test('sees failures of the gateway as its own classes, with a stable code and the request’s id', async () => {
    const params = { model: 'sandboxed', max_tokens: 5, messages: hello };
    const stranger = new Anthropic({ baseURL: gateway.dataUrl, apiKey: 'wrong', maxRetries: 0 });
    const refusals = [
      [
        () => stranger.messages.create(params),
        Anthropic.AuthenticationError,
        'authentication_error',
        'invalid_api_key',
      ],
      [
        () => client.messages.create({ ...params, model: 'nobody' }),
        Anthropic.NotFoundError,
        'not_found_error',
        'model_not_found',
      ],
      [
        () => client.messages.create({ ...params, messages: [] }),
        Anthropic.BadRequestError,
        'invalid_request_error',
        'invalid_request',
      ],
      [() => client.models.retrieve('nobody'), Anthropic.NotFoundError, 'not_found_error', 'model_not_found'],
    ] as const;
    for (const [ask, Class, type, code] of refusals) {
      await assert.rejects(ask(), (error) => {
        assert.ok(error instanceof Class && error instanceof Anthropic.APIError, String(error));
        assert.deepEqual([error.type, error.errorCode], [type, code]);
        assert.match(error.requestID ?? '', /^req_/);
        return true;
      });
    }
    await client.messages.create({ ...params, model: 'scarce' });
    await assert.rejects(client.messages.create({ ...params, model: 'scarce' }), (error) => {
      assert.ok(error instanceof Anthropic.RateLimitError);
      assert.equal(error.errorCode, 'quota_exceeded');
      assert.ok(Number(error.headers.get('retry-after')) > 0);
      return true;
    });
  });

  test('is told in its own words where nothing is served, or not in this way', async () => {
    const headers = { 'anthropic-version': '2023-06-01' };
    for (const [path, status, type] of [
      ['/v1/nothing', 404, 'not_found_error'],
      ['/v1/messages', 405, 'invalid_request_error'],
    ] as const) {
      const response = await gateway.ask(path, { headers });
      const told = (await response.json()) as { type: string; error: { type: string } };
      assert.deepEqual([response.status, told.type, told.error.type], [status, 'error', type]);
    }
  });

  test('learns of a stream that broke as an error, never as a complete message', async () => {
    const stream = client.messages.stream({
      model: 'halfway',
      max_tokens: 5,
      messages: hello,
      metadata: { user_id: 'cut' },
    });
    await assert.rejects(stream.finalMessage(), (error) => {
      assert.ok(error instanceof Anthropic.APIError);
      assert.equal(error.errorCode, 'upstream_broken_answer');
      return true;
    });
  });

  for (const model of ['scripted', 'halfway']) {
    test(`that leaves a stream of ${model} takes the vendor's connection along`, async () => {
      const before = scripted.received.length;
      const stream = client.messages.stream({ model, max_tokens: 5, messages: hello });
      const aborted = assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
      const { abandoned } = await scripted.request(before + 1);
      await new Promise<void>((resolve) => {
        stream.once('text', () => resolve());
      });
      const left = performance.now();
      stream.abort();
      await aborted;
      assert.ok((await abandoned) - left < 500);
    });
  }

  test('lists and retrieves models, and others get the list in their own words', async () => {
    const models = await collect(client.models.list());
    assert.deepEqual(
      models.map(({ id, type }) => [id, type]),
      ['halfway', 'native', 'prompted', 'sandboxed', 'scarce', 'scripted', 'translated'].map((id) => [id, 'model']),
    );
    assert.equal((await client.models.retrieve('native')).display_name, 'native');
    const other = (await (await gateway.ask('/v1/models')).json()) as { object: string };
    assert.equal(other.object, 'list');
  });

  describe('that asks for the number of tokens', () => {
    const count = (model: string, more: object = {}) =>
      client.messages.countTokens({ model, messages: hello, ...more }).withResponse();
    const left = (response: Response) => Number(/r=(\d+)/.exec(response.headers.get('ratelimit') ?? '')?.[1]);

    test('gets the vendor’s own count, of the body as it is and of the model’s prompt', async () => {
      counted = { status: 200, body: { input_tokens: 2_095 } };
      const more = { system: 'Mine.', tools, unknown: [1] };
      const { data, response } = await count('prompted', more);
      assert.deepEqual(data, { input_tokens: 2_095 });
      assert.equal(response.headers.get('headgate-target'), 'scripted/claude-sonnet-4-5');
      assert.equal(response.headers.get('headgate-estimate'), null);
      const sent = scripted.received.at(-1);
      assert.equal(sent?.path, '/v1/messages/count_tokens');
      assert.deepEqual(sent.json, {
        model: 'claude-sonnet-4-5',
        messages: hello,
        ...more,
        system: [
          { type: 'text', text: 'Be kind.' },
          { type: 'text', text: 'Mine.' },
        ],
      });
    });

    for (const [why, answer] of [
      ['fails', { status: 529, body: { type: 'error', error: { type: 'overloaded_error', message: 'x' } } }],
      ['does not count', undefined],
      ['answers something else', { status: 200, body: { tokens: 5 } }],
    ] as const) {
      test(`gets an estimate that says so where the vendor ${why}`, async () => {
        counted = answer;
        const { data, response } = await count('scripted');
        assert.ok(data.input_tokens > 0 && data.input_tokens < 20, String(data.input_tokens));
        assert.equal(response.headers.get('headgate-estimate'), 'true');
        assert.equal(response.headers.get('headgate-target'), null);
      });
    }

    test('gets an estimate of everything it sent where the vendor speaks another dialect', async () => {
      const of = async (more: object) => (await count('translated', more)).data.input_tokens;
      const bare = await of({});
      assert.ok((await of({ system: 'word '.repeat(50) })) >= bare + 50);
      assert.ok((await of({ tools })) > bare + 20);
    });

    test('draws one request from the quotas, and is refused as a call would be', async () => {
      const [first, second] = [await count('scripted'), await count('scripted')];
      assert.equal(left(first.response) - left(second.response), 1);
      await assert.rejects(count('nobody'), Anthropic.NotFoundError);
      await assert.rejects(count('scripted', { messages: [] }), Anthropic.BadRequestError);
      const asked = scripted.received.length;
      const forbidden = [{ role: 'user', content: 'the forbidden thing' }];
      await assert.rejects(count('scripted', { messages: forbidden }), Anthropic.UnprocessableEntityError);
      assert.equal(scripted.received.length, asked);
    });
  });
});
