/**
 * Embeddings and reranking at every vendor that has words of its own for them, asked for with the OpenAI SDK through a real gateway.
 * The walk goes by the registry: words of a vendor without `test/fixtures/tasks/<name>.json` fail.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { providerKinds } from '@headgate/runtime/snapshot';
import OpenAI from 'openai';
import { catalogue } from '../../config-sdk/catalogue/catalogue.ts';
import type { JsonObject } from '../../runtime/call.ts';
import { bedrockEmbeddings } from '../../runtime/dialects/bedrock-embeddings.ts';
import { bedrockRerank } from '../../runtime/dialects/bedrock-rerank.ts';
import { cohereEmbeddings, cohereRerank } from '../../runtime/dialects/cohere-tasks.ts';
import { CallError } from '../../runtime/dialects/dialect.ts';
import { openaiEmbeddings } from '../../runtime/dialects/openai-embeddings.ts';
import { anyRerank } from '../../runtime/dialects/openai-tasks.ts';
import type { ClientTask, VendorTask } from '../../runtime/dialects/task.ts';
import { translationOf, type Translation } from '../../runtime/dialects/task-translation.ts';
import { vertexEmbeddings } from '../../runtime/dialects/vertex-embeddings.ts';
import { aboutKind } from '../support/provider-fixtures.ts';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { namesOfTranslatedTasks, taskFixture, tasksOf, withUpstream, type TaskCase } from '../support/task-fixtures.ts';
import { answerJson, startScripted, type Received, type ScriptedUpstream } from '../support/scripted-upstream.ts';

const isTranslated = ({ embeddings, rerank }: VendorTask): boolean => (embeddings ?? rerank) !== undefined;
const kinds = Object.entries(providerKinds).filter(([, { transport }]) => !transport);
/** The operations with neutral terms that kinds are asked for. */
const spoken = new Set(
  kinds.flatMap(([name, kind]) => tasksOf(kind, aboutKind(name).options).filter(isTranslated)).map(({ name }) => name),
);
const names = namesOfTranslatedTasks().filter((name) => spoken.has(name));
const cases = names.flatMap((name) => taskFixture(name).cases.map((each) => ({ name, ...each })));

test('every operation that is translated has shapes of its vendor', () => {
  assert.deepEqual(namesOfTranslatedTasks(), [...spoken].toSorted());
  assert.ok(spoken.size > 5);
});

test('every model of the catalogue that embeds or reranks can be asked to, at its vendor', () => {
  let asked = 0;
  for (const [name, kind] of kinds) {
    const tasks = tasksOf(kind, aboutKind(name).options);
    for (const [id, { kind: use }] of Object.entries(catalogue.vendors[name] ?? {})) {
      if (use !== 'embedding' && use !== 'rerank') continue;
      const client: ClientTask = use === 'rerank' ? anyRerank : openaiEmbeddings.client;
      const body = { query: 'q', documents: ['a'], input: 'a' };
      const answers = tasks.filter((task) => task.name === client.name || translationOf(client, task)?.(body, id));
      assert.equal(answers.length, 1, `${name}/${id}`);
      asked += 1;
    }
  }
  assert.ok(asked > 30);
});

describe('through the gateway', () => {
  let vendor: ScriptedUpstream;
  let gateway: TestGateway;
  let client: OpenAI;
  let current: TaskCase;
  let script: ((received: Received) => void) | undefined;

  function answer(received: Received): void {
    if (script) return script(received);
    const { json, path, response } = received;
    // Parts come in any order: each is known by what it asks.
    const index = current.requests.findIndex((each) => isDeepStrictEqual(each, json));
    const { headers = {}, body } = current.answers[index] ?? { body: { message: 'not asked for as documented' } };
    answerJson(response, index < 0 || path !== current.path ? 400 : 200, body, headers);
  }

  before(async () => {
    process.env['TASKS_KEY'] = 'key-of-test';
    vendor = await startScripted(answer);
    const kindOf = (name: string) => (name.includes('rerank') ? ('rerank' as const) : ('embedding' as const));
    const modelsOf = (name: string) => {
      const ids = taskFixture(name).cases.map(({ model }) => model);
      return Object.fromEntries(ids.map((id) => [id, { kind: kindOf(name), contextWindow: 8_192 }]));
    };
    const each = <Item>(item: (name: string) => Item) => Object.fromEntries(names.map((name) => [name, item(name)]));
    gateway = await startGateway(
      snapshotOf({
        providers: each((name) => {
          const { kind, options } = taskFixture(name);
          return { kind, options: withUpstream(options, vendor.url), models: modelsOf(name) };
        }),
        models: Object.fromEntries(
          cases.map(({ name, model }, index) => [
            `case-${index}`,
            { targets: { kind: 'target' as const, provider: name, model } },
          ]),
        ),
      }),
    );
    client = new OpenAI({ apiKey: testKey, baseURL: `${gateway.dataUrl}/v1`, maxRetries: 0 });
  });
  after(async () => {
    delete process.env['TASKS_KEY'];
    await gateway.close();
    await vendor.close();
  });

  for (const [index, { name, ...about }] of cases.entries())
    test(`${name}: ${about.why}`, async () => {
      current = about;
      const { length } = vendor.received;
      const isRerank = name.includes('rerank');
      const path = isRerank ? '/rerank' : '/embeddings';
      const body = { ...about.asked, model: `case-${index}`, ...(!isRerank && { encoding_format: 'float' }) };
      const { data, response } = await client.post<JsonObject>(path, { body }).withResponse();
      const received = vendor.received.slice(length);
      assert.deepEqual(new Set(received.map((each) => each.json)), new Set(about.requests));
      assert.equal(received.length, about.requests.length);
      const dropped = response.headers.get('headgate-dropped')?.split(', ') ?? [];
      assert.deepEqual(dropped, about.dropped);
      if (isRerank) return assert.deepEqual(data['results'], about.answered.results);
      const list = data['data'] as { embedding: number[]; index: number }[];
      assert.deepEqual(
        list.map(({ embedding }) => embedding),
        about.answered.vectors,
      );
      assert.equal((data['usage'] as JsonObject)['prompt_tokens'], about.answered.tokens);
    });

  test('parts are asked for a few at a time and answered in their order, and one that fails ends them all', async () => {
    const titan = `case-${cases.findIndex(({ model }) => model.startsWith('amazon.titan-embed-text-v2'))}`;
    const input = Array.from({ length: 30 }, (_, index) => `text ${index}`);
    const sizes: number[] = [];
    let waiting: (() => void)[] = [];
    let seen = 0;
    script = ({ json, response }) => {
      seen += 1;
      const place = Number(String(json['inputText']).slice(5));
      waiting.push(() => answerJson(response, 200, { embedding: [place], inputTextTokenCount: 1 }));
      // The first goes alone; of the others nobody is answered before all that may come have come.
      if (![1, 9, 17, 25, 30].includes(seen)) return;
      setImmediate(() => {
        sizes.push(waiting.length);
        const last = waiting.toReversed();
        waiting = [];
        for (const give of last) give();
      });
    };
    const { data, usage } = await client.embeddings.create({ model: titan, input });
    assert.deepEqual(
      data.map(({ embedding }) => embedding[0]),
      input.map((_, index) => index),
    );
    assert.deepEqual([usage.prompt_tokens, sizes], [30, [1, 8, 8, 8, 5]]);
    const { length } = vendor.received;
    script = ({ json, response }) =>
      json['inputText'] === 'text 1'
        ? answerJson(response, 400, { message: 'secret words' }, { 'x-amzn-errortype': 'ValidationException' })
        : answerJson(response, 200, { embedding: [1], inputTextTokenCount: 1 });
    await assert.rejects(client.embeddings.create({ model: titan, input }), (error: unknown) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    assert.ok(vendor.received.length - length < input.length, 'the others are not asked for any more');
    script = undefined;
  });
});

describe('in neutral terms', () => {
  const translate = (client: ClientTask, vendor: VendorTask, body: JsonObject, model = 'm'): Translation =>
    (translationOf(client, vendor) ?? assert.fail('no terms in common'))(body, model);
  const texts = Array.from({ length: 200 }, (_, index) => `text ${index}`);
  const { client } = openaiEmbeddings;

  test('a long list becomes as many requests as the vendor wants', () => {
    const { requests } = translate(client, cohereEmbeddings, { input: texts });
    const lists = requests.map((request) => request['texts'] as string[]);
    assert.deepEqual(
      lists.map(({ length }) => length),
      [96, 96, 8],
    );
    assert.deepEqual(lists.flat(), texts);
    assert.equal(translate(client, vertexEmbeddings, { input: texts }, 'text-embedding-005').requests.length, 1);
    assert.equal(translate(client, vertexEmbeddings, { input: texts }, 'gemini-embedding-001').requests.length, 200);
    assert.equal(translationOf(anyRerank, cohereEmbeddings), undefined);
  });

  test('an answer with too few vectors is none, and half a sum of tokens is none either', () => {
    const { join } = translate(client, bedrockEmbeddings, { input: ['a', 'b'] }, 'amazon.titan-embed-text-v2:0');
    const [counted, uncounted] = [{ embedding: [1], inputTextTokenCount: 2 }, { embedding: [1] }].map((body) => ({
      body,
      headers: {},
    }));
    assert.ok(counted && uncounted);
    assert.throws(() => join([counted]), TypeError);
    assert.equal(join([counted, uncounted]).usage, undefined);
    assert.deepEqual(join([counted, counted]).usage, { inputTokens: 4, outputTokens: 0 });
  });

  test('a purpose goes where there is a word for it', () => {
    const asked = { input: 'a', input_type: 'passage' };
    const cohere = translate(client, cohereEmbeddings, asked);
    assert.deepEqual([cohere.requests[0]['input_type'], cohere.dropped], ['search_document', []]);
    const titan = translate(client, bedrockEmbeddings, asked, 'amazon.titan-embed-text-v2:0');
    assert.deepEqual([titan.requests[0], titan.dropped], [{ inputText: 'a' }, ['input_type']]);
    const odd = translate(client, cohereEmbeddings, { ...asked, input_type: 'image' });
    assert.deepEqual(odd.dropped, ['input_type']);
  });

  test('what a vendor cannot take is refused by the client’s field', () => {
    const refused = (ask: () => unknown) => {
      let param: string | undefined;
      assert.throws(ask, (error) => {
        param = error instanceof CallError ? error.param : assert.fail(String(error));
        return true;
      });
      return param;
    };
    for (const vendor of [cohereEmbeddings, vertexEmbeddings])
      assert.equal(
        refused(() => translate(client, vendor, { input: [1, 2] })),
        'input',
      );
    assert.equal(
      refused(() => translate(client, bedrockEmbeddings, { input: 'a' }, 'arn:aws:bedrock:x')),
      'model',
    );
    const rerank = { query: 'q', documents: ['a'] };
    assert.equal(
      refused(() => translate(anyRerank, bedrockRerank, rerank, 'amazon.rerank-v1:0')),
      'model',
    );
    const odd: readonly [JsonObject, string][] = [
      [{ documents: ['a'] }, 'query'],
      [{ query: 'q', documents: [] }, 'documents'],
      [{ query: 'q', documents: ['a', { image: 'b' }] }, 'documents[1]'],
      [{ query: 'q', documents: ['a'], top_n: 0 }, 'top_n'],
    ];
    for (const [body, param] of odd)
      assert.equal(
        refused(() => translate(anyRerank, cohereRerank, body)),
        param,
      );
  });

  test('a reranking of what was not there is none', () => {
    const { join } = translate(anyRerank, cohereRerank, { query: 'q', documents: ['a'] });
    const answered = (results: JsonObject['results']) => () => join([{ body: { results }, headers: {} }]);
    assert.deepEqual(answered([{ index: 0, relevance_score: 0.5 }])().body, {
      results: [{ index: 0, relevance_score: 0.5 }],
    });
    for (const results of [undefined, [{ index: 1, relevance_score: 0.5 }], [{ index: 0 }]])
      assert.throws(answered(results), TypeError);
  });
});
