/**
 * The Gemini dialect against the shapes of ai.google.dev/api/generate-content, ai.google.dev/gemini-api/docs/{function-calling,
 * thinking,thought-signatures,troubleshooting} and the types of `@google/genai`; errors as its issue trackers quote them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GenerateContentResponse } from '@google/genai';
import type { Answer, AnswerEvent, Call, Failure, Json, JsonObject, Message, Part } from '../../runtime/call.ts';
import { AnswerFailed, CallError } from '../../runtime/dialects/dialect.ts';
import { gemini } from '../../runtime/dialects/gemini.ts';
import { assembledArguments, readJson, readStream, sseMessages } from '../support/dialect-fixtures.ts';

interface ErrorCase extends Failure {
  readonly why: string;
  readonly status: number;
  readonly body?: JsonObject;
}

const unsigned = 'skip_thought_signature_validator';
const hello = { model: 'm', contents: [{ role: 'user', parts: [{ text: 'hi' }] }] };
const plain: Call = {
  model: 'm',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  stream: false,
  tools: [],
  untranslated: [],
};
const refused = (body: JsonObject): string | undefined => {
  try {
    gemini.readCall(body);
  } catch (error) {
    assert.ok(error instanceof CallError);
    return error.param;
  }
  assert.fail('the body was accepted');
};
const write = (call: Partial<Call>, model = 'gemini-2.5-flash') => gemini.writeCall({ ...plain, ...call }, { model });
const configOf = (call: Partial<Call>, model?: string) => {
  const { body, dropped } = write(call, model);
  return { config: body.generationConfig, dropped };
};
const eventsOf = (messages: ReturnType<typeof readStream>) => {
  const reader = gemini.eventReader();
  return [...messages.flatMap((message) => reader.read(message)), ...(reader.finish?.() ?? [])];
};
const told = (...bodies: readonly JsonObject[]) =>
  bodies.map((body) => ({ event: undefined, data: JSON.stringify(body) }));

describe('reading a request', () => {
  test('carries every field that has a neutral meaning and names the others', () => {
    const { messages, tools, ...rest } = gemini.readCall(readJson('gemini/request.json'));
    assert.deepEqual(messages, [
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', url: 'data:image/png;base64,aGk=' },
          { type: 'image', url: 'https://example.com/cat.jpg' },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'I should look.', signature: 'c2ln' },
          { type: 'tool_call', id: 'fc_1', name: 'look', arguments: '{"at":"cat"}' },
          { type: 'tool_call', id: 'call_1_2', name: 'look', arguments: '{"at":"dog"}' },
          { type: 'tool_call', id: 'call_1_3', name: 'listen', arguments: '{}' },
        ],
      },
      {
        role: 'tool',
        parts: [
          { type: 'tool_result', callId: 'call_1_3', text: 'deaf', isError: true },
          { type: 'tool_result', callId: 'fc_1', text: 'a cat' },
          { type: 'tool_result', callId: 'call_1_2', text: '{"seen":["a dog"]}' },
        ],
      },
      { role: 'assistant', parts: [{ type: 'text', text: 'A cat and a dog.' }] },
      { role: 'user', parts: [{ type: 'text', text: 'Go on.' }] },
    ]);
    assert.deepEqual(rest, {
      model: 'team/fast',
      system: [{ type: 'text', text: 'Be brief.' }],
      stream: true,
      toolChoice: { name: 'look' },
      maxOutputTokens: 200,
      temperature: 0.5,
      topP: 0.9,
      stop: ['END'],
      seed: 7,
      answerFormat: {
        type: 'json_schema',
        name: 'answer',
        schema: { type: 'object', properties: { name: { type: 'string' } } },
      },
      reasoningEffort: 'low',
      untranslated: ['safetySettings', 'generationConfig.topK', 'tools.googleSearch'],
    });
    assert.deepEqual(tools[1], { name: 'listen', parameters: { type: 'object', additionalProperties: false } });
    assert.equal(
      JSON.stringify(tools[0]?.parameters),
      JSON.stringify({
        type: 'object',
        properties: {
          at: { type: 'string', enum: ['cat', 'dog'], maxLength: 10 },
          times: { type: ['integer', 'null'] },
          where: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'number' }, minItems: 2 }] },
        },
        required: ['at'],
      }),
    );
  });

  test('takes snake_case, null and lone objects as Google does', () => {
    const { messages, system, untranslated, nativeOnly, ...rest } = gemini.readCall({
      model: 'm',
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: { parts: [{ inline_data: { mime_type: 'image/png', data: 'aGk=' } }, { text: 'hi' }] },
      tools: {
        function_declarations: [{ name: 'f', parameters: { type: 'object', properties: { a: { any_of: [] } } } }],
      },
      tool_config: { function_calling_config: { mode: 'ANY' } },
      generation_config: { max_output_tokens: 5, stop_sequences: null, thinking_config: { thinking_budget: 2_000 } },
      labels: { team: 'a' },
      cached_content: 'cachedContents/x',
      continuation_token: 'c2ln',
    });
    assert.deepEqual(system, [{ type: 'text', text: 'Be brief.' }]);
    assert.deepEqual(messages, [
      {
        role: 'user',
        parts: [
          { type: 'image', url: 'data:image/png;base64,aGk=' },
          { type: 'text', text: 'hi' },
        ],
      },
    ]);
    assert.deepEqual(rest, {
      model: 'm',
      stream: false,
      tools: [{ name: 'f', parameters: { type: 'object', properties: { a: { anyOf: [] } } } }],
      toolChoice: 'required',
      maxOutputTokens: 5,
      reasoningEffort: 'medium',
    });
    assert.deepEqual(untranslated, ['labels']);
    assert.deepEqual(nativeOnly, ['cachedContent', 'continuationToken'], 'without them it would be another question');
  });

  test('names the field that is wrong', () => {
    const content = (fields: Json) => ({ model: 'm', contents: [{ role: 'user', parts: [{ text: 'a' }] }, fields] });
    const part = (fields: Json) => content({ role: 'model', parts: [fields] });
    const config = (fields: JsonObject) => ({ ...hello, generationConfig: fields });
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ contents: hello.contents }, 'model'],
      [{ model: 'm' }, 'contents'],
      [{ model: 'm', contents: [] }, 'contents'],
      [{ model: 'm', contents: 'hi' }, 'contents'],
      [content('hi'), 'contents[1]'],
      [content({ role: 'system', parts: [] }), 'contents[1].role'],
      [content({ parts: 'hi' }), 'contents[1].parts'],
      [part('hi'), 'contents[1].parts[0]'],
      [part({ thought: true }), 'contents[1].parts[0]'],
      [part({ text: 1 }), 'contents[1].parts[0].text'],
      [part({ functionCall: {} }), 'contents[1].parts[0].functionCall.name'],
      [part({ functionCall: { name: 'f', args: '{}' } }), 'contents[1].parts[0].functionCall.args'],
      [part({ functionResponse: { name: 'f', response: 'x' } }), 'contents[1].parts[0].functionResponse.response'],
      [part({ inlineData: { data: '' } }), 'contents[1].parts[0].inlineData'],
      [part({ fileData: {} }), 'contents[1].parts[0].fileData.fileUri'],
      [{ ...hello, systemInstruction: 'Be brief.' }, 'systemInstruction'],
      [{ ...hello, tools: [{ functionDeclarations: [{}] }] }, 'tools[0].functionDeclarations[0].name'],
      [config({ maxOutputTokens: 1.5 }), 'generationConfig.maxOutputTokens'],
      [config({ temperature: '1' }), 'generationConfig.temperature'],
      [config({ stopSequences: 'END' }), 'generationConfig.stopSequences'],
      [config({ responseJsonSchema: 'x' }), 'generationConfig.responseJsonSchema'],
    ];
    for (const [body, param] of cases) assert.equal(refused(body), param, JSON.stringify(body));
  });

  test('keeps what only this dialect can say as opaque, and repeats no odd name', () => {
    const { messages, untranslated } = gemini.readCall({
      ...hello,
      contents: [
        {
          role: 'user',
          parts: [
            { inlineData: { mimeType: 'audio/wav', data: '' } },
            {
              fileData: { mimeType: 'image/png', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x' },
            },
            { text: 'x', videoMetadata: { fps: 1 } },
          ],
        },
        { role: 'model', parts: [{ executableCode: { code: '1' } }, { text: 'y', thoughtSignature: 'c2ln' }] },
        { role: 'user', parts: [{ 'evil\r\nheader': 1 }] },
      ],
      toolConfig: { functionCallingConfig: { mode: 'VALIDATED', allowedFunctionNames: ['a', 'b'] } },
      'evil\r\nheader': 1,
    });
    assert.deepEqual(
      messages.map(({ parts }) => parts.map((part) => (part.type === 'opaque' ? part.label : part.type))),
      [['inlineData', 'fileData', 'text'], ['executableCode', 'text'], ['unnamed field']],
    );
    assert.deepEqual([...untranslated].toSorted(), [
      'contents.parts.thoughtSignature',
      'contents.parts.videoMetadata',
      'toolConfig.functionCallingConfig.allowedFunctionNames',
      'toolConfig.functionCallingConfig.mode',
      'unnamed field',
    ]);
  });
});

describe('rewriting a native request', () => {
  const body = readJson('gemini/request.json');
  const edits = { model: 'gemini-2.5-pro', prepend: [], keep: undefined, streamUsage: true };
  const prepend: readonly Message[] = [
    { role: 'system', parts: [{ type: 'text', text: 'Rules.' }] },
    { role: 'assistant', parts: [{ type: 'text', text: 'Understood.' }] },
  ];

  test('changes the model and nothing else, not even the order of fields', () => {
    const rewritten = gemini.rewrite(body, edits);
    assert.equal(JSON.stringify(rewritten), JSON.stringify(body).replace('team/fast', 'gemini-2.5-pro'));
    assert.equal(rewritten.contents, body.contents);
  });

  test('puts prompts first and keeps the chosen contents as they were', () => {
    const rewritten = gemini.rewrite(body, { ...edits, prepend, keep: [0, 4] });
    const contents = body.contents as readonly Json[];
    assert.deepEqual(rewritten.contents, [
      { role: 'model', parts: [{ text: 'Understood.' }] },
      contents[0],
      contents[4],
    ]);
    assert.deepEqual(rewritten.systemInstruction, { parts: [{ text: 'Rules.' }, { text: 'Be brief.' }] });
  });

  test('keeps to the spelling of the client', () => {
    const snake = { ...hello, system_instruction: { role: 'user', parts: { text: 'Be brief.' } } };
    assert.deepEqual(gemini.rewrite(snake, { ...edits, prepend }).system_instruction, {
      role: 'user',
      parts: [{ text: 'Rules.' }, { text: 'Be brief.' }],
    });
    assert.deepEqual(gemini.rewrite(hello, { ...edits, prepend }).systemInstruction, { parts: [{ text: 'Rules.' }] });
  });
});

describe('writing a call', () => {
  test('a conversation with instructions, calls and their results', () => {
    const { body, dropped } = write({
      system: [{ type: 'text', text: 'First.' }],
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'Second.' }] },
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'Look' },
            { type: 'image', url: 'data:image/png;base64,aGk=' },
            { type: 'image', url: 'https://example.com/a.jpg?x=1' },
          ],
        },
        {
          role: 'assistant',
          parts: [
            { type: 'text', text: '' },
            { type: 'tool_call', id: 'a', name: 'f', arguments: '{"x":1}' },
            { type: 'tool_call', id: 'b', name: 'g', arguments: '' },
          ],
        },
        { role: 'tool', parts: [{ type: 'tool_result', callId: 'b', text: 'sunny' }] },
        { role: 'tool', parts: [{ type: 'tool_result', callId: 'a', text: '{"deg":3}' }] },
        { role: 'user', parts: [{ type: 'text', text: 'And?' }] },
      ],
    });
    assert.deepEqual(dropped, []);
    assert.deepEqual(body, {
      model: 'gemini-2.5-flash',
      systemInstruction: { parts: [{ text: 'First.' }, { text: 'Second.' }] },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'Look' },
            { inlineData: { mimeType: 'image/png', data: 'aGk=' } },
            { fileData: { mimeType: 'image/jpeg', fileUri: 'https://example.com/a.jpg?x=1' } },
          ],
        },
        {
          role: 'model',
          parts: [
            { functionCall: { id: 'a', name: 'f', args: { x: 1 } } },
            { functionCall: { id: 'b', name: 'g', args: {} } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'b', name: 'g', response: { output: 'sunny' } } },
            { functionResponse: { id: 'a', name: 'f', response: { deg: 3 } } },
          ],
        },
        { role: 'user', parts: [{ text: 'And?' }] },
      ],
    });
  });

  test('calls that a current model did not sign say so, once in each turn', () => {
    const call = (id: string): Part => ({ type: 'tool_call', id, name: 'f', arguments: '{}' });
    const messages: readonly Message[] = [
      { role: 'assistant', parts: [{ type: 'text', text: 'x' }, call('a'), call('b')] },
    ];
    const signatures = (model: string) => {
      const [content] = write({ messages }, model).body.contents as readonly { parts: readonly JsonObject[] }[];
      return content?.parts.map(({ thoughtSignature }) => thoughtSignature);
    };
    assert.deepEqual(signatures('gemini-3.8-flash'), [undefined, unsigned, undefined]);
    assert.deepEqual(signatures('gemini-flash-latest'), [undefined, unsigned, undefined]);
    assert.deepEqual(signatures('gemini-2.5-flash'), [undefined, undefined, undefined]);
  });

  test('tools go as JSON Schema, with how they may be chosen', () => {
    const tools = [{ name: 'f', description: 'F.', parameters: { type: 'object', $defs: {} }, strict: true }];
    const { body, dropped } = write({ tools, toolChoice: { name: 'f' }, parallelToolCalls: false });
    assert.deepEqual(body.tools, [
      { functionDeclarations: [{ name: 'f', description: 'F.', parametersJsonSchema: tools[0]?.parameters }] },
    ]);
    assert.deepEqual(body.toolConfig, { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } });
    assert.deepEqual(dropped, ['tools.strict', 'parallel_tool_calls']);
    for (const [choice, mode] of [
      ['auto', 'AUTO'],
      ['none', 'NONE'],
      ['required', 'ANY'],
    ] as const)
      assert.deepEqual(write({ tools, toolChoice: choice }).body.toolConfig, { functionCallingConfig: { mode } });
    assert.deepEqual(write({ toolChoice: 'required' }).dropped, ['tool_choice']);
  });

  test('settings, and an answer that keeps to a schema', () => {
    const schema = {
      type: 'object',
      properties: {
        kind: { const: 'a' },
        pattern: { type: 'string', pattern: '^x', title: 'P' },
        list: { items: { not: {} } },
      },
      required: ['kind'],
      additionalProperties: false,
    };
    const { config, dropped } = configOf({
      maxOutputTokens: 9,
      temperature: 0,
      topP: 1,
      stop: ['END'],
      seed: 7,
      answerFormat: { type: 'json_schema', name: 'thing', schema, strict: true },
    });
    assert.deepEqual(config, {
      maxOutputTokens: 9,
      temperature: 0,
      topP: 1,
      stopSequences: ['END'],
      seed: 7,
      responseMimeType: 'application/json',
      responseJsonSchema: { ...schema, properties: { ...schema.properties, kind: { enum: ['a'] } } },
    });
    assert.deepEqual(dropped, ['response_format.schema.pattern', 'response_format.schema.not']);
    assert.deepEqual(configOf({ answerFormat: { type: 'json' } }).config, { responseMimeType: 'application/json' });
    assert.equal(configOf({ answerFormat: { type: 'text' } }).config, undefined);
  });

  test('an effort is a level or a budget, as the model has it', () => {
    const cases: readonly (readonly [string, string, JsonObject | undefined])[] = [
      ['gemini-3.8-flash', 'minimal', { thinkingLevel: 'MINIMAL', includeThoughts: true }],
      ['gemini-3.1-pro-preview', 'minimal', { thinkingLevel: 'LOW', includeThoughts: true }],
      ['gemini-4-argon', 'xhigh', { thinkingLevel: 'HIGH', includeThoughts: true }],
      ['gemini-flash-latest', 'medium', { thinkingLevel: 'MEDIUM', includeThoughts: true }],
      ['gemini-3.8-flash', 'none', undefined],
      ['gemini-2.5-flash', 'low', { thinkingBudget: 1_024, includeThoughts: true }],
      ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }],
      ['gemini-2.5-pro', 'none', undefined],
      ['gemini-2.5-pro', 'high', { thinkingBudget: 24_576, includeThoughts: true }],
      ['gemini-2.0-flash', 'high', undefined],
      ['gemma-3-27b-it', 'high', undefined],
    ];
    for (const [model, reasoningEffort, thinkingConfig] of cases) {
      const { config, dropped } = configOf({ reasoningEffort }, model);
      assert.deepEqual(config, thinkingConfig && { thinkingConfig }, `${model} ${reasoningEffort}`);
      assert.deepEqual(dropped, thinkingConfig ? [] : ['reasoning_effort']);
    }
  });

  test('what cannot be carried is named', () => {
    const { body, dropped } = write({
      untranslated: ['logit_bias'],
      user: 'u-1',
      seed: 2 ** 40,
      messages: [
        { role: 'user', name: 'ann', parts: [{ type: 'image', url: 'data:image/png;base64,aGk=', detail: 'low' }] },
        { role: 'system', parts: [{ type: 'text', text: 'Late.' }] },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'why', signature: 'of another vendor' },
            { type: 'refusal', text: 'No.' },
            { type: 'tool_call', id: 'a', name: 'f', arguments: '{"x":' },
          ],
        },
        { role: 'tool', parts: [{ type: 'tool_result', callId: 'b:1/x', text: 'lost', isError: true }] },
        { role: 'user', parts: [{ type: 'opaque', label: 'input_audio' }] },
      ],
    });
    assert.deepEqual(dropped, [
      'logit_bias',
      'messages.name',
      'image.detail',
      'messages.order',
      'reasoning',
      'tool_calls.arguments',
      'tool_result.name',
      'input_audio',
      'user',
      'seed',
    ]);
    assert.deepEqual(body.systemInstruction, { parts: [{ text: 'Late.' }] });
    assert.deepEqual((body.contents as readonly Json[]).slice(1), [
      {
        role: 'model',
        parts: [{ text: 'No.' }, { functionCall: { id: 'a', name: 'f', args: { INVALID_JSON: '{"x":' } } }],
      },
      { role: 'user', parts: [{ functionResponse: { id: 'b:1/x', name: 'b:1_x', response: { error: 'lost' } } }] },
    ]);
  });

  test('a lone system message is asked as a user’s, for a call needs contents', () => {
    const { body, dropped } = write({ messages: [{ role: 'system', parts: [{ type: 'text', text: 'Say hi.' }] }] });
    assert.deepEqual(body.contents, [{ role: 'user', parts: [{ text: 'Say hi.' }] }]);
    assert.equal(body.systemInstruction, undefined);
    assert.deepEqual(dropped, ['messages.role']);
  });

  test('what was read is written again the same', () => {
    const { safetySettings: _, ...body } = readJson('gemini/request.json');
    const again = write(gemini.readCall(body)).body;
    assert.deepEqual(
      gemini.readCall({ ...again, model: 'team/fast' }).messages.map(({ role }) => role),
      ['user', 'assistant', 'tool', 'assistant', 'user'],
    );
    assert.deepEqual(again.contents, [
      (body.contents as readonly Json[])[0],
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'fc_1', name: 'look', args: { at: 'cat' } } },
          { functionCall: { id: 'call_1_2', name: 'look', args: { at: 'dog' } } },
          { functionCall: { id: 'call_1_3', name: 'listen', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'call_1_3', name: 'listen', response: { error: 'deaf' } } },
          { functionResponse: { id: 'fc_1', name: 'look', response: { output: 'a cat' } } },
          { functionResponse: { id: 'call_1_2', name: 'look', response: { seen: ['a dog'] } } },
        ],
      },
      ...(body.contents as readonly Json[]).slice(3),
    ]);
  });
});

describe('complete answers', () => {
  test('a vendor answer is read with its thoughts and its usage', () => {
    assert.deepEqual(gemini.readAnswer(readJson('gemini/unary.json')), {
      id: 'mwF3aPuPD',
      model: 'gemini-2.5-flash',
      parts: [
        { type: 'reasoning', text: '**Greeting** A hello back.' },
        { type: 'text', text: 'Hello! How can I help?' },
      ],
      finish: 'stop',
      usage: { inputTokens: 19, outputTokens: 20, cachedInputTokens: 4, reasoningTokens: 12 },
    });
  });

  test('parallel calls are read in order, decide the finish, and get the same id each time where they have none', () => {
    const answer = gemini.readAnswer(readJson('gemini/parallel-tools.json'));
    assert.deepEqual(answer.parts, [
      { type: 'tool_call', id: 'fc_a', name: 'weather', arguments: '{"city":"Köln"}' },
      { type: 'tool_call', id: 'call_r-1_1', name: 'weather', arguments: '{"city":"Bonn"}' },
      { type: 'tool_call', id: 'call_r-1_2', name: 'now', arguments: '{}' },
    ]);
    assert.equal(answer.finish, 'tool_calls');
  });

  test('a reason to finish is one of four', () => {
    const finish = (finishReason: string) =>
      gemini.readAnswer({ candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason }] }).finish;
    assert.equal(finish('MAX_TOKENS'), 'length');
    for (const reason of ['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'LANGUAGE'])
      assert.equal(finish(reason), 'content_filter');
    for (const reason of ['STOP', 'OTHER', 'NEW_WORD']) assert.equal(finish(reason), 'stop');
    const filtered = gemini.readAnswer({ candidates: [{ finishReason: 'SAFETY', index: 0 }] });
    assert.deepEqual([filtered.parts, filtered.finish], [[], 'content_filter']);
  });

  test('a blocked prompt is a refusal, and what is no answer a TypeError', () => {
    assert.throws(
      () => gemini.readAnswer(readJson('gemini/blocked.json')),
      (error) => error instanceof AnswerFailed && error.failure.kind === 'content_refused',
    );
    const none: readonly JsonObject[] = [
      {},
      { candidates: [] },
      { error: { message: 'x' } },
      { candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }] },
      { candidates: [{ content: { parts: [{ functionCall: {} }] } }] },
    ];
    for (const body of none) assert.throws(() => gemini.readAnswer(body), TypeError, JSON.stringify(body));
  });

  const answer: Answer = {
    id: 'a',
    model: 'm',
    parts: [
      { type: 'reasoning', text: 'why', signature: 'of another vendor' },
      { type: 'text', text: 'x' },
      { type: 'tool_call', id: 'c', name: 'f', arguments: '{"a":1}' },
    ],
    finish: 'tool_calls',
    usage: { inputTokens: 9, outputTokens: 7, cachedInputTokens: 2, reasoningTokens: 3 },
  };

  test('a written answer has the shape of the SDK, and no signature that Google did not give', () => {
    const written = gemini.writeAnswer(answer, 1);
    written satisfies Partial<Record<keyof GenerateContentResponse, Json>>;
    assert.deepEqual(written, {
      candidates: [
        {
          content: {
            role: 'model',
            parts: [
              { text: 'why', thought: true },
              { text: 'x' },
              { functionCall: { id: 'c', name: 'f', args: { a: 1 } }, thoughtSignature: unsigned },
            ],
          },
          finishReason: 'STOP',
          index: 0,
        },
      ],
      usageMetadata: {
        promptTokenCount: 9,
        candidatesTokenCount: 4,
        totalTokenCount: 16,
        cachedContentTokenCount: 2,
        thoughtsTokenCount: 3,
      },
      modelVersion: 'm',
      responseId: 'a',
    });
    const [said] = written.candidates as readonly { content: JsonObject }[];
    const again = gemini.readCall({ model: 'm', contents: [said?.content ?? null] });
    assert.deepEqual([again.messages[0]?.parts.length, again.untranslated], [3, []]);
    const { parts } = gemini.readAnswer(written);
    assert.deepEqual(parts, [{ type: 'reasoning', text: 'why' }, ...answer.parts.slice(1)]);
  });

  test('a call whose arguments are no JSON is told as Google tells of its own', () => {
    const reason = (finish: Answer['finish']) => {
      const parts: readonly Part[] = [{ type: 'tool_call', id: 'c', name: 'f', arguments: '{"a":' }];
      return gemini.writeAnswer({ ...answer, parts, finish }, 1).candidates;
    };
    assert.deepEqual(reason('tool_calls'), [{ finishReason: 'MALFORMED_FUNCTION_CALL', index: 0 }]);
    assert.deepEqual(reason('length'), [{ finishReason: 'MAX_TOKENS', index: 0 }]);
  });
});

describe('streams', () => {
  const text = 'gemini/stream.txt';

  test('a stream is complete when it ended in good order after a reason to finish, whatever followed that', () => {
    const events = eventsOf(readStream(text));
    const usages = events.flatMap((event) => (event.type === 'usage' ? event.usage : []));
    assert.deepEqual(
      events.filter(({ type }) => type !== 'usage'),
      [
        { type: 'start', id: 'mwF3aPuPD', model: 'gemini-2.5-flash' },
        { type: 'reasoning', text: 'Thinking of it.' },
        { type: 'text', text: 'Hel' },
        { type: 'text', text: 'lo' },
        { type: 'finish', finish: 'stop' },
        { type: 'end' },
      ],
    );
    assert.deepEqual(usages.at(-1), { inputTokens: 19, outputTokens: 20, cachedInputTokens: 4, reasoningTokens: 12 });
  });

  test('a stream that was cut has no end', () => {
    const events = eventsOf(readStream(text).slice(0, 2));
    assert.ok(!events.some(({ type }) => type === 'end' || type === 'finish'));
  });

  test('parallel calls over several events are counted through', () => {
    const events = eventsOf(readStream('gemini/stream-parallel-tools.txt'));
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'tool_call' ? [[event.index, event.id, event.name]] : [])),
      [
        [0, 'fc_a', 'weather'],
        [1, 'call_mwF3aPuPD_1', 'weather'],
        [2, 'call_mwF3aPuPD_2', 'now'],
      ],
    );
    assert.deepEqual(assembledArguments(events), ['{"city":"Köln"}', '{"city":"Bonn"}', '{}']);
    assert.deepEqual(events.at(-2), { type: 'finish', finish: 'tool_calls' });
  });

  test('failures inside a stream are told by kind, and end it', () => {
    const failed = (...bodies: readonly JsonObject[]) => eventsOf(told(...bodies)).at(-1);
    const say = { candidates: [{ content: { parts: [{ text: 'x' }] } }] };
    const failure = (kind: Failure['kind'], status?: number) => ({
      type: 'failure',
      failure: status === undefined ? { kind } : { kind, status },
    });
    assert.deepEqual(
      failed(say, { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }, say),
      failure('overloaded', 503),
    );
    assert.deepEqual(failed({ error: { message: 'odd' } }), failure('broken_answer'));
    assert.deepEqual(failed(readJson('gemini/blocked.json')), failure('content_refused'));
    assert.deepEqual(failed({ candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }] }), failure('broken_answer'));
    assert.deepEqual(eventsOf([{ event: undefined, data: '{"cand' }]), [failure('broken_answer')]);
  });

  const written = (events: readonly AnswerEvent[]) => {
    const writer = gemini.eventWriter({ includeUsage: true, created: 1 });
    return sseMessages(events.map((event) => writer.write(event)).join('') + writer.end());
  };

  test('a written stream has text in pieces, whole calls, and reason and usage in its last event', () => {
    const events: readonly AnswerEvent[] = [
      { type: 'start', id: 'a', model: 'm' },
      { type: 'reasoning', text: 'why' },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      { type: 'tool_call', index: 0, id: 'c', name: 'f' },
      { type: 'tool_call', index: 1, id: 'd', name: 'g' },
      { type: 'tool_arguments', index: 0, text: '{"a"' },
      { type: 'tool_arguments', index: 1, text: '{}' },
      { type: 'tool_arguments', index: 0, text: ':1}' },
      { type: 'finish', finish: 'tool_calls' },
      { type: 'usage', usage: { inputTokens: 3, outputTokens: 2 } },
    ];
    const messages = written(events);
    assert.deepEqual(JSON.parse(messages.at(-1)?.data ?? ''), {
      candidates: [
        {
          content: {
            role: 'model',
            parts: [
              { functionCall: { id: 'c', name: 'f', args: { a: 1 } }, thoughtSignature: unsigned },
              { functionCall: { id: 'd', name: 'g', args: {} } },
            ],
          },
          finishReason: 'STOP',
          index: 0,
        },
      ],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
      modelVersion: 'm',
      responseId: 'a',
    });
    const read = eventsOf(messages);
    assert.deepEqual(
      read.filter(({ type }) => type === 'text' || type === 'reasoning' || type === 'start'),
      events.slice(0, 4),
    );
    assert.deepEqual(assembledArguments(read), ['{"a":1}', '{}']);
    assert.deepEqual(read.at(-2), { type: 'finish', finish: 'tool_calls' });
  });

  test('a stream ends with a part, if only an empty text, where the answer is good', () => {
    const last = (finish: Answer['finish']) =>
      (JSON.parse(written([{ type: 'finish', finish }]).at(-1)?.data ?? '') as JsonObject).candidates;
    const content = { role: 'model', parts: [{ text: '' }] };
    assert.deepEqual(last('stop'), [{ content, finishReason: 'STOP', index: 0 }]);
    assert.deepEqual(last('length'), [{ content, finishReason: 'MAX_TOKENS', index: 0 }]);
    assert.deepEqual(last('content_filter'), [{ finishReason: 'SAFETY', index: 0 }]);
  });

  test('a call that stayed half is not passed off as a whole one', () => {
    const half: readonly AnswerEvent[] = [
      { type: 'start', id: 'a', model: 'm' },
      { type: 'tool_call', index: 0, id: 'c', name: 'f' },
      { type: 'tool_arguments', index: 0, text: '{"a"' },
    ];
    const last = (finish: Answer['finish']) =>
      (JSON.parse(written([...half, { type: 'finish', finish }]).at(-1)?.data ?? '') as JsonObject).candidates;
    assert.deepEqual(last('tool_calls'), [{ finishReason: 'MALFORMED_FUNCTION_CALL', index: 0 }]);
    assert.deepEqual(last('length'), [
      { content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'MAX_TOKENS', index: 0 },
    ]);
  });
});

describe('errors', () => {
  const request = {
    model: 'm',
    contents: [{ parts: [{ text: 'a' }] }, { parts: [] }],
    generationConfig: { topK: 4 },
  };
  for (const { why, body, ...failure } of readJson<readonly ErrorCase[]>('gemini/errors.json')) {
    test(`a vendor's error is classified: ${why}`, () => {
      assert.deepEqual(gemini.readFailure(failure.status, body, request), failure);
    });
  }

  test('ours have the envelope of the vendor, with the stable code as its reason', () => {
    const error = {
      status: 429,
      code: 'quota_exceeded',
      type: 'rate_limit_error',
      message: 'Used up.',
      param: 'model',
    };
    const body = gemini.writeError(error);
    assert.deepEqual(body, {
      error: {
        code: 429,
        message: 'Used up.',
        status: 'RESOURCE_EXHAUSTED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'QUOTA_EXCEEDED',
            domain: 'headgate',
            metadata: { code: 'quota_exceeded' },
          },
          {
            '@type': 'type.googleapis.com/google.rpc.BadRequest',
            fieldViolations: [{ field: 'model', description: 'Used up.' }],
          },
        ],
      },
    });
    assert.equal(gemini.writeErrorEvent(error), `data: ${JSON.stringify(body)}\n\n`);
  });
});
