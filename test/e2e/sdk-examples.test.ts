/** What the official SDKs offer beside plain calls, as their READMEs show it: parsers, runners of tools, helpers of streams, chats; in front of vendors of every dialect. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { FunctionCallingConfigMode, GoogleGenAI, type CallableTool, type FunctionCall } from '@google/genai';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat, zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { testKey } from '../support/gateway.ts';
import { collect } from '../support/scripted-upstream.ts';
import { citySchema, says, spent, stageModels, startVendorStage, type VendorStage } from '../support/vendor-stage.ts';

const City = z.object({ city: z.string() });
const cities = [{ city: 'Köln' }, { city: 'Bonn' }];
const user = (content: string) => [{ role: 'user' as const, content }];
const usage = { prompt_tokens: spent.input, completion_tokens: spent.output, total_tokens: spent.input + spent.output };

describe('examples of the official SDKs', () => {
  let stage: VendorStage;
  let openai: OpenAI;
  let anthropic: Anthropic;
  let google: GoogleGenAI;

  before(async () => {
    stage = await startVendorStage();
    const { dataUrl } = stage.gateway;
    openai = new OpenAI({ baseURL: `${dataUrl}/v1`, apiKey: testKey, maxRetries: 0 });
    anthropic = new Anthropic({ baseURL: dataUrl, apiKey: testKey, maxRetries: 0 });
    google = new GoogleGenAI({ apiKey: testKey, vertexai: false, httpOptions: { baseUrl: dataUrl } });
  });
  after(() => stage.close());

  for (const model of stageModels) {
    describe(`in front of ${model.slice(3)}`, () => {
      test('OpenAI: chat completions are parsed, whole and streamed', async () => {
        const { chat } = openai;
        const asked = { model, messages: user('as json'), response_format: zodResponseFormat(City, 'city') };
        const parsed = await chat.completions.parse(asked);
        assert.deepEqual(parsed.choices[0]?.message.parsed, cities[0]);
        const stream = chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
        const seen: unknown[] = [];
        stream.on('content.done', (event) => seen.push(event.parsed));
        assert.deepEqual((await stream.finalChatCompletion()).choices[0]?.message.parsed, cities[0]);
        assert.deepEqual(seen, [cities[0]]);
        assert.deepEqual(await stream.totalUsage(), usage);
      });

      test('OpenAI: calls of tools are parsed, and run until there is an answer', async () => {
        const { chat } = openai;
        const asked = { model, messages: user('weather'), tools: [zodFunction({ name: 'weather', parameters: City })] };
        const parsed = await chat.completions.parse(asked);
        const calls = parsed.choices[0]?.message.tool_calls ?? [];
        assert.deepEqual(
          calls.map((call) => call.type === 'function' && call.function.parsed_arguments),
          cities,
        );
        const stream = chat.completions.stream(asked);
        const seen: unknown[] = [];
        let pieces = 0;
        stream.on('tool_calls.function.arguments.delta', () => (pieces += 1));
        stream.on('tool_calls.function.arguments.done', (event) => seen.push(event.parsed_arguments));
        await stream.done();
        assert.deepEqual(seen, cities);
        assert.ok(pieces >= 2);
        const runnable = {
          name: 'weather',
          description: 'The weather in a city.',
          parameters: { ...citySchema, required: [...citySchema.required] },
          parse: (text: string) => City.parse(JSON.parse(text)),
          function: ({ city }: z.output<typeof City>) => `sun in ${city}`,
        };
        const tools = [{ type: 'function' as const, function: runnable }];
        const run = chat.completions.runTools({ model, messages: user('weather'), tools });
        assert.equal(await run.finalContent(), 'Sunny in both.');
        assert.equal((await run.totalUsage()).total_tokens, 2 * usage.total_tokens);
        assert.match(stage.last().body, /sun in Köln.*sun in Bonn/s);
        const streamed = chat.completions.runTools({ model, stream: true, messages: user('weather'), tools });
        assert.equal(await streamed.finalContent(), 'Sunny in both.');
      });

      test('OpenAI: responses are parsed, streamed and counted', async () => {
        const { responses } = openai;
        const asked = { model, input: 'as json', text: { format: zodTextFormat(City, 'city') } };
        assert.deepEqual((await responses.parse(asked)).output_parsed, cities[0]);
        const stream = responses.stream(asked);
        let pieces = 0;
        stream.on('response.output_text.delta', () => (pieces += 1));
        assert.deepEqual((await stream.finalResponse()).output_parsed, cities[0]);
        assert.ok(pieces > 2);
        const tools = [zodResponsesFunction({ name: 'weather', parameters: City })];
        const called = await responses.stream({ model, input: 'weather', tools }).finalResponse();
        assert.deepEqual(
          called.output.map((item) => item.type === 'function_call' && (item.parsed_arguments as unknown)),
          cities,
        );
        const counted = await responses.inputTokens.count({ model, input: 'hello', instructions: 'Be brief.' });
        assert.equal(counted.object, 'response.input_tokens');
        assert.ok(counted.input_tokens > 2 && counted.input_tokens < 30);
      });

      test('Anthropic: messages are parsed, and tools run until there is an answer', async () => {
        const { messages, beta } = anthropic;
        const asked = { model, max_tokens: 100, messages: user('as json') };
        const output_config = { format: zodOutputFormat(City) };
        assert.deepEqual((await messages.parse({ ...asked, output_config })).parsed_output, cities[0]);
        const streamed = await messages.stream({ ...asked, output_config }).finalMessage();
        assert.deepEqual(streamed.parsed_output, cities[0]);
        const weather = betaZodTool({
          name: 'weather',
          description: 'The weather in a city.',
          inputSchema: City,
          run: ({ city }) => `sun in ${city}`,
        });
        const run = { model, max_tokens: 100, messages: user('weather'), tools: [weather] };
        const [block] = (await beta.messages.toolRunner(run)).content;
        assert.equal(block?.type === 'text' && block.text, 'Sunny in both.');
        assert.match(stage.last().body, /sun in Köln.*sun in Bonn/s);
        const turns = [];
        for await (const turn of beta.messages.toolRunner({ ...run, stream: true })) turns.push(await collect(turn));
        assert.equal(turns.length, 2);
        assert.match(stage.last().body, /sun in Köln.*sun in Bonn/s);
      });

      test('Anthropic: thinking comes in pieces, and goes back with the conversation', async () => {
        const thinking = { type: 'enabled' as const, budget_tokens: 2_000 };
        const asked = { model, max_tokens: 4_000, thinking, messages: user('ponder') };
        const stream = anthropic.messages.stream(asked);
        const thoughts: string[] = [];
        const signatures: string[] = [];
        stream.on('thinking', (text) => thoughts.push(text));
        stream.on('signature', (text) => signatures.push(text));
        const { content, usage: told } = await stream.finalMessage();
        assert.deepEqual([thoughts.join(''), signatures.length], ['Let me see.', 1]);
        assert.deepEqual([told.input_tokens, told.output_tokens], [spent.input, spent.output]);
        const messages = [...asked.messages, { role: 'assistant' as const, content }, ...user('hello')];
        const { data, response } = await anthropic.messages.create({ ...asked, messages }).withResponse();
        assert.equal(data.content[0]?.type === 'text' && data.content[0].text, says);
        const isNative = model === 'at-anthropic';
        // Only its own vendor may see a thought again; elsewhere that is told.
        assert.equal(stage.last().body.includes('Let me see.'), isNative);
        assert.equal(response.headers.get('headgate-dropped'), isNative ? null : 'thinking.budget_tokens, reasoning');
      });

      test('Anthropic: marks of the prompt cache are kept or told, and tokens counted', async () => {
        const cache_control = { type: 'ephemeral' as const };
        const asked = {
          model,
          system: [
            { type: 'text' as const, text: 'Be brief.', cache_control: { ...cache_control, ttl: '1h' as const } },
          ],
          tools: [{ name: 'now', input_schema: { type: 'object' as const }, cache_control }],
          messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hello', cache_control }] }],
        };
        const call = anthropic.messages.create({ ...asked, max_tokens: 100, cache_control });
        const { response } = await call.withResponse();
        const isNative = model === 'at-anthropic';
        assert.equal(stage.last().body.match(/"cache_control"/g)?.length ?? 0, isNative ? 4 : 0);
        assert.equal(response.headers.get('headgate-dropped')?.includes('cache_control') ?? false, !isNative);
        const { input_tokens: tokens } = await anthropic.messages.countTokens(asked);
        assert.ok(tokens > 4 && tokens < 60, String(tokens));
        assert.ok((await anthropic.beta.messages.countTokens(asked)).input_tokens > 4);
      });

      test('Google: functions are called by force and by themselves, whole and streamed', async () => {
        const declaration = { name: 'weather', description: 'Of a city.', parametersJsonSchema: citySchema };
        const forced = await google.models.generateContent({
          model,
          contents: 'weather',
          config: {
            tools: [{ functionDeclarations: [declaration] }],
            toolConfig: {
              functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['weather'] },
            },
          },
        });
        assert.deepEqual(
          forced.functionCalls?.map(({ args }) => args),
          cities,
        );
        assert.equal(forced.sdkHttpResponse?.headers?.['headgate-dropped'], undefined);
        const weather: CallableTool = {
          tool: () => Promise.resolve({ functionDeclarations: [declaration] }),
          callTool: (calls: FunctionCall[]) =>
            Promise.resolve(
              calls.map(({ id = '', name = '', args }) => ({
                functionResponse: { id, name, response: { output: `sun in ${City.parse(args).city}` } },
              })),
            ),
        };
        const asked = { model, contents: 'weather', config: { tools: [weather] } };
        const whole = await google.models.generateContent(asked);
        assert.equal(whole.text, 'Sunny in both.');
        assert.match(stage.last().body, /sun in Köln.*sun in Bonn/s);
        const chunks = await collect(await google.models.generateContentStream(asked));
        assert.equal(chunks.map(({ text }) => text ?? '').join(''), 'Sunny in both.');
      });

      test('Google: answers have the schema that was asked for, and chats remember', async () => {
        const config = { responseMimeType: 'application/json', responseJsonSchema: z.toJSONSchema(City) };
        const answer = await google.models.generateContent({ model, contents: 'as json', config });
        assert.deepEqual(JSON.parse(answer.text ?? ''), cities[0]);
        assert.equal(answer.sdkHttpResponse?.headers?.['headgate-dropped'], undefined);
        const chat = google.chats.create({ model });
        assert.equal((await chat.sendMessage({ message: 'hello' })).text, says);
        const streamed = await collect(await chat.sendMessageStream({ message: 'hello' }));
        assert.equal(streamed.map(({ text }) => text ?? '').join(''), says);
        assert.ok(chat.getHistory(true).length >= 4);
      });
    });
  }
});
