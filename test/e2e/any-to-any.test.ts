/** Every official SDK in front of every sort of vendor, direct and translated: text, streams, parallel calls of tools, usage, and failures as the SDK's own. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import { ApiError, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { collect } from '../support/scripted-upstream.ts';

const says = 'Hi there, all well – grüß dich 👋.';
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
const calls = [
  { name: 'weather', city: 'Köln' },
  { name: 'weather', city: 'Bonn' },
];

interface Told {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly city: string }[];
  /** Input and output tokens. */
  readonly usage: readonly [number | undefined, number | undefined];
}

interface Client {
  whole(model: string, question: string): Promise<Told>;
  streamed(model: string, question: string): Promise<Told & { readonly pieces: number }>;
  /** Status of a failure, which must be of the SDK's own class. */
  statusOf(error: unknown): number | undefined;
}

const cityIn = (text: string): string => (JSON.parse(text) as { city: string }).city;

function chatClient(url: string): Client {
  const { chat } = new OpenAI({ baseURL: `${url}/v1`, apiKey: testKey, maxRetries: 0 });
  const asked = (model: string, question: string) => ({
    model,
    messages: [{ role: 'user' as const, content: question }],
    tools: [{ type: 'function' as const, function: { name: 'weather', parameters: schema } }],
  });
  const told = ({ choices, usage }: OpenAI.ChatCompletion): Told => ({
    text: choices[0]?.message.content ?? '',
    calls: (choices[0]?.message.tool_calls ?? []).map((call) =>
      call.type === 'function'
        ? { name: call.function.name, city: cityIn(call.function.arguments) }
        : assert.fail(call.type),
    ),
    usage: [usage?.prompt_tokens, usage?.completion_tokens],
  });
  return {
    whole: async (model, question) => told(await chat.completions.create(asked(model, question))),
    async streamed(model, question) {
      const stream = chat.completions.stream({ ...asked(model, question), stream_options: { include_usage: true } });
      const chunks = await collect(stream);
      return { ...told(await stream.finalChatCompletion()), pieces: chunks.length };
    },
    statusOf: (error) => (error instanceof OpenAI.APIError ? (error.status as number | undefined) : undefined),
  };
}

function responsesClient(url: string): Client {
  const { responses } = new OpenAI({ baseURL: `${url}/v1`, apiKey: testKey, maxRetries: 0 });
  const asked = (model: string, input: string) => ({
    model,
    input,
    tools: [{ type: 'function' as const, name: 'weather', parameters: { ...schema }, strict: false }],
  });
  const told = (answer: Pick<OpenAI.Responses.Response, 'output' | 'output_text' | 'usage'>): Told => ({
    text: answer.output_text,
    calls: answer.output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, city: cityIn(item.arguments) }] : [],
    ),
    usage: [answer.usage?.input_tokens, answer.usage?.output_tokens],
  });
  return {
    whole: async (model, question) => told(await responses.create(asked(model, question))),
    async streamed(model, question) {
      const stream = responses.stream(asked(model, question));
      const events = await collect(stream);
      return { ...told(await stream.finalResponse()), pieces: events.length };
    },
    statusOf: (error) => (error instanceof OpenAI.APIError ? (error.status as number | undefined) : undefined),
  };
}

function messagesClient(url: string): Client {
  const { messages } = new Anthropic({ baseURL: url, apiKey: testKey, maxRetries: 0 });
  const asked = (model: string, content: string) => ({
    model,
    max_tokens: 100,
    messages: [{ role: 'user' as const, content }],
    tools: [{ name: 'weather', input_schema: { ...schema, required: [...schema.required] } }],
  });
  const told = ({ content, usage }: Anthropic.Message): Told => ({
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, city: (block.input as { city: string }).city }] : [],
    ),
    usage: [usage.input_tokens, usage.output_tokens],
  });
  return {
    whole: async (model, question) => told(await messages.create(asked(model, question))),
    async streamed(model, question) {
      const stream = messages.stream(asked(model, question));
      const events = await collect(stream);
      return { ...told(await stream.finalMessage()), pieces: events.length };
    },
    statusOf: (error) => (error instanceof Anthropic.APIError ? (error.status as number | undefined) : undefined),
  };
}

function geminiClient(url: string): Client {
  const { models } = new GoogleGenAI({ apiKey: testKey, vertexai: false, httpOptions: { baseUrl: url } });
  const asked = (model: string, contents: string) => ({
    model,
    contents,
    config: { tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }] },
  });
  type Answer = Awaited<ReturnType<typeof models.generateContent>>;
  const told = (chunks: readonly Answer[]): Told => ({
    text: chunks
      .map(({ candidates }) => candidates?.[0]?.content?.parts?.map((part) => part.text ?? '').join('') ?? '')
      .join(''),
    calls: chunks.flatMap(({ functionCalls }) =>
      (functionCalls ?? []).map(({ name = '', args }) => ({ name, city: (args as { city: string }).city })),
    ),
    usage: [chunks.at(-1)?.usageMetadata?.promptTokenCount, chunks.at(-1)?.usageMetadata?.candidatesTokenCount],
  });
  return {
    whole: async (model, question) => told([await models.generateContent(asked(model, question))]),
    async streamed(model, question) {
      const chunks = await collect(await models.generateContentStream(asked(model, question)));
      return { ...told(chunks), pieces: chunks.length };
    },
    statusOf: (error) => (error instanceof ApiError ? error.status : undefined),
  };
}

const clients: Readonly<Record<string, (url: string) => Client>> = {
  'the OpenAI SDK, chat completions': chatClient,
  'the OpenAI SDK, responses': responsesClient,
  'the Anthropic SDK': messagesClient,
  'the Google Gen AI SDK': geminiClient,
};
/** Where each kind finds the simulated vendor. */
const vendors: Readonly<Record<string, (url: string) => string>> = {
  openai: (url) => `${url}/v1`,
  anthropic: (url) => url,
  google: (url) => url,
};

describe('any SDK, any vendor', () => {
  const mock = new LLMock({ port: 0, chunkSize: 3 });
  let gateway: TestGateway;

  before(async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 7, input_tokens: 11, output_tokens: 7 };
    mock.onMessage('hello', { content: says, usage });
    mock.onMessage('both', {
      toolCalls: calls.map(({ name, city }, index) => ({
        id: `call_${index}`,
        name,
        arguments: JSON.stringify({ city }),
      })),
      usage,
    });
    mock.onMessage('busy', { error: { message: 'secret words', type: 'rate_limit_error' }, status: 429 });
    await mock.start();
    const kinds = Object.entries(vendors);
    gateway = await startGateway(
      snapshotOf({
        providers: Object.fromEntries(
          kinds.map(([kind, at]) => [
            kind,
            {
              kind,
              options: { baseUrl: at(mock.url) },
              models: { m: { contextWindow: 100_000, maxOutputTokens: 1_000 } },
            },
          ]),
        ),
        models: Object.fromEntries(
          kinds.map(([kind]) => [`at-${kind}`, { targets: { kind: 'target', provider: kind, model: 'm' } }]),
        ),
      }),
    );
  });
  after(async () => {
    await gateway.close();
    await mock.stop();
  });

  for (const [name, connect] of Object.entries(clients))
    for (const vendor of Object.keys(vendors))
      test(`${name} in front of ${vendor}`, async () => {
        const client = connect(gateway.dataUrl);
        const model = `at-${vendor}`;
        assert.deepEqual(await client.whole(model, 'hello'), { text: says, calls: [], usage: [11, 7] });
        const { pieces, ...streamed } = await client.streamed(model, 'hello');
        assert.deepEqual(streamed, { text: says, calls: [], usage: [11, 7] });
        assert.ok(pieces > 3, `only ${pieces} pieces`);
        assert.deepEqual((await client.whole(model, 'both')).calls, calls);
        assert.deepEqual((await client.streamed(model, 'both')).calls, calls);
        for (const ask of [client.whole, client.streamed])
          await assert.rejects(ask(model, 'busy'), (error: unknown) => {
            assert.equal(client.statusOf(error), 429, String(error));
            assert.ok(!String(error).includes('secret'));
            return true;
          });
      });
});
