/** The model catalogue: its data fits the snapshot, its types say the same as its data, and configs take their facts from it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { providerKinds, snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { datedPrices } from '../../catalogue/dates.ts';
import { factsOf, perMillion } from '../../catalogue/facts.ts';
import { dataFile, typeFiles } from '../../catalogue/write.ts';
import { vendors } from '../../catalogue/sources.ts';
import { catalogue, knownModel } from '../../config-sdk/catalogue/catalogue.ts';
import { check } from '../../config-sdk/check.ts';
import { temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const folder = join(import.meta.dirname, '..', '..', 'config-sdk', 'catalogue');
const models = Object.values(catalogue.vendors).flatMap((each) => Object.entries(each));

describe('the catalogue', () => {
  test('knows more than a hundred models that chat and have a price, by the names of kinds that exist', () => {
    const usable = Object.entries(catalogue.vendors).flatMap(([vendor, each]) =>
      Object.hasOwn(providerKinds, vendor) ? Object.values(each) : [],
    );
    assert.ok(usable.filter(({ kind, prices }) => kind === 'chat' && prices).length > 100);
  });

  test('knows models of every kind but those that serve what somebody chose', () => {
    const withoutVendor = Object.keys(providerKinds).filter((kind) => !Object.hasOwn(catalogue.vendors, kind));
    const local = ['llamacpp', 'lmstudio', 'ollama', 'tgi', 'vllm'];
    // The source has none of these, or none with a window.
    const unknown = ['huggingface', 'nvidia', 'openrouter'];
    assert.deepEqual(withoutVendor, [...local, ...unknown, 'sandbox'].toSorted());
    assert.deepEqual(Object.keys(catalogue.vendors), Object.keys(vendors));
  });

  test('holds only facts that a snapshot takes', () => {
    const schema = snapshotSchema.shape.providers;
    for (const [id, { deprecation, ...facts }] of models) {
      const parsed = schema.safeParse({ any: { kind: 'sandbox', models: { [id]: facts }, options: {} } });
      assert.ok(parsed.success, `${id}: ${parsed.error?.message}`);
      assert.match(deprecation ?? '2026-01-01', /^\d{4}-\d\d-\d\d$/);
      assert.ok((facts.maxOutputTokens ?? 0) < facts.contextWindow, id);
    }
  });

  test('says where it comes from, and its two forms say the same', () => {
    assert.match(catalogue.source, /^\S+ \d+\.\d+\.\d+ .*as of \d{4}-\d\d-\d\d\. MIT/);
    assert.equal(readFileSync(join(folder, 'models.json'), 'utf8'), dataFile(catalogue));
    const types = typeFiles(catalogue);
    assert.deepEqual(readdirSync(join(folder, 'vendors')).toSorted(), Object.keys(types).toSorted());
    for (const [name, text] of Object.entries(types))
      assert.equal(readFileSync(join(folder, 'vendors', name), 'utf8'), text, name);
  });

  test('knows nothing of names that only objects have', () => {
    assert.equal(knownModel('constructor', 'name'), undefined);
    assert.equal(knownModel('openai', 'constructor'), undefined);
  });
});

describe('reading the source', () => {
  const vendor = { providers: [], ids: /./ };

  test('prices move the point of a decimal and never pass through arithmetic', () => {
    const cases = {
      0: '0',
      1e-7: '0.1',
      1.25e-7: '0.125',
      2.5e-5: '25',
      0.0003: '300',
      1: '1000000',
      1.5e-9: '0.0015',
    };
    for (const [perToken, expected] of Object.entries(cases)) assert.equal(perMillion(Number(perToken)), expected);
  });

  test('a price of nothing is no price, and an embedding costs nothing to put out', () => {
    const row = { max_input_tokens: 10, input_cost_per_token: 0, output_cost_per_token: 0 };
    assert.equal(factsOf({ ...row, mode: 'chat' }, vendor, undefined)?.prices, undefined);
    const embedding = factsOf(
      { mode: 'embedding', max_input_tokens: 10, input_cost_per_token: 1e-7 },
      vendor,
      undefined,
    );
    assert.deepEqual(embedding?.prices, { input: '0.1', output: '0' });
  });

  test('sorts of tokens, long calls and fees are taken over, and what costs the same as its whole is not', () => {
    const row = {
      mode: 'chat',
      max_input_tokens: 10,
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6,
      output_cost_per_reasoning_token: 2e-6,
      output_cost_per_audio_token: 8e-6,
      input_cost_per_audio_token: 1e-6,
      cache_creation_input_token_cost_above_1hr: 2e-6,
      input_cost_per_token_above_200k_tokens: 4e-6,
      cache_creation_input_token_cost_above_1hr_above_200k_tokens: 5e-6,
      input_cost_per_token_above_128k_tokens: 3e-6,
      input_cost_per_request: 0.005,
      search_context_cost_per_query: {
        search_context_size_low: 0.01,
        search_context_size_medium: 0.01,
        search_context_size_high: 0.025,
      },
    };
    assert.deepEqual(factsOf(row, vendor, undefined)?.prices, {
      input: '1',
      output: '2',
      cacheWriteHour: '2',
      audioOutput: '8',
      long: [
        { above: 128_000, input: '3' },
        { above: 200_000, input: '4', cacheWriteHour: '5' },
      ],
      request: '0.005',
      search: { low: '0.01', medium: '0.01', high: '0.025' },
    });
  });

  test('days are taken where both sources agree on the prices of today', () => {
    const lines: string[] = [];
    const tell = (line: string) => lines.push(line);
    const wanted = { vendor: 'openai', id: 'o3', day: '2026-11-22', tell };
    const ours = { input: '2', output: '8', cachedInput: '0.5', search: '0.01' };
    assert.deepEqual(datedPrices(ours, wanted).prices, [
      { input: '10', output: '40', cachedInput: '0.5', search: '0.01' },
      { from: '2025-06-10', ...ours },
    ]);
    assert.deepEqual(lines, []);
    assert.deepEqual(datedPrices({ ...ours, input: '3' }, wanted), {});
    assert.match(lines.join(), /^openai\/o3: no days are taken/);
    // By the hour of the day, or without a day.
    assert.deepEqual(datedPrices(ours, { ...wanted, vendor: 'deepseek', id: 'deepseek-v4-pro' }), {});
    assert.deepEqual(datedPrices(ours, { ...wanted, id: 'gpt-4o' }), {});
  });

  test('a cap that repeats the window is none', () => {
    const row = { mode: 'chat', max_input_tokens: 10 };
    assert.equal(factsOf({ ...row, max_output_tokens: 10 }, vendor, undefined)?.maxOutputTokens, undefined);
    assert.equal(factsOf({ ...row, max_output_tokens: 9 }, vendor, undefined)?.maxOutputTokens, 9);
  });

  test('a row without a window, or of an unknown sort, is left out', () => {
    assert.equal(factsOf({ mode: 'chat' }, vendor, undefined), undefined);
    assert.equal(factsOf({ mode: 'video_generation', max_input_tokens: 10 }, vendor, undefined), undefined);
  });
});

const config = (list: string): string => `import { consumer, defineGateway, model, provider, secret } from 'headgate';
const openai = provider('openai', { kind: 'openai', apiKey: secret('KEY'), models: { ${list} } });
const local = provider('local', { kind: 'sandbox', models: { 'gpt-4.1': { contextWindow: 1_000 } } });
const chat = model('chat', { needs: ['tools'], targets: [openai.target('gpt-4.1')] });
const small = model('small', { targets: [local.target('gpt-4.1')] });
const team = consumer('team', { keys: ['sha256:${'0'.repeat(63)}1'] });
export default defineGateway({ name: 'demo', models: [chat, small], consumers: [team] });
`;

describe('a config', () => {
  const compiled = async (context: Parameters<typeof temporaryFolder>[0], list: string) => {
    const directory = await temporaryFolder(context);
    await writeFiles(directory, { 'gateway.config.ts': config(list) });
    const { findings, snapshot } = await check(directory);
    return { findings: findings.map(({ code }) => code), snapshot: snapshot as Snapshot | undefined };
  };

  test('takes what it does not say from the catalogue, and only for the kind that is the vendor', async (context) => {
    const { findings, snapshot } = await compiled(context, `'gpt-4.1': {}`);
    assert.deepEqual(findings, []);
    const { deprecation: _, ...known } = knownModel('openai', 'gpt-4.1') ?? {};
    assert.deepEqual(snapshot?.providers['openai']?.models['gpt-4.1'], { ...known, options: {} });
    assert.deepEqual(snapshot?.providers['local']?.models['gpt-4.1'], { contextWindow: 1_000, options: {} });
    assert.deepEqual(snapshot?.models['chat']?.needs, ['tools']);
  });

  test('uses more than a hundred models of several vendors by their names alone', async (context) => {
    const kinds = [
      'anthropic',
      'cohere',
      'deepseek',
      'fireworks',
      'groq',
      'mistral',
      'openai',
      'perplexity',
      'together',
      'xai',
    ];
    const named = kinds.map((kind) => {
      const chats = Object.entries(catalogue.vendors[kind] ?? {}).filter(
        ([, facts]) => facts.kind === 'chat' && facts.prices && !facts.deprecation,
      );
      return { kind, ids: chats.slice(0, 40).map(([id]) => id) };
    });
    const lines = named.flatMap(({ kind, ids }) => {
      const facts = Object.fromEntries(ids.map((id) => [id, {}]));
      const declared = `const ${kind} = provider('${kind}', { kind: '${kind}', apiKey: secret('KEY_${kind}'), models: ${JSON.stringify(facts)} });`;
      return [
        declared,
        ...ids.map((id, at) => `all.push(model('${kind}-${at}', { targets: [${kind}.target('${id}')] }));`),
      ];
    });
    const directory = await temporaryFolder(context);
    const text = `import { consumer, defineGateway, model, provider, secret, type Model } from 'headgate';
const all: Model[] = [];
${lines.join('\n')}
const team = consumer('team', { keys: ['sha256:${'0'.repeat(63)}1'] });
export default defineGateway({ name: 'demo', models: all, consumers: [team] });
`;
    await writeFiles(directory, { 'gateway.config.ts': text });
    const { findings, snapshot } = await check(directory);
    assert.deepEqual(findings, []);
    const providers = (snapshot as Snapshot | undefined)?.providers ?? {};
    const usable = Object.values(providers).flatMap(({ models: each }) => Object.values(each));
    assert.ok(usable.length > 100 && Object.keys(providers).length === kinds.length, `${usable.length} models`);
    for (const { contextWindow, prices } of usable) assert.ok(contextWindow > 0 && prices);
  });

  test('wins over the catalogue, fact by fact', async (context) => {
    const own = `contextWindow: 50_000, prices: { input: '9', output: '10.5' }, capabilities: ['tools']`;
    const { findings, snapshot } = await compiled(context, `'gpt-4.1': { ${own} }, ours: { contextWindow: 7 }`);
    // `ours` is there to be read, not used.
    assert.deepEqual(findings, ['provider_model_unused']);
    const models = snapshot?.providers['openai']?.models;
    assert.deepEqual(models?.['gpt-4.1'], {
      kind: 'chat',
      contextWindow: 50_000,
      maxOutputTokens: 32_768,
      capabilities: ['tools'],
      prices: { input: '9', output: '10.5' },
      options: {},
    });
    assert.deepEqual(models?.['ours'], { contextWindow: 7, options: {} });
  });

  test('says the window of a model that the catalogue does not know', async (context) => {
    const { findings } = await compiled(context, `'gpt-4.1': {}, ours: {}`);
    assert.deepEqual(findings, ['TS2322']);
  });
});
