/** The kinds that are presets: where they reach, what they ask of config, and what their page says of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { schemaOf, providerKinds } from '@headgate/runtime/snapshot';
import type { JsonObject } from '../../runtime/call.ts';
import { openaiChat } from '../../runtime/dialects/openai-chat.ts';
import { azure } from '../../runtime/providers/azure.ts';
import { compatible } from '../../runtime/providers/compatible.ts';

describe('where presets reach', () => {
  const readSecret = ({ $secret }: { readonly $secret: string }) => `value-of-${$secret}`;
  const apiKey = { $secret: 'KEY' };
  const reach = (kind: typeof azure | ReturnType<typeof compatible>, options: object) => {
    const connected = kind.connect(schemaOf(kind.options).parse(options), readSecret);
    return [connected.origin + connected.apis[0].address({ model: 'any' }).path, connected.headers];
  };
  const problems = (kind: typeof azure | ReturnType<typeof compatible>, options: object): readonly string[] =>
    schemaOf(kind.options)
      .safeParse(options)
      .error?.issues.map(({ path }) => path.join('.')) ?? [];
  const hosted = compatible({ baseUrl: 'https://api.example.com/v2' });
  const local = compatible({ baseUrl: 'http://localhost:8000/v1' });

  test('a vendor’s own host by default, with a key; another host as it is written', () => {
    const bearer = { authorization: 'Bearer value-of-KEY' };
    assert.deepEqual(reach(hosted, { apiKey }), ['https://api.example.com/v2/chat/completions', bearer]);
    assert.deepEqual(problems(hosted, {}), ['apiKey']);
    const proxied = { baseUrl: 'https://proxy.example.org/v1/', headers: { 'X-Title': 'T' } };
    assert.deepEqual(reach(hosted, proxied), ['https://proxy.example.org/v1/chat/completions', { 'x-title': 'T' }]);
    assert.deepEqual(problems(hosted, { apiKey, baseURL: 'https://a.com' }), ['']);
  });

  test('a local server by default without a key, and with one where it asks', () => {
    assert.deepEqual(reach(local, {}), ['http://localhost:8000/v1/chat/completions', {}]);
    assert.deepEqual(reach(local, { apiKey })[1], { authorization: 'Bearer value-of-KEY' });
    assert.deepEqual(problems(local, { baseUrl: 'http://llm.example.com/v1' }), ['baseUrl']);
  });

  test('a resource of Azure at its v1 API, with its key header', () => {
    const baseUrl = 'https://mine.openai.azure.com/openai/v1';
    const there = ['https://mine.openai.azure.com/openai/v1/chat/completions', { 'api-key': 'value-of-KEY' }];
    assert.deepEqual(reach(azure, { apiKey, baseUrl: `${baseUrl}/` }), there);
    const paths = azure.connect({ apiKey, baseUrl }, readSecret).apis.map(({ address }) => address({}).path);
    assert.deepEqual(paths, ['/openai/v1/chat/completions', '/openai/v1/responses']);
    assert.deepEqual(problems(azure, { apiKey }), ['baseUrl']);
    assert.deepEqual(problems(azure, { baseUrl }), ['apiKey']);
    assert.deepEqual(problems(azure, { apiKey, baseUrl: 'https://mine.openai.azure.com' }), ['baseUrl']);
    assert.deepEqual(problems(azure, { apiKey, baseUrl: 'https://mine.openai.azure.com/openai/deployments/gpt' }), [
      'baseUrl',
    ]);
    assert.deepEqual(problems(azure, { baseUrl: 'https://proxy.example.org/anything' }), []);
  });

  test('vendors ask for a key at home, servers of one’s own do not', () => {
    const asksFor = (kind: string) =>
      (providerKinds[kind] && schemaOf(providerKinds[kind].options))
        ?.safeParse({})
        .error?.issues.map(({ path }) => path.join('.')) ?? [];
    for (const kind of ['llamacpp', 'lmstudio', 'ollama', 'tgi', 'vllm']) assert.deepEqual(asksFor(kind), [], kind);
    for (const kind of ['cerebras', 'cohere', 'deepseek', 'fireworks', 'groq', 'huggingface', 'mistral', 'nvidia'])
      assert.deepEqual(asksFor(kind), ['apiKey'], kind);
    for (const kind of ['openrouter', 'perplexity', 'together', 'xai'])
      assert.deepEqual(asksFor(kind), ['apiKey'], kind);
  });
});

describe('docs/providers.md', () => {
  const page = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');
  /** One body of each row of its table; vendors that pass it on unchanged are not in that row. */
  const rows: Readonly<Record<string, JsonObject>> = {
    '`max_completion_tokens`': { max_completion_tokens: 1 },
    'role `developer`': { messages: [{ role: 'developer', content: 'x' }] },
    '`seed`': { seed: 1 },
    'ids of tool calls': { messages: [{ role: 'tool', tool_call_id: 'call_1', content: 'x' }] },
    '`stream_options`': { stream_options: { include_usage: true } },
  };
  const address = (kind: string, body: JsonObject): unknown => {
    const known = providerKinds[kind];
    const options = (known && schemaOf(known.options))?.safeParse({
      baseUrl: 'http://localhost/openai/v1',
      apiKey: { $secret: 'K' },
    });
    const api = options?.success ? known?.connect(options.data, () => 'key').apis[0] : undefined;
    return api?.dialect.name === openaiChat.name ? api.address(body).body : body;
  };
  const changes = (kind: string, body: JsonObject): boolean =>
    JSON.stringify(address(kind, { model: 'any', ...body })) !== JSON.stringify({ model: 'any', ...body });

  for (const [start, body] of Object.entries(rows))
    test(`says where other words go out for ${start}`, () => {
      const row = page.split('\n').find((line) => line.startsWith(`| ${start} `));
      const named = [...(row?.split('|').at(-2) ?? '').matchAll(/`(\w+)`/g)].map(([, kind]) => kind);
      assert.deepEqual(
        named,
        Object.keys(providerKinds).filter((kind) => changes(kind, body)),
      );
    });
});
