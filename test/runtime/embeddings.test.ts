/**
 * Embeddings as dialects have them, after the documented shapes: developers.openai.com/api/reference/resources/embeddings
 * and ai.google.dev/api/embeddings.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../runtime/call.ts';
import { CallError } from '../../runtime/dialects/dialect.ts';
import { geminiEmbedding, geminiEmbeddings } from '../../runtime/dialects/gemini-embeddings.ts';
import { openaiEmbeddings } from '../../runtime/dialects/openai-embeddings.ts';
import * as tasks from '../../runtime/dialects/openai-tasks.ts';
import type { ClientTask } from '../../runtime/dialects/task.ts';

const refused = (task: ClientTask, body: JsonObject): string | undefined => {
  try {
    task.readTask({ model: 'm', ...body });
    return assert.fail('it was taken');
  } catch (error) {
    assert.ok(error instanceof CallError);
    return error.param;
  }
};
const content = (...texts: string[]) => ({ parts: texts.map((text) => ({ text })) });

describe('OpenAI’s embeddings', () => {
  const { client, vendor } = openaiEmbeddings;

  test('are asked for with texts or tokens, one or several', () => {
    const inputs = (input: JsonObject['input']) => client.embeddings.readCall({ input }).inputs;
    assert.deepEqual(inputs('a'), ['a']);
    assert.deepEqual(inputs(['a', 'b']), ['a', 'b']);
    assert.deepEqual(inputs([1, 2]), [[1, 2]]);
    assert.deepEqual(inputs([[1], [2, 3]]), [[1], [2, 3]]);
    const odd: readonly [JsonObject, string][] = [
      [{}, 'input'],
      [{ input: null }, 'input'],
      [{ input: 7 }, 'input'],
      [{ input: [] }, 'input'],
      [{ input: [1, -2] }, 'input[0]'],
      [{ input: ['a', [0.5]] }, 'input[1]'],
      [{ input: Array<string>(2_049).fill('a') }, 'input'],
      [{ input: 'a', dimensions: 0 }, 'dimensions'],
      [{ input: 'a', encoding_format: 'hex' }, 'encoding_format'],
      [{ input: 'a', model: '' }, 'model'],
    ];
    for (const [body, param] of odd) assert.equal(refused(client, body), param, JSON.stringify(body).slice(0, 80));
  });

  test('survive a trip through neutral terms, and what has none is named', () => {
    const body = { model: 'm', input: ['a', 'b'], dimensions: 3, user: 'u' };
    const call = client.embeddings.readCall({ ...body, encoding_format: 'base64', instruct: 'x', nothing: null });
    assert.deepEqual(vendor.embeddings.writeCall(call, 'm'), { body, dropped: ['instruct'] });
    assert.deepEqual(vendor.embeddings.writeCall({ inputs: ['a'], untranslated: [] }, 'm').body.input, 'a');
  });

  test('are answered in numbers or base64, by the order of their index', () => {
    const vectors = [
      [0.5, -1.25],
      [3, 0],
    ];
    const answer = { model: 'v', vectors, usage: { inputTokens: 4, outputTokens: 0 } };
    for (const format of ['float', 'base64']) {
      const written = client.embeddings.writeAnswer(answer, { encoding_format: format });
      assert.deepEqual(vendor.embeddings.readAnswer(written), answer);
      const data = (written['data'] as JsonObject[]).toReversed();
      assert.deepEqual(vendor.embeddings.readAnswer({ ...written, data }), answer);
    }
    const broken = [{}, { data: [{}] }, { data: [{ embedding: ['1'] }] }, { data: [{ embedding: 'AAA=' }] }];
    for (const body of broken) assert.throws(() => vendor.readAnswer(body), TypeError, JSON.stringify(body));
  });
});

describe('Google’s embeddings', () => {
  const { client, vendor } = geminiEmbeddings;

  test('are a batch of contents, whose texts are one each', () => {
    const requests = [
      { model: 'models/m', content: content('a', 'b'), outputDimensionality: 3, title: 't' },
      { model: 'models/m', content: { parts: [{ text: 'c' }, { inlineData: {} }] }, taskType: 'CLUSTERING' },
    ];
    assert.deepEqual(client.embeddings?.readCall({ model: 'm', requests }), {
      inputs: ['ab', 'c'],
      dimensions: 3,
      untranslated: ['title', 'content.parts', 'taskType', 'outputDimensionality'],
    });
    assert.deepEqual(client.rewrite?.({ model: 'm', requests, x: 1 }, 'v'), {
      requests: requests.map((each) => ({ ...each, model: 'models/v' })),
      x: 1,
    });
    assert.equal(refused(client, {}), 'requests');
    assert.equal(refused(client, { requests: [{ content: content('a') }, {}] }), 'requests[1].content');
    assert.equal(refused(geminiEmbedding.client, { content: { parts: [{}] } }), 'content.parts');
  });

  test('are answered in their order, counted by newer models', () => {
    const answer = { embeddings: [{ values: [1, 2] }, { values: [3] }], usageMetadata: { promptTokenCount: 4 } };
    const read = vendor.embeddings.readAnswer(answer);
    assert.deepEqual(read, { vectors: [[1, 2], [3]], usage: { inputTokens: 4, outputTokens: 0 } });
    assert.deepEqual(client.embeddings?.writeAnswer(read, {})['embeddings'], answer.embeddings);
    assert.equal(vendor.readAnswer({ embeddings: [] }), undefined);
    assert.throws(() => vendor.readAnswer({ embeddings: [{ values: ['1'] }] }), TypeError);
    assert.throws(() => geminiEmbedding.vendor.readAnswer({ embeddings: [] }), TypeError);
  });
});

test('usage is read in each of the words that vendors have for it', () => {
  const usage = (told: JsonObject) => tasks.rerank.readAnswer({ results: [], usage: told });
  assert.deepEqual(usage({ input_tokens: 3, output_tokens: 2 }), { inputTokens: 3, outputTokens: 2 });
  assert.deepEqual(usage({ prompt_tokens: 3, completion_tokens: 2 }), { inputTokens: 3, outputTokens: 2 });
  assert.deepEqual(usage({ total_tokens: 9 }), { inputTokens: 9, outputTokens: 0 });
  assert.deepEqual(usage({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 9 }), {
    inputTokens: 9,
    outputTokens: 0,
  });
  assert.equal(usage({ type: 'duration', seconds: 3 }), undefined);
  assert.throws(() => tasks.rerank.readAnswer({ error: {} }), TypeError);
});

test('an answer in events ends with its own event or mark', () => {
  const ends = (data: string) => tasks.speech.isEnd({ event: undefined, data });
  assert.ok(ends('{"type":"speech.audio.done","usage":{}}') && ends('[DONE]'));
  assert.ok(ends('{ "type" : "image_generation.completed" }'));
  assert.ok(!ends('{"type":"transcript.text.delta","delta":"done"}'));
});
