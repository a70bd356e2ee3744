/** The official Google Gen AI SDK, unmodified, against the gateway: in front of a Gemini-like and of an OpenAI-like vendor; and the OpenAI SDK in front of the first. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, ThinkingLevel, Type } from '@google/genai';
import OpenAI from 'openai';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  collect,
  sse,
  startEvents,
  startScripted,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';

const says = 'Hi there, all well – grüß dich 👋.';
const weather = {
  name: 'weather',
  description: 'The weather in a city.',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const answered = (text: string, more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...more }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  modelVersion: 'm',
  responseId: 'r',
});
/** Odd on purpose: spacing, escapes and members that a parse and a print would change. */
const oddAnswer = `{ "candidates":[{"content":{"parts":[{"text":"gr\\u00fc\\u00df","thoughtSignature":"c2ln"}],"role":"model"},"finishReason":"STOP","index":0.0}],\n  "x_vendor":null}\n`;
const oddStream = [
  `data: ${JSON.stringify(answered('one'))}\r\n\r\n`,
  'data: {"candidates": [{"content": {"parts": [{"text": "\\u00fc"}]},"finishReason": "STOP"}]}\r\n\r\n',
  'data: {"candidates": [{"groundingMetadata": {}}],"usageMetadata": {"promptTokenCount": 3,"candidatesTokenCount": 4}}\r\n\r\n',
];

describe('the Google Gen AI SDK', () => {
  const mock = new LLMock({ port: 0, chunkSize: 3 });
  let vendor: ScriptedUpstream;
  let gateway: TestGateway;
  let client: GoogleGenAI;
  let openai: OpenAI;

  before(async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 7 };
    mock.onMessage('hello', { content: says, usage });
    mock.onMessage('ponder', { content: 'It is so.', reasoning: 'Let me see.', usage });
    mock.onMessage('weather', {
      toolCalls: [
        { id: 'call_1', name: 'weather', arguments: '{"city":"Köln"}' },
        { id: 'call_2', name: 'weather', arguments: '{"city":"Bonn"}' },
      ],
      usage,
    });
    mock.onMessage('as json', { content: '{"city":"Köln"}', usage });
    mock.onMessage('too often', { error: { message: 'secret words', type: 'RESOURCE_EXHAUSTED' }, status: 429 });
    await mock.start();
    vendor = await startScripted(({ path, body, response }) => {
      if (path.endsWith(':countTokens')) return answerJson(response, 200, { totalTokens: 31 });
      const blocked = body.includes('blocked') && { promptFeedback: { blockReason: 'SAFETY' } };
      if (!path.includes('stream')) return answerJson(response, 200, blocked || oddAnswer);
      startEvents(response);
      if (blocked) response.end(sse(blocked));
      else if (body.includes('cut')) response.end(sse(answered('half ')));
      else if (body.includes('wait')) response.write(sse(answered('half ')));
      else if (body.includes('fails'))
        response.end(sse(answered('half ')) + sse({ error: { code: 503, message: 'secret', status: 'UNAVAILABLE' } }));
      else response.end(oddStream.join(''));
    });
    const facts = { contextWindow: 100_000 };
    const target = (provider: string) => ({
      targets: { kind: 'target' as const, provider, model: 'gemini-3.8-flash' },
    });
    gateway = await startGateway(
      snapshotOf({
        providers: {
          google: { kind: 'google', options: { baseUrl: mock.url }, models: { 'gemini-3.8-flash': facts } },
          compatible: { kind: 'openai', options: { baseUrl: `${mock.url}/v1` }, models: { 'gemini-3.8-flash': facts } },
          scripted: { kind: 'google', options: { baseUrl: vendor.url }, models: { 'gemini-3.8-flash': facts } },
          box: { kind: 'sandbox', options: {}, models: { 'gemini-3.8-flash': facts } },
        },
        models: {
          native: target('google'),
          'team/translated': target('compatible'),
          scripted: target('scripted'),
          prompted: { ...target('scripted'), prompt: { name: 'tone', variables: {} } },
          guarded: { ...target('box'), policies: ['manners'] },
        },
        prompts: { tone: { system: 'Be kind.' } },
        policies: { manners: { kind: 'blockTerms', options: { terms: ['forbidden'] } } },
      }),
    );
    client = new GoogleGenAI({ apiKey: testKey, vertexai: false, httpOptions: { baseUrl: gateway.dataUrl } });
    openai = new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey: testKey, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await Promise.all([mock.stop(), vendor.close()]);
  });

  const lastSent = () =>
    (mock.getLastRequest()?.body ?? assert.fail('nothing arrived')) as unknown as Record<string, unknown>;

  for (const [name, model, path] of [
    ['a Gemini-like vendor', 'native', '/v1beta/models/gemini-3.8-flash:generateContent'],
    ['an OpenAI-like vendor', 'team/translated', '/v1/chat/completions'],
  ] as const) {
    describe(`in front of ${name}`, () => {
      test('gets an answer with usage and the headers of the contract', async () => {
        const answer = await client.models.generateContent({ model, contents: 'hello' });
        assert.equal(answer.text, says);
        assert.equal(answer.candidates?.[0]?.finishReason, 'STOP');
        assert.equal(answer.usageMetadata?.promptTokenCount, 11);
        assert.equal(answer.usageMetadata?.candidatesTokenCount, 7);
        assert.equal(answer.sdkHttpResponse?.headers?.['headgate-revision'], gateway.revision);
        assert.equal(mock.getLastRequest()?.path, path);
      });

      test('streams text in pieces, with reason and usage at the end', async () => {
        const chunks = await collect(await client.models.generateContentStream({ model, contents: 'hello' }));
        assert.equal(chunks.map(({ text }) => text ?? '').join(''), says);
        assert.ok(chunks.length > 3, `only ${chunks.length} chunks`);
        assert.equal(chunks.at(-1)?.candidates?.[0]?.finishReason, 'STOP');
        assert.equal(chunks.at(-1)?.usageMetadata?.totalTokenCount, 18);
      });

      test('gets parallel calls whole and streamed, and sends their results in any order', async () => {
        const asked = {
          model,
          contents: 'what does weather say?',
          config: { tools: [{ functionDeclarations: [weather] }] },
        };
        const whole = await client.models.generateContent(asked);
        const expected = [
          { id: 'call_1', name: 'weather', args: { city: 'Köln' } },
          { id: 'call_2', name: 'weather', args: { city: 'Bonn' } },
        ];
        assert.deepEqual(whole.functionCalls, expected);
        const streamed = await collect(await client.models.generateContentStream(asked));
        assert.deepEqual(
          streamed.flatMap((chunk) => chunk.functionCalls ?? []),
          expected,
        );

        const content = whole.candidates?.[0]?.content ?? assert.fail();
        const result = (id: string, output: string) => ({
          functionResponse: { id, name: 'weather', response: { output } },
        });
        const answer = await client.models.generateContent({
          ...asked,
          contents: [
            { role: 'user', parts: [{ text: 'what does weather say?' }] },
            content,
            { role: 'user', parts: [result('call_2', 'rain'), result('call_1', 'sun')] },
            { role: 'user', parts: [{ text: 'hello' }] },
          ],
        });
        assert.equal(answer.text, says);
      });

      test('keeps a conversation in a chat of its own', async () => {
        const chat = client.chats.create({ model, config: { systemInstruction: 'Be brief.' } });
        assert.equal((await chat.sendMessage({ message: 'hello' })).text, says);
        for await (const chunk of await chat.sendMessageStream({ message: 'hello again' })) assert.ok(chunk.candidates);
        await chat.sendMessage({ message: 'hello, once more' });
        const messages = lastSent()['messages'] as { role: string; content: string }[];
        assert.equal(messages[0]?.content, 'Be brief.');
        const spoken = messages.filter(({ role }) => role === 'assistant').map(({ content }) => content);
        assert.equal(spoken.join(''), says + says);
        // The SDK repeats a stream in its pieces.
        assert.equal(spoken.length > 2, model === 'native');
      });

      test('gets reasoning as thoughts', async () => {
        const config = { thinkingConfig: { includeThoughts: true, thinkingLevel: ThinkingLevel.LOW } };
        const answer = await client.models.generateContent({ model, contents: 'ponder', config });
        const parts = answer.candidates?.[0]?.content?.parts ?? [];
        assert.deepEqual(parts, [{ text: 'Let me see.', thought: true }, { text: 'It is so.' }]);
        assert.equal(answer.text, 'It is so.');
      });

      test('gets the vendor’s failure as its own error, without the vendor’s words', async () => {
        for (const ask of [
          () => client.models.generateContent({ model, contents: 'too often' }),
          () => client.models.generateContentStream({ model, contents: 'too often' }),
        ])
          await assert.rejects(ask, (error) => {
            assert.ok(error instanceof ApiError);
            assert.equal(error.status, 429);
            const { error: told } = JSON.parse(error.message) as { error: Record<string, unknown> };
            assert.equal(told['status'], 'RESOURCE_EXHAUSTED');
            assert.ok(!error.message.includes('secret'));
            return true;
          });
      });
    });
  }

  test('sends settings, an image, tools and a schema so that an OpenAI-like vendor understands them', async () => {
    const answer = await client.models.generateContent({
      model: 'team/translated',
      contents: [{ text: 'the city, as json' }, { inlineData: { mimeType: 'image/png', data: pixel } }],
      config: {
        systemInstruction: 'Be brief.',
        maxOutputTokens: 17,
        temperature: 0.3,
        stopSequences: ['END'],
        seed: 5,
        topK: 3,
        responseMimeType: 'application/json',
        responseSchema: { type: Type.OBJECT, properties: { city: { type: Type.STRING, nullable: true } } },
        tools: [{ functionDeclarations: [weather] }, { googleSearch: {} }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } },
      },
    });
    assert.deepEqual(JSON.parse(answer.text ?? ''), { city: 'Köln' });
    assert.equal(answer.sdkHttpResponse?.headers?.['headgate-dropped'], 'generationConfig.topK, tools.googleSearch');
    const { messages, ...sent } = lastSent() as { messages: { role: string; content: unknown }[] } & Record<
      string,
      unknown
    >;
    assert.deepEqual(messages, [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'the city, as json' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } },
        ],
      },
    ]);
    assert.equal(sent['max_completion_tokens'], 17);
    assert.equal(sent['temperature'], 0.3);
    assert.deepEqual(sent['stop'], ['END']);
    assert.equal(sent['seed'], 5);
    assert.equal(sent['tool_choice'], 'auto');
    assert.deepEqual(sent['response_format'], {
      type: 'json_schema',
      json_schema: { name: 'answer', schema: { type: 'object', properties: { city: { type: ['string', 'null'] } } } },
    });
    assert.deepEqual(sent['tools'], [
      {
        type: 'function',
        function: {
          name: 'weather',
          description: 'The weather in a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      },
    ]);
  });

  test('counts tokens as the vendor does, and by estimate where it does not', async () => {
    const counted = await client.models.countTokens({ model: 'scripted', contents: 'hello' });
    assert.equal(counted.totalTokens, 31);
    assert.deepEqual(vendor.received.at(-1)?.json, { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] });
    await client.models.countTokens({ model: 'prompted', contents: 'hello' });
    assert.equal(vendor.received.at(-1)?.path, '/v1beta/models/gemini-3.8-flash:countTokens');
    assert.deepEqual(vendor.received.at(-1)?.json, {
      generateContentRequest: {
        contents: [{ role: 'user', parts: [{ text: 'hello' }] }],
        model: 'models/gemini-3.8-flash',
        systemInstruction: { parts: [{ text: 'Be kind.' }] },
      },
    });
    const system = { parts: [{ text: 'Be brief.' }] };
    const whole = { model: 'models/scripted', contents: [{ parts: [{ text: 'hello' }] }], system_instruction: system };
    await gateway.post('/v1beta/models/scripted:countTokens', { generateContentRequest: whole });
    assert.deepEqual(vendor.received.at(-1)?.json, {
      generateContentRequest: { ...whole, model: 'models/gemini-3.8-flash' },
    });
    const estimated = await gateway.post('/v1/models/guarded:countTokens', { generateContentRequest: whole });
    assert.equal(estimated.headers.get('headgate-estimate'), 'true');
    const { totalTokens } = (await estimated.json()) as { totalTokens: number };
    assert.ok(totalTokens > 2 && totalTokens < 30, String(totalTokens));
  });

  test('lists and retrieves models in Google’s words', async () => {
    const names = (await collect(await client.models.list())).map(({ name }) => name);
    assert.deepEqual(names, [
      'models/guarded',
      'models/native',
      'models/prompted',
      'models/scripted',
      'models/team/translated',
    ]);
    assert.equal((await client.models.get({ model: 'native' })).displayName, 'native');
    // One path, and each SDK finds its own words there.
    assert.deepEqual(
      (await collect(openai.models.list())).map(({ id }) => `models/${id}`),
      names,
    );
    const beta = (await (await gateway.ask('/v1beta/models/native')).json()) as object;
    assert.equal('name' in beta && beta.name, 'models/native');
    await assert.rejects(
      client.models.get({ model: 'nobody' }),
      (error) => error instanceof ApiError && error.status === 404,
    );
  });

  test('gets the gateway’s own refusals as its own error', async () => {
    const refusal = async (ask: Promise<unknown>) =>
      ask.then(
        () => assert.fail('it was answered'),
        (error: unknown) => {
          assert.ok(error instanceof ApiError);
          const told = JSON.parse(error.message) as { error: { status: string; details: { reason?: string }[] } };
          return [error.status, told.error.status, told.error.details[0]?.reason];
        },
      );
    const ask = (model: string, contents: string, config = {}) =>
      client.models.generateContent({ model, contents, config });
    assert.deepEqual(await refusal(ask('nobody', 'hello')), [404, 'NOT_FOUND', 'MODEL_NOT_FOUND']);
    assert.deepEqual(await refusal(ask('guarded', 'x', { systemInstruction: 'Say forbidden things.' })), [
      422,
      'INVALID_ARGUMENT',
      'BLOCKED_BY_POLICY',
    ]);
    const stranger = new GoogleGenAI({ apiKey: 'wrong', vertexai: false, httpOptions: { baseUrl: gateway.dataUrl } });
    assert.deepEqual(await refusal(stranger.models.generateContent({ model: 'native', contents: 'hello' })), [
      401,
      'UNAUTHENTICATED',
      'INVALID_API_KEY',
    ]);
    for (const asked of [
      ask('scripted', 'blocked'),
      client.models.generateContentStream({ model: 'scripted', contents: 'blocked' }),
    ])
      assert.deepEqual(await refusal(asked), [422, 'INVALID_ARGUMENT', 'UPSTREAM_CONTENT_REFUSED']);
  });

  test('gets a failure in the middle of a stream as its own error', async () => {
    for (const contents of ['cut', 'fails']) {
      const texts: (string | undefined)[] = [];
      await assert.rejects(
        async () => {
          for await (const { text } of await client.models.generateContentStream({ model: 'scripted', contents }))
            texts.push(text);
        },
        (error) => error instanceof ApiError && error.status === 502 && !error.message.includes('secret'),
        contents,
      );
      assert.deepEqual(texts, ['half ']);
    }
  });

  test('abandons the vendor when the client does', async () => {
    const leaving = new AbortController();
    const stream = await client.models.generateContentStream({
      model: 'scripted',
      contents: 'wait',
      config: { abortSignal: leaving.signal },
    });
    const { abandoned } = await vendor.request(vendor.received.length);
    const first = await stream.next();
    assert.equal(first.done, false);
    const left = performance.now();
    leaving.abort();
    await assert.rejects(async () => stream.next(), /abort/i);
    assert.ok((await abandoned) - left < 500);
  });

  describe('in its own dialect', () => {
    const ask = (path: string, body: object) => gateway.post(`/v1beta/models/${path}`, body);
    const contents = [{ role: 'user', parts: [{ text: 'hi', thoughtSignature: 'c2ln' }], 'x-marks': 1 }];
    const last = () => vendor.received.at(-1) ?? assert.fail('nothing arrived');

    test('request, answer and stream pass byte for byte', async () => {
      const body = { zeta: 1, contents, generation_config: { top_k: 1 }, safetySettings: [] };
      // The version of the SDK's own, and the one of the documentation.
      const whole = await gateway.post('/v1/models/scripted:generateContent', body);
      assert.equal(await whole.text(), oddAnswer);
      assert.equal(last().body, JSON.stringify(body));
      assert.equal(last().path, '/v1beta/models/gemini-3.8-flash:generateContent');
      const streamed = await ask('scripted:streamGenerateContent?alt=sse', body);
      assert.match(streamed.headers.get('content-type') ?? '', /^text\/event-stream/);
      assert.equal(await streamed.text(), oddStream.join(''));
      assert.equal(last().body, JSON.stringify(body));
      assert.equal(last().path, '/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse');
    });

    test('a prompt joins the client’s instructions', async () => {
      await ask('prompted:generateContent', { contents, system_instruction: { parts: { text: 'Be brief.' } } });
      assert.deepEqual(last().json, {
        contents,
        system_instruction: { parts: [{ text: 'Be kind.' }, { text: 'Be brief.' }] },
      });
    });

    test('a stream that is not asked for as events, and a key in the URL, are refused with the cure', async () => {
      const told = async (response: Response) => {
        const { error } = (await response.json()) as { error: { code: number; message: string } };
        assert.equal(error.code, response.status);
        return [response.status, error.message];
      };
      for (const query of ['', '?alt=json', '?x=alt=sse'])
        assert.deepEqual(await told(await ask(`scripted:streamGenerateContent${query}`, { contents })), [
          400,
          'Only alt=sse is served here: add ?alt=sse to the path.',
        ]);
      const url = `${gateway.dataUrl}/v1beta/models/scripted:generateContent?key=${testKey}`;
      const headers = { 'content-type': 'application/json' };
      const [status, message] = await told(
        await fetch(url, { method: 'POST', headers, body: JSON.stringify({ contents }) }),
      );
      assert.equal(status, 401);
      assert.match(String(message), /x-goog-api-key.* A key in the URL is not read/);
    });
  });

  describe('the OpenAI SDK in front of a Gemini-like vendor', () => {
    const hello = [{ role: 'user' as const, content: 'hello' }];

    test('gets an answer whole and streamed, with usage', async () => {
      const whole = await openai.chat.completions.create({ model: 'native', messages: hello });
      assert.equal(whole.choices[0]?.message.content, says);
      assert.equal(whole.usage?.total_tokens, 18);
      assert.equal(mock.getLastRequest()?.path, '/v1beta/models/gemini-3.8-flash:generateContent');
      const chunks = await collect(
        await openai.chat.completions.create({
          model: 'native',
          messages: hello,
          stream: true,
          stream_options: { include_usage: true },
        }),
      );
      assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), says);
      assert.equal(chunks.at(-1)?.usage?.total_tokens, 18);
      assert.equal(mock.getLastRequest()?.path, '/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse');
    });

    test('gets parallel calls, and sends everything it may send', async () => {
      const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters } }];
      const asked = {
        model: 'native',
        messages: [{ role: 'user' as const, content: 'what does weather say?' }],
        tools,
      };
      const whole = await openai.chat.completions.create(asked);
      const message = whole.choices[0]?.message ?? assert.fail();
      const cities = (calls: OpenAI.ChatCompletionMessageToolCall[] | undefined) =>
        calls?.map((call) => call.type === 'function' && (JSON.parse(call.function.arguments) as unknown));
      assert.deepEqual(cities(message.tool_calls), [{ city: 'Köln' }, { city: 'Bonn' }]);
      assert.equal(whole.choices[0]?.finish_reason, 'tool_calls');
      const streamed = await openai.chat.completions.stream(asked).finalChatCompletion();
      assert.deepEqual(cities(streamed.choices[0]?.message.tool_calls), [{ city: 'Köln' }, { city: 'Bonn' }]);

      const { response } = await openai.chat.completions
        .create({
          ...asked,
          model: 'scripted',
          messages: [
            { role: 'developer', content: 'Be brief.' },
            { role: 'user', content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } }] },
            message,
            ...(message.tool_calls ?? []).map(({ id }) => ({
              role: 'tool' as const,
              tool_call_id: id,
              content: 'sun',
            })),
          ],
          response_format: { type: 'json_schema', json_schema: { name: 'x', schema: parameters, strict: true } },
          max_tokens: 17,
          logit_bias: { '1': -1 },
        })
        .withResponse();
      assert.equal(response.headers.get('headgate-dropped'), 'logit_bias');
      const called = (id: string, city: string) => ({ functionCall: { id, name: 'weather', args: { city } } });
      const result = (id: string) => ({ functionResponse: { id, name: 'weather', response: { output: 'sun' } } });
      assert.deepEqual(vendor.received.at(-1)?.json, {
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        contents: [
          { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: pixel } }] },
          {
            role: 'model',
            parts: [
              { ...called('call_1', 'Köln'), thoughtSignature: 'skip_thought_signature_validator' },
              called('call_2', 'Bonn'),
            ],
          },
          { role: 'user', parts: [result('call_1'), result('call_2')] },
        ],
        tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: parameters }] }],
        generationConfig: { maxOutputTokens: 17, responseMimeType: 'application/json', responseJsonSchema: parameters },
      });
    });

    test('gets failures as its own errors', async () => {
      const ask = (model: string, content: string) =>
        openai.chat.completions.create({ model, messages: [{ role: 'user', content }] });
      await assert.rejects(ask('native', 'too often'), OpenAI.RateLimitError);
      await assert.rejects(ask('scripted', 'blocked'), OpenAI.UnprocessableEntityError);
    });
  });
});
