/** Embeddings across vendors: the SDKs of Google and of OpenAI, each in front of vendors of either sort (shapes: ai.google.dev/api/embeddings). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApiError, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { answerJson, startScripted, type ScriptedUpstream } from '../support/scripted-upstream.ts';

const vectors = [
  [0.25, -0.5, 1],
  [1, 0.125, -0.75],
];
const texts = ['one', 'two'];

describe('embeddings across vendors', () => {
  let vendor: ScriptedUpstream;
  let gateway: TestGateway;
  let google: GoogleGenAI;
  let openai: OpenAI;
  const last = () => vendor.received.at(-1) ?? assert.fail('nothing arrived');

  before(async () => {
    vendor = await startScripted(({ path, body, response, json }) => {
      if (body.includes('too long'))
        return answerJson(response, 400, { error: { code: 400, message: 'secret words', status: 'INVALID_ARGUMENT' } });
      const usageMetadata = { promptTokenCount: 5 };
      if (path.endsWith(':embedContent')) return answerJson(response, 200, { embedding: { values: vectors[0] } });
      if (path.endsWith(':batchEmbedContents'))
        return answerJson(response, 200, { embeddings: vectors.map((values) => ({ values })), usageMetadata });
      const inputs = [json['input']].flat();
      const data = vectors
        .slice(0, inputs.length)
        .map((embedding, index) => ({ object: 'embedding', index, embedding }));
      // In no order: it is the index that counts.
      answerJson(response, 200, { data: data.toReversed(), model: 'm', usage: { prompt_tokens: 7, total_tokens: 7 } });
    });
    const models = { m: { kind: 'embedding' as const, contextWindow: 2_048 } };
    const to = (provider: string) => ({ targets: { kind: 'target' as const, provider, model: 'm' } });
    gateway = await startGateway(
      snapshotOf({
        providers: {
          google: { kind: 'google', options: { baseUrl: vendor.url }, models },
          compatible: { kind: 'openai', options: { baseUrl: `${vendor.url}/v1` }, models },
        },
        policies: { tame: { kind: 'blockTerms', options: { terms: ['forbidden'] } } },
        models: { 'at-google': { ...to('google'), policies: ['tame'] }, 'at-compatible': to('compatible') },
      }),
    );
    google = new GoogleGenAI({ apiKey: testKey, httpOptions: { baseUrl: gateway.dataUrl } });
    openai = new OpenAI({ apiKey: testKey, baseURL: `${gateway.dataUrl}/v1`, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await vendor.close();
  });

  test('Google’s SDK at Google: untouched, save the name of the model', async () => {
    const config = { outputDimensionality: 3, taskType: 'RETRIEVAL_QUERY' };
    const { embeddings } = await google.models.embedContent({ model: 'at-google', contents: texts, config });
    assert.deepEqual(
      embeddings?.map(({ values }) => values),
      vectors,
    );
    assert.equal(last().path, '/v1beta/models/m:batchEmbedContents');
    const requests = last().json['requests'] as { model: string; taskType: string }[];
    assert.deepEqual(
      requests.map(({ model, taskType }) => [model, taskType]),
      [
        ['models/m', 'RETRIEVAL_QUERY'],
        ['models/m', 'RETRIEVAL_QUERY'],
      ],
    );
  });

  test('Google’s SDK at a vendor of OpenAI’s words: translated, and what is lost is named', async () => {
    const config = { outputDimensionality: 3, taskType: 'RETRIEVAL_QUERY' };
    const answered = await google.models.embedContent({ model: 'at-compatible', contents: texts, config });
    assert.deepEqual(
      answered.embeddings?.map(({ values }) => values),
      vectors,
    );
    assert.deepEqual([last().path, last().json], ['/v1/embeddings', { model: 'm', input: texts, dimensions: 3 }]);
    assert.equal(answered.sdkHttpResponse?.headers?.['headgate-dropped'], 'taskType');
    assert.match(await gateway.metrics(), /headgate_tokens_total\{target="compatible\/m",direction="input"\} 7/);
  });

  test('OpenAI’s SDK at Google: translated, in numbers and in base64', async () => {
    const params = { model: 'at-google', input: texts, dimensions: 3, user: 'u' };
    for (const format of [undefined, 'float'] as const) {
      const { data, response } = await openai.embeddings
        .create({ ...params, ...(format && { encoding_format: format }) })
        .withResponse();
      assert.deepEqual(
        data.data.map(({ embedding }) => [...embedding]),
        vectors,
      );
      assert.deepEqual([data.usage.prompt_tokens, data.model], [5, 'at-google']);
      assert.equal(response.headers.get('headgate-dropped'), 'user');
    }
    const content = (text: string) => ({ model: 'models/m', content: { parts: [{ text }] }, outputDimensionality: 3 });
    assert.deepEqual(last().json, { requests: texts.map(content) });
  });

  test('embedContent takes one content, native and translated', async () => {
    const ask = (model: string) =>
      gateway.post(`/v1beta/models/${model}:embedContent`, { content: { parts: [{ text: 'a' }, { text: 'b' }] } });
    assert.deepEqual(await (await ask('at-google')).json(), { embedding: { values: vectors[0] } });
    assert.equal(last().body, '{"content":{"parts":[{"text":"a"},{"text":"b"}]}}');
    const usageMetadata = { promptTokenCount: 7, totalTokenCount: 7 };
    assert.deepEqual(await (await ask('at-compatible')).json(), { embedding: { values: vectors[0] }, usageMetadata });
    assert.deepEqual(last().json, { model: 'm', input: 'ab' });
  });

  test('tokens are no text for Google, and that is said', async () => {
    const before = vendor.received.length;
    const asked = openai.embeddings.create({ model: 'at-google', input: [1, 2, 3] });
    await assert.rejects(asked, { status: 400, param: 'input', code: 'invalid_request' });
    assert.equal(vendor.received.length, before);
  });

  test('refusals wear each SDK’s own words', async () => {
    const status = async (model: string, text: string) => {
      const error = await google.models.embedContent({ model, contents: text }).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ApiError);
      assert.doesNotMatch(error.message, /secret/);
      return error.status;
    };
    assert.equal(await status('nobody', 'hello'), 404);
    assert.equal(await status('at-google', 'this is forbidden'), 422);
    assert.equal(await status('at-google', 'too long'), 400);
    assert.equal(await status('at-compatible', 'too long'), 400);
    await assert.rejects(openai.embeddings.create({ model: 'at-google', input: 'too long' }), OpenAI.BadRequestError);
  });
});
