/** The cutter of event streams: however bytes arrive, the same events, and nothing of the raw text lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSse, type SseBlock } from '../../runtime/upstream/sse.ts';

async function read(...chunks: readonly (string | Uint8Array)[]): Promise<SseBlock[]> {
  const blocks: SseBlock[] = [];
  const bytes = chunks.map((chunk) => Buffer.from(chunk as string));
  async function* body() {
    yield* bytes;
  }
  for await (const block of readSse(body())) blocks.push(block);
  return blocks;
}
const messages = (blocks: readonly SseBlock[]) => blocks.flatMap(({ message }) => message ?? []);
const raw = (blocks: readonly SseBlock[]) => blocks.map((block) => block.raw).join('');

const streams: Readonly<Record<string, string>> = {
  'line feeds': ': ping\n\nevent: a\ndata: {"t":"grüß 😀 中"}\n\ndata: one\ndata: two\n\ndata: [DONE]\n\n',
  'carriage returns with line feeds': 'event: a\r\ndata: é\r\n\r\n: ping\r\n\r\ndata: b\r\n\r\n',
  'carriage returns': 'event: a\rdata: 😀\r\rdata: b\r\r',
  'all of them mixed': 'data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\rdata: e\r\n\rdata: f\n\n',
  'blank lines to spare': '\n\n\ndata: a\n\n\n\ndata: b\n\n\n',
};
const expected: Readonly<Record<string, readonly string[]>> = {
  'line feeds': ['{"t":"grüß 😀 中"}', 'one\ntwo', '[DONE]'],
  'carriage returns with line feeds': ['é', 'b'],
  'carriage returns': ['😀', 'b'],
  'all of them mixed': ['a', 'b', 'c', 'd', 'e', 'f'],
  'blank lines to spare': ['a', 'b'],
};

for (const [name, text] of Object.entries(streams)) {
  test(`a stream with ${name} reads the same wherever it is cut, and adds up to what came`, async () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      const blocks = await read(bytes.subarray(0, at), bytes.subarray(at));
      assert.deepEqual(
        messages(blocks).map(({ data }) => data),
        expected[name],
        `cut at ${at}`,
      );
      // Of what is not an event any more, and of the blank line that a lone carriage return leaves open, only text counts.
      if (/[^\r\n](\r?\n){2}$/.test(text)) assert.equal(raw(blocks), text, `cut at ${at}`);
      else assert.equal(raw(blocks).trimEnd(), text.trimEnd(), `cut at ${at}`);
    }
    const single = await read(...[...bytes].map((byte) => Uint8Array.of(byte)));
    assert.deepEqual(
      messages(single).map(({ data }) => data),
      expected[name],
    );
  });
}

test('any stream of whole events adds up to what came, however it is cut', async () => {
  const line = fc.constantFrom('data: x', 'data:{"a":1}', 'event: e', ': c', 'id: 7', 'odd', 'data', 'data: ü😀');
  const event = fc.array(line, { minLength: 1, maxLength: 3 });
  const end = fc.constantFrom('\n', '\r\n');
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1 }), end, fc.array(fc.nat(400)), async (events, lineEnd, cuts) => {
      const text = events.map((lines) => [...lines, '', ''].join(lineEnd)).join('');
      const bytes = Buffer.from(text);
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
      const blocks = await read(...places.slice(1).map((place, index) => bytes.subarray(places[index], place)));
      assert.equal(raw(blocks), text);
      assert.equal(blocks.length, events.length);
      assert.deepEqual(messages(blocks), messages(await read(bytes)));
    }),
    { numRuns: 200 },
  );
});

test('fields follow the standard: one space is taken off, comments and unknown fields say nothing', async () => {
  const [block] = await read(':x\nevent:  spaced\ndata:no space\ndata:  two\nid: 1\nretry: 5\ndata:\n\n');
  assert.deepEqual(block?.message, { event: ' spaced', data: 'no space\n two\n' });
  assert.deepEqual(messages(await read('event: only\n\n', ': ping\n\n')), []);
});

test('a last event without its blank line is given one', async () => {
  for (const [tail, full] of [
    ['data: [DONE]', 'data: [DONE]\n\n'],
    ['data: [DONE]\n', 'data: [DONE]\n\n'],
  ] as const) {
    const blocks = await read('data: a\n\n', tail);
    assert.deepEqual(
      messages(blocks).map(({ data }) => data),
      ['a', '[DONE]'],
    );
    assert.equal(raw(blocks), `data: a\n\n${full}`);
  }
});

test('an event without end is refused instead of kept', async () => {
  const piece = 'x'.repeat(256 * 1024);
  await assert.rejects(read(...Array.from({ length: 40 }, () => piece)), /more than 8388608 bytes/);
});

test('a large event in small pieces takes time in proportion', async () => {
  const pieces = Array.from({ length: 2_000 }, () => 'y'.repeat(2_000));
  const started = performance.now();
  const [block] = await read('data: ', ...pieces, '\n\n');
  assert.equal(block?.message?.data.length, 4_000_000);
  assert.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
});
