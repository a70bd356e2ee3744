/**
 * The client side of Anthropic's Messages API. Shapes after platform.claude.com/docs/en/api/messages, …/streaming and the
 * types of @anthropic-ai/sdk 1.12.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { gathered, type AnswerEvent, type Call, type Json, type JsonObject, type Part } from '../../runtime/call.ts';
import { anthropicCount, anthropicMessages } from '../../runtime/dialects/anthropic-messages.ts';
import { CallError } from '../../runtime/dialects/dialect.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import { assembledArguments, readAll, readJson, readStream, sseMessages } from '../support/dialect-fixtures.ts';

const hi = [{ role: 'user', content: 'hi' }];
const body = (more: JsonObject = {}): JsonObject => ({ model: 'chat', max_tokens: 9, messages: hi, ...more });
const read = (more: JsonObject = {}): Call => anthropicMessages.readCall(body(more));
/** What another API would get, and what of the request it would not. */
const toOpenai = (call: Call) => openaiChat.writeCall(gathered(call), { model: 'm' });
const tool = { name: 'f', input_schema: { type: 'object' } };

describe('reading a request', () => {
  const call = anthropicMessages.readCall(readJson('anthropic-messages/request.json'));

  test('messages stand one to one with those of the body, and the instructions apart from them', () => {
    assert.deepEqual(call.system, [
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Long instructions.' },
    ]);
    assert.deepEqual(call.messages, [
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'What is on this picture, and what does the paper say?' },
          { type: 'image', url: 'data:image/png;base64,QUJD' },
          { type: 'image', url: 'https://example.com/a.png' },
          { type: 'opaque', label: 'image' },
          { type: 'text', text: 'The paper.' },
          { type: 'opaque', label: 'document' },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Let me look.', signature: 'EqQB' },
          { type: 'opaque', label: 'redacted_thinking' },
          { type: 'text', text: 'I will look.' },
          { type: 'tool_call', id: 'toolu_01A', name: 'weather', arguments: '{"city":"Oslo"}' },
          { type: 'tool_call', id: 'toolu_01B', name: 'shoot', arguments: '{}' },
          { type: 'opaque', label: 'server_tool_use' },
        ],
      },
      {
        // Not the user's: a context policy must never part a call from its results.
        role: 'tool',
        parts: [
          { type: 'tool_result', callId: 'toolu_01A', text: '12 degrees', isError: true },
          { type: 'tool_result', callId: 'toolu_01B', text: 'one\ntwo' },
          { type: 'image', url: 'https://example.com/b.png' },
          { type: 'text', text: 'Well?' },
        ],
      },
      { role: 'system', parts: [{ type: 'text', text: 'From here on in French.' }] },
    ]);
  });

  test('everything else has its neutral place, and what has none is named', () => {
    const { messages: _, system: __, ...rest } = call;
    assert.deepEqual(rest, {
      model: 'chat',
      stream: true,
      tools: [
        {
          name: 'weather',
          description: 'Tells the weather.',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          strict: true,
        },
        { name: 'shoot', parameters: { type: 'object' } },
      ],
      toolChoice: 'auto',
      parallelToolCalls: false,
      maxOutputTokens: 2048,
      temperature: 0.3,
      topP: 0.9,
      stop: ['END'],
      reasoningEffort: 'medium',
      user: 'u-1',
      untranslated: [
        'top_k',
        'tools.cache_control',
        'tools.web_search_20250305',
        'document.title',
        'messages.content.cache_control',
        'system.cache_control',
        'thinking.budget_tokens',
      ],
    });
  });

  test('another API gets instructions first, results as messages of their own, and a report of the rest', () => {
    const { body: written, dropped } = toOpenai(call);
    const messages = written.messages as readonly JsonObject[];
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['system', 'user', 'assistant', 'tool', 'tool', 'user', 'system'],
    );
    assert.deepEqual(messages.slice(3, 6), [
      { role: 'tool', tool_call_id: 'toolu_01A', content: '12 degrees' },
      { role: 'tool', tool_call_id: 'toolu_01B', content: 'one\ntwo' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'https://example.com/b.png' } },
          { type: 'text', text: 'Well?' },
        ],
      },
    ]);
    assert.deepEqual(
      [...dropped].toSorted(),
      [
        ...call.untranslated,
        'document',
        'image',
        'reasoning',
        'redacted_thinking',
        'server_tool_use',
        'tool_result.is_error',
      ].toSorted(),
    );
  });

  const efforts: readonly (readonly [JsonObject, string | undefined, ...string[]])[] = [
    [{}, undefined],
    [{ thinking: null }, undefined],
    [{ output_config: { effort: 'max' } }, 'max'],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, 'low', 'thinking.budget_tokens'],
    [{ thinking: { type: 'enabled', budget_tokens: 8192 } }, 'medium', 'thinking.budget_tokens'],
    [{ thinking: { type: 'enabled', budget_tokens: 32000 } }, 'high', 'thinking.budget_tokens'],
    [
      { thinking: { type: 'enabled', budget_tokens: 1024 }, output_config: { effort: 'high' } },
      'high',
      'thinking.budget_tokens',
    ],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }, 'low'],
    [{ thinking: { type: 'adaptive', display: 'omitted' } }, undefined, 'thinking.display', 'thinking'],
    [{ thinking: { type: 'disabled' } }, undefined, 'thinking'],
  ];
  for (const [fields, effort, ...untranslated] of efforts) {
    test(`effort of ${JSON.stringify(fields)} is ${effort ?? 'not said'}`, () => {
      const { reasoningEffort, untranslated: rest } = read(fields);
      assert.deepEqual([reasoningEffort, rest], [effort, untranslated]);
    });
  }

  const choices: readonly (readonly [JsonObject, Partial<Call>, ...string[]])[] = [
    [{ tool_choice: { type: 'any' } }, { toolChoice: 'required' }],
    [{ tool_choice: { type: 'none' } }, { toolChoice: 'none' }],
    [{ tool_choice: { type: 'tool', name: 'f' } }, { toolChoice: { name: 'f' } }],
    [{ tool_choice: { type: 'tool', name: 'elsewhere' } }, {}, 'tool_choice'],
    [{ tool_choice: { type: 'any' }, tools: [] }, {}, 'tool_choice'],
    [{ tool_choice: { type: 'auto', disable_parallel_tool_use: true }, tools: [] }, {}],
    [
      { tool_choice: { type: 'any', disable_parallel_tool_use: true } },
      { toolChoice: 'required', parallelToolCalls: false },
    ],
  ];
  for (const [fields, expected, ...untranslated] of choices) {
    test(`a tool choice: ${JSON.stringify(fields)}`, () => {
      const { toolChoice, parallelToolCalls, untranslated: rest } = read({ tools: [tool], ...fields });
      assert.deepEqual([toolChoice, parallelToolCalls], [expected.toolChoice, expected.parallelToolCalls]);
      assert.deepEqual(rest, untranslated);
    });
  }

  test('a schema for the answer is strict elsewhere only where it has no optional property', () => {
    const schema = (required: readonly string[]) => ({
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'object', properties: { a: {}, b: {} }, required } } },
      required: ['list'],
    });
    const format = (required: readonly string[]) => ({
      output_config: { format: { type: 'json_schema', schema: schema(required) } },
    });
    const whole = read(format(['a', 'b']));
    assert.deepEqual(whole.answerFormat, {
      type: 'json_schema',
      name: 'answer',
      schema: schema(['a', 'b']),
      strict: true,
    });
    assert.deepEqual(whole.untranslated, []);
    const loose = read(format(['a']));
    assert.equal(loose.answerFormat?.type === 'json_schema' && loose.answerFormat.strict, false);
    assert.deepEqual(loose.untranslated, ['output_config.format.strict']);
  });

  const wrong: readonly (readonly [string, JsonObject])[] = [
    ['model', { model: '' }],
    ['max_tokens', { max_tokens: undefined }],
    ['max_tokens', { max_tokens: 'many' }],
    ['messages', { messages: [] }],
    ['messages[0]', { messages: ['hi'] }],
    ['messages[0].role', { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: 7 }] }],
    ['messages[0].content[0].type', { messages: [{ role: 'user', content: [{ text: 'x' }] }] }],
    ['messages[0].content[0].text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['messages[0].content[0].id', { messages: [{ role: 'assistant', content: [{ type: 'tool_use', name: 'f' }] }] }],
    ['messages[0].content[0].tool_use_id', { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] }],
    ['system', { system: {} }],
    ['tools[0].name', { tools: [{ input_schema: {} }] }],
    ['tools[0].input_schema', { tools: [{ name: 'f' }] }],
    ['tool_choice', { tool_choice: 'auto' }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled' } }],
    ['stop_sequences', { stop_sequences: 'END' }],
    ['stream', { stream: 'yes' }],
    ['metadata', { metadata: 'x' }],
  ];
  for (const [param, fields] of wrong) {
    test(`names the field that is wrong: ${param} of ${JSON.stringify(fields)}`, () => {
      assert.throws(
        () => read(fields),
        (error) => error instanceof CallError && error.param === param,
      );
    });
  }

  test('a body that is only counted needs no max_tokens', () => {
    assert.equal(anthropicCount.readCall({ model: 'chat', messages: hi }).maxOutputTokens, undefined);
  });

  test('whatever a body holds, it is read or refused with a field named', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const block = fc.record({ type: fc.constantFrom('text', 'image', 'document', 'tool_result', 'x'), source: value });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 3 }), value, value, (content, system, tools) => {
        try {
          read({
            messages: [{ role: 'user', content: content as Json }],
            system: system as Json,
            tools: tools as Json,
          });
        } catch (error) {
          assert.ok(error instanceof CallError && error.param !== undefined, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a request that stays in its dialect', () => {
  const sent = readJson('anthropic-messages/request.json');
  const edits = { model: 'claude', prepend: [], keep: undefined, streamUsage: true };

  test('keeps every field, its order and its value, but for the model', () => {
    assert.equal(JSON.stringify(anthropicMessages.rewrite(sent, edits)), JSON.stringify({ ...sent, model: 'claude' }));
  });

  test('takes the messages that stay by their index, each as it was', () => {
    const messages = sent.messages as readonly Json[];
    const kept = anthropicMessages.rewrite(sent, { ...edits, keep: [0, 3] });
    assert.deepEqual(kept.messages, [messages[0], messages[3]]);
    assert.deepEqual(kept.system, sent.system);
  });

  test('goes on without thinking that another vendor’s model showed, and keeps what this one signed', () => {
    const parts = [
      { type: 'reasoning', text: 'Elsewhere.' },
      { type: 'text', text: 'Yes.' },
    ] as const;
    const { content } = anthropicMessages.writeAnswer({ id: 'a', model: 'm', parts, finish: 'stop' }, 0);
    const [thinking, text] = content as readonly JsonObject[];
    const signed = { type: 'thinking', thinking: 'Here.', signature: 'EqQB' };
    const empty = { ...signed, signature: '' };
    const messages = [
      ...hi,
      { role: 'assistant', content: [thinking ?? null, text ?? null, signed, empty], 'x-of': 1 },
      { role: 'assistant', content: [thinking ?? null] },
    ];
    assert.deepEqual(anthropicMessages.rewrite(body({ messages }), edits).messages, [
      ...hi,
      { role: 'assistant', content: [text, signed, empty], 'x-of': 1 },
    ]);
    assert.deepEqual(read({ messages }).messages[1]?.parts.slice(0, 3), [
      ...parts,
      { type: 'reasoning', text: 'Here.', signature: 'EqQB' },
    ]);
  });

  test('has a prompt before its own instructions and messages', () => {
    const prepend = [
      { role: 'system', parts: [{ type: 'text', text: 'Be kind.' }] },
      { role: 'user', parts: [{ type: 'text', text: 'Context.' }] },
    ] as const;
    const block = { type: 'text', text: 'Be kind.' };
    const prompted = (more: JsonObject) => anthropicMessages.rewrite(body(more), { ...edits, prepend });
    assert.deepEqual(prompted({}).system, [block]);
    assert.deepEqual(prompted({ system: 'Mine.' }).system, [block, { type: 'text', text: 'Mine.' }]);
    assert.deepEqual(prompted({ system: '' }).system, [block]);
    const marked = { type: 'text', text: 'Mine.', cache_control: { type: 'ephemeral' } };
    assert.deepEqual(prompted({ system: [marked] }).system, [block, marked]);
    assert.deepEqual(prompted({}).messages, [{ role: 'user', content: [{ type: 'text', text: 'Context.' }] }, ...hi]);
  });
});

describe('writing an answer', () => {
  const usage = {
    inputTokens: 3210,
    outputTokens: 64,
    cachedInputTokens: 3000,
    cacheWriteTokens: 200,
    reasoningTokens: 12,
  };

  test('what was read from a message is written as that message', () => {
    const unary = readJson('anthropic-messages/unary.json');
    const written = anthropicMessages.writeAnswer(anthropicMessages.readAnswer(unary), 0);
    const blocks = (message: JsonObject) =>
      (message.content as readonly JsonObject[])
        .filter(({ type }) => type !== 'redacted_thinking')
        .map(({ type, text, thinking, signature, id, name, input }) => ({
          type,
          text,
          thinking,
          signature,
          id,
          name,
          input,
        }));
    assert.deepEqual(blocks(written), blocks(unary));
    for (const key of ['id', 'type', 'role', 'model', 'stop_reason', 'stop_sequence'])
      assert.deepEqual(written[key], unary[key], key);
  });

  test('usage leaves out of the input what the cache had, and stop reasons have this API’s words', () => {
    const answer = { id: 'a', model: 'm', parts: [], finish: 'stop', usage } as const;
    assert.deepEqual(anthropicMessages.writeAnswer(answer, 0).usage, {
      input_tokens: 10,
      cache_creation_input_tokens: 200,
      cache_read_input_tokens: 3000,
      output_tokens: 64,
      output_tokens_details: { thinking_tokens: 12 },
    });
    const reason = (finish: 'stop' | 'length' | 'tool_calls' | 'content_filter', parts: readonly Part[] = []) =>
      anthropicMessages.writeAnswer({ ...answer, parts, finish }, 0).stop_reason;
    assert.deepEqual(
      [reason('stop'), reason('length'), reason('tool_calls'), reason('content_filter')],
      ['end_turn', 'max_tokens', 'tool_use', 'refusal'],
    );
    assert.equal(reason('stop', [{ type: 'refusal', text: 'No.' }]), 'refusal');
  });

  test('arguments become an object, and ids fit the API’s pattern', () => {
    const parts = [
      { type: 'tool_call', id: 'functions.f:1', name: 'f', arguments: '' },
      { type: 'tool_call', id: 'b', name: 'f', arguments: '{"x":' },
    ] as const;
    assert.deepEqual(anthropicMessages.writeAnswer({ id: 'a', model: 'm', parts, finish: 'tool_calls' }, 0).content, [
      { type: 'tool_use', id: 'functions_f_1', name: 'f', input: {} },
      { type: 'tool_use', id: 'b', name: 'f', input: { INVALID_JSON: '{"x":' } },
    ]);
  });
});

describe('writing a stream', () => {
  const written = (events: readonly AnswerEvent[]): string => {
    const writer = anthropicMessages.eventWriter({ includeUsage: true, created: 0 });
    return events.map((event) => (event.type === 'end' ? '' : writer.write(event))).join('') + writer.end();
  };
  const bodies = (text: string): readonly JsonObject[] =>
    sseMessages(text).map(({ event, data }) => {
      const parsed = JSON.parse(data) as JsonObject;
      assert.equal(event, parsed.type);
      return parsed;
    });
  const start = { type: 'start', id: 'a', model: 'm' } as const;
  const call = (index: number) => ({ type: 'tool_call', index, id: `c${index}`, name: 'f' }) as const;
  const args = (index: number, text: string) => ({ type: 'tool_arguments', index, text }) as const;

  test('what was read from a stream is written as that stream', () => {
    const reader = () => anthropicMessages.eventReader();
    const events = readAll(reader(), readStream('anthropic-messages/stream.txt'));
    const again = readAll(reader(), sseMessages(written(events)));
    const meaning = (all: readonly AnswerEvent[]) => all.filter(({ type }) => type !== 'usage' && type !== 'end');
    assert.deepEqual(meaning(again), meaning(events));
    assert.deepEqual(
      again.findLast(({ type }) => type === 'usage'),
      events.findLast(({ type }) => type === 'usage'),
    );
    assert.equal(again.at(-1)?.type, 'end');
  });

  test('each block is begun, filled and closed before the next, and the end tells reason and usage', () => {
    const text = written([
      start,
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: '' },
      { type: 'text', text: 'Yes' },
      { type: 'refusal', text: ' no' },
      { type: 'finish', finish: 'stop' },
      { type: 'usage', usage: { inputTokens: 9, outputTokens: 4, cachedInputTokens: 2 } },
    ]);
    assert.deepEqual(
      bodies(text).map(({ type, index, delta }) => [type, index, (delta as JsonObject | undefined)?.type]),
      [
        ['message_start', undefined, undefined],
        ['content_block_start', 0, undefined],
        ['content_block_delta', 0, 'thinking_delta'],
        ['content_block_delta', 0, 'signature_delta'],
        ['content_block_stop', 0, undefined],
        ['content_block_start', 1, undefined],
        ['content_block_delta', 1, 'text_delta'],
        ['content_block_delta', 1, 'text_delta'],
        ['content_block_stop', 1, undefined],
        ['message_delta', undefined, undefined],
        ['message_stop', undefined, undefined],
      ],
    );
    const last = bodies(text).at(-2);
    assert.deepEqual(last?.delta, { stop_reason: 'refusal', stop_sequence: null, stop_details: null });
    assert.deepEqual(last?.usage, {
      input_tokens: 7,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 2,
      output_tokens: 4,
    });
  });

  test('arguments of calls that come in order are passed on at once', () => {
    const writer = anthropicMessages.eventWriter({ includeUsage: true, created: 0 });
    for (const event of [start, call(0), args(0, '{"a":')]) writer.write(event);
    assert.match(writer.write(args(0, '1}')), /input_json_delta/);
    assert.match(writer.write(call(1)), /content_block_stop[^]*content_block_start/);
    assert.match(writer.write(args(1, '{}')), /input_json_delta/);
  });

  test('arguments of parallel calls come together however they are mixed, in blocks that never overlap', () => {
    const json = fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }).map((each) => JSON.stringify(each));
    const mixed = fc
      .tuple(fc.array(json, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()))
      .map(([texts, picks]) => {
        const left = texts.map((text, index) => [
          call(index),
          ...(text.match(/[^]{1,3}/g) ?? []).map((piece) => args(index, piece)),
        ]);
        const events: AnswerEvent[] = [start];
        for (const pick of picks) {
          const open = left.filter((each) => each.length > 0);
          if (open.length === 0) break;
          const next = open[pick % open.length]?.shift();
          if (next) events.push(next);
        }
        return { texts, events };
      });
    fc.assert(
      fc.property(mixed, ({ texts, events }) => {
        const all = bodies(written(events));
        let open: Json | undefined;
        for (const { type, index } of all) {
          if (type === 'content_block_start') assert.equal(open, undefined);
          if (type === 'content_block_start') open = index;
          if (type === 'content_block_delta' || type === 'content_block_stop') assert.equal(index, open);
          if (type === 'content_block_stop') open = undefined;
        }
        const told = events.flatMap((event) => (event.type === 'tool_call' ? [texts[event.index]] : []));
        const got = readAll(anthropicMessages.eventReader(), sseMessages(written(events)));
        assert.deepEqual(assembledArguments(got), told);
      }),
      { numRuns: 200 },
    );
  });
});

describe('errors', () => {
  const words: readonly (readonly [number, string])[] = [
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [405, 'invalid_request_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
  ];
  for (const [status, type] of words) {
    test(`${status} is told as ${type}, with the stable code`, () => {
      const error = { status, code: 'some_code', type: 'x', message: 'Words.', param: 'model' };
      const told = {
        type: 'error',
        error: { type, message: 'Words.', details: { error_code: 'some_code', param: 'model' } },
      };
      assert.deepEqual(anthropicMessages.writeError(error), told);
      assert.equal(anthropicMessages.writeErrorEvent(error), `event: error\ndata: ${JSON.stringify(told)}\n\n`);
    });
  }
});

describe('a count', () => {
  test('is read from the vendor’s answer, and nothing else is taken for one', () => {
    assert.equal(anthropicMessages.readCount?.({ input_tokens: 14 }), 14);
    assert.throws(() => anthropicMessages.readCount?.({ input_tokens: '14' }), TypeError);
  });
});
