/** LangChain.js, unmodified, with each of its chat models that speaks a surface of ours, in front of vendors of every dialect. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { HumanMessage, SystemMessage, type AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { testKey } from '../support/gateway.ts';
import { collect } from '../support/scripted-upstream.ts';
import { pixel, says, spent, stageModels, startVendorStage, type VendorStage } from '../support/vendor-stage.ts';

const cities = [{ city: 'Köln' }, { city: 'Bonn' }];
const schema = z.object({ city: z.string() });
const weather = tool(({ city }: z.output<typeof schema>) => `sun in ${city}`, {
  name: 'weather',
  description: 'The weather in a city.',
  schema,
});

interface Chat {
  readonly connect: (url: string, model: string, apiKey: string) => BaseChatModel;
  /** Whether it has a place for reasoning. */
  readonly hidesReasoning?: boolean;
  readonly wholeArguments?: boolean;
  /** It only sends images to models whose names it knows. */
  readonly imageModel?: string;
  /** It hands no signal on for whole answers, and where a stream is left a promise is rejected that nobody can reach. */
  readonly cannotLeave?: boolean;
}
const fields = (model: string, apiKey: string) => ({ model, apiKey, maxRetries: 0 });
const chats: Readonly<Record<string, Chat>> = {
  'ChatOpenAI (chat completions)': {
    connect: (url, model, apiKey) =>
      new ChatOpenAI({ ...fields(model, apiKey), configuration: { baseURL: `${url}/v1` } }),
    hidesReasoning: true,
  },
  'ChatOpenAI (responses)': {
    connect: (url, model, apiKey) =>
      new ChatOpenAI({ ...fields(model, apiKey), useResponsesApi: true, configuration: { baseURL: `${url}/v1` } }),
  },
  ChatAnthropic: {
    connect: (url, model, apiKey) => new ChatAnthropic({ ...fields(model, apiKey), anthropicApiUrl: url }),
  },
  ChatGoogleGenerativeAI: {
    connect: (url, model, apiKey) => new ChatGoogleGenerativeAI({ ...fields(model, apiKey), baseUrl: url }),
    wholeArguments: true,
    imageModel: 'gemini-2.5-flash',
    cannotLeave: true,
  },
};

const joined = (chunks: readonly AIMessageChunk[]): AIMessageChunk => chunks.reduce((all, chunk) => all.concat(chunk));

describe('LangChain.js', () => {
  let stage: VendorStage;
  before(async () => {
    stage = await startVendorStage();
  });
  after(() => stage.close());

  for (const [name, kind] of Object.entries(chats))
    for (const id of stageModels) {
      const { connect, hidesReasoning = false, wholeArguments = false, cannotLeave = false, imageModel } = kind;
      describe(`${name} in front of ${id.slice(3)}`, () => {
        const chat = (apiKey = testKey) => connect(stage.gateway.dataUrl, id, apiKey);
        const usageOf = ({ usage_metadata: usage }: Pick<AIMessageChunk, 'usage_metadata'>) => ({
          input: usage?.input_tokens,
          output: usage?.output_tokens,
        });

        test('gets text whole and in pieces, with usage, and reasoning', async () => {
          const whole = await chat().invoke('hello');
          assert.deepEqual([whole.text, usageOf(whole)], [says, spent]);
          const chunks = await collect(await chat().stream('hello'));
          assert.ok(chunks.length > 4, `only ${chunks.length} chunks`);
          const streamed = joined(chunks);
          assert.equal(streamed.text, says);
          const { input = 0, output = 0 } = usageOf(streamed);
          // Of Anthropic's stream it takes the input from the first event, which is an estimate after translation, and adds up outputs.
          if (name === 'ChatAnthropic') assert.ok(input > 0 && output >= spent.output, `${input}, ${output}`);
          else assert.deepEqual({ input, output }, spent);
          const pondered = await chat().invoke('ponder');
          assert.equal(pondered.text, 'It is so.');
          assert.equal(JSON.stringify(pondered.contentBlocks).includes('Let me see.'), !hidesReasoning);
        });

        test('calls tools in parallel and goes on with their results, whole and streamed', async () => {
          const bound = chat().bindTools?.([weather]) ?? assert.fail('it has no tools');
          const asked = [new SystemMessage('Be brief.'), new HumanMessage('weather?')];
          const goOn = async (called: AIMessageChunk) => {
            assert.deepEqual(
              called.tool_calls?.map(({ args }) => args),
              cities,
            );
            const results = (await Promise.all(
              (called.tool_calls ?? []).map((call) => weather.invoke({ ...call, type: 'tool_call' })),
            )) as BaseMessage[];
            assert.equal((await bound.invoke([...asked, called, ...results])).text, 'Sunny in both.');
            assert.match(stage.last().body, /sun in Köln.*sun in Bonn/s);
          };
          await goOn(await bound.invoke(asked));
          const chunks = await collect(await bound.stream(asked));
          const pieces = chunks.flatMap((chunk) => chunk.tool_call_chunks ?? []).length;
          assert.ok(pieces > (wholeArguments || id === 'at-google' ? 1 : 4), `only ${pieces} pieces`);
          await goOn(joined(chunks));
        });

        test('gets objects of a schema by its own way and by demanding a tool, and sends images', async () => {
          for (const method of ['jsonSchema', 'functionCalling'] as const) {
            const structured = chat().withStructuredOutput(schema, { method });
            assert.deepEqual(await structured.invoke('as json'), cities[0], method);
          }
          const image_url = { url: `data:image/png;base64,${pixel}` };
          const content = [
            { type: 'text', text: 'hello' },
            { type: 'image_url', image_url },
          ];
          const sighted = imageModel === undefined ? chat() : connect(stage.gateway.dataUrl, imageModel, testKey);
          assert.equal((await sighted.invoke([new HumanMessage({ content })])).text, says);
          assert.ok(stage.last().body.includes(pixel));
        });

        test('gets failures as its own errors, and takes the vendor along when it leaves', async () => {
          for (const ask of [() => chat().invoke('busy'), async () => collect(await chat().stream('busy'))])
            await assert.rejects(ask, (error: Error & { status?: number }) => {
              // The name that LangChain gives to limits of any vendor, and by which it tries again.
              assert.deepEqual([error.name, error.status], ['RateLimitCapacityError', 429]);
              assert.ok(!error.message.includes('secret words'));
              return true;
            });
          await assert.rejects(chat('hg_wrong').invoke('hello'), { status: 401 });
          if (cannotLeave) return;
          const leaving = new AbortController();
          const leave = async () => {
            for await (const { text } of await chat().stream('stuck', { signal: leaving.signal }))
              if (text !== '') leaving.abort();
          };
          await assert.rejects(leave, { name: 'AbortError' });
          await stage.last().abandoned;
        });
      });
    }

  test('gets embeddings', async () => {
    const configuration = { baseURL: `${stage.gateway.dataUrl}/v1` };
    const embeddings = new OpenAIEmbeddings({ model: 'vectors', apiKey: testKey, configuration });
    const [first, second] = await embeddings.embedDocuments(['one', 'two']);
    assert.deepEqual([first?.length, second?.length], [1536, 1536]);
  });
});
