/** The OpenAI chat completions dialect against the documented shapes and the odd ones of compatible vendors. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type OpenAI from 'openai';
import type { Answer, AnswerEvent, Call, Failure, Json, JsonObject, Message, Part } from '../../runtime/call.ts';
import { CallError } from '../../runtime/dialects/dialect.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import { assembledArguments, readAll, readJson, readStream, sseMessages } from '../support/dialect-fixtures.ts';

interface ErrorCase extends Failure {
  readonly why: string;
  readonly status: number;
  readonly body?: JsonObject;
}

const hello = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const events = (path: string) => readAll(openaiChat.eventReader(), readStream(`openai-chat/${path}`));
const chunk = (fields: JsonObject) => ({ event: undefined, data: JSON.stringify({ id: 'c', model: 'm', ...fields }) });
const refused = (body: JsonObject): string | undefined => {
  try {
    openaiChat.readCall(body);
  } catch (error) {
    assert.ok(error instanceof CallError);
    return error.param;
  }
  assert.fail('the body was accepted');
};

describe('reading a request', () => {
  test('carries every field that has a neutral meaning and names the others', () => {
    const call = openaiChat.readCall(readJson('openai-chat/request.json'));
    assert.deepEqual(call.messages, [
      { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', url: 'https://example.com/cat.png', detail: 'low' },
        ],
        name: 'ann',
      },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'call_a', name: 'look', arguments: '{"at":"cat"}' }] },
      { role: 'tool', parts: [{ type: 'tool_result', callId: 'call_a', text: 'a cat' }] },
      { role: 'assistant', parts: [{ type: 'refusal', text: 'No.' }] },
      { role: 'user', parts: [{ type: 'text', text: 'Go on.' }] },
    ]);
    const { messages: _, tools, ...rest } = call;
    assert.equal(tools[0]?.strict, true);
    assert.deepEqual(rest, {
      model: 'team/fast',
      stream: true,
      toolChoice: { name: 'look' },
      parallelToolCalls: false,
      maxOutputTokens: 200,
      temperature: 0.5,
      topP: 0.9,
      stop: ['END'],
      seed: 7,
      answerFormat: {
        type: 'json_schema',
        name: 'thing',
        schema: { type: 'object', properties: { name: { type: 'string' } } },
        strict: true,
      },
      reasoningEffort: 'low',
      user: 'u-1',
      untranslated: ['logit_bias', 'metadata'],
    });
  });

  test('names the field that is wrong', () => {
    const message = (fields: JsonObject) => ({ model: 'm', messages: [{ role: 'user', content: 'a' }, fields] });
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ messages: [] }, 'model'],
      [{ model: '', messages: [] }, 'model'],
      [{ model: 'm' }, 'messages'],
      [{ model: 'm', messages: [] }, 'messages'],
      [message({ role: 'robot', content: '' }), 'messages[1].role'],
      [message({ role: 'user' }), 'messages[1].content'],
      [message({ role: 'user', content: [{ type: 'text' }] }), 'messages[1].content[0].text'],
      [message({ role: 'user', content: [{ type: 'image_url' }] }), 'messages[1].content[0].image_url.url'],
      [message({ role: 'tool', content: 'x' }), 'messages[1].tool_call_id'],
      [message({ role: 'assistant', tool_calls: {} }), 'messages[1].tool_calls'],
      [message({ role: 'assistant', tool_calls: [{ id: 'a' }] }), 'messages[1].tool_calls[0].function'],
      [
        message({ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: {} } }] }),
        'messages[1].tool_calls[0].function.arguments',
      ],
      [{ ...hello, stream: 'yes' }, 'stream'],
      [{ ...hello, n: 0 }, 'n'],
      [{ ...hello, max_tokens: 1.5 }, 'max_tokens'],
      [{ ...hello, temperature: '1' }, 'temperature'],
      [{ ...hello, stop: [1] }, 'stop'],
      [{ ...hello, tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
      [{ ...hello, tool_choice: { type: 'function' } }, 'tool_choice.function.name'],
      [{ ...hello, response_format: { type: 'json_schema' } }, 'response_format.json_schema.name'],
    ];
    for (const [body, param] of cases) assert.equal(refused(body), param, JSON.stringify(body));
  });

  test('takes null for a field that is not set, and keeps what only this dialect can say as opaque', () => {
    const call = openaiChat.readCall({
      ...hello,
      messages: [
        { role: 'user', content: [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }] },
        { role: 'assistant', content: 'x', reasoning_content: 'why', audio: { id: 'a' }, refusal: null },
      ],
      stop: null,
      temperature: null,
      n: 2,
      tool_choice: { type: 'allowed_tools' },
      tools: [{ type: 'custom', custom: { name: 'c' } }],
      'evil\r\nheader': 1,
    });
    assert.deepEqual(call.messages[0]?.parts, [{ type: 'opaque', label: 'input_audio' }]);
    assert.deepEqual(call.messages[1]?.parts, [
      { type: 'reasoning', text: 'why' },
      { type: 'text', text: 'x' },
    ]);
    assert.deepEqual([...call.untranslated].sort(), [
      'messages.audio',
      'n',
      'tool_choice',
      'tools.custom',
      'unnamed field',
    ]);
  });
});

describe('rewriting a native request', () => {
  const body = readJson('openai-chat/request.json');
  const edits = { model: 'gpt-4.1', prepend: [], keep: undefined, streamUsage: false };

  test('changes the model and nothing else, not even the order of fields', () => {
    const rewritten = openaiChat.rewrite(body, edits);
    assert.equal(JSON.stringify(rewritten), JSON.stringify(body).replace('team/fast', 'gpt-4.1'));
    assert.equal(rewritten.messages, body.messages);
  });

  test('puts prompts first and keeps the chosen messages as they were', () => {
    const prepend: readonly Message[] = [{ role: 'system', parts: [{ type: 'text', text: 'Rules.' }] }];
    const rewritten = openaiChat.rewrite(body, { ...edits, prepend, keep: [0, 5] });
    const messages = body.messages as readonly Json[];
    assert.deepEqual(rewritten.messages, [{ role: 'system', content: 'Rules.' }, messages[0], messages[5]]);
  });

  test('asks for usage only in a stream, beside the options that the client set', () => {
    const options = { include_obfuscation: false };
    const streamed = openaiChat.rewrite(
      { ...hello, stream: true, stream_options: options },
      { ...edits, streamUsage: true },
    );
    assert.deepEqual(streamed.stream_options, { include_obfuscation: false, include_usage: true });
    assert.equal('stream_options' in openaiChat.rewrite(hello, { ...edits, streamUsage: true }), false);
    assert.equal(openaiChat.wantsStreamUsage({ ...hello, stream_options: { include_usage: true } }), true);
    assert.equal(openaiChat.wantsStreamUsage(hello), false);
  });
});

describe('complete answers', () => {
  test('a vendor answer is read with its usage', () => {
    assert.deepEqual(openaiChat.readAnswer(readJson('openai-chat/unary.json')), {
      id: 'chatcmpl-B9MBs8',
      model: 'gpt-4.1-2025-04-14',
      parts: [{ type: 'text', text: 'Hello! How can I help?' }],
      finish: 'stop',
      usage: { inputTokens: 19, outputTokens: 10, cachedInputTokens: 4, reasoningTokens: 2 },
    });
  });

  test('parallel tool calls are read in order, and decide the finish', () => {
    const answer = openaiChat.readAnswer(readJson('openai-chat/parallel-tools.json'));
    assert.deepEqual(
      answer.parts.map((part) => part.type === 'tool_call' && part.id),
      ['call_a', 'call_b'],
    );
    assert.equal(answer.finish, 'tool_calls');
  });

  test('what is no completion is a TypeError', () => {
    for (const body of [{}, { choices: [] }, { error: { message: 'x' } }, { choices: [{ message: null }] }]) {
      assert.throws(() => openaiChat.readAnswer(body), TypeError);
    }
  });

  test('reasoning that a vendor counts in the total only is counted as output', () => {
    const usage = { prompt_tokens: 32, completion_tokens: 9, total_tokens: 135 };
    const choices = [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }];
    assert.equal(openaiChat.readAnswer({ choices, usage }).usage?.outputTokens, 103);
    assert.equal(openaiChat.readAnswer({ choices }).usage, undefined);
  });

  test('a written answer has the shape of the SDK', () => {
    const written = openaiChat.writeAnswer(
      {
        id: 'a',
        model: 'm',
        parts: [
          { type: 'text', text: 'x' },
          { type: 'tool_call', id: 'c', name: 'f', arguments: '{}' },
        ],
        finish: 'tool_calls',
        usage: { inputTokens: 1, outputTokens: 2, cachedInputTokens: 1, reasoningTokens: 0 },
      },
      7,
    );
    const expected = {
      id: 'a',
      object: 'chat.completion',
      created: 7,
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'x',
            refusal: null,
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 1,
        completion_tokens: 2,
        total_tokens: 3,
        prompt_tokens_details: { cached_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    } satisfies OpenAI.ChatCompletion;
    assert.deepEqual(written, expected);
  });
});

describe('reading a stream', () => {
  test('text, finish and usage come in order, and the usage chunk is one event', () => {
    assert.deepEqual(events('stream.txt'), [
      { type: 'start', id: 'chatcmpl-1', model: 'gpt-4.1' },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      { type: 'finish', finish: 'stop' },
      { type: 'usage', usage: { inputTokens: 9, outputTokens: 2, cachedInputTokens: 0, reasoningTokens: 0 } },
      { type: 'end' },
    ]);
    const usageOnly = openaiChat.eventReader().read(chunk({ usage: { prompt_tokens: 1, completion_tokens: 1 } }));
    assert.deepEqual(usageOnly, [{ type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } }]);
  });

  test('parallel tool calls keep their own arguments', () => {
    const read = events('stream-parallel-tools.txt');
    assert.deepEqual(assembledArguments(read), ['{"city":"Oslo"}', '{"city":"Rome"}']);
    assert.deepEqual(read.at(-2), { type: 'finish', finish: 'tool_calls' });
  });

  test('calls without index, doubled reasoning and a repeated finish are put right', () => {
    assert.deepEqual(events('stream-odd-vendor.txt'), [
      { type: 'start', id: 'odd', model: 'm' },
      { type: 'reasoning', text: 'Hm.' },
      { type: 'tool_call', index: 0, id: 'call_1', name: 'read' },
      { type: 'tool_arguments', index: 0, text: '{"p":1}' },
      { type: 'tool_call', index: 1, id: 'call_2', name: 'read' },
      { type: 'tool_arguments', index: 1, text: '{"p":2}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'usage', usage: { inputTokens: 32, outputTokens: 103, reasoningTokens: 94 } },
      { type: 'end' },
    ]);
  });

  test('two calls under the same index are told apart by their ids', () => {
    const call = (id: string, name: string) => ({ index: 0, id, function: { name, arguments: '{}' } });
    const reader = openaiChat.eventReader();
    const read = ['a', 'b'].flatMap((id) =>
      reader.read(chunk({ choices: [{ delta: { tool_calls: [call(id, 'f')] } }] })),
    );
    assert.deepEqual(assembledArguments(read), ['{}', '{}']);
  });

  test('an error inside the stream and malformed JSON are failures, and nothing follows them', () => {
    const first = (data: string, event?: string) => {
      const reader = openaiChat.eventReader();
      const read = reader.read({ event, data });
      assert.deepEqual(reader.read({ event: undefined, data: '[DONE]' }), []);
      return read;
    };
    const failure = (kind: string, more = {}) => [{ type: 'failure', failure: { kind, ...more } }];
    assert.deepEqual(first('{"error":{"message":"x","type":"server_error"}}'), failure('overloaded'));
    assert.deepEqual(first('{"error":{"code":429,"message":"x"}}'), failure('rate_limited', { status: 429 }));
    assert.deepEqual(first('{"message":"who knows"}', 'error'), failure('broken_answer'));
    assert.deepEqual(first('{"choices":[{"index":0,"error":{"code":502}}]}'), failure('overloaded', { status: 502 }));
    assert.deepEqual(first('{"choices":[{"delta"'), failure('broken_answer'));
    assert.deepEqual(first('[1]'), failure('broken_answer'));
  });

  test('no string makes the reader throw', () => {
    const json = fc.json().map((text) => text);
    const choices = fc.jsonValue().map((value) => JSON.stringify({ choices: [value], usage: value }));
    const delta = fc
      .jsonValue()
      .map((value) => JSON.stringify({ choices: [{ delta: value }, { delta: { tool_calls: [value] } }] }));
    const calls = fc
      .jsonValue()
      .map((value) => JSON.stringify({ choices: [{ delta: { tool_calls: [{ function: value }, value] } }] }));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), json, choices, delta, calls), { maxLength: 5 }), (all) => {
        readAll(
          openaiChat.eventReader(),
          all.map((data) => ({ event: undefined, data })),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('writing a stream', () => {
  const streamed: readonly AnswerEvent[] = [
    { type: 'start', id: 'a', model: 'm' },
    { type: 'reasoning', text: 'r' },
    { type: 'text', text: 'x' },
    { type: 'tool_call', index: 0, id: 'c', name: 'f' },
    { type: 'tool_arguments', index: 0, text: '{"a":' },
    { type: 'tool_arguments', index: 0, text: '1}' },
    { type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } },
    { type: 'finish', finish: 'tool_calls' },
    { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } },
  ];
  const write = (includeUsage: boolean) => {
    const writer = openaiChat.eventWriter({ includeUsage, created: 7 });
    return sseMessages(streamed.map((event) => writer.write(event)).join('') + writer.end());
  };

  test('chunks have the shape of the SDK: role first, usage last and alone', () => {
    const messages = write(true);
    const chunks = messages.slice(0, -1).map((message) => JSON.parse(message.data) as OpenAI.ChatCompletionChunk);
    const first = {
      id: 'a',
      object: 'chat.completion.chunk',
      created: 7,
      model: 'm',
      choices: [
        { index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null },
      ],
      usage: null,
    } satisfies OpenAI.ChatCompletionChunk;
    const last = {
      id: 'a',
      object: 'chat.completion.chunk',
      created: 7,
      model: 'm',
      choices: [],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    } satisfies OpenAI.ChatCompletionChunk;
    assert.deepEqual(chunks[0], first);
    assert.deepEqual(chunks.at(-1), last);
    const begun = {
      index: 0,
      id: 'c',
      type: 'function',
      function: { name: 'f', arguments: '' },
    } satisfies OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall;
    assert.deepEqual(chunks[3]?.choices[0]?.delta.tool_calls, [begun]);
    assert.equal(messages.at(-1)?.data, '[DONE]');
  });

  test('usage stays away when the client did not ask for it', () => {
    assert.ok(write(false).every((message) => !message.data.includes('usage')));
  });

  test('what is written is read back', () => {
    const read = readAll(openaiChat.eventReader(), write(true));
    const expected = [...streamed.filter((event) => event.type !== 'usage'), streamed.at(-1), { type: 'end' }];
    assert.deepEqual(read, expected);
  });

  test('arguments split anywhere, over interleaved calls, come together again', () => {
    const pieces = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.string()), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, fc.boolean(), (all, separate) => {
        const expected = ['', '', '', ''];
        const deltas: JsonObject[] = expected.map((_, index) => ({
          index,
          id: `call_${index}`,
          type: 'function',
          function: { name: 'f', arguments: '' },
        }));
        for (const [index, text] of all) {
          expected[index] += text;
          deltas.push({ index, function: { arguments: text } });
        }
        const choices = (calls: readonly JsonObject[]) =>
          chunk({ choices: [{ index: 0, delta: { tool_calls: calls } }] });
        const messages = separate ? deltas.map((delta) => choices([delta])) : [choices(deltas)];
        assert.deepEqual(assembledArguments(readAll(openaiChat.eventReader(), messages)), expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('errors', () => {
  for (const { why, body, ...failure } of readJson<readonly ErrorCase[]>('openai-chat/errors.json')) {
    test(`a vendor's error is classified: ${why}`, () => {
      const request = {
        model: 'm',
        messages: [
          { role: 'user', content: 'a' },
          { role: 'user', content: 'b' },
        ],
      };
      assert.deepEqual(openaiChat.readFailure(failure.status, body, request), failure);
    });
  }

  test('ours have the envelope of the vendor, as a body and as the last event of a stream', () => {
    const error = {
      status: 429,
      code: 'quota_exceeded',
      type: 'rate_limit_error',
      message: 'Used up.',
      param: undefined,
    };
    const body = { error: { message: 'Used up.', type: 'rate_limit_error', param: null, code: 'quota_exceeded' } };
    assert.deepEqual(openaiChat.writeError(error), body);
    assert.equal(openaiChat.writeErrorEvent(error), `data: ${JSON.stringify(body)}\n\n`);
  });
});

describe('round trips', () => {
  const word = fc.string({ minLength: 1, maxLength: 12 });
  const text = fc.record({ type: fc.constant('text' as const), text: fc.string() });
  const image = fc.record({ type: fc.constant('image' as const), url: fc.constant('https://example.com/a.png') });
  const toolCall = fc.record({ type: fc.constant('tool_call' as const), id: word, name: word, arguments: fc.json() });
  const result = fc.record({ type: fc.constant('tool_result' as const), callId: word, text: fc.string() });
  const message: fc.Arbitrary<Message> = fc.oneof(
    fc.record({ role: fc.constant('system' as const), parts: fc.array(text, { minLength: 1, maxLength: 3 }) }),
    fc.record({
      role: fc.constant('user' as const),
      parts: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
      name: word,
    }),
    fc.record({ role: fc.constant('tool' as const), parts: fc.tuple(result) }),
    fc
      .tuple(fc.array(text, { maxLength: 2 }), fc.array(toolCall, { maxLength: 2 }))
      .map(([texts, calls]) => ({ role: 'assistant' as const, parts: [...texts, ...calls] })),
  );
  const call: fc.Arbitrary<Call> = fc.record(
    {
      model: word,
      messages: fc.array(message, { minLength: 1, maxLength: 5 }),
      stream: fc.boolean(),
      tools: fc.array(
        fc.record({ name: word, description: word, parameters: fc.constant({ type: 'object' }), strict: fc.boolean() }),
        { maxLength: 2 },
      ),
      untranslated: fc.constant([]),
      toolChoice: fc.constantFrom('auto' as const, 'none' as const, 'required' as const, { name: 'f' }),
      parallelToolCalls: fc.boolean(),
      maxOutputTokens: fc.integer({ min: 1, max: 100_000 }),
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      topP: fc.double({ min: 0, max: 1, noNaN: true }),
      stop: fc.array(word, { minLength: 1, maxLength: 3 }),
      seed: fc.integer(),
      answerFormat: fc.constantFrom(
        { type: 'json' as const },
        { type: 'text' as const },
        { type: 'json_schema' as const, name: 'n', schema: { type: 'object' }, strict: true },
      ),
      reasoningEffort: word,
      user: word,
    },
    { requiredKeys: ['model', 'messages', 'stream', 'tools', 'untranslated'] },
  );
  const plain = (value: object) => JSON.parse(JSON.stringify(value)) as JsonObject;

  test('a call that is written is read as the same call', () => {
    fc.assert(
      fc.property(call, (written) => {
        const { body, dropped } = openaiChat.writeCall(written, { model: written.model });
        assert.deepEqual(dropped, []);
        assert.deepEqual(plain(openaiChat.readCall(plain(body))), plain(written));
      }),
      { numRuns: 200 },
    );
  });

  test('an answer that is written is read as the same answer', () => {
    const parts = fc
      .tuple(fc.option(word), fc.option(word), fc.option(word), fc.array(toolCall, { maxLength: 3 }))
      .map(([reasoning, said, refusal, calls]): readonly Part[] => [
        ...(reasoning === null ? [] : [{ type: 'reasoning' as const, text: reasoning }]),
        ...(said === null ? [] : [{ type: 'text' as const, text: said }]),
        ...(refusal === null ? [] : [{ type: 'refusal' as const, text: refusal }]),
        ...calls,
      ]);
    const count = fc.nat({ max: 1_000_000 });
    const answer: fc.Arbitrary<Answer> = fc.record({
      id: word,
      model: word,
      parts,
      finish: fc.constantFrom('length' as const, 'content_filter' as const, 'tool_calls' as const),
      usage: fc.record({ inputTokens: count, outputTokens: count, cachedInputTokens: count, reasoningTokens: count }),
    });
    fc.assert(
      fc.property(answer, (written) => {
        assert.deepEqual(plain(openaiChat.readAnswer(plain(openaiChat.writeAnswer(written, 1)))), plain(written));
      }),
      { numRuns: 200 },
    );
  });

  test('what the dialect cannot carry is reported', () => {
    const parts: readonly Part[] = [
      { type: 'reasoning', text: 'r' },
      { type: 'opaque', label: 'document' },
      { type: 'tool_result', callId: 'c', text: 'boom', isError: true },
      { type: 'text', text: 'and now?' },
    ];
    const { body, dropped } = openaiChat.writeCall(
      { model: 'm', messages: [{ role: 'user', parts }], stream: true, tools: [], untranslated: ['top_k'] },
      { model: 'v' },
    );
    assert.deepEqual(dropped, ['top_k', 'tool_result.is_error', 'reasoning', 'document']);
    assert.deepEqual(body, {
      model: 'v',
      messages: [
        { role: 'tool', tool_call_id: 'c', content: 'boom' },
        { role: 'user', content: 'and now?' },
      ],
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});
