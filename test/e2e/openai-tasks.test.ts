/** The official OpenAI SDK against the operations beside chat: in front of the sandbox, of a mock of the vendor, and of one that answers byte for byte what a test says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import OpenAI, { toFile } from 'openai';
import { keyHash, snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  collect,
  sse,
  startEvents,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';

const limitedKey = 'hg_key_of_one_request';
const narrowKey = 'hg_key_for_chat_only';
/** Every byte there is, twice, with what looks like ends of parts. */
const oddBytes = Buffer.concat([
  Buffer.from([...Array(256).keys()]),
  Buffer.from('\r\n--\r\n\r\nmodel\r\n'),
  Buffer.from([...Array(256).keys()].reverse()),
]);

const target = (provider: string, model = 'm', more: object = {}) => ({
  kind: 'target' as const,
  provider,
  model,
  ...more,
});
const vector = [0.25, -0.5, 1];
const embedded = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: vector }],
  model: 'm',
  usage: { prompt_tokens: 3, total_tokens: 3 },
};

type Answer = (received: Received) => void | Promise<void>;

/** One for each way to fail: what is known of one's health must not speak of another. */
const flaky = ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => `flaky-${name}`);

describe('operations beside chat', () => {
  const mock = new LLMock({ port: 0 });
  let vendor: ScriptedUpstream;
  let spare: ScriptedUpstream;
  let gateway: TestGateway;
  let client: OpenAI;
  let answer: Answer = ({ response }) => answerJson(response, 500, {});

  const clientOf = (apiKey: string) => new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey, maxRetries: 0 });
  const last = () => vendor.received.at(-1) ?? assert.fail('nothing arrived');

  before(async () => {
    await mock.start();
    vendor = await startScripted((received) => answer(received));
    spare = await startScripted(({ response }) => answerJson(response, 200, { ...embedded, model: 'spare' }));
    const kinds = ['embedding', 'completion', 'moderation', 'rerank', 'image', 'speech', 'transcription'] as const;
    const models = Object.fromEntries(kinds.map((kind) => [kind, { kind, contextWindow: 8_192 }]));
    gateway = await startGateway(
      snapshotOf({
        providers: {
          box: {
            kind: 'sandbox',
            options: {},
            models: { vectors: { kind: 'embedding', contextWindow: 8_192 }, echo: { contextWindow: 8_192 } },
          },
          mock: { kind: 'openai', options: { baseUrl: `${mock.url}/v1` }, models },
          vendor: {
            kind: 'openai',
            options: { baseUrl: `${vendor.url}/v1` },
            models: { ...models, ...Object.fromEntries(flaky.map((name) => [name, models['embedding']])) },
          },
          spare: { kind: 'openai', options: { baseUrl: `${spare.url}/v1` }, models },
          claude: {
            kind: 'anthropic',
            options: { baseUrl: vendor.url },
            models: { e: { kind: 'embedding', contextWindow: 1 } },
          },
        },
        policies: { tame: { kind: 'blockTerms', options: { terms: ['forbidden'] } } },
        quotas: {
          plenty: { unit: 'requests', limit: 1_000, window: '1h' },
          one: { unit: 'requests', limit: 1, window: '1h' },
        },
        consumers: {
          limited: { keys: [keyHash(limitedKey)], quotas: ['one'] },
          narrow: { keys: [keyHash(narrowKey)], models: ['chat'] },
        },
        models: {
          chat: { targets: target('box', 'echo') },
          vectors: { targets: target('box', 'vectors'), quotas: ['plenty'], policies: ['tame'] },
          'a-longer-name': { targets: target('vendor', 'transcription') },
          apart: { targets: target('claude', 'e') },
          ...Object.fromEntries(
            flaky.map((model) => [
              model,
              {
                targets: {
                  kind: 'group' as const,
                  balance: 'ordered',
                  of: [{ node: target('vendor', model, { timeout: '500ms' }) }, { node: target('spare', 'embedding') }],
                },
              },
            ]),
          ),
          ...Object.fromEntries(kinds.map((kind) => [kind, { targets: target('vendor', kind), policies: ['tame'] }])),
          ...Object.fromEntries(kinds.map((kind) => [`mock-${kind}`, { targets: target('mock', kind) }])),
        },
      }),
    );
    client = clientOf(testKey);
  });
  after(async () => {
    await gateway.close();
    await Promise.all([vendor.close(), spare.close(), mock.stop()]);
  });

  describe('embeddings', () => {
    test('come from the sandbox without a key: of length one, equal for equal texts, counted', async () => {
      const { data, response } = await client.embeddings
        .create({ model: 'vectors', input: ['one', 'two', 'one'] })
        .withResponse();
      const [one, two, again] = data.data.map(({ embedding }) => embedding);
      assert.ok(one && two && again);
      assert.equal(one.length, 64);
      assert.ok(Math.abs(Math.hypot(...one) - 1) < 1e-6);
      assert.deepEqual(one, again);
      assert.notDeepEqual(one, two);
      assert.equal(data.usage.prompt_tokens, 3);
      assert.equal(response.headers.get('headgate-target'), 'box/vectors');
      assert.equal(response.headers.get('headgate-attempts'), '1');
      assert.equal(response.headers.get('headgate-cache'), 'bypass');
      assert.match(response.headers.get('ratelimit') ?? '', /^"plenty";r=9\d\d;t=\d+$/);
      assert.match(await gateway.metrics(), /headgate_tokens_total\{target="box\/vectors",direction="input"\} [1-9]/);
    });

    test('are the same as numbers and in base64, which the SDK asks for by itself', async () => {
      const implicit = await client.embeddings.create({ model: 'vectors', input: 'hello', dimensions: 8 });
      const floats = await client.embeddings.create({
        model: 'vectors',
        input: 'hello',
        dimensions: 8,
        encoding_format: 'float',
      });
      assert.equal(floats.data[0]?.embedding.length, 8);
      assert.deepEqual([...(implicit.data[0]?.embedding ?? [])], floats.data[0]?.embedding);
      const raw = await gateway.post('/v1/embeddings', {
        model: 'vectors',
        input: 'hello',
        dimensions: 8,
        encoding_format: 'base64',
      });
      const { data } = (await raw.json()) as { data: { embedding: string }[] };
      assert.equal(Buffer.from(data[0]?.embedding ?? '', 'base64').length, 8 * 4);
    });

    test('take tokens, of one text and of several', async () => {
      const one = await client.embeddings.create({ model: 'vectors', input: [1, 2, 3] });
      const two = await client.embeddings.create({ model: 'vectors', input: [[1, 2, 3], [4]] });
      assert.deepEqual([one.data.length, two.data.length], [1, 2]);
      assert.deepEqual(one.data[0]?.embedding, two.data[0]?.embedding);
    });

    test('come from the vendor that the mock is, under its own name of the model', async () => {
      mock.onEmbedding('hello', { embedding: vector });
      const { data } = await client.embeddings.create({ model: 'mock-embedding', input: 'hello' });
      assert.deepEqual([...(data[0]?.embedding ?? [])], vector);
      const { path, body } = mock.getLastRequest() ?? assert.fail('nothing arrived');
      assert.deepEqual([path, (body as unknown as { model: string }).model], ['/v1/embeddings', 'embedding']);
    });

    test('pass untouched in both directions, save the name of the model', async () => {
      const odd = `{ "object":"list", "data":[{"embedding":[1.0,2e0],"x":null}],\n "model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}`;
      answer = ({ response }) => answerJson(response, 200, odd);
      const body = { zeta: [null, { deep: 1 }], model: 'embedding', input: 'hello', user: 'u', 'x-vendor': true };
      const response = await gateway.post('/v1/embeddings', body);
      assert.equal(await response.text(), odd);
      assert.equal(last().body, JSON.stringify(body));
      assert.equal(response.headers.get('content-type'), 'application/json');
    });
  });

  describe('fall back', () => {
    const ask = (model: string) =>
      client.embeddings.create({ model, input: 'hello', encoding_format: 'float' }).withResponse();
    const broken: Readonly<Record<string, Answer>> = {
      'that fails': ({ response }) => answerJson(response, 503, {}),
      'that is rate limited': ({ response }) => answerJson(response, 429, {}, { 'retry-after': '1' }),
      'that answers with an error and a good status': ({ response }) =>
        answerJson(response, 200, { error: { message: 'no' } }),
      'that answers with half a vector': ({ response }) => answerJson(response, 200, { data: [{ embedding: 'AAA=' }] }),
      'that breaks off': ({ response }) => void response.destroy(),
      'that says nothing in time': () => undefined,
    };
    for (const [index, [name, script]] of Object.entries(broken).entries())
      test(`from a target ${name} to the next`, async () => {
        answer = script;
        const { data, response } = await ask(flaky[index] ?? '');
        assert.deepEqual(data.data[0]?.embedding, vector);
        assert.equal(response.headers.get('headgate-target'), 'spare/embedding');
        assert.equal(response.headers.get('headgate-attempts'), '2');
      });
  });

  describe('refusals', () => {
    test('name what the model is for, either way round', async () => {
      const embeddings = client.embeddings.create({ model: 'chat', input: 'hello' });
      await assert.rejects(embeddings, (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError);
        assert.deepEqual([error.code, error.param], ['operation_not_supported', 'model']);
        assert.match(error.message, /Model 'chat' is for chat; what you asked for needs one for embedding\./);
        return true;
      });
      const chat = client.chat.completions.create({ model: 'vectors', messages: [{ role: 'user', content: 'hello' }] });
      await assert.rejects(chat, /Model 'vectors' is for embedding; what you asked for needs one for chat\./);
      await assert.rejects(
        client.embeddings.create({ model: 'apart', input: 'hello' }),
        /No provider behind model 'apart' has an API/,
      );
    });

    test('are the SDK’s own classes', async () => {
      const ask = (model: string, sdk = client) => sdk.embeddings.create({ model, input: 'hello' });
      await assert.rejects(ask('nobody'), OpenAI.NotFoundError);
      await assert.rejects(ask('vectors', clientOf('hg_wrong')), OpenAI.AuthenticationError);
      await assert.rejects(ask('vectors', clientOf(narrowKey)), OpenAI.PermissionDeniedError);
      answer = ({ response }) => answerJson(response, 401, {});
      await assert.rejects(ask('embedding'), OpenAI.InternalServerError);
      answer = ({ response }) => answerJson(response, 429, {}, { 'retry-after': '7' });
      await assert.rejects(ask('embedding'), (error) => {
        assert.ok(error instanceof OpenAI.RateLimitError);
        assert.equal(error.headers.get('retry-after'), '7');
        return true;
      });
    });

    test('name the field, by us and by the vendor', async () => {
      const wrong = { model: 'vectors', input: ['fine', 7] } as unknown as OpenAI.EmbeddingCreateParams;
      await assert.rejects(client.embeddings.create(wrong), { status: 400, param: 'input[1]' });
      await assert.rejects(client.moderations.create({ input: 'hello' }), { status: 400, param: 'model' });
      answer = ({ response }) => answerJson(response, 400, { error: { message: 'secret words', param: 'size' } });
      await assert.rejects(
        client.images.generate({ model: 'image', prompt: 'a house', size: '1024x1024' }),
        (error) => {
          assert.ok(error instanceof OpenAI.BadRequestError);
          assert.deepEqual([error.param, error.code], ['size', 'upstream_rejected_request']);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });

    test('by a policy, wherever a text stands', async () => {
      const text = 'something FORBIDDEN';
      const file = await toFile(oddBytes, 'a.wav');
      const before = vendor.received.length;
      const asked = [
        () => client.embeddings.create({ model: 'vectors', input: ['fine', text] }),
        () => client.completions.create({ model: 'completion', prompt: [text] }),
        () => client.moderations.create({ model: 'moderation', input: [{ type: 'text', text }] }),
        () => client.post('/rerank', { body: { model: 'rerank', query: 'q', documents: ['fine', { text }] } }),
        () => client.images.generate({ model: 'image', prompt: text }),
        () => client.images.edit({ model: 'image', image: file, prompt: text }),
        () => client.audio.speech.create({ model: 'speech', input: text, voice: 'alloy' }),
        () => client.audio.transcriptions.create({ model: 'transcription', file, prompt: text }),
      ];
      for (const ask of asked) await assert.rejects(ask, { status: 422, code: 'blocked_by_policy' });
      assert.equal(vendor.received.length, before);
    });

    test('when a quota is used up, which a failed vendor does not use', async () => {
      const limited = clientOf(limitedKey);
      const ask = () => limited.embeddings.create({ model: 'embedding', input: 'hello', encoding_format: 'float' });
      answer = ({ response }) => answerJson(response, 503, {});
      await assert.rejects(ask(), OpenAI.InternalServerError);
      answer = ({ response }) => answerJson(response, 200, embedded);
      assert.equal((await ask()).data.length, 1);
      await assert.rejects(ask(), OpenAI.RateLimitError);
    });

    test('of bodies and methods that the path does not take', async () => {
      const form = new FormData();
      form.set('model', 'vectors');
      const init = { method: 'POST', body: form };
      assert.equal((await gateway.ask('/v1/embeddings', init)).status, 415);
      assert.equal((await gateway.ask('/v1/embeddings')).headers.get('allow'), 'POST');
      const twice = new FormData();
      for (const model of ['transcription', 'image']) twice.append('model', model);
      const refused = await gateway.ask('/v1/audio/transcriptions', { method: 'POST', body: twice });
      assert.deepEqual(
        [refused.status, ((await refused.json()) as { error: { param: string } }).error.param],
        [400, 'model'],
      );
    });
  });

  describe('in JSON', () => {
    test('moderations, with texts and images', async () => {
      const result = { flagged: true, categories: {}, category_scores: {}, category_applied_input_types: {} };
      answer = ({ response }) => answerJson(response, 200, { id: 'modr-1', model: 'm', results: [result] });
      const input = [
        { type: 'text' as const, text: 'hello' },
        { type: 'image_url' as const, image_url: { url: 'https://example.com/a.png' } },
      ];
      const { results } = await client.moderations.create({ model: 'moderation', input });
      assert.equal(results[0]?.flagged, true);
      assert.deepEqual([last().path, last().json], ['/v1/moderations', { model: 'moderation', input }]);
      mock.onModerate('hello', { flagged: false, categories: { violence: false } });
      assert.equal(
        (await client.moderations.create({ model: 'mock-moderation', input: 'hello' })).results[0]?.flagged,
        false,
      );
    });

    test('images, with their usage', async () => {
      mock.onImage('house', { image: { b64Json: 'AAAA' } });
      const { data } = await client.images.generate({
        model: 'mock-image',
        prompt: 'a house',
        response_format: 'b64_json',
      });
      assert.equal(data?.[0]?.b64_json, 'AAAA');
      const usage = { input_tokens: 11, output_tokens: 7, total_tokens: 18, input_tokens_details: {} };
      answer = ({ response }) => answerJson(response, 200, { created: 1, data: [{ b64_json: 'AA' }], usage });
      await client.images.generate({ model: 'image', prompt: 'a house' });
      assert.match(await gateway.metrics(), /headgate_tokens_total\{target="vendor\/image",direction="output"\} 7/);
    });

    test('reranking, whose usage may be a total only', async () => {
      const results = [{ index: 1, relevance_score: 0.9 }];
      answer = ({ response }) => answerJson(response, 200, { model: 'm', results, usage: { total_tokens: 23 } });
      const body = { model: 'rerank', query: 'what?', documents: ['a', { text: 'b' }], top_n: 1 };
      const answered = (await client.post('/rerank', { body })) as { results: unknown };
      assert.deepEqual(answered.results, results);
      assert.deepEqual([last().path, last().json], ['/v1/rerank', body]);
      assert.match(await gateway.metrics(), /headgate_tokens_total\{target="vendor\/rerank",direction="input"\} 23/);
    });

    test('completions, whole and streamed, with usage from the stream', async () => {
      const choice = { index: 0, text: 'fine', finish_reason: 'stop', logprobs: null };
      const completion = { id: 'cmpl', object: 'text_completion', created: 1, model: 'm', choices: [choice] };
      const usage = { prompt_tokens: 2, completion_tokens: 5, total_tokens: 7 };
      answer = ({ response, json }) => {
        if (json['stream'] !== true) return answerJson(response, 200, completion);
        startEvents(response);
        response.end(sse(completion) + sse({ ...completion, choices: [], usage }) + sse('[DONE]'));
      };
      const whole = await client.completions.create({ model: 'completion', prompt: 'hello' });
      assert.equal(whole.choices[0]?.text, 'fine');
      const stream = await client.completions.create({ model: 'completion', prompt: 'hello', stream: true });
      assert.equal((await collect(stream)).length, 2);
      assert.match(
        await gateway.metrics(),
        /headgate_tokens_total\{target="vendor\/completion",direction="output"\} 5/,
      );
    });
  });

  describe('with files', () => {
    test('a form arrives byte for byte, with the vendor’s name of the model', async () => {
      answer = ({ response }) =>
        answerJson(response, 200, { text: 'grüß dich', usage: { type: 'duration', seconds: 3 } });
      const file = await toFile(oddBytes, 'odd "name".wav', { type: 'audio/wav' });
      const model = 'transcription';
      const { text } = await client.audio.transcriptions.create({
        model,
        file,
        language: 'de',
        timestamp_granularities: ['word', 'segment'],
      });
      assert.equal(text, 'grüß dich');
      const arrived = await new Response(last().bytes, {
        headers: { 'content-type': last().headers['content-type'] ?? '' },
      }).formData();
      const upload = arrived.get('file');
      assert.ok(upload instanceof File);
      assert.deepEqual(Buffer.from(await upload.arrayBuffer()), oddBytes);
      assert.deepEqual(
        [upload.type, arrived.get('language'), arrived.get('model')],
        ['audio/wav', 'de', 'transcription'],
      );
      assert.deepEqual(arrived.getAll('timestamp_granularities[]'), ['word', 'segment']);
    });

    test('nothing but the name changes in a form of any spelling', async () => {
      answer = ({ response }) => answerJson(response, 200, { text: '' });
      const form = (model: string) =>
        Buffer.concat([
          Buffer.from('--x y\r\ncontent-disposition: form-data; name=prompt\r\nX-Odd: 1\r\n\r\n  \r\n\r\n--x y\r\n'),
          Buffer.from('Content-Disposition: form-data; filename="model"; name="file"\r\n\r\n'),
          oddBytes,
          Buffer.from(`\r\n--x y\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n--x y--\r\n`),
        ]);
      const headers = { 'content-type': 'multipart/form-data; boundary="x y"' };
      const response = await gateway.ask('/v1/audio/translations', {
        method: 'POST',
        body: form('a-longer-name'),
        headers,
      });
      assert.equal(response.status, 200);
      assert.equal(last().path, '/v1/audio/translations');
      assert.deepEqual(last().bytes, form('transcription'));
    });

    test('images are edited and varied', async () => {
      answer = ({ response }) => answerJson(response, 200, { created: 1, data: [{ b64_json: 'AA' }] });
      const image = [await toFile(oddBytes, 'a.png'), await toFile(oddBytes, 'b.png')];
      await client.images.edit({ model: 'image', image, prompt: 'hello' });
      assert.equal(last().path, '/v1/images/edits');
      await client.images.createVariation({ model: 'image', image: image[0] ?? assert.fail() });
      assert.equal(last().path, '/v1/images/variations');
    });

    test('a transcript streams, and as text passes as text', async () => {
      const file = await toFile(oddBytes, 'a.wav');
      const done = {
        type: 'transcript.text.done',
        text: 'hi',
        usage: { type: 'tokens', input_tokens: 4, output_tokens: 1, total_tokens: 5 },
      };
      answer = ({ response, body }) => {
        if (!body.includes('name="stream"')) {
          response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
          return void response.end('grüß dich');
        }
        startEvents(response);
        response.end(sse({ type: 'transcript.text.delta', delta: 'hi' }) + sse(done));
      };
      const stream = await client.audio.transcriptions.create({ model: 'transcription', file, stream: true });
      assert.deepEqual(
        (await collect(stream)).map(({ type }) => type),
        ['transcript.text.delta', 'transcript.text.done'],
      );
      assert.equal(last().headers.accept, 'text/event-stream');
      const text: unknown = await client.audio.transcriptions.create({
        model: 'transcription',
        file,
        response_format: 'text',
      });
      assert.equal(text, 'grüß dich');
    });
  });

  describe('speech', () => {
    const say = (signal?: AbortSignal) =>
      client.audio.speech.create({ model: 'speech', input: 'hello', voice: 'alloy' }, signal && { signal });

    test('is audio, as the vendor sends it', async () => {
      mock.onSpeech('hello', { audio: oddBytes.toString('base64'), format: 'mp3' });
      const heard = await client.audio.speech.create({ model: 'mock-speech', input: 'hello', voice: 'alloy' });
      assert.deepEqual(Buffer.from(await heard.arrayBuffer()), oddBytes);
      assert.equal(heard.headers.get('content-type'), 'audio/mpeg');
    });

    test('is heard before it ends', async () => {
      answer = ({ response }) => {
        response.writeHead(200, { 'content-type': 'audio/pcm' });
        response.write(oddBytes);
      };
      const heard = await say();
      const reader = (heard.body ?? assert.fail()).getReader();
      assert.deepEqual(Buffer.from((await reader.read()).value ?? []), oddBytes);
      last().response.end();
      assert.equal((await reader.read()).done, true);
    });

    test('that breaks off is never taken for complete', async () => {
      answer = ({ response }) => {
        response.writeHead(200, { 'content-type': 'audio/pcm' });
        response.write(oddBytes, () => setImmediate(() => response.destroy()));
      };
      await assert.rejects(async () => (await say()).arrayBuffer());
    });

    test('of a client that leaves is given up at the vendor', async () => {
      answer = ({ response }) => {
        response.writeHead(200, { 'content-type': 'audio/pcm' });
        response.write(oddBytes);
      };
      const leaving = new AbortController();
      const heard = await say(leaving.signal);
      await heard.body?.getReader().read();
      const left = performance.now();
      leaving.abort();
      assert.ok((await last().abandoned) - left < 1_000);
    });
  });

  test('a client that leaves before the answer is noticed at the vendor', async () => {
    const asked = Promise.withResolvers<Received>();
    answer = (received) => asked.resolve(received);
    const leaving = new AbortController();
    const pending = client.embeddings.create({ model: 'embedding', input: 'hello' }, { signal: leaving.signal });
    const { abandoned } = await asked.promise;
    leaving.abort();
    await assert.rejects(pending, OpenAI.APIUserAbortError);
    await abandoned;
  });

  test('a stream that ends without its end says so in an event', async () => {
    answer = ({ response }) => {
      startEvents(response);
      response.end(sse({ type: 'image_generation.partial_image', b64_json: 'AA', partial_image_index: 0 }));
    };
    const stream = await client.images.generate({ model: 'image', prompt: 'a house', stream: true });
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const { type } of stream) seen.push(type);
    }, /ended early/);
    assert.deepEqual(seen, ['image_generation.partial_image']);
  });

  test('models of every sort are listed', async () => {
    const ids = (await collect(client.models.list())).map(({ id }) => id);
    for (const id of ['chat', 'vectors', 'speech']) assert.ok(ids.includes(id), id);
  });
});
