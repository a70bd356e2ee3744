/** The dialect of Anthropic's Messages API against the documented shapes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Call, Failure, JsonObject, Message } from '../../runtime/call.ts';
import { anthropicMessages } from '../../runtime/dialects/anthropic-messages.ts';
import { assembledArguments, readAll, readJson, readStream } from '../support/dialect-fixtures.ts';

interface ErrorCase extends Failure {
  readonly why: string;
  readonly status: number;
  readonly body?: JsonObject;
}

const say = (role: Message['role'], text: string): Message => ({ role, parts: [{ type: 'text', text }] });
const block = (text: string) => ({ type: 'text', text });
const called = (id: string, text = '{}') => ({ type: 'tool_call', id, name: 'f', arguments: text }) as const;
const result = (callId: string, text: string): Message => ({
  role: 'tool',
  parts: [{ type: 'tool_result', callId, text }],
});
const asked = (fields: Partial<Call>): Call => ({
  model: 'asked',
  messages: [say('user', 'hi')],
  stream: false,
  tools: [],
  untranslated: [],
  ...fields,
});
const write = (fields: Partial<Call>, model = 'claude-sonnet-4-5', maxOutputTokens?: number) =>
  anthropicMessages.writeCall(asked(fields), { model, ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }) });
const written = (messages: readonly Message[]) => write({ messages }).body;
const event = (body: JsonObject) => ({ event: undefined, data: JSON.stringify(body) });
const tool = { name: 'f', description: 'Does f.', parameters: { properties: {} }, strict: true };

describe('writing messages', () => {
  test('system messages are lifted, neighbours of one role merged, and a moved system message reported', () => {
    const messages = [
      say('system', 'A'),
      say('user', 'b'),
      say('user', 'c'),
      say('system', 'D'),
      say('assistant', 'e'),
      say('user', 'f'),
    ];
    const { body, dropped } = write({ messages });
    assert.deepEqual(body.system, [block('A'), block('D')]);
    assert.deepEqual(body.messages, [
      { role: 'user', content: [block('b'), block('c')] },
      { role: 'assistant', content: [block('e')] },
      { role: 'user', content: [block('f')] },
    ]);
    assert.deepEqual(dropped, ['messages.order']);
    assert.deepEqual(write({ messages: messages.slice(0, 3) }).dropped, []);
  });

  test('results of parallel calls stand in one user turn, before its text', () => {
    const calls: Message = { role: 'assistant', parts: [called('a', '{"x":1}'), called('functions.f:1')] };
    const { messages } = written([
      say('user', 'q'),
      calls,
      result('a', '1'),
      say('user', 'hurry'),
      result('functions.f:1', ''),
    ]);
    assert.deepEqual((messages as readonly JsonObject[]).slice(1), [
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
          { type: 'tool_use', id: 'functions_f_1', name: 'f', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: '1' },
          { type: 'tool_result', tool_use_id: 'functions_f_1' },
          block('hurry'),
        ],
      },
    ]);
  });

  test('images go as base64 or as url, and a kind the API does not know is reported', () => {
    const parts = ['https://example.com/a.png', 'data:image/PNG;base64,QUJD', 'data:image/tiff;base64,QUJD'].map(
      (url) => ({ type: 'image', url }) as const,
    );
    const { body, dropped } = write({ messages: [{ role: 'user', parts }] });
    assert.deepEqual(body.messages, [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
        ],
      },
    ]);
    assert.deepEqual(dropped, ['image']);
  });

  test('what the API would refuse is left out: empty text, and space at the end of the last assistant turn', () => {
    const { messages } = written([say('user', 'a'), say('user', ' '), say('assistant', 'go on \n')]);
    assert.deepEqual(messages, [
      { role: 'user', content: [block('a')] },
      { role: 'assistant', content: [block('go on')] },
    ]);
  });

  test('arguments that are not an object are wrapped and reported, reasoning and opaque parts reported', () => {
    const parts = [
      { type: 'reasoning', text: 'r' },
      { type: 'opaque', label: 'input_audio' },
      called('a', '{"x":'),
      called('b', '[1]'),
    ] as const;
    const { body, dropped } = write({ messages: [say('user', 'q'), { role: 'assistant', parts }] });
    const [, turn] = body.messages as readonly { readonly content: readonly JsonObject[] }[];
    assert.deepEqual(
      turn?.content.map((use) => use.input),
      [{ INVALID_JSON: '{"x":' }, { INVALID_JSON: '[1]' }],
    );
    assert.deepEqual(dropped, ['reasoning', 'input_audio', 'tool_calls.arguments']);
  });

  test('a lone system message becomes the user message that the API demands', () => {
    const { body, dropped } = write({ messages: [say('system', 'Write a poem.')] });
    assert.deepEqual(body.messages, [{ role: 'user', content: [block('Write a poem.')] }]);
    assert.equal('system' in body, false);
    assert.deepEqual(dropped, ['messages.role']);
  });

  test('turns alternate and every result follows its call, whatever the order of messages', () => {
    const turn = fc.oneof(
      fc.constantFrom<Message>(say('user', 'u'), say('system', 's'), say('assistant', 'a')),
      fc.nat({ max: 2 }).map((count): Message => ({ role: 'assistant', parts: [called(`c${count}`)] })),
      fc.nat({ max: 2 }).map((count) => result(`c${count}`, 'r')),
    );
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 12 }), (messages) => {
        const turns = written(messages).messages as readonly {
          readonly role: string;
          readonly content: readonly JsonObject[];
        }[];
        assert.ok(turns.length > 0);
        for (const [index, { role, content }] of turns.entries()) {
          assert.notEqual(role, turns[index + 1]?.role);
          assert.ok(content.length > 0);
          const kinds = content.map((each) => each.type === 'tool_result');
          assert.deepEqual(
            kinds,
            [...kinds].sort((a, b) => Number(b) - Number(a)),
          );
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('writing the rest of a call', () => {
  test('the cap is the client’s, else the model’s, else 4096', () => {
    assert.equal(write({ maxOutputTokens: 5 }, 'm', 9).body.max_tokens, 5);
    assert.equal(write({}, 'm', 9).body.max_tokens, 9);
    assert.equal(write({}, 'm').body.max_tokens, 4096);
  });

  test('a plain call reports nothing, and a field that was set but cannot be carried is reported', () => {
    assert.deepEqual(write({}).dropped, []);
    const { body, dropped } = write({
      seed: 1,
      untranslated: ['logit_bias'],
      answerFormat: { type: 'json' },
      stop: ['END', '\n'],
      user: 'ann@example.com',
      reasoningEffort: 'high',
      stream: true,
    });
    assert.deepEqual(dropped, ['logit_bias', 'seed', 'stop', 'response_format', 'reasoning_effort', 'user']);
    assert.deepEqual(body, {
      model: 'claude-sonnet-4-5',
      max_tokens: 4096,
      messages: [{ role: 'user', content: [block('hi')] }],
      stream: true,
      stop_sequences: ['END'],
    });
  });

  test('temperature is clamped to 1, excludes top_p, and stays away from models that refuse it', () => {
    const sampling = (fields: Partial<Call>, model?: string) => {
      const { body, dropped } = write(fields, model);
      return [body.temperature, body.top_p, ...dropped];
    };
    assert.deepEqual(sampling({ temperature: 0.3 }), [0.3, undefined]);
    assert.deepEqual(sampling({ topP: 0.9 }), [undefined, 0.9]);
    assert.deepEqual(sampling({ temperature: 1.7, topP: 0.9 }), [1, undefined, 'top_p', 'temperature']);
    for (const model of ['claude-opus-4-7', 'claude-sonnet-5', 'claude-opus-5-20260601', 'anthropic/claude-opus-4.8']) {
      assert.deepEqual(sampling({ temperature: 0.3, topP: 0.9 }, model), [
        undefined,
        undefined,
        'temperature',
        'top_p',
      ]);
    }
    for (const model of ['claude-3-7-sonnet-20250219', 'claude-opus-4-20250514', 'claude-sonnet-4-6', 'house-model']) {
      assert.deepEqual(sampling({ temperature: 0.3 }, model), [0.3, undefined]);
    }
  });

  test('tools and every form of tool choice', () => {
    assert.deepEqual(write({ tools: [tool] }).body.tools, [
      { name: 'f', description: 'Does f.', input_schema: { properties: {}, type: 'object' }, strict: true },
    ]);
    assert.deepEqual(write({ tools: [tool] }, 'claude-opus-4-1').dropped, ['tools.strict']);
    const choice = (fields: Partial<Call>) => write({ tools: [tool], ...fields }).body.tool_choice;
    assert.equal(choice({}), undefined);
    assert.equal(choice({ parallelToolCalls: true }), undefined);
    assert.deepEqual(choice({ parallelToolCalls: false }), { type: 'auto', disable_parallel_tool_use: true });
    assert.deepEqual(choice({ toolChoice: 'auto' }), { type: 'auto' });
    assert.deepEqual(choice({ toolChoice: 'none', parallelToolCalls: false }), { type: 'none' });
    assert.deepEqual(choice({ toolChoice: 'required' }), { type: 'any' });
    assert.deepEqual(choice({ toolChoice: { name: 'f' }, parallelToolCalls: false }), {
      type: 'tool',
      name: 'f',
      disable_parallel_tool_use: true,
    });
    assert.deepEqual(write({ toolChoice: 'required' }).dropped, ['tool_choice']);
  });

  test('a schema for the answer is closed where it says nothing, and effort goes where the model knows it', () => {
    const list = { type: 'array', items: { type: 'object', properties: {} } };
    const schema = { type: 'object', properties: { list, open: { type: 'object', additionalProperties: true } } };
    const answerFormat = { type: 'json_schema', name: 'n', schema } as const;
    const closed = { type: 'object', properties: {}, additionalProperties: false };
    const config = (effort: string, model: string) => write({ answerFormat, reasoningEffort: effort }, model);
    assert.deepEqual(config('minimal', 'claude-sonnet-4-6').body.output_config, {
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: {
            list: { type: 'array', items: closed },
            open: { type: 'object', additionalProperties: true },
          },
          additionalProperties: false,
        },
      },
      effort: 'low',
    });
    assert.deepEqual(config('xhigh', 'claude-sonnet-4-6').dropped, ['reasoning_effort']);
    assert.deepEqual(config('xhigh', 'claude-opus-4-7').dropped, []);
    assert.deepEqual(config('low', 'claude-3-haiku-20240307').dropped, ['response_format', 'reasoning_effort']);
    assert.deepEqual(write({ user: 'u-1' }).body.metadata, { user_id: 'u-1' });
  });
});

describe('reading', () => {
  test('a complete message, with cache reads and writes counted as input', () => {
    assert.deepEqual(anthropicMessages.readAnswer(readJson('anthropic-messages/unary.json')), {
      id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
      model: 'claude-sonnet-4-5-20250929',
      parts: [
        { type: 'reasoning', text: 'Let me see.', signature: 'EqQB' },
        { type: 'opaque', label: 'redacted_thinking' },
        { type: 'text', text: 'I will look.' },
        { type: 'tool_call', id: 'toolu_01A', name: 'weather', arguments: '{"city":"Oslo"}' },
        { type: 'tool_call', id: 'toolu_01B', name: 'weather', arguments: '{"city":"Rome"}' },
      ],
      finish: 'tool_calls',
      usage: {
        inputTokens: 3210,
        outputTokens: 64,
        cachedInputTokens: 3000,
        cacheWriteTokens: 200,
        reasoningTokens: 12,
      },
    });
    for (const body of [{}, { type: 'error', error: {} }, { type: 'message', content: 'x' }]) {
      assert.throws(() => anthropicMessages.readAnswer(body), TypeError);
    }
  });

  test('every stop reason has a finish', () => {
    const finish = (reason: string) =>
      anthropicMessages.readAnswer({ type: 'message', content: [], stop_reason: reason }).finish;
    const reasons = [
      'end_turn',
      'stop_sequence',
      'pause_turn',
      'max_tokens',
      'model_context_window_exceeded',
      'tool_use',
      'refusal',
      'new',
    ];
    assert.deepEqual(reasons.map(finish), [
      'stop',
      'stop',
      'stop',
      'length',
      'length',
      'tool_calls',
      'content_filter',
      'stop',
    ]);
  });

  test('a stream, with thinking, text, a call with and one without arguments, and usage in two parts', () => {
    const usage = { inputTokens: 125, cachedInputTokens: 100, cacheWriteTokens: 0 };
    assert.deepEqual(readAll(anthropicMessages.eventReader(), readStream('anthropic-messages/stream.txt')), [
      { type: 'start', id: 'msg_1', model: 'claude-sonnet-4-5' },
      { type: 'usage', usage: { ...usage, outputTokens: 1 } },
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Looking.' },
      { type: 'tool_call', index: 0, id: 'toolu_1', name: 'weather' },
      { type: 'tool_arguments', index: 0, text: '{"city":' },
      { type: 'tool_arguments', index: 0, text: '"Oslo"}' },
      { type: 'tool_call', index: 1, id: 'toolu_2', name: 'now' },
      { type: 'tool_arguments', index: 1, text: '{}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'usage', usage: { ...usage, outputTokens: 89 } },
      { type: 'end' },
    ]);
  });

  test('a stream without message_stop has no end', () => {
    const cut = readStream('anthropic-messages/stream.txt').slice(0, -1);
    const read = readAll(anthropicMessages.eventReader(), cut);
    assert.equal(
      read.some((each) => each.type === 'end'),
      false,
    );
  });

  test('a zero of a compatible gateway does not hide the real count', () => {
    const reader = anthropicMessages.eventReader();
    reader.read(event({ type: 'message_start', message: { id: 'm', usage: { input_tokens: 0, output_tokens: 0 } } }));
    const read = reader.read(event({ type: 'message_delta', delta: {}, usage: { input_tokens: 9, output_tokens: 4 } }));
    assert.deepEqual(read, [{ type: 'usage', usage: { inputTokens: 9, outputTokens: 4 } }]);
  });

  test('an error event and malformed JSON are failures, unknown events nothing', () => {
    const first = (data: string) => anthropicMessages.eventReader().read({ event: undefined, data });
    const failure = (kind: string) => [{ type: 'failure', failure: { kind } }];
    assert.deepEqual(
      first('{"type":"error","error":{"type":"overloaded_error","message":"x"}}'),
      failure('overloaded'),
    );
    assert.deepEqual(first('{"type":"error"}'), failure('broken_answer'));
    assert.deepEqual(first('{"type":'), failure('broken_answer'));
    assert.deepEqual(first('{"type":"ping"}'), []);
    assert.deepEqual(first('{"type":"of tomorrow"}'), []);
  });

  test('arguments of a call come together however they were split, and server tools stay out', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 20 }), (pieces) => {
        const start = (index: number, type: string) =>
          event({ type: 'content_block_start', index, content_block: { type, id: 't', name: 'f', input: {} } });
        const delta = (index: number, text: string) =>
          event({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: text } });
        const messages = [
          start(0, 'server_tool_use'),
          delta(0, '{"query":"x"}'),
          start(1, 'tool_use'),
          ...pieces.map((text) => delta(1, text)),
          event({ type: 'content_block_stop', index: 1 }),
        ];
        const all = pieces.join('');
        assert.deepEqual(assembledArguments(readAll(anthropicMessages.eventReader(), messages)), [
          all === '' ? '{}' : all,
        ]);
      }),
      { numRuns: 100 },
    );
  });

  test('no string makes the reader throw', () => {
    const types = [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'error',
    ];
    const value = fc.jsonValue({ maxDepth: 2 });
    const odd = fc
      .record({
        type: fc.constantFrom(...types),
        message: value,
        content_block: value,
        delta: value,
        usage: value,
        index: value,
        error: value,
      })
      .map((body) => JSON.stringify(body));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json(), odd), { maxLength: 5 }), (all) => {
        readAll(
          anthropicMessages.eventReader(),
          all.map((data) => ({ event: undefined, data })),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('errors', () => {
  for (const { why, body, ...failure } of readJson<readonly ErrorCase[]>('anthropic-messages/errors.json')) {
    test(`a vendor's error is classified: ${why}`, () => {
      const { body: request } = write({});
      assert.deepEqual(anthropicMessages.readFailure(failure.status, body, request), failure);
    });
  }
});

describe('round trips', () => {
  test('the assistant turn of an answer is written as the blocks it was read from', () => {
    const text = fc.record({ type: fc.constant('text'), text: fc.string({ minLength: 1 }).map((each) => `x${each}x`) });
    const id = fc.stringMatching(/^[\w-]{1,20}$/);
    const use = fc.record({
      type: fc.constant('tool_use'),
      id,
      name: id,
      input: fc.dictionary(fc.string(), fc.jsonValue()),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(text, use), { minLength: 1, maxLength: 5 }), (content) => {
        const plain = JSON.parse(JSON.stringify(content)) as JsonObject[];
        const { parts } = anthropicMessages.readAnswer({ type: 'message', id: 'm', model: 'm', content: plain });
        const { body, dropped } = write({ messages: [say('user', 'q'), { role: 'assistant', parts }] });
        assert.deepEqual((body.messages as readonly JsonObject[])[1], { role: 'assistant', content: plain });
        assert.deepEqual(dropped, []);
      }),
      { numRuns: 200 },
    );
  });
});
