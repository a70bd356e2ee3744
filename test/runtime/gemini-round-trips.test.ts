/** Whatever the Gemini dialect writes, it reads again as the same: calls, answers and streams of any content. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Answer, AnswerEvent, Call, JsonObject, Message, Part } from '../../runtime/call.ts';
import { gemini } from '../../runtime/dialects/gemini.ts';
import { assembledArguments, sseMessages } from '../support/dialect-fixtures.ts';

const runs = { numRuns: 200 };
const plain = (value: object) => JSON.parse(JSON.stringify(value)) as JsonObject;
const word = fc.string({ minLength: 1, maxLength: 12 });
const object = fc.dictionary(word, fc.jsonValue({ maxDepth: 2 })).map((value) => JSON.stringify(value));
const text = fc.record({ type: fc.constant('text' as const), text: word });
const image = fc.record({
  type: fc.constant('image' as const),
  url: fc.constantFrom('https://example.com/a.png', 'data:image/webp;base64,aGk='),
});
const called = fc.record({
  name: word,
  arguments: object,
  result: fc.oneof(fc.string(), object),
  isError: fc.boolean(),
});

/** A user's turn, the assistant's, and the results of its calls. */
const turn = fc.record({
  asked: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
  said: fc.array(text, { maxLength: 2 }),
  calls: fc.array(called, { maxLength: 3 }),
});
const conversation = fc.array(turn, { minLength: 1, maxLength: 4 }).map((turns) =>
  turns.flatMap(({ asked, said, calls }, at): readonly Message[] => [
    { role: 'user', parts: asked },
    ...(said.length + calls.length === 0
      ? [{ role: 'assistant' as const, parts: [{ type: 'text' as const, text: 'Well.' }] }]
      : [
          {
            role: 'assistant' as const,
            parts: [
              ...said,
              ...calls.map((call, index): Part => ({
                type: 'tool_call',
                id: `${at}.${index}`,
                name: call.name,
                arguments: call.arguments,
              })),
            ],
          },
        ]),
    ...(calls.length === 0
      ? []
      : [
          {
            role: 'tool' as const,
            parts: calls.map(({ result, isError }, index): Part => ({
              type: 'tool_result',
              callId: `${at}.${index}`,
              text: result,
              ...(isError && { isError }),
            })),
          },
        ]),
  ]),
);

const call: fc.Arbitrary<Call> = fc.record(
  {
    model: word,
    messages: conversation,
    system: fc.array(text, { minLength: 1, maxLength: 2 }),
    stream: fc.boolean(),
    tools: fc.array(fc.record({ name: word, description: word, parameters: fc.constant({ type: 'object' }) }), {
      minLength: 1,
      maxLength: 2,
    }),
    untranslated: fc.constant([]),
    toolChoice: fc.constantFrom('auto' as const, 'none' as const, 'required' as const, { name: 'f' }),
    maxOutputTokens: fc.integer({ min: 1, max: 100_000 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    stop: fc.array(word, { minLength: 1, maxLength: 3 }),
    seed: fc.integer(),
    answerFormat: fc.constantFrom(
      { type: 'json' as const },
      { type: 'json_schema' as const, name: 'answer', schema: { type: 'object', properties: { a: { enum: ['b'] } } } },
    ),
    reasoningEffort: fc.constantFrom('minimal', 'low', 'medium', 'high'),
  },
  { requiredKeys: ['model', 'messages', 'stream', 'tools', 'untranslated'] },
);

const count = fc.nat({ max: 1_000_000 });
const answer: fc.Arbitrary<Answer> = fc
  .record({
    id: word,
    model: word,
    thought: fc.array(word, { maxLength: 1 }),
    said: fc.array(word, { maxLength: 1 }),
    calls: fc.array(fc.record({ type: fc.constant('tool_call' as const), id: word, name: word, arguments: object }), {
      maxLength: 3,
    }),
    cut: fc.constantFrom('length' as const, 'content_filter' as const, undefined),
    usage: fc.record({ inputTokens: count, outputTokens: count, cachedInputTokens: count }),
    reasoningTokens: count,
  })
  .map(({ id, model, thought, said, calls, cut, usage, reasoningTokens }) => ({
    id,
    model,
    parts: [
      ...thought.map((each): Part => ({ type: 'reasoning', text: each })),
      ...said.map((each): Part => ({ type: 'text', text: each })),
      ...calls,
    ],
    finish: cut ?? (calls.length > 0 ? 'tool_calls' : 'stop'),
    usage: { ...usage, outputTokens: usage.outputTokens + reasoningTokens, reasoningTokens },
  }));

function* eventsOf({ id, model, parts, finish, usage }: Answer): Generator<AnswerEvent> {
  yield { type: 'start', id, model };
  let index = -1;
  for (const part of parts) {
    if (part.type === 'tool_call') {
      index += 1;
      yield { type: 'tool_call', index, id: part.id, name: part.name };
      for (const char of part.arguments) yield { type: 'tool_arguments', index, text: char };
    } else if (part.type === 'text' || part.type === 'reasoning') yield { type: part.type, text: part.text };
  }
  yield { type: 'finish', finish };
  if (usage) yield { type: 'usage', usage };
}

describe('what the Gemini dialect writes', () => {
  test('is read as the same call', () => {
    fc.assert(
      fc.property(call, (written) => {
        const { body, dropped } = gemini.writeCall(written, { model: 'gemini-3.8-flash' });
        assert.deepEqual(dropped, []);
        const read = gemini.readCall(plain({ ...body, model: written.model }));
        assert.deepEqual(plain(read), plain(written));
      }),
      runs,
    );
  });

  test('is read as the same answer', () => {
    fc.assert(
      fc.property(answer, (written) => {
        assert.deepEqual(plain(gemini.readAnswer(plain(gemini.writeAnswer(written, 1)))), plain(written));
      }),
      runs,
    );
  });

  test('is read as the same stream', () => {
    fc.assert(
      fc.property(answer, (streamed) => {
        const writer = gemini.eventWriter({ includeUsage: true, created: 1 });
        const reader = gemini.eventReader();
        const events = [...eventsOf(streamed)];
        const wire = events.map((event) => writer.write(event)).join('') + writer.end();
        const read = [...sseMessages(wire).flatMap((each) => reader.read(each)), ...(reader.finish?.() ?? [])];
        const others = (all: readonly AnswerEvent[]) =>
          all.filter(({ type }) => !['tool_arguments', 'usage', 'end'].includes(type));
        assert.deepEqual(others(read), others(events));
        assert.deepEqual(assembledArguments(read), assembledArguments(events));
        assert.deepEqual(
          read.findLast(({ type }) => type === 'usage'),
          { type: 'usage', usage: streamed.usage },
        );
        assert.equal(read.at(-1)?.type, 'end');
      }),
      runs,
    );
  });
});
