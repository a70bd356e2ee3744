/** Streams that pass as bytes: whatever they hold and wherever they are cut, what came of reading each event by itself comes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnswerEvent, Usage } from '../../runtime/call.ts';
import { anthropicMessages } from '../../runtime/dialects/anthropic-messages.ts';
import type { VendorDialect } from '../../runtime/dialects/dialect.ts';
import { gemini } from '../../runtime/dialects/gemini.ts';
import { openaiChat, openaiChatWith } from '../../runtime/dialects/openai-chat.ts';
import { openaiResponses } from '../../runtime/dialects/openai-responses.ts';
import type { Dispatchable } from '../../runtime/exchange.ts';
import { newOutcome } from '../../runtime/outcome.ts';
import { Meter } from '../../runtime/pipeline/meter.ts';
import { AttemptFailed, Patience } from '../../runtime/pipeline/patience.ts';
import { AnswerStream } from '../../runtime/pipeline/read-stream.ts';
import { readSse } from '../../runtime/upstream/sse.ts';

/** What a stream comes to, for the client and for whoever pays. */
interface Result {
  /** It failed before a client could have got anything. */
  readonly refused: string | undefined;
  readonly text: string;
  readonly end: string;
  readonly usage: Usage | undefined;
  readonly isEstimated: boolean;
}

const refusal = (refused: string): Result => ({
  refused,
  text: '',
  end: '',
  usage: undefined,
  isEstimated: false,
});

const bodyOf = (pieces: readonly Uint8Array[]): AsyncIterable<Uint8Array> =>
  (async function* () {
    yield* pieces;
  })();

function settled(meter: Meter): Pick<Result, 'usage' | 'isEstimated'> {
  const call = { messages: [], tools: [] };
  const exchange = { outcome: newOutcome(), call, prepend: [] } as unknown as Dispatchable;
  meter.settle(exchange);
  return { usage: exchange.outcome.usage, isEstimated: exchange.outcome.usageEstimated };
}

const silent = new Set(['start', 'usage', 'opaque', 'end']);
const onlyUsage = (events: readonly AnswerEvent[]) => events.length > 0 && events.every(({ type }) => type === 'usage');

/** Each event by itself, as the standard and the dialect have it. */
async function oneByOne(bytes: Uint8Array, dialect: VendorDialect, hideUsage: boolean): Promise<Result> {
  const reader = dialect.eventReader();
  const meter = new Meter({ dialect });
  let [text, end, hasSaid] = ['', '', false];
  const take = (raw: string, events: readonly AnswerEvent[]): string | undefined => {
    const failed = events.find((event) => event.type === 'failure')?.failure.kind;
    const isLast = events.some(({ type }) => type === 'end');
    hasSaid ||= events.some(({ type }) => !silent.has(type)) && failed === undefined;
    if (!hasSaid && (failed !== undefined || isLast)) return failed ?? 'broken_answer';
    meter.hear({ passing: new Uint8Array(), events });
    if (failed === undefined && !(hideUsage && onlyUsage(events))) text += raw;
    end = failed ?? (isLast ? 'end' : '');
    return undefined;
  };
  for await (const { raw, message } of readSse(bodyOf([bytes]))) {
    const refused = take(raw, message ? reader.read(message) : []);
    if (refused !== undefined) return refusal(refused);
    if (end !== '') break;
  }
  if (end === '') {
    const refused = take('', reader.finish?.() ?? []);
    if (refused !== undefined) return refusal(refused);
  }
  return hasSaid ? { refused: undefined, text, end, ...settled(meter) } : refusal('broken_answer');
}

async function asBytes(pieces: readonly Uint8Array[], dialect: VendorDialect, hideUsage: boolean): Promise<Result> {
  const patience = new Patience(new AbortController().signal, { idleMs: 10_000 });
  const response = { status: 200, headers: {}, body: bodyOf(pieces), discard: () => undefined };
  const stream = new AnswerStream({ response, patience, dialect, native: true, hideUsage, begun: {} });
  const meter = new Meter({ dialect });
  const passed: Uint8Array[] = [];
  let end = '';
  try {
    await stream.open();
  } catch (error) {
    assert.ok(error instanceof AttemptFailed);
    return refusal(error.failure.kind);
  }
  for (let heard = await stream.next(); heard && end === ''; heard = await stream.next()) {
    meter.hear(heard);
    passed.push(heard.passing);
    const failed = heard.events.find((event) => event.type === 'failure');
    end = failed?.failure.kind ?? (heard.events.some(({ type }) => type === 'end') ? 'end' : '');
  }
  stream.close();
  return { refused: undefined, text: Buffer.concat(passed).toString('utf8'), end, ...settled(meter) };
}

type Event = readonly [name: string | undefined, data: unknown];

const words = fc.oneof(
  fc.constantFrom(
    ' a',
    'gateway ',
    '"usage":{',
    '\\"error\\": {}',
    'data: x\n\n',
    '\r\n\r\n',
    'grüß 😀 中',
    '[DONE]',
    '}',
  ),
  fc.string({ maxLength: 40 }),
);

const openaiUsage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
const chunk = (more: object): Event => [undefined, { id: 'c', object: 'chat.completion.chunk', model: 'm', ...more }];
const choice = (delta: object, finish: string | null = null, more: object = {}): Event =>
  chunk({ choices: [{ index: 0, delta, finish_reason: finish }], ...more });
const called = (name: string, text: string) => ({
  tool_calls: [{ index: 0, id: 'k', function: { name, arguments: text } }],
});
const openaiEvents = fc.oneof(
  { weight: 8, arbitrary: words.map((content) => choice({ content }, null, { usage: null })) },
  { weight: 2, arbitrary: words.map((reasoning) => choice({ reasoning })) },
  fc.constantFrom<Event>(
    choice({ role: 'assistant', content: '' }),
    choice(called('look', '')),
    choice(called('', '{"a":')),
    choice({}, 'stop'),
    choice({ content: 'x' }, 'stop', { usage: openaiUsage }),
    chunk({ choices: [], usage: openaiUsage }),
    chunk({ choices: [], x_groq: { usage: openaiUsage } }),
    choice({ content: 'y' }, null, { error: null }),
    [undefined, { error: { message: 'PLANTED', type: 'server_error' } }],
    ['error', { message: 'PLANTED' }],
    choice({}, 'error', { error: { code: 502, message: 'PLANTED' } }),
    [undefined, '[DONE]'],
  ),
);

const delta = (of: object): Event => ['content_block_delta', { type: 'content_block_delta', index: 0, delta: of }];
const typed = (type: string, more: object = {}): Event => [type, { type, ...more }];
const start = { id: 'm', model: 'm', usage: { input_tokens: 9, output_tokens: 1 } };
const anthropicEvents = fc.oneof(
  { weight: 8, arbitrary: words.map((text) => delta({ type: 'text_delta', text })) },
  { weight: 2, arbitrary: words.map((text) => delta({ type: 'input_json_delta', partial_json: text })) },
  fc.constantFrom<Event>(
    typed('message_start', { message: start }),
    typed('content_block_start', { index: 0, content_block: { type: 'tool_use', id: 't', name: 'look', input: {} } }),
    typed('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    typed('content_block_stop', { index: 0 }),
    typed('ping'),
    typed('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } }),
    typed('message_stop'),
    ['message_stop', {}],
    typed('error', { error: { type: 'overloaded_error', message: 'PLANTED' } }),
  ),
);

const responseOf = (more: object) => ({ response: { id: 'r', model: 'm', status: 'completed', output: [], ...more } });
const responsesUsage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
const responsesEvents = fc.oneof(
  { weight: 8, arbitrary: words.map((text) => typed('response.output_text.delta', { output_index: 0, delta: text })) },
  fc.constantFrom<Event>(
    typed('response.created', responseOf({ error: null })),
    typed('response.output_item.added', {
      output_index: 1,
      item: { type: 'function_call', call_id: 'k', name: 'look' },
    }),
    typed('response.function_call_arguments.delta', { output_index: 1, delta: '{"a"' }),
    typed('response.completed', responseOf({ usage: responsesUsage })),
    ['response.completed', responseOf({ usage: responsesUsage })],
    typed('response.incomplete', responseOf({})),
    typed(
      'response.failed',
      responseOf({ error: { code: 'server_error', message: 'PLANTED' }, usage: responsesUsage }),
    ),
    typed('error', { code: 'server_error', message: 'PLANTED' }),
  ),
);

const candidate = (parts: object[], more: object = {}, rest: object = {}): Event => [
  undefined,
  { candidates: [{ index: 0, content: { role: 'model', parts }, ...more }], responseId: 'g', ...rest },
];
const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 8, totalTokenCount: 11 };
const geminiEvents = fc.oneof(
  { weight: 8, arbitrary: words.map((text) => candidate([{ text }], {}, text.length > 9 ? { usageMetadata } : {})) },
  fc.constantFrom<Event>(
    candidate([{ functionCall: { name: 'look', args: { a: 1 } } }]),
    candidate([{ text: '.' }], { finishReason: 'STOP' }, { usageMetadata }),
    [undefined, { promptFeedback: { blockReason: 'SAFETY' } }],
    [undefined, { error: { code: 503, message: 'PLANTED', status: 'UNAVAILABLE' } }],
  ),
);

/** As it is written, by vendors and by those who try what becomes of it. */
const written = (events: fc.Arbitrary<Event>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(
        fc.oneof(
          { weight: 12, arbitrary: fc.tuple(events, fc.constantFrom('', ' ')) },
          {
            weight: 1,
            arbitrary: fc.constantFrom(
              ': ping',
              'data: <html>PLANTED',
              'data: PLANTED {}',
              'data: {"choices":[{"del',
              'data: {\ndata: }',
              'id: 7',
            ),
          },
        ),
        { minLength: 1, maxLength: 30 },
      ),
      fc.constantFrom('\n', '\n', '\r\n', '\r'),
      fc.constantFrom('', '', 'data: {"half', 'data: {"half":{}'),
    )
    .map(([all, lineEnd, rest]) => {
      const texts = all.map((one) => {
        if (typeof one === 'string') return one;
        const [[name, data], gap] = one;
        const json = typeof data === 'string' ? data : JSON.stringify(data).replaceAll('":', `":${gap}`);
        return `${name === undefined ? '' : `event:${gap}${name}\n`}data:${gap}${json}`;
      });
      return [...texts.map((text) => `${text}\n\n`), rest].join('').replaceAll('\n', lineEnd);
    });

const dialects: readonly (readonly [string, VendorDialect, fc.Arbitrary<Event>])[] = [
  ['chat completions', openaiChat, openaiEvents],
  ['chat completions that end with a reason', openaiChatWith({ streamEnd: 'finish_reason' }), openaiEvents],
  ['messages', anthropicMessages, anthropicEvents],
  ['responses', openaiResponses, responsesEvents],
  ['generateContent', gemini, geminiEvents],
];

for (const [name, dialect, events] of dialects) {
  test(`a stream of ${name} passes byte for byte with the same usage and end, however it is cut`, async () => {
    await fc.assert(
      fc.asyncProperty(written(events), fc.array(fc.nat(4_000)), fc.boolean(), async (text, cuts, hideUsage) => {
        const bytes = Buffer.from(text);
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        const expected = await oneByOne(bytes, dialect, hideUsage);
        assert.deepEqual(await asBytes(pieces, dialect, hideUsage), expected);
        assert.ok(!expected.text.includes('PLANTED'));
      }),
      { numRuns: 150 },
    );
  });
}

const content = (text: string): string => `data: ${JSON.stringify(choice({ content: text })[1])}\n\n`;

test('what a long stream said before it was cut is estimated from all of it, though little of it is kept', async () => {
  const text = Array.from({ length: 3_000 }, (_, index) => content(index % 7 === 0 ? ' gateway' : ` ${index}`)).join(
    '',
  );
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: 50 }, (_, index) => bytes.subarray(index * 10_000, (index + 1) * 10_000));
  const result = await asBytes(pieces, openaiChat, false);
  assert.deepEqual(result, await oneByOne(bytes, openaiChat, false));
  assert.ok(result.isEstimated && (result.usage?.outputTokens ?? 0) > 3_000);
});

test('what arrives together passes together, and of an event nothing before it is whole', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((text) => Buffer.from(content(text)));
  assert.ok(one && two && three);
  const pieces = [
    Buffer.concat([one, two]),
    three.subarray(0, 20),
    three.subarray(20),
    Buffer.from('data: [DONE]\n\n'),
  ];
  const patience = new Patience(new AbortController().signal, { idleMs: 10_000 });
  const response = { status: 200, headers: {}, body: bodyOf(pieces), discard: () => undefined };
  const dialect = openaiChat;
  const stream = new AnswerStream({ response, patience, dialect, native: true, hideUsage: false, begun: {} });
  await stream.open();
  const passed: Uint8Array[] = [];
  for (let heard = await stream.next(); heard; heard = await stream.next()) passed.push(heard.passing);
  assert.deepEqual(passed.map(String), [pieces[0], three, pieces[3]].map(String));
  assert.equal(passed[0], pieces[0], 'not even copied');
});
