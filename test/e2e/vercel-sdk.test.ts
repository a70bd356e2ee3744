/** Vercel's AI SDK, unmodified, with each of its providers that speaks a surface of ours, in front of vendors of every dialect. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EmbeddingModel, LanguageModel } from 'ai';
import { z } from 'zod';
import { testKey } from '../support/gateway.ts';
// Before what it makes importable.
import '../support/published-resolution.ts';
import { pixel, says, spent, stageModels, startVendorStage, type VendorStage } from '../support/vendor-stage.ts';

const { APICallError, Output, embedMany, generateText, isStepCount, streamText, tool } = await import('ai');
const { createAnthropic } = await import('@ai-sdk/anthropic');
const { createGoogle } = await import('@ai-sdk/google');
const { createOpenAI } = await import('@ai-sdk/openai');
const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');

// It warns of every model whose limits it does not know by name.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const cities = [{ city: 'Köln' }, { city: 'Bonn' }];
const schema = z.object({ city: z.string() });
const tools = {
  weather: tool({
    description: 'The weather in a city.',
    inputSchema: schema,
    execute: ({ city }) => `sun in ${city}`,
  }),
};

interface Provider {
  readonly connect: (url: string, apiKey: string) => (model: string) => LanguageModel;
  /** Whether it shows the reasoning that its API has no documented place for. */
  readonly hidesReasoning?: boolean;
  /** Whether its API has arguments in pieces. */
  readonly wholeArguments?: boolean;
}
const providers: Readonly<Record<string, Provider>> = {
  'openai (responses)': { connect: (url, apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }) },
  'openai (chat)': {
    connect: (url, apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat,
    hidesReasoning: true,
  },
  'openai-compatible': {
    connect: (url, apiKey) =>
      createOpenAICompatible({
        name: 'headgate',
        baseURL: `${url}/v1`,
        apiKey,
        includeUsage: true,
        supportsStructuredOutputs: true,
      }),
  },
  anthropic: { connect: (url, apiKey) => createAnthropic({ baseURL: `${url}/v1`, apiKey }) },
  google: { connect: (url, apiKey) => createGoogle({ baseURL: `${url}/v1beta`, apiKey }), wholeArguments: true },
};

/** Runs a stream to its end, with what its parts were. */
async function drained(result: { readonly fullStream: AsyncIterable<{ readonly type: string }> }) {
  const kinds: string[] = [];
  let failure: unknown;
  for await (const part of result.fullStream) {
    kinds.push(part.type);
    if ('error' in part) failure = part.error;
  }
  return { kinds, failure };
}
const count = (kinds: readonly string[], kind: string): number => kinds.filter((each) => each === kind).length;

describe('the Vercel AI SDK', () => {
  let stage: VendorStage;
  before(async () => {
    stage = await startVendorStage();
  });
  after(() => stage.close());

  for (const [name, { connect, hidesReasoning = false, wholeArguments = false }] of Object.entries(providers))
    for (const id of stageModels) {
      describe(`${name} in front of ${id.slice(3)}`, () => {
        const asked = (prompt: string) => ({
          model: connect(stage.gateway.dataUrl, testKey)(id),
          maxRetries: 0,
          prompt,
          onError: () => undefined,
        });
        const usageOf = (usage: { inputTokens?: number | undefined; outputTokens?: number | undefined }) => ({
          input: usage.inputTokens,
          output: usage.outputTokens,
        });

        test('gets text whole and in pieces, with usage, and reasoning', async () => {
          const whole = await generateText(asked('hello'));
          assert.deepEqual([whole.text, whole.finishReason, usageOf(whole.usage)], [says, 'stop', spent]);
          assert.equal(whole.response.headers?.['headgate-dropped'], undefined);
          const streamed = streamText(asked('hello'));
          const { kinds } = await drained(streamed);
          assert.ok(count(kinds, 'text-delta') > 3, String(kinds));
          assert.deepEqual([await streamed.text, usageOf(await streamed.usage)], [says, spent]);
          const pondered = await generateText(asked('ponder'));
          assert.deepEqual(
            [pondered.text, pondered.reasoningText],
            ['It is so.', hidesReasoning ? undefined : 'Let me see.'],
          );
        });

        test('calls tools in parallel and goes on with their results, whole and streamed', async () => {
          const loop = { ...asked('weather?'), tools, stopWhen: isStepCount(2) };
          const whole = await generateText(loop);
          assert.deepEqual(
            whole.steps[0]?.toolCalls.map(({ input }) => input),
            cities,
          );
          assert.equal(whole.text, 'Sunny in both.');
          assert.match(stage.last().body, /sun in Köln.*sun in Bonn/s);
          const streamed = streamText(loop);
          const { kinds } = await drained(streamed);
          assert.equal(count(kinds, 'tool-call'), 2);
          assert.ok(count(kinds, 'tool-input-delta') > (wholeArguments || id === 'at-google' ? 1 : 4), String(kinds));
          assert.equal(await streamed.text, 'Sunny in both.');
        });

        test('goes on with a conversation that was streamed', async () => {
          const first = streamText(asked('ponder'));
          await drained(first);
          const { prompt, ...rest } = asked('ponder');
          const messages = [
            { role: 'user' as const, content: prompt },
            ...(await first.response).messages,
            { role: 'user' as const, content: 'hello' },
          ];
          // It takes for granted that answers are kept, and sends references to them, unless it is told otherwise.
          const refers = name === 'openai (responses)' && id !== 'at-responses';
          if (refers)
            await assert.rejects(generateText({ ...rest, messages }), /input\[1\] only means something to a provider/);
          const providerOptions = { openai: { store: !refers } };
          assert.equal((await generateText({ ...rest, messages, providerOptions })).text, says);
          assert.match(stage.last().body, refers || name !== 'openai (responses)' ? /It is so\./ : /item_reference/);
        });

        test('gets objects of a schema, whole and growing, and sends images', async () => {
          const output = Output.object({ schema });
          assert.deepEqual((await generateText({ ...asked('as json'), output })).output, cities[0]);
          assert.match(stage.last().body, /"city"/);
          const growing = streamText({ ...asked('as json'), output });
          const partial: unknown[] = [];
          for await (const each of growing.partialOutputStream) partial.push(each);
          assert.deepEqual(partial.at(-1), cities[0]);
          const image = { type: 'file' as const, mediaType: 'image/png', data: Buffer.from(pixel, 'base64') };
          const { prompt: text, ...rest } = asked('hello');
          const content = [{ type: 'text' as const, text }, image];
          assert.equal((await generateText({ ...rest, messages: [{ role: 'user', content }] })).text, says);
          assert.ok(stage.last().body.includes(pixel));
        });

        test('gets failures as its own errors, and takes the vendor along when it leaves', async () => {
          await assert.rejects(generateText(asked('busy')), (error) => isRefusal(error, 429));
          isRefusal((await drained(streamText(asked('busy')))).failure, 429);
          const strange = { ...asked('hello'), model: connect(stage.gateway.dataUrl, 'hg_wrong')(id) };
          await assert.rejects(generateText(strange), (error) => isRefusal(error, 401));
          const leaving = new AbortController();
          const stuck = streamText({ ...asked('stuck'), abortSignal: leaving.signal });
          const kinds: string[] = [];
          for await (const part of stuck.fullStream) {
            kinds.push(part.type);
            if (part.type === 'text-delta') leaving.abort();
          }
          assert.equal(kinds.at(-1), 'abort');
          await stage.last().abandoned;
        });
      });
    }

  function isRefusal(error: unknown, status: number): true {
    assert.ok(APICallError.isInstance(error), String(error));
    const { statusCode, isRetryable, message } = error;
    assert.deepEqual([statusCode, isRetryable], [status, status === 429]);
    // Its own reading of our envelope, and not that of a body it does not know.
    assert.match(message, status === 429 ? /^Every target is rate limited/ : /key/);
    assert.ok(!JSON.stringify(error).includes('secret words'));
    return true;
  }

  test('knows a model by its name, and what it then asks for is understood', async () => {
    const claude = createAnthropic({ baseURL: `${stage.gateway.dataUrl}/v1`, apiKey: testKey })('claude-sonnet-4-5');
    const output = Output.object({ schema });
    assert.deepEqual((await generateText({ model: claude, prompt: 'as json', output })).output, cities[0]);
    const sent = stage.last().json as { response_format: { type: string }; tools?: unknown };
    assert.deepEqual([sent.response_format.type, sent.tools], ['json_schema', undefined]);
    const pondered = await generateText({ model: claude, prompt: 'ponder', reasoning: 'low' });
    assert.equal(pondered.reasoningText, 'Let me see.');
    assert.equal(stage.last().json['reasoning_effort'], 'low');
    const gpt = createOpenAI({ baseURL: `${stage.gateway.dataUrl}/v1`, apiKey: testKey })('gpt-5');
    await generateText({ model: gpt, instructions: 'Be brief.', prompt: 'ponder', reasoning: 'high' });
    assert.match(stage.last().body, /"system":\[\{"type":"text","text":"Be brief\."\}\]/);
    assert.equal(stage.last().path, '/v1/messages');
  });

  test('keeps marks of the prompt cache where the vendor speaks its dialect', async () => {
    const model = createAnthropic({ baseURL: `${stage.gateway.dataUrl}/v1`, apiKey: testKey })('at-anthropic');
    const cacheControl = { type: 'ephemeral' as const, ttl: '1h' as const };
    const providerOptions = { anthropic: { cacheControl } };
    await generateText({ model, messages: [{ role: 'user', content: 'hello', providerOptions }] });
    assert.match(stage.last().body, /"cache_control":\{"type":"ephemeral","ttl":"1h"\}/);
  });

  test('gets embeddings from each provider that has them', async () => {
    const { dataUrl } = stage.gateway;
    const models: readonly EmbeddingModel[] = [
      createOpenAI({ baseURL: `${dataUrl}/v1`, apiKey: testKey }).embedding('vectors'),
      createOpenAICompatible({ name: 'h', baseURL: `${dataUrl}/v1`, apiKey: testKey }).embeddingModel('vectors'),
      createGoogle({ baseURL: `${dataUrl}/v1beta`, apiKey: testKey }).embedding('vectors'),
    ];
    for (const model of models) {
      const { embeddings } = await embedMany({ model, values: ['one', 'two'] });
      assert.deepEqual([embeddings.length, embeddings[0]?.length], [2, 1536]);
    }
  });
});
