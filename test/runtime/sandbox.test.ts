/** The sandbox provider: the same answer for the same question, in the vendor's shape, and faults on demand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../runtime/call.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import { sandbox } from '../../runtime/providers/sandbox.ts';
import { readSse } from '../../runtime/upstream/sse.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const hello = [{ role: 'user', content: 'hello there' }];

/** One sandbox with a model `m` of these options, and a way to ask it. */
function box(options: object = {}) {
  const models = new Map([['m', schemaOf(sandbox.modelOptions).parse(options)]]);
  const transport = sandbox.transport({}, models);
  const send = (body: JsonObject, signal: AbortSignal = new AbortController().signal) =>
    transport({ path: '/chat/completions', headers: {}, body: JSON.stringify({ model: 'm', ...body }), signal });
  const ask = async (body: JsonObject) => {
    const response = await send({ messages: hello, ...body });
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body) pieces.push(piece);
    return { status: response.status, text: Buffer.concat(pieces).toString('utf8') };
  };
  const whole = async (body: JsonObject) => openaiChat.readAnswer(JSON.parse((await ask(body)).text) as JsonObject);
  return { send, ask, whole };
}

const tool = (name: string, parameters?: JsonObject): JsonObject => ({
  type: 'function',
  function: { name, ...(parameters ? { parameters } : {}) },
});
const argumentsOf = ({ parts: [part] }: ReturnType<typeof openaiChat.readAnswer>): unknown =>
  part?.type === 'tool_call' ? JSON.parse(part.arguments) : assert.fail('no tool was called');

test('equal requests have equal answers, and other requests other ids', async () => {
  const { ask } = box();
  assert.deepEqual(await ask({}), await ask({}));
  assert.deepEqual(await ask({ stream: true }), await ask({ stream: true }));
  assert.notEqual((await ask({ seed: 1 })).text, (await ask({ seed: 2 })).text);
});

test('it says what its template says of the last user message, which is never taken for a template', async () => {
  const { whole } = box({ reply: '<{{input}}|{{input}}>' });
  const answer = await whole({ messages: [...hello, { role: 'user', content: '$& {{input}}' }] });
  assert.deepEqual(answer.parts, [{ type: 'text', text: '<$& {{input}}|$& {{input}}>' }]);
  assert.ok(answer.usage && answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0);
});

test('a stream says the same as the whole answer, word by word', async () => {
  const { ask, whole } = box();
  for (const content of ['  odd   spacing \n\n', '', '   ', 'grüß 😀 中文']) {
    const messages = [{ role: 'user', content }];
    const { text } = await ask({ messages, stream: true, stream_options: { include_usage: true } });
    const reader = openaiChat.eventReader();
    const events: ReturnType<typeof reader.read>[number][] = [];
    async function* body() {
      yield Buffer.from(text);
    }
    for await (const { message } of readSse(body())) if (message) events.push(...reader.read(message));
    const said = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
    const answer = await whole({ messages });
    assert.equal(said, answer.parts.map((part) => (part.type === 'text' ? part.text : '')).join(''));
    assert.equal(events.at(-1)?.type, 'end');
    assert.equal(events.find((event) => event.type === 'usage')?.usage.outputTokens, answer.usage?.outputTokens);
  }
});

test('it calls a tool when forced or when the user names it, with arguments of the right shape', async () => {
  const { whole } = box();
  const parameters = {
    type: 'object',
    properties: {
      city: { type: 'string' },
      days: { type: 'integer' },
      unit: { enum: ['C', 'F'] },
      tags: { type: 'array', items: { type: 'boolean' } },
      place: { type: 'object', properties: { lat: { type: 'number' } } },
    },
  };
  const tools = [tool('weather', parameters), tool('time')];
  const shape = { city: 'sandbox', days: 1, unit: 'C', tags: [true], place: { lat: 1 } };
  assert.deepEqual(argumentsOf(await whole({ tools, tool_choice: 'required' })), shape);
  const named = [{ role: 'user', content: 'the weather please' }];
  assert.deepEqual(argumentsOf(await whole({ tools, messages: named })), shape);
  const time = { type: 'function', function: { name: 'time' } };
  assert.deepEqual(argumentsOf(await whole({ tools, tool_choice: time })), {});
  assert.equal((await whole({ tools, messages: named, tool_choice: 'none' })).finish, 'stop');
  assert.equal((await whole({ tools })).finish, 'stop');
});

test('arguments are an object whatever the schema looks like', async () => {
  const { whole } = box();
  const cyclic = { type: 'object', properties: { self: { $ref: '#' } } };
  const odd: readonly JsonObject[] = [
    {},
    { properties: { a: { type: 'number' } } },
    { type: ['object', 'null'], properties: {} },
    cyclic,
    { type: 'object', properties: { a: true, b: { type: 'array' }, c: { enum: [] } } },
  ];
  for (const parameters of odd) {
    const made = argumentsOf(await whole({ tools: [tool('t', parameters)], tool_choice: 'required' }));
    assert.ok(typeof made === 'object' && made !== null && !Array.isArray(made), JSON.stringify(parameters));
  }
});

test('a model that is not declared is unknown in the vendor’s words', async () => {
  const { status, text } = await box().ask({ model: 'other' });
  assert.equal(openaiChat.readFailure(status, JSON.parse(text) as JsonObject, {}).kind, 'not_found');
});

test('a declared status comes on every n-th request only', async () => {
  const { ask } = box({ fault: { type: 'status', status: 429, every: 3 } });
  const statuses: number[] = [];
  for (let turn = 0; turn < 6; turn += 1) statuses.push((await ask({})).status);
  assert.deepEqual(statuses, [200, 200, 429, 200, 200, 429]);
});

test('a cut breaks a whole answer before and a stream in its middle', async () => {
  const { ask, send } = box({ fault: { type: 'cut' } });
  await assert.rejects(ask({}), { code: 'ECONNRESET' });
  const { body } = await send({ messages: hello, stream: true });
  const pieces: string[] = [];
  await assert.rejects(
    async () => {
      for await (const piece of body) pieces.push(Buffer.from(piece).toString('utf8'));
    },
    { code: 'ECONNRESET' },
  );
  assert.ok(pieces.length > 1 && !pieces.join('').includes('[DONE]'));
});

test('waiting ends as soon as the caller gives up', async () => {
  for (const options of [{ fault: { type: 'hang' } }, { latency: '10m' }]) {
    const caller = new AbortController();
    const asked = box(options).send({ messages: hello }, caller.signal);
    caller.abort(new Error('gave up'));
    await assert.rejects(asked, /gave up/);
  }
  const caller = new AbortController();
  const { body } = await box({ chunkInterval: '1m' }).send({ messages: hello, stream: true }, caller.signal);
  await assert.rejects(async () => {
    for await (const _ of body) caller.abort(new Error('gave up'));
  }, /gave up/);
});

test('latency comes before the first byte and the interval between pieces', async () => {
  const { ask } = box({ latency: '40ms', chunkInterval: '10ms' });
  const started = performance.now();
  await ask({});
  assert.ok(performance.now() - started >= 39);
  const streaming = performance.now();
  const { text } = await ask({ stream: true });
  const gaps = text.split('\n\n').length - 2;
  assert.ok(performance.now() - streaming >= 39 + gaps * 9);
});

test('a model of which nothing is said has what the schema would give it', () => {
  assert.deepEqual(sandbox.plainModel, schemaOf(sandbox.modelOptions).parse({}));
});
