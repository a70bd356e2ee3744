/** The Converse dialect beyond its fixtures: framing that is cut, damaged or too large, failures in streams, what is written. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AnswerEvent, Call } from '../../runtime/call.ts';
import { bedrockConverse } from '../../runtime/dialects/bedrock-converse.ts';
import { eventFrame, exceptionFrame, frameOf, textHeader } from '../support/event-stream.ts';
import { collect } from '../support/scripted-upstream.ts';

const frames = bedrockConverse.frames ?? assert.fail('there is a framing');

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function eventsIn(bytes: Buffer): Promise<AnswerEvent[]> {
  const reader = bedrockConverse.eventReader();
  const events = (await collect(frames(cut(bytes, bytes.length)))).flatMap((message) => reader.read(message));
  return [...events, ...(reader.finish?.() ?? [])];
}

const two = Buffer.concat([
  eventFrame('messageStart', { role: 'assistant' }),
  eventFrame('contentBlockDelta', { a: 'ü' }),
]);

describe('frames', () => {
  test('are found wherever the bytes were cut', async () => {
    const expected = [
      { event: 'messageStart', data: '{"role":"assistant"}' },
      { event: 'contentBlockDelta', data: '{"a":"ü"}' },
    ];
    for (let size = 1; size <= two.length; size += 1) assert.deepEqual(await collect(frames(cut(two, size))), expected);
  });

  test('may have headers of every type, and those that are no text are passed over', async () => {
    const sizes = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];
    const others = sizes.flatMap((size, type) => {
      if (type === 7) return [];
      const value = size === undefined ? [0, 3, 1, 2, 3] : Array.from({ length: size }, () => 7);
      return [Buffer.from([1, 97 + type, type, ...value])];
    });
    const headers = Buffer.concat([...others, textHeader(':event-type', 'messageStart')]);
    assert.deepEqual(await collect(frames(cut(frameOf(headers, '{}'), 5))), [{ event: 'messageStart', data: '{}' }]);
  });

  test('that are damaged anywhere are no frames', async () => {
    for (let at = 0; at < two.length; at += 1) {
      const damaged = Buffer.from(two);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await assert.rejects(collect(frames(cut(damaged, 64))), Error, `byte ${at}`);
    }
  });

  test('that end early, or tell of impossible lengths, are refused at once', async () => {
    const none = Buffer.alloc(0);
    await assert.rejects(collect(frames(cut(two.subarray(0, -1), 64))), /ended in the middle/);
    const damaged = Buffer.from(two.subarray(0, 12));
    damaged[3] = (damaged[3] ?? 0) ^ 1;
    await assert.rejects(collect(frames(cut(damaged, 64))), /lengths of a message are damaged/);
    for (const told of [
      { length: 17 * 1024 * 1024 },
      { headers: 200_000, length: 300_000 },
      { length: 15 },
      { headers: 9 },
    ])
      await assert.rejects(collect(frames(cut(frameOf(none, '', told).subarray(0, 12), 64))), /not possible/);
    await assert.rejects(collect(frames(cut(frameOf(Buffer.from([200, 97]), ''), 64))), Error);
    await assert.rejects(collect(frames(cut(frameOf(Buffer.from([1, 97, 7, 255, 255]), ''), 64))), /longer than/);
    await assert.rejects(collect(frames(cut(frameOf(Buffer.from([1, 97, 12]), ''), 64))), /of type 12/);
  });
});

describe('a stream', () => {
  const start = eventFrame('messageStart', { role: 'assistant' });
  const text = eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } });
  const stop = (stopReason: string) => eventFrame('messageStop', { stopReason });

  const exceptions = {
    throttlingException: 'rate_limited',
    internalServerException: 'overloaded',
    serviceUnavailableException: 'overloaded',
    modelStreamErrorException: 'broken_answer',
    modelTimeoutException: 'timeout',
    somethingNewException: 'broken_answer',
  };
  for (const [name, kind] of Object.entries(exceptions))
    test(`fails with a ${name}`, async () => {
      const events = await eventsIn(Buffer.concat([start, text, exceptionFrame(name, 'No.'), stop('end_turn')]));
      assert.deepEqual(events.slice(2), [{ type: 'failure', failure: { kind } }]);
    });

  test('fails with a validationException by what its sentence says', async () => {
    const kindOf = async (message: string) => (await eventsIn(exceptionFrame('validationException', message)))[0];
    const failed = (kind: string) => ({ type: 'failure', failure: { kind } });
    assert.deepEqual(await kindOf('Input is too long for requested model.'), failed('context_too_long'));
    assert.deepEqual(await kindOf('messages: must not be empty'), failed('bad_request'));
  });

  test('fails with an error that has no payload', async () => {
    const headers = [textHeader(':error-code', 'InternalFailure'), textHeader(':message-type', 'error')];
    const events = await eventsIn(frameOf(Buffer.concat(headers), ''));
    assert.deepEqual(events, [{ type: 'failure', failure: { kind: 'broken_answer' } }]);
  });

  test('ends without metadata too, and not without its messageStop', async () => {
    const types = async (...all: Buffer[]) => (await eventsIn(Buffer.concat(all))).map(({ type }) => type);
    assert.deepEqual(await types(start, text, stop('max_tokens')), ['start', 'text', 'finish', 'end']);
    assert.deepEqual(await types(start, text), ['start', 'text']);
  });

  test('whose tool call the service could not read is broken', async () => {
    const [, last] = await eventsIn(Buffer.concat([start, stop('malformed_tool_use')]));
    assert.deepEqual(last, { type: 'failure', failure: { kind: 'broken_answer' } });
  });

  test('passes over events that it does not know', async () => {
    assert.deepEqual(await eventsIn(eventFrame('sponsorMessage', { text: 'Buy' })), []);
  });
});

describe('a call', () => {
  const bare: Call = { model: 'm', messages: [], stream: false, tools: [], untranslated: [] };
  const written = (call: Partial<Call>) => bedrockConverse.writeCall({ ...bare, ...call }, { model: 'm' });
  const tools = [{ name: 'look', description: '', parameters: {} }];

  test('has its images as bytes', () => {
    const parts = [{ type: 'image', url: 'data:image/PNG;base64,iVBO' }] as const;
    const { body, dropped } = written({ messages: [{ role: 'user', parts }] });
    const content = [{ image: { format: 'png', source: { bytes: 'iVBO' } } }];
    assert.deepEqual([body.messages, dropped], [[{ role: 'user', content }], []]);
  });

  test('that allows no tool names none, unless its messages speak of one', () => {
    assert.equal(written({ tools, toolChoice: 'none' }).body.toolConfig, undefined);
    const parts = [{ type: 'tool_call', id: 'functions.look:0 ', name: 'look', arguments: '' }] as const;
    const { body, dropped } = written({ tools, toolChoice: 'none', messages: [{ role: 'assistant', parts }] });
    const inputSchema = { json: { type: 'object' } };
    assert.deepEqual(body.toolConfig, { tools: [{ toolSpec: { name: 'look', inputSchema } }] });
    assert.deepEqual(dropped, ['tool_choice']);
    const content = [{ toolUse: { toolUseId: 'functions.look:0_', name: 'look', input: {} } }];
    assert.deepEqual(body.messages, [{ role: 'assistant', content }]);
  });

  test('of instructions alone is a message of the user', () => {
    const { body, dropped } = written({ messages: [{ role: 'system', parts: [{ type: 'text', text: 'Sing.' }] }] });
    assert.deepEqual(body.messages, [{ role: 'user', content: [{ text: 'Sing.' }] }]);
    assert.deepEqual([body.system, dropped], [undefined, ['messages.role']]);
  });

  test('is never warmer than the API allows', () => {
    const { body, dropped } = written({ temperature: 1.5 });
    assert.deepEqual([body.inferenceConfig, dropped], [{ temperature: 1 }, ['temperature']]);
  });
});
