/**
 * The Responses API dialect against the documented shapes: platform.openai.com/docs/api-reference/responses, the types of
 * the openai SDK (resources/responses), and captured events quoted in openai-dotnet#881 and vercel/ai#20022.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type OpenAI from 'openai';
import { gathered, type Answer, type AnswerEvent, type Call, type Failure, type Json } from '../../runtime/call.ts';
import type { JsonObject, Message, Part } from '../../runtime/call.ts';
import { anthropicMessages } from '../../runtime/dialects/anthropic-messages.ts';
import { AnswerFailed, CallError } from '../../runtime/dialects/dialect.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import { openaiResponses } from '../../runtime/dialects/openai-responses.ts';
import { joined } from '../../runtime/pipeline/joined.ts';
import { assembledArguments, readAll, readJson, readStream, sseMessages } from '../support/dialect-fixtures.ts';

/** What the SDK's type has beside the wire: a text it gathers itself, and a programme that is not everybody's. */
type WireResponse = Omit<OpenAI.Responses.Response, 'output_text' | 'access_programs'>;

interface ErrorCase extends Failure {
  readonly why: string;
  readonly status: number;
  readonly body?: JsonObject;
}

const hello: JsonObject = { model: 'm', input: 'hi' };
const text = (words: string): Part => ({ type: 'text', text: words });
const events = (path: string) => readAll(openaiResponses.eventReader(), readStream(`openai-responses/${path}`));
const event = (body: JsonObject) => ({ event: undefined, data: JSON.stringify(body) });
const refused = (body: JsonObject): string | undefined => {
  try {
    openaiResponses.readCall(body);
  } catch (error) {
    assert.ok(error instanceof CallError);
    return error.param;
  }
  assert.fail('the body was accepted');
};

describe('reading a request', () => {
  const body = readJson('openai-responses/request.json');

  test('gives one message for each item, and its instructions beside them', () => {
    const call = openaiResponses.readCall(body);
    assert.deepEqual(call.system, [text('Be brief.')]);
    assert.deepEqual(call.messages, [
      { role: 'system', parts: [text('Answer in German.')] },
      {
        role: 'user',
        parts: [
          text('What is this?'),
          { type: 'image', url: 'https://example.com/cat.png', detail: 'low' },
          { type: 'opaque', label: 'input_file' },
        ],
      },
      {
        role: 'assistant',
        parts: [{ type: 'reasoning', text: 'Two tools\n\nat once.', signature: 'headgate:openai-responses:gAAAA==' }],
      },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'call_a', name: 'look', arguments: '{"at":"cat"}' }] },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'call_b', name: 'look', arguments: '{"at":"dog"}' }] },
      { role: 'tool', parts: [{ type: 'tool_result', callId: 'call_a', text: 'a cat' }] },
      {
        role: 'tool',
        parts: [
          { type: 'tool_result', callId: 'call_b', text: 'a dog' },
          { type: 'image', url: 'data:image/png;base64,AA==' },
        ],
      },
      { role: 'assistant', parts: [text('A cat.'), { type: 'refusal', text: 'No more.' }] },
      { role: 'user', parts: [text('Go on.')] },
    ]);
  });

  test('carries every field that has a neutral meaning and names the others', () => {
    const { messages: _, system: __, tools, ...rest } = openaiResponses.readCall(body);
    assert.deepEqual(
      tools.map(({ name, strict }) => [name, strict]),
      [['look', true]],
    );
    assert.deepEqual(rest, {
      model: 'team/fast',
      stream: true,
      toolChoice: { name: 'look' },
      parallelToolCalls: false,
      maxOutputTokens: 200,
      temperature: 0.5,
      topP: 0.9,
      answerFormat: {
        type: 'json_schema',
        name: 'thing',
        schema: { type: 'object', properties: { name: { type: 'string' } } },
        strict: true,
      },
      reasoningEffort: 'low',
      user: 'u-1',
      untranslated: ['store', 'include', 'truncation', 'tools.web_search', 'text.verbosity', 'reasoning.summary'],
    });
  });

  test('a plain text is one message of the user, and habits that change nothing are not reported', () => {
    const habits = { store: false, background: false, truncation: 'disabled', include: [], previous_response_id: null };
    assert.deepEqual(openaiResponses.readCall({ ...hello, ...habits, text: { verbosity: 'medium' } }), {
      model: 'm',
      messages: [{ role: 'user', parts: [text('hi')] }],
      stream: false,
      tools: [],
      untranslated: [],
    });
    assert.equal(openaiResponses.readCall({ ...hello, safety_identifier: 'u-2' }).user, 'u-2');
  });

  test('what stands for something that the vendor keeps is named, and may stand in place of an input', () => {
    const cases: readonly (readonly [JsonObject, readonly string[]])[] = [
      [{ ...hello, previous_response_id: 'resp_1' }, ['previous_response_id']],
      [{ ...hello, conversation: { id: 'conv_1' }, background: true }, ['conversation', 'background']],
      [{ model: 'm', prompt: { id: 'pmpt_1' } }, ['prompt']],
      [
        {
          model: 'm',
          input: ['hi', { id: 'msg_1' }].map((each) => (each === 'hi' ? { role: 'user', content: each } : each)),
        },
        ['input[1]'],
      ],
      [{ model: 'm', input: [{ type: 'item_reference', id: 'rs_1' }] }, ['input[0]']],
      [{ model: 'm', input: [{ type: 'compaction', encrypted_content: 'x' }] }, ['input[0]']],
    ];
    for (const [each, expected] of cases)
      assert.deepEqual(openaiResponses.readCall(each).nativeOnly, expected, JSON.stringify(each));
    assert.equal(openaiResponses.readCall(hello).nativeOnly, undefined);
  });

  test('items of tools that a vendor runs stay in their turn as what nobody else can say', () => {
    const input = [
      { role: 'user', content: 'search' },
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      { type: 'custom_tool_call', call_id: 'c', name: 'sql', input: '' },
      { type: 'custom_tool_call_output', call_id: 'c', output: '' },
      { type: 'additional_tools', role: 'developer', tools: [] },
    ];
    assert.deepEqual(
      openaiResponses.readCall({ model: 'm', input }).messages.map(({ role, parts }) => [role, parts]),
      [
        ['user', [text('search')]],
        ['assistant', [{ type: 'opaque', label: 'web_search_call' }]],
        ['assistant', [{ type: 'opaque', label: 'custom_tool_call' }]],
        ['tool', [{ type: 'opaque', label: 'custom_tool_call_output' }]],
        ['system', [{ type: 'opaque', label: 'additional_tools' }]],
      ],
    );
  });

  test('names the field that is wrong', () => {
    const item = (fields: JsonObject): JsonObject => ({ model: 'm', input: [{ role: 'user', content: 'a' }, fields] });
    const format = (fields: JsonObject): JsonObject => ({
      ...hello,
      text: { format: { type: 'json_schema', ...fields } },
    });
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ input: 'hi' }, 'model'],
      [{ model: 'm' }, 'input'],
      [{ model: 'm', input: [] }, 'input'],
      [{ model: 'm', input: { role: 'user' } }, 'input'],
      [item({}), 'input[1].type'],
      [item({ role: 'robot', content: '' }), 'input[1].role'],
      [item({ role: 'user' }), 'input[1].content'],
      [item({ role: 'user', content: [{ type: 'input_text' }] }), 'input[1].content[0].text'],
      [item({ role: 'user', content: [{ type: 'input_image', image_url: {} }] }), 'input[1].content[0].image_url'],
      [item({ type: 'function_call', name: 'f', arguments: '' }), 'input[1].call_id'],
      [item({ type: 'function_call', call_id: 'c', name: 'f', arguments: {} }), 'input[1].arguments'],
      [item({ type: 'function_call_output', call_id: 'c' }), 'input[1].output'],
      [{ ...hello, instructions: [] }, 'instructions'],
      [{ ...hello, stream: 'yes' }, 'stream'],
      [{ ...hello, max_output_tokens: 0 }, 'max_output_tokens'],
      [{ ...hello, temperature: '1' }, 'temperature'],
      [{ ...hello, reasoning: 'low' }, 'reasoning'],
      [{ ...hello, reasoning: { effort: 1 } }, 'reasoning.effort'],
      [{ ...hello, tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools[0].name'],
      [{ ...hello, tools: [{ type: 'function', name: 'f', parameters: [] }] }, 'tools[0].parameters'],
      [{ ...hello, tool_choice: { type: 'function' } }, 'tool_choice.name'],
      [{ ...hello, tool_choice: 3 }, 'tool_choice'],
      [format({ schema: {} }), 'text.format.name'],
      [format({ name: 'n' }), 'text.format.schema'],
    ];
    for (const [each, param] of cases) assert.equal(refused(each), param, JSON.stringify(each));
  });
});

describe('rewriting a native request', () => {
  const body = readJson('openai-responses/request.json');
  const edits = { model: 'gpt-4.1', prepend: [], keep: undefined, streamUsage: true };
  const prepend: readonly Message[] = [
    { role: 'system', parts: [text('Rules.')] },
    { role: 'user', parts: [text('2+2?')] },
    { role: 'assistant', parts: [text('4')] },
  ];

  test('changes the model and nothing else, not even the order of fields', () => {
    const rewritten = openaiResponses.rewrite(body, edits);
    assert.equal(JSON.stringify(rewritten), JSON.stringify(body).replace('team/fast', 'gpt-4.1'));
    assert.equal(rewritten.input, body.input);
  });

  test('puts a prompt before the instructions and its examples before the chosen items, which stay as they were', () => {
    const rewritten = openaiResponses.rewrite(body, { ...edits, prepend, keep: [0, 8] });
    const items = body.input as readonly Json[];
    assert.equal(rewritten.instructions, 'Rules.\n\nBe brief.');
    assert.deepEqual(rewritten.input, [
      { role: 'user', content: '2+2?' },
      { role: 'assistant', content: '4' },
      items[0],
      items[8],
    ]);
  });

  test('a plain text stays one where nothing has to stand before it', () => {
    const plain = openaiResponses.rewrite(hello, { ...edits, prepend: prepend.slice(0, 1) });
    assert.deepEqual(plain, { model: 'gpt-4.1', input: 'hi', instructions: 'Rules.' });
    const { input } = openaiResponses.rewrite(hello, { ...edits, prepend: prepend.slice(1), keep: [0] });
    assert.deepEqual((input as readonly Json[]).at(-1), { role: 'user', content: 'hi' });
  });
});

describe('a conversation that moves', () => {
  test('goes to the vendor without the reasoning of another’s model, whose items it could not find', () => {
    const answer: Answer = {
      id: 'c',
      model: 'm',
      parts: [{ type: 'reasoning', text: 'r' }, text('x')],
      finish: 'stop',
    };
    const { output } = openaiResponses.writeAnswer(answer, 7);
    const items = [...(output as readonly Json[]), { role: 'user', content: 'and?' }];
    const edits = { model: 'm', prepend: [], keep: undefined, streamUsage: false };
    assert.deepEqual(openaiResponses.rewrite({ ...hello, input: items }, edits).input, items.slice(1));
    assert.deepEqual(
      openaiResponses.rewrite({ ...hello, input: items }, { ...edits, keep: [0, 2] }).input,
      items.slice(2),
    );
    const { messages } = openaiResponses.readCall({ ...hello, input: items });
    assert.deepEqual(messages[0]?.parts, [{ type: 'reasoning', text: 'r' }]);
  });
});

describe('sealed reasoning', () => {
  test('comes back from a client of Messages as what it was, and never reaches Anthropic', () => {
    const answer = openaiResponses.readAnswer(readJson('openai-responses/unary.json'));
    const { content } = anthropicMessages.writeAnswer(answer, 7);
    const body = { model: 'm', max_tokens: 9, messages: [{ role: 'assistant', content: content ?? [] }] };
    const { body: again } = openaiResponses.writeCall(anthropicMessages.readCall(body), { model: 'gpt-5-codex' });
    assert.deepEqual(again.input, [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Greet.' }], encrypted_content: 'gAAAA==' },
      { role: 'assistant', content: 'Hello! How can I help?' },
    ]);
    const edits = { model: 'claude', prepend: [], keep: undefined, streamUsage: false };
    assert.ok(!JSON.stringify(anthropicMessages.rewrite(body, edits)).includes('gAAAA'));
  });
});

describe('writing a request', () => {
  const call: Call = {
    model: 'm',
    messages: [
      { role: 'system', parts: [text('Be kind.')] },
      { role: 'user', parts: [text('Look'), { type: 'image', url: 'https://example.com/a.png' }], name: 'ann' },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm.', signature: 'headgate:openai-responses:gAAAA==' },
          text('I look.'),
          { type: 'tool_call', id: 'a', name: 'f', arguments: '{}' },
          { type: 'tool_call', id: 'b', name: 'f', arguments: '{"x":1}' },
        ],
      },
      { role: 'tool', parts: [{ type: 'tool_result', callId: 'a', text: 'one', isError: true }] },
      { role: 'user', parts: [{ type: 'tool_result', callId: 'b', text: 'two' }, text('and?')] },
      { role: 'assistant', parts: [{ type: 'reasoning', text: 'of another', signature: 'EqQBCg==' }, text('Done')] },
    ],
    stream: true,
    tools: [{ name: 'f', parameters: { type: 'object' } }],
    toolChoice: { name: 'f' },
    parallelToolCalls: true,
    maxOutputTokens: 5,
    temperature: 0,
    stop: ['X'],
    seed: 1,
    answerFormat: { type: 'json' },
    reasoningEffort: 'low',
    user: 'u',
    untranslated: ['logit_bias'],
  };

  test('is what the SDK types, in order, and stores nothing', () => {
    const { body, dropped } = openaiResponses.writeCall(call, { model: 'gpt-5-codex' });
    const expected = {
      model: 'gpt-5-codex',
      input: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
          ],
        },
        {
          type: 'reasoning',
          summary: [{ type: 'summary_text', text: 'Hm.' }],
          encrypted_content: 'gAAAA==',
        } as OpenAI.Responses.ResponseReasoningItem,
        { role: 'assistant', content: 'I look.' },
        { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
        { type: 'function_call', call_id: 'b', name: 'f', arguments: '{"x":1}' },
        { type: 'function_call_output', call_id: 'a', output: 'one' },
        { type: 'function_call_output', call_id: 'b', output: 'two' },
        { role: 'user', content: 'and?' },
        { role: 'assistant', content: 'Done' },
      ],
      stream: true,
      store: false,
      include: ['reasoning.encrypted_content'],
      tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }],
      tool_choice: { type: 'function', name: 'f' },
      parallel_tool_calls: true,
      max_output_tokens: 16,
      text: { format: { type: 'json_object' } },
      reasoning: { effort: 'low' },
      user: 'u',
    } satisfies OpenAI.Responses.ResponseCreateParams;
    assert.deepEqual(body, expected);
    assert.deepEqual([...dropped].toSorted(), [
      'logit_bias',
      'max_output_tokens',
      'messages.name',
      'reasoning',
      'seed',
      'stop',
      'temperature',
      'tool_result.is_error',
    ]);
  });

  test('models that do not reason get their sampling, and are not asked for reasoning', () => {
    const sampled: Call = {
      model: 'm',
      messages: call.messages.slice(0, 1),
      stream: false,
      tools: [],
      topP: 0.5,
      untranslated: [],
    };
    for (const [model, keeps] of [
      ['gpt-4.1', true],
      ['gpt-5-chat-latest', true],
      ['o3-pro', false],
      ['gpt-5.2-pro', false],
      ['openai/gpt-5-codex', false],
      ['computer-use-preview', true],
    ] as const) {
      const { body, dropped } = openaiResponses.writeCall(sampled, { model });
      assert.deepEqual(
        [body.top_p, body.include === undefined, dropped.length === 0],
        [keeps ? 0.5 : undefined, keeps, keeps],
        model,
      );
    }
    const unthinking = openaiResponses.writeCall({ ...sampled, reasoningEffort: 'none' }, { model: 'gpt-5.1' });
    assert.equal(unthinking.body.top_p, 0.5);
  });

  test('what a tool shows beside its text goes into its output', () => {
    const parts: Part[] = [
      { type: 'tool_result', callId: 'a', text: 'see' },
      { type: 'image', url: 'data:image/png;base64,AA==' },
    ];
    const { body } = openaiResponses.writeCall({ ...call, messages: [{ role: 'tool', parts }] }, { model: 'm' });
    const output = [
      { type: 'input_text', text: 'see' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'auto' },
    ];
    assert.deepEqual(body.input, [{ type: 'function_call_output', call_id: 'a', output }]);
  });

  test('what is written is read back', () => {
    const parts = fc.oneof(
      fc.string({ minLength: 1 }).map((words): Message => ({ role: 'user', parts: [text(words)] })),
      fc.string({ minLength: 1 }).map((words): Message => ({ role: 'assistant', parts: [text(words)] })),
      fc
        .string({ minLength: 1 })
        .map((id): Message => ({ role: 'assistant', parts: [{ type: 'tool_call', id, name: 'f', arguments: id }] })),
      fc
        .string({ minLength: 1 })
        .map((id): Message => ({ role: 'tool', parts: [{ type: 'tool_result', callId: id, text: id }] })),
    );
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 8 }), (messages) => {
        const { body } = openaiResponses.writeCall({ ...call, messages }, { model: 'm' });
        assert.deepEqual(openaiResponses.readCall(body).messages, messages);
      }),
      { numRuns: 200 },
    );
  });
});

describe('from and to other dialects', () => {
  /** As the pipeline does it. */
  const translated = (call: Call): Call => {
    const whole = gathered(call);
    return { ...whole, messages: joined(whole.messages) };
  };

  test('a conversation with parallel calls becomes one message of chat completions for all of them', () => {
    const { body, dropped } = openaiChat.writeCall(
      translated(openaiResponses.readCall(readJson('openai-responses/request.json'))),
      { model: 'm' },
    );
    const messages = body.messages as unknown as readonly OpenAI.ChatCompletionMessageParam[];
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['system', 'system', 'user', 'assistant', 'tool', 'tool', 'user', 'assistant', 'user'],
    );
    const turn = messages[3];
    assert.ok(turn?.role === 'assistant');
    assert.deepEqual(
      turn.tool_calls?.map(({ id }) => id),
      ['call_a', 'call_b'],
    );
    assert.deepEqual([...dropped].toSorted(), [
      'include',
      'input_file',
      'reasoning',
      'reasoning.summary',
      'store',
      'text.verbosity',
      'tools.web_search',
      'truncation',
    ]);
    assert.deepEqual(body.response_format, {
      type: 'json_schema',
      json_schema: {
        name: 'thing',
        schema: { type: 'object', properties: { name: { type: 'string' } } },
        strict: true,
      },
    });
  });

  test('what one of several tools shows does not stand between their results', () => {
    const output = [{ type: 'input_image', image_url: 'https://example.com/a.png' }];
    const input = [
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '' },
      { type: 'function_call', call_id: 'b', name: 'f', arguments: '' },
      { type: 'function_call_output', call_id: 'a', output },
      { type: 'function_call_output', call_id: 'b', output: 'x' },
    ];
    const { body } = openaiChat.writeCall(translated(openaiResponses.readCall({ model: 'm', input })), { model: 'm' });
    const messages = body.messages as unknown as readonly OpenAI.ChatCompletionMessageParam[];
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['assistant', 'tool', 'tool', 'user'],
    );
  });

  test('a turn of which chat completions can say nothing leaves no empty message', () => {
    const input = [
      { role: 'user', content: 'search' },
      { type: 'web_search_call', id: 'ws_1' },
      { type: 'custom_tool_call_output', call_id: 'c', output: '' },
      { role: 'user', content: 'and?' },
    ];
    const { body, dropped } = openaiChat.writeCall(translated(openaiResponses.readCall({ model: 'm', input })), {
      model: 'm',
    });
    assert.deepEqual(body.messages, [
      { role: 'user', content: 'search' },
      { role: 'user', content: 'and?' },
    ]);
    assert.deepEqual(dropped, ['web_search_call', 'custom_tool_call_output']);
  });

  test('to Messages, the instructions are the system and the calls one turn', () => {
    const { body } = anthropicMessages.writeCall(
      translated(openaiResponses.readCall(readJson('openai-responses/request.json'))),
      { model: 'claude-sonnet-4-5' },
    );
    assert.deepEqual(body.system, [
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Answer in German.' },
    ]);
    const messages = body.messages as readonly { role: string; content: readonly { type: string }[] }[];
    assert.deepEqual(
      messages.map(({ role, content }) => [role, ...content.map(({ type }) => type)]),
      [
        ['user', 'text', 'image'],
        ['assistant', 'tool_use', 'tool_use'],
        ['user', 'tool_result', 'tool_result'],
        ['assistant', 'text', 'text'],
        ['user', 'text'],
      ],
    );
  });

  test('a chat completion request keeps its messages, tools and format', () => {
    const { body, dropped } = openaiResponses.writeCall(
      translated(openaiChat.readCall(readJson('openai-chat/request.json'))),
      { model: 'gpt-4.1' },
    );
    const again = openaiResponses.readCall(body);
    const before = openaiChat.readCall(readJson('openai-chat/request.json'));
    assert.deepEqual(again.tools, before.tools);
    assert.deepEqual(again.answerFormat, before.answerFormat);
    assert.deepEqual(
      again.messages,
      before.messages.map(({ role, parts }) => ({ role, parts })),
    );
    assert.deepEqual([...dropped].toSorted(), ['logit_bias', 'messages.name', 'metadata', 'seed', 'stop']);
  });

  test('streams of every other vendor come out as responses with the same words, calls and usage', () => {
    const from = [
      ['openai-chat/stream.txt', openaiChat.eventReader()],
      ['openai-chat/stream-parallel-tools.txt', openaiChat.eventReader()],
      ['openai-chat/stream-odd-vendor.txt', openaiChat.eventReader()],
      ['anthropic-messages/stream.txt', anthropicMessages.eventReader()],
    ] as const;
    const essence = (all: readonly AnswerEvent[]) => ({
      text: all.map((each) => (each.type === 'text' ? each.text : '')).join(''),
      reasoning: all.map((each) => (each.type === 'reasoning' ? each.text : '')).join(''),
      calls: all.flatMap((each) => (each.type === 'tool_call' ? [[each.id, each.name]] : [])),
      arguments: assembledArguments(all),
      finish: all.findLast((each) => each.type === 'finish'),
      output: all.findLast((each) => each.type === 'usage')?.usage.outputTokens,
    });
    for (const [path, reader] of from) {
      const told = readAll(reader, readStream(path));
      const writer = openaiResponses.eventWriter({ includeUsage: true, created: 7 });
      const written = told.map((each) => writer.write(each)).join('') + writer.end();
      assert.deepEqual(essence(readAll(openaiResponses.eventReader(), sseMessages(written))), essence(told), path);
    }
  });
});

describe('complete answers', () => {
  test('a vendor answer is read with its reasoning and usage', () => {
    assert.deepEqual(openaiResponses.readAnswer(readJson('openai-responses/unary.json')), {
      id: 'resp_67ccd2be',
      model: 'gpt-4.1-2025-04-14',
      parts: [
        { type: 'reasoning', text: 'Greet.', signature: 'headgate:openai-responses:gAAAA==' },
        text('Hello! How can I help?'),
        { type: 'opaque', label: 'web_search_call' },
      ],
      finish: 'stop',
      usage: { inputTokens: 36, outputTokens: 87, cachedInputTokens: 4, reasoningTokens: 2, searches: 1 },
    });
  });

  test('parallel calls decide the finish, and so does what cut an answer short', () => {
    const answer = openaiResponses.readAnswer(readJson('openai-responses/parallel-tools.json'));
    assert.deepEqual(
      answer.parts.map((part) => part.type === 'tool_call' && part.id),
      ['call_a', 'call_b'],
    );
    assert.equal(answer.finish, 'tool_calls');
    assert.equal(openaiResponses.readAnswer(readJson('openai-responses/incomplete.json')).finish, 'length');
    const filtered = {
      ...readJson('openai-responses/incomplete.json'),
      incomplete_details: { reason: 'content_filter' },
    };
    assert.equal(openaiResponses.readAnswer(filtered).finish, 'content_filter');
  });

  test('a response that failed says why, one in the background is an answer, anything else is none', () => {
    assert.throws(
      () => openaiResponses.readAnswer(readJson('openai-responses/failed.json')),
      (error) => error instanceof AnswerFailed && error.failure.kind === 'rate_limited',
    );
    const queued = { id: 'resp_q', object: 'response', status: 'queued', model: 'm', output: [] };
    assert.deepEqual(openaiResponses.readAnswer(queued).parts, []);
    for (const body of [{}, { object: 'response' }, { error: { message: 'x' } }, { choices: [] }])
      assert.throws(() => openaiResponses.readAnswer(body), TypeError);
  });

  const answer: Answer = {
    id: 'chatcmpl-1',
    model: 'm',
    parts: [
      { type: 'reasoning', text: 'Hm.' },
      text('x'),
      { type: 'refusal', text: 'y' },
      { type: 'tool_call', id: 'c', name: 'f', arguments: '{}' },
    ],
    finish: 'tool_calls',
    usage: { inputTokens: 1, outputTokens: 2, cachedInputTokens: 1 },
  };

  test('a written answer has the shape of the SDK and repeats what was asked for', () => {
    const asked: JsonObject = {
      ...hello,
      instructions: 'Be kind.',
      metadata: { team: 'a' },
      temperature: 0.5,
      store: true,
    };
    const expected = {
      id: 'resp_chatcmpl-1',
      object: 'response',
      created_at: 7,
      error: null,
      incomplete_details: null,
      model: 'm',
      instructions: 'Be kind.',
      max_output_tokens: null,
      metadata: { team: 'a' },
      parallel_tool_calls: true,
      reasoning: { effort: null, summary: null },
      temperature: 0.5,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_p: null,
      truncation: 'disabled',
      background: false,
      previous_response_id: null,
      status: 'completed',
      output: [
        { id: 'rs_headgate_chatcmpl-1_0', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
        {
          id: 'msg_chatcmpl-1_1',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [
            { type: 'output_text', annotations: [], logprobs: [], text: 'x' },
            { type: 'refusal', refusal: 'y' },
          ],
        },
        { id: 'fc_chatcmpl-1_2', type: 'function_call', status: 'completed', arguments: '{}', call_id: 'c', name: 'f' },
      ],
    } satisfies WireResponse;
    const usage = {
      input_tokens: 1,
      input_tokens_details: { cached_tokens: 1, cache_write_tokens: 0 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 3,
    } satisfies OpenAI.Responses.ResponseUsage;
    assert.deepEqual(openaiResponses.writeAnswer(answer, 7, asked), { ...expected, store: false, user: null, usage });
  });

  test('an answer that was cut off is incomplete, and only its last item is', () => {
    const cut = openaiResponses.writeAnswer({ ...answer, finish: 'length' }, 7) as unknown as WireResponse;
    assert.equal(cut.status, 'incomplete');
    assert.deepEqual(cut.incomplete_details, { reason: 'max_output_tokens' });
    assert.deepEqual(
      cut.output.map((item) => ('status' in item ? item.status : undefined)),
      [undefined, 'completed', 'incomplete'],
    );
  });
});

describe('reading a stream', () => {
  test('reasoning, text, finish and usage come in order', () => {
    assert.deepEqual(events('stream.txt'), [
      { type: 'start', id: 'resp_s', model: 'gpt-4.1-2025-04-14' },
      { type: 'reasoning', text: 'Greet' },
      { type: 'reasoning', text: '\n\n' },
      { type: 'reasoning', text: 'back.' },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      { type: 'finish', finish: 'stop' },
      { type: 'usage', usage: { inputTokens: 37, outputTokens: 11, cachedInputTokens: 0, reasoningTokens: 3 } },
      { type: 'end' },
    ]);
  });

  test('parallel calls keep their own arguments', () => {
    const read = events('stream-parallel-tools.txt');
    assert.deepEqual(assembledArguments(read), ['{"city":"Oslo"}', '{"city":"Rome"}']);
    assert.deepEqual(read.at(-3), { type: 'finish', finish: 'tool_calls' });
  });

  test('what comes whole only is told once', () => {
    const read = events('stream-without-deltas.txt');
    assert.deepEqual(
      read.filter(({ type }) => type === 'text'),
      [{ type: 'text', text: 'whole' }],
    );
    assert.deepEqual(
      read.flatMap((each) => (each.type === 'tool_call' ? [each.id] : [])),
      ['call_a', 'call_b'],
    );
    assert.deepEqual(assembledArguments(read), ['{"city":"Oslo"}', '{"city":"Rome"}']);
    assert.deepEqual(read.at(-3), { type: 'finish', finish: 'content_filter' });
  });

  test('a response that fails says why after what it has cost, and nothing follows', () => {
    assert.deepEqual(events('stream-failed.txt').slice(1), [
      { type: 'usage', usage: { inputTokens: 37, outputTokens: 11, cachedInputTokens: 0, reasoningTokens: 3 } },
      { type: 'failure', failure: { kind: 'overloaded' } },
    ]);
    const nested = {
      type: 'error',
      sequence_number: 2,
      error: { type: 'tokens', code: 'rate_limit_exceeded', message: 'x' },
    };
    const flat = { type: 'error', code: 'context_length_exceeded', message: 'x', param: null, sequence_number: 1 };
    const cases: readonly (readonly [JsonObject, string])[] = [
      [nested, 'rate_limited'],
      [flat, 'context_too_long'],
      [{ type: 'error', error: { type: 'service_unavailable_error', code: null, message: 'x' } }, 'overloaded'],
      [{ type: 'response.failed', response: { error: { code: 'image_content_policy_violation' } } }, 'content_refused'],
      [{ type: 'response.failed', response: { error: { code: 'failed_to_download_image' } } }, 'bad_request'],
      [{ type: 'response.failed', response: {} }, 'broken_answer'],
    ];
    for (const [body, kind] of cases) {
      const reader = openaiResponses.eventReader();
      assert.deepEqual(reader.read(event(body)), [{ type: 'failure', failure: { kind } }], JSON.stringify(body));
      assert.deepEqual(reader.read(event({ type: 'response.completed', response: {} })), []);
    }
    const broken = openaiResponses.eventReader().read({ event: 'error', data: '{"type"' });
    assert.deepEqual(broken, [{ type: 'failure', failure: { kind: 'broken_answer' } }]);
  });

  test('no string makes the reader throw', () => {
    const types = fc.constantFrom(
      'response.created',
      'response.output_item.added',
      'response.output_item.done',
      'response.function_call_arguments.delta',
      'response.output_text.delta',
      'response.completed',
      'response.failed',
      'error',
    );
    const known = fc.tuple(types, fc.jsonValue(), fc.jsonValue()).map(([type, item, more]) =>
      JSON.stringify({
        type,
        item: { type: 'function_call', ...(more as object) },
        response: item,
        delta: more,
        error: item,
      }),
    );
    const message = fc
      .jsonValue()
      .map((content) =>
        JSON.stringify({ type: 'response.output_item.done', item: { type: 'message', content: [content] } }),
      );
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json(), known, message), { maxLength: 5 }), (all) => {
        readAll(
          openaiResponses.eventReader(),
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
    { type: 'text', text: 'y' },
    { type: 'refusal', text: 'no' },
    { type: 'tool_call', index: 0, id: 'c', name: 'f' },
    { type: 'tool_arguments', index: 0, text: '{"a":' },
    { type: 'tool_call', index: 1, id: 'd', name: 'f' },
    { type: 'tool_arguments', index: 1, text: '{}' },
    { type: 'tool_arguments', index: 0, text: '1}' },
    { type: 'finish', finish: 'tool_calls' },
    { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } },
  ];
  const write = (all: readonly AnswerEvent[]) => {
    const writer = openaiResponses.eventWriter({ includeUsage: true, created: 7, asked: hello });
    return sseMessages(all.map((each) => writer.write(each)).join('') + writer.end());
  };
  const parsed = (all: readonly AnswerEvent[]) =>
    write(all).map(({ data }) => JSON.parse(data) as OpenAI.Responses.ResponseStreamEvent);

  test('opens, tells and closes each item, in numbered events named by their type', () => {
    const messages = write(streamed);
    const all = parsed(streamed);
    assert.deepEqual(
      messages.map((message) => message.event),
      all.map(({ type }) => type),
    );
    assert.deepEqual(
      all.map((each) => each.sequence_number),
      [...all.keys()],
    );
    assert.deepEqual(
      all.map(({ type }) => type.replace('response.', '')),
      [
        'created',
        'in_progress',
        'output_item.added',
        'reasoning_summary_part.added',
        'reasoning_summary_text.delta',
        'reasoning_summary_text.done',
        'reasoning_summary_part.done',
        'output_item.done',
        'output_item.added',
        'content_part.added',
        'output_text.delta',
        'output_text.delta',
        'output_text.done',
        'content_part.done',
        'content_part.added',
        'refusal.delta',
        'refusal.done',
        'content_part.done',
        'output_item.done',
        'output_item.added',
        'function_call_arguments.delta',
        'output_item.added',
        'function_call_arguments.delta',
        'function_call_arguments.delta',
        'function_call_arguments.done',
        'output_item.done',
        'function_call_arguments.done',
        'output_item.done',
        'completed',
      ],
    );
  });

  test('the last event has the whole response, equal to an answer that was not streamed', () => {
    const last = parsed(streamed).at(-1);
    assert.ok(last?.type === 'response.completed');
    const whole: Answer = {
      id: 'a',
      model: 'm',
      parts: [
        { type: 'reasoning', text: 'r' },
        text('xy'),
        { type: 'refusal', text: 'no' },
        { type: 'tool_call', id: 'c', name: 'f', arguments: '{"a":1}' },
        { type: 'tool_call', id: 'd', name: 'f', arguments: '{}' },
      ],
      finish: 'tool_calls',
      usage: { inputTokens: 1, outputTokens: 2 },
    };
    assert.deepEqual(last.response, openaiResponses.writeAnswer(whole, 7, hello));
  });

  test('a stream that was cut off ends as incomplete', () => {
    const all = parsed([...streamed.slice(0, 4), { type: 'finish', finish: 'length' }]);
    const last = all.at(-1);
    assert.ok(last?.type === 'response.incomplete');
    assert.deepEqual(last.response.incomplete_details, { reason: 'max_output_tokens' });
    const closed = all.findLast((each) => each.type === 'response.output_item.done');
    assert.ok(closed?.item.type === 'message' && closed.item.status === 'incomplete');
  });

  test('events have the shapes of the SDK', () => {
    const all = parsed(streamed);
    const place = { item_id: 'msg_a_1', output_index: 1, content_index: 0 };
    const delta = {
      type: 'response.output_text.delta',
      sequence_number: 10,
      ...place,
      delta: 'x',
      logprobs: [],
    } satisfies OpenAI.Responses.ResponseTextDeltaEvent;
    const done = {
      type: 'response.output_text.done',
      sequence_number: 12,
      ...place,
      text: 'xy',
      logprobs: [],
    } satisfies OpenAI.Responses.ResponseTextDoneEvent;
    const added = {
      type: 'response.output_item.added',
      sequence_number: 19,
      output_index: 2,
      item: { id: 'fc_a_2', type: 'function_call', status: 'in_progress', arguments: '', call_id: 'c', name: 'f' },
    } satisfies OpenAI.Responses.ResponseOutputItemAddedEvent;
    assert.deepEqual([all[10], all[12], all[19]], [delta, done, added]);
  });
});

describe('errors', () => {
  for (const { why, body, ...failure } of readJson<readonly ErrorCase[]>('openai-responses/errors.json')) {
    test(`a vendor's error is classified: ${why}`, () => {
      const request = { model: 'm', input: [{ role: 'user', content: 'a' }] };
      assert.deepEqual(openaiResponses.readFailure(failure.status, body, request), failure);
    });
  }

  test('ours have the envelope of the vendor, and in a stream both of the shapes that clients read', () => {
    const error = {
      status: 429,
      code: 'quota_exceeded',
      type: 'rate_limit_error',
      message: 'Used up.',
      param: undefined,
    };
    const inner = { type: 'rate_limit_error', code: 'quota_exceeded', message: 'Used up.', param: null };
    assert.deepEqual(openaiResponses.writeError(error), { error: inner });
    const [message] = sseMessages(openaiResponses.writeErrorEvent(error));
    assert.equal(message?.event, 'error');
    assert.deepEqual(JSON.parse(message.data), {
      type: 'error',
      sequence_number: 0,
      code: 'quota_exceeded',
      message: 'Used up.',
      param: null,
      error: inner,
    });
  });
});
