/** How vendors that speak OpenAI's chat completions differ: what each is sent, and what is left out. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { schemaOf, providerKinds } from '@headgate/runtime/snapshot';
import type { Call, JsonObject } from '../../runtime/call.ts';
import { openaiChat, openaiChatWith, wordedFor, type Quirks } from '../../runtime/dialects/openai-chat.ts';
import { nineAlphanumerics } from '../../runtime/dialects/openai-chat/quirks.ts';

const asked = { model: 'any', messages: [{ role: 'user', content: 'hi' }] };
const schemaFormat = { type: 'json_schema', json_schema: { name: 'city', schema: { type: 'object' }, strict: true } };
const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } });

function written(quirks: Quirks, fields: JsonObject, model = 'any') {
  const call: Call = openaiChat.readCall({ ...asked, ...fields });
  const { body, dropped } = openaiChatWith(quirks).writeCall(call, { model });
  const { messages: _, model: __, ...rest } = wordedFor(quirks, body);
  return { ...(JSON.parse(JSON.stringify(rest)) as JsonObject), ...(dropped.length > 0 && { dropped }) };
}

/** What a field of a client becomes at a vendor with these quirks. */
const translations: Readonly<Record<string, [quirks: Quirks, client: JsonObject, vendor: JsonObject]>> = {
  'the cap, newer name': [{}, { max_tokens: 5 }, { max_completion_tokens: 5 }],
  'the cap, older name': [{ outputCap: 'max_tokens' }, { max_completion_tokens: 5 }, { max_tokens: 5 }],
  'the seed': [{ seed: 'random_seed' }, { seed: 7 }, { random_seed: 7 }],
  'a seed that it lacks': [{ lacks: { seed: true } }, { seed: 7 }, { dropped: ['seed'] }],
  'a user that it lacks': [{ lacks: { user: true } }, { user: 'u' }, { dropped: ['user'] }],
  'what it lacks and nobody asked for': [{ lacks: { user: true, seed: true, stop: true } }, {}, {}],
  'stop sequences of a model that lacks them': [{ lacks: { stop: /^any/ } }, { stop: ['x'] }, { dropped: ['stop'] }],
  'stop sequences of another model': [{ lacks: { stop: /^other/ } }, { stop: ['x'] }, { stop: ['x'] }],
  'an effort that it knows': [{ efforts: ['high'] }, { reasoning_effort: 'high' }, { reasoning_effort: 'high' }],
  'an effort that it does not': [{ efforts: ['high'] }, { reasoning_effort: 'low' }, { dropped: ['reasoning_effort'] }],
  'a schema': [{}, { response_format: schemaFormat }, { response_format: schemaFormat }],
  'a schema under json_object': [
    { answerSchema: 'json_object' },
    { response_format: schemaFormat },
    { response_format: { type: 'json_object', schema: { type: 'object' } } },
  ],
  'a schema where none is taken': [
    { answerSchema: 'nowhere' },
    { response_format: schemaFormat },
    { dropped: ['response_format'] },
  ],
  'only JSON, beside schemas nowhere': [
    { answerSchema: 'nowhere' },
    { response_format: { type: 'json_object' } },
    { response_format: { type: 'json_object' } },
  ],
  'only JSON where a schema is wanted': [
    { jsonObject: false },
    { response_format: { type: 'json_object' } },
    { dropped: ['response_format'] },
  ],
  'a named tool': [
    { namedTool: 'alone' },
    { tools: [tool('a'), tool('b')], tool_choice: { type: 'function', function: { name: 'b' } } },
    { tools: [tool('b')], tool_choice: 'required' },
  ],
  'a choice without a name': [
    { namedTool: 'alone' },
    { tools: [tool('a'), tool('b')], tool_choice: 'auto' },
    { tools: [tool('a'), tool('b')], tool_choice: 'auto' },
  ],
  'a stream': [{}, { stream: true }, { stream: true, stream_options: { include_usage: true } }],
  'a stream with usage unasked': [{ streamUsage: 'unasked' }, { stream: true }, { stream: true }],
};

describe('a translated call', () => {
  for (const [what, [quirks, client, vendor]] of Object.entries(translations))
    test(what, () => assert.deepEqual(written(quirks, client), vendor));

  test('gives back what was reasoned under the name that is known, or tells that it could not', () => {
    const call = openaiChat.readCall(asked);
    const parts = [
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'so' },
    ] as const;
    const earlier: Call = { ...call, messages: [...call.messages, { role: 'assistant', parts }] };
    for (const earlierReasoning of ['reasoning', 'reasoning_content'] as const) {
      const { body, dropped } = openaiChatWith({ earlierReasoning }).writeCall(earlier, { model: 'any' });
      assert.deepEqual((body.messages as JsonObject[])[1]?.[earlierReasoning], 'hm');
      assert.deepEqual(dropped, []);
    }
    const { body, dropped } = openaiChatWith({}).writeCall(earlier, { model: 'any' });
    assert.ok(!JSON.stringify(body).includes('hm') && dropped.length === 1);
  });
});

describe('the body of a client of the dialect itself', () => {
  const full = {
    max_tokens: 1,
    max_completion_tokens: 2,
    seed: 3,
    stream_options: { include_usage: true },
    extra: null,
  };

  test('stays as it is for a vendor without other words', () => {
    const quirks: Quirks = {
      lacks: { seed: true, user: true },
      efforts: [],
      answerSchema: 'nowhere',
      jsonObject: false,
    };
    const body = { messages: [{ role: 'developer', content: 'x' }], ...full };
    assert.equal(JSON.stringify(wordedFor(quirks, body)), JSON.stringify(body));
  });

  test('says the cap once and never as null, the newer name first', () => {
    const old: Quirks = { outputCap: 'max_tokens' };
    assert.deepEqual(wordedFor(old, { max_tokens: 1, max_completion_tokens: 2 }), { max_tokens: 2 });
    assert.deepEqual(wordedFor(old, { max_tokens: 1, max_completion_tokens: null }), { max_tokens: 1 });
    assert.deepEqual(wordedFor(old, { max_completion_tokens: null }), {});
    assert.deepEqual(wordedFor(old, { max_tokens: 1 }), { max_tokens: 1 });
  });

  test('keeps what only another word could say, and loses only what comes unasked', () => {
    const quirks: Quirks = { outputCap: 'max_tokens', seed: 'random_seed', streamUsage: 'unasked' };
    assert.deepEqual(wordedFor(quirks, full), { max_tokens: 2, random_seed: 3, extra: null });
  });

  test('has roles and ids of tool calls as the vendor takes them, the same id wherever it stands', () => {
    const quirks: Quirks = { developerRole: 'system', toolCallIds: 'nine alphanumerics' };
    const id = nineAlphanumerics('call_abc-1');
    const call = { type: 'function', function: { name: 'a', arguments: '{}' } };
    assert.deepEqual(
      wordedFor(quirks, {
        messages: [
          { role: 'developer', content: 'x', name: 'me' },
          { role: 'assistant', tool_calls: [{ id: 'call_abc-1', ...call }] },
          { role: 'tool', tool_call_id: 'call_abc-1', content: 'y' },
          'no message',
        ],
      }).messages,
      [
        { role: 'system', content: 'x', name: 'me' },
        { role: 'assistant', tool_calls: [{ id, ...call }] },
        { role: 'tool', tool_call_id: id, content: 'y' },
        'no message',
      ],
    );
  });

  test('keeps an id that is as the vendor wants it; others become nine letters and digits, each its own', () => {
    assert.equal(nineAlphanumerics('D681PevKs'), 'D681PevKs');
    const ids = Array.from({ length: 5_000 }, (_, index) =>
      nineAlphanumerics(`call_${index}_${'x'.repeat(index % 40)}`),
    );
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ['', 'é', ...ids]) assert.match(nineAlphanumerics(id), /^[A-Za-z0-9]{9}$/);
    assert.equal(nineAlphanumerics('call_1'), nineAlphanumerics('call_1'));
  });
});

describe('xAI’s models', () => {
  const { xai } = providerKinds;
  const api = xai?.connect(schemaOf(xai.options).parse({ apiKey: { $secret: 'K' } }), () => 'key').apis[0];
  const droppedFor = (model: string) =>
    api?.dialect.writeCall(openaiChat.readCall({ ...asked, stop: ['x'], reasoning_effort: 'low' }), { model }).dropped;
  const cases: Readonly<Record<string, readonly string[]>> = {
    'grok-3-mini': ['stop'],
    'grok-4': ['stop', 'reasoning_effort'],
    'grok-4.3': ['stop'],
    'grok-4.20-multi-agent-0309': ['stop'],
    'grok-4-fast-non-reasoning': ['reasoning_effort'],
    'grok-2-1212': ['reasoning_effort'],
    'grok-code-fast-1': ['stop', 'reasoning_effort'],
  };
  for (const [model, dropped] of Object.entries(cases))
    test(`${model} is sent what it takes`, () => assert.deepEqual(droppedFor(model), dropped));
});
