/** What tools show beside their words, such as a screenshot: it reaches every vendor, and never stands between the results of one turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../runtime/call.ts';
import { anthropicMessages } from '../../runtime/dialects/anthropic-messages.ts';
import { bedrockConverse } from '../../runtime/dialects/bedrock-converse.ts';
import type { VendorDialect } from '../../runtime/dialects/dialect.ts';
import { gemini } from '../../runtime/dialects/gemini.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import { openaiResponses } from '../../runtime/dialects/openai-responses.ts';

const url = (data: string) => `data:image/png;base64,${data}`;
const shows = (data: string) => ({ type: 'input_image', image_url: url(data), detail: 'auto' });
const called = (call_id: string) => ({ type: 'function_call', call_id, name: 'look', arguments: '{}' });
const gave = (call_id: string, ...output: object[]) => ({ type: 'function_call_output', call_id, output });
const call = openaiResponses.readCall({
  model: 'm',
  input: [
    { role: 'user', content: 'Look.' },
    called('a'),
    called('b'),
    gave('a', { type: 'input_text', text: 'two' }, shows('AAAA'), shows('BBBB')),
    gave('b', shows('CCCC')),
    { role: 'user', content: 'So?' },
  ] as JsonObject[],
});

/** What is sent after the calls. */
function sentAfter({ writeCall }: VendorDialect, field: 'messages' | 'contents' | 'input'): unknown {
  const { body, dropped } = writeCall(call, { model: 'm', maxOutputTokens: 10 });
  assert.deepEqual(dropped, []);
  const all = body[field] as { role?: string; type?: string }[];
  const isCall = ({ role = '', type }: (typeof all)[number]) =>
    role === 'assistant' || role === 'model' || type === 'function_call';
  return JSON.parse(JSON.stringify(all.slice(all.findLastIndex(isCall) + 1)));
}

test('Anthropic is shown it in the result that it belongs to', () => {
  const image = (data: string) => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data } });
  const words = { type: 'text', text: 'two' };
  const content = [
    { type: 'tool_result', tool_use_id: 'a', content: [words, image('AAAA'), image('BBBB')] },
    { type: 'tool_result', tool_use_id: 'b', content: [image('CCCC')] },
    { type: 'text', text: 'So?' },
  ];
  assert.deepEqual(sentAfter(anthropicMessages, 'messages'), [{ role: 'user', content }]);
});

test('Google is shown it after the responses, which stay together', () => {
  const response = (id: string, output: string) => ({ functionResponse: { id, name: 'look', response: { output } } });
  const image = (data: string) => ({ inlineData: { mimeType: 'image/png', data } });
  assert.deepEqual(sentAfter(gemini, 'contents'), [
    { role: 'user', parts: [response('a', 'two'), response('b', '')] },
    { role: 'user', parts: [image('AAAA'), image('BBBB'), image('CCCC'), { text: 'So?' }] },
  ]);
});

test('Bedrock is shown it after the results', () => {
  const result = (toolUseId: string, ...content: object[]) => ({ toolResult: { toolUseId, content } });
  const image = (bytes: string) => ({ image: { format: 'png', source: { bytes } } });
  const content = [result('a', { text: 'two' }), result('b'), image('AAAA'), image('BBBB'), image('CCCC')];
  assert.deepEqual(sentAfter(bedrockConverse, 'messages'), [{ role: 'user', content: [...content, { text: 'So?' }] }]);
});

test('OpenAI is shown it by the user in chat, after the results, and in the output where it has a place there', () => {
  const image = (data: string) => ({ type: 'image_url', image_url: { url: url(data), detail: 'auto' } });
  assert.deepEqual(sentAfter(openaiChat, 'messages'), [
    { role: 'tool', tool_call_id: 'a', content: 'two' },
    { role: 'tool', tool_call_id: 'b', content: '' },
    { role: 'user', content: [image('AAAA'), image('BBBB'), image('CCCC')] },
    { role: 'user', content: 'So?' },
  ]);
  assert.deepEqual(sentAfter(openaiResponses, 'input'), [
    gave('a', { type: 'input_text', text: 'two' }, shows('AAAA'), shows('BBBB')),
    gave('b', shows('CCCC')),
    { role: 'user', content: 'So?' },
  ]);
});

test('Google’s clients show it in a response of a function, and it is read as such', () => {
  const shown = { inlineData: { mimeType: 'image/png', data: 'AAAA' } };
  const sound = { inlineData: { mimeType: 'audio/wav', data: 'AAAA' } };
  const functionResponse = { id: 'a', name: 'look', response: { output: 'two' }, parts: [shown, sound] };
  const contents = [
    { role: 'user', parts: [{ text: 'Look.' }] },
    { role: 'model', parts: [{ functionCall: { id: 'a', name: 'look', args: {} } }] },
    { role: 'user', parts: [{ functionResponse }] },
  ];
  assert.deepEqual(gemini.readCall({ model: 'm', contents }).messages.at(-1)?.parts, [
    { type: 'tool_result', callId: 'a', text: 'two' },
    { type: 'image', url: url('AAAA') },
    { type: 'opaque', label: 'functionResponse.parts' },
  ]);
});
