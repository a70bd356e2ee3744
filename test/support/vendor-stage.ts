/** A gateway in front of simulated vendors of every dialect, for trying an SDK against all of them: what arrived at a vendor is kept, byte for byte. */
import assert from 'node:assert/strict';
import { LLMock, type ChatCompletionRequest } from '@copilotkit/aimock';
import { snapshotOf, startGateway, type TestGateway } from './gateway.ts';
import { startScripted, type Received, type ScriptedUpstream } from './scripted-upstream.ts';

export const says = 'Hi there, all well – grüß dich 👋.';
/** What the vendors bill for every answer. */
export const spent = { input: 11, output: 7 } as const;
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const citySchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;

/** Models of the stage: each is a vendor of another dialect. */
export const stageModels = ['at-openai', 'at-responses', 'at-anthropic', 'at-google'] as const;
export type StageModel = (typeof stageModels)[number];

export interface VendorStage {
  readonly gateway: TestGateway;
  /** The request that a vendor got last. */
  last(): Received;
  close(): Promise<void>;
}

/** What a user says decides what the vendors do; `stuck` is answered with a start of something that never goes on. */
function script(mock: LLMock): void {
  const usage = {
    prompt_tokens: spent.input,
    completion_tokens: spent.output,
    input_tokens: spent.input,
    output_tokens: spent.output,
  };
  const hasResult = ({ messages }: ChatCompletionRequest) => messages.at(-1)?.role === 'tool';
  const says_ = (text: string, { messages }: ChatCompletionRequest) => JSON.stringify(messages).includes(text);
  mock.on({ predicate: hasResult }, { content: 'Sunny in both.', usage });
  // Some SDKs ask for JSON by demanding a call of a tool.
  mock.on(
    {
      predicate: (asked) => says_('as json', asked) && (asked.tools?.length ?? 0) > 0,
    },
    (asked) => ({
      toolCalls: [{ id: 'call_j', name: asked.tools?.[0]?.function.name ?? '', arguments: '{"city":"Köln"}' }],
      usage,
    }),
  );
  mock.onMessage('as json', { content: '{"city":"Köln"}', usage });
  mock.onMessage('ponder', { content: 'It is so.', reasoning: 'Let me see.', usage });
  mock.onMessage('weather', {
    toolCalls: ['Köln', 'Bonn'].map((city, index) => ({
      id: `call_${index}`,
      name: 'weather',
      arguments: JSON.stringify({ city }),
    })),
    usage,
  });
  mock.onMessage('busy', { error: { message: 'secret words', type: 'rate_limit_error' }, status: 429 });
  mock.onMessage('hello', { content: says, usage });
}

async function forward(mock: LLMock, { path, body, headers, response }: Received): Promise<void> {
  const answer = await fetch(`${mock.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': String(headers['anthropic-version'] ?? '') },
    body,
  });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
  // The simulation has a word of its own for it, which is none of Google's (ai.google.dev/api/generate-content, FinishReason).
  for await (const chunk of answer.body ?? [])
    response.write(
      Buffer.from(chunk).toString('latin1').replace('"finishReason":"FUNCTION_CALL"', '"finishReason":"STOP"'),
      'latin1',
    );
  response.end();
}

export async function startVendorStage(): Promise<VendorStage> {
  const mock = new LLMock({ port: 0, chunkSize: 3 });
  script(mock);
  await mock.start();
  const front: ScriptedUpstream = await startScripted((received) =>
    received.body.includes('stuck') ? undefined : forward(mock, received),
  );
  const open = { kind: 'openai', options: { baseUrl: `${front.url}/v1` } };
  const facts = { contextWindow: 100_000, maxOutputTokens: 4_096 };
  const embeddings = { vectors: { kind: 'embedding' as const, contextWindow: 8_192 } };
  const gateway = await startGateway(
    snapshotOf({
      providers: {
        openai: { ...open, models: { m: facts, ...embeddings } },
        responses: { ...open, options: { ...open.options, responses: true }, models: { m: facts } },
        anthropic: { kind: 'anthropic', options: { baseUrl: front.url }, models: { m: facts } },
        google: { kind: 'google', options: { baseUrl: front.url }, models: { m: facts, ...embeddings } },
      },
      models: {
        ...Object.fromEntries(
          stageModels.map((name) => [name, { targets: { kind: 'target', provider: name.slice(3), model: 'm' } }]),
        ),
        // Names by which SDKs know what a model can do, each in front of another vendor's.
        'gpt-5': { targets: { kind: 'target', provider: 'anthropic', model: 'm' } },
        'claude-sonnet-4-5': { targets: { kind: 'target', provider: 'openai', model: 'm' } },
        'gemini-2.5-flash': { targets: { kind: 'target', provider: 'anthropic', model: 'm' } },
        vectors: { targets: { kind: 'target', provider: 'openai', model: 'vectors' } },
      },
    }),
  );
  return {
    gateway,
    last: () => front.received.at(-1) ?? assert.fail('nothing arrived'),
    async close() {
      await gateway.close();
      await Promise.all([front.close(), mock.stop()]);
    },
  };
}
