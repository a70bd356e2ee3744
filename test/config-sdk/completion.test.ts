/** What the editor offers while a config is written, asked of the language service that editors ask. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { Project } from 'ts-morph';
import { providerKinds } from '@headgate/runtime/snapshot';

const root = join(import.meta.dirname, '..', '..');
const project = new Project({ tsConfigFilePath: join(root, 'tsconfig.json'), skipAddingFilesFromTsConfig: true });
const service = project.getLanguageService().compilerObject;

const head = `import { contextPolicy, model, prompt, provider, quota, secret } from 'headgate';
const openai = provider('openai', { kind: 'openai', apiKey: secret('K'), models: { 'gpt-4.1': {}, ours: { contextWindow: 1 } } });
const support = prompt('support', { system: 'Hi {{name}}, {{tone}}', choices: { tone: ['formal', 'casual'] } });
`;

/** Puts `text` into a file and gives what is offered at each `|` of it. */
function offered(name: string, text: string): string[][] {
  const pieces = text.split('|');
  const file = project.createSourceFile(join(root, 'test', 'types', name), pieces.join(''), { overwrite: true });
  let at = 0;
  return pieces.slice(0, -1).map((piece) => {
    at += piece.length;
    const entries = service.getCompletionsAtPosition(file.getFilePath(), at, {})?.entries ?? [];
    return entries.map((each) => each.name.replaceAll(/^["']|["']$/g, ''));
  });
}

/** By the statement that each stands in; the cursor is `|`. */
const probes = {
  needs: `model('a', { needs: ['|'], targets: [openai.target('gpt-4.1')] });`,
  vendorModels: `provider('b', { kind: 'openai', apiKey: secret('K'), models: { '|' } });`,
  otherVendorModels: `provider('c', { kind: 'anthropic', apiKey: secret('K'), models: { 'claude-opus-5': {}, '|' } });`,
  facts: `provider('d', { kind: 'openai', apiKey: secret('K'), models: { ours: { | } } });`,
  kindFacts: `provider('e', { kind: 'sandbox', models: { ours: { | } } });`,
  capabilities: `provider('f', { kind: 'openai', apiKey: secret('K'), models: { ours: { capabilities: ['|'] } } });`,
  kinds: `provider('g', { kind: '|' });`,
  targets: `openai.target('|');`,
  targetsInModel: `model('h', { targets: [openai.target('|')] });`,
  options: `openai.target('ours', { | });`,
  variables: `support.with({ | });`,
  choices: `support.with({ name: 'Ada', tone: '|' });`,
  model: `model('i', { targets: [openai.target('ours')], | });`,
  policy: `contextPolicy('j', { kind: 'quantisedCut', | });`,
  units: `quota('k', { unit: '|' });`,
};

describe('the editor offers', () => {
  let found: Record<keyof typeof probes, string[]>;
  before(() => {
    const lists = offered('completion.ts', `${head}${Object.values(probes).join('\n')}\n`);
    found = Object.fromEntries(Object.keys(probes).map((name, index) => [name, lists[index] ?? []])) as typeof found;
  });
  const offers = (name: keyof typeof probes, expected: readonly string[]): void =>
    assert.deepEqual(found[name].toSorted(), [...expected].toSorted());
  const includes = (name: keyof typeof probes, expected: readonly string[]): void =>
    assert.deepEqual(
      expected.filter((each) => !found[name].includes(each)),
      [],
    );

  test('the capabilities that a model may need or have', () => {
    includes('needs', ['tools', 'images', 'structuredOutput', 'reasoning']);
    offers('capabilities', found.needs);
  });

  test("the vendor's models of the catalogue where models are declared, and no other vendor's", () => {
    includes('vendorModels', ['gpt-4.1', 'gpt-5-mini', 'text-embedding-3-small']);
    includes('otherVendorModels', ['claude-haiku-4-5']);
    assert.ok(!found.vendorModels.includes('claude-haiku-4-5') && !found.otherVendorModels.includes('gpt-4.1'));
  });

  test('the facts of a model, with those of its kind of provider', () => {
    const facts = ['contextWindow', 'maxOutputTokens', 'kind', 'capabilities', 'prices'];
    offers('facts', facts);
    offers('kindFacts', [...facts, 'chunkInterval', 'fault', 'latency', 'reply']);
  });

  test("a provider's own models as targets, alone and inside a model", () => {
    offers('targets', ['gpt-4.1', 'ours']);
    offers('targetsInModel', ['gpt-4.1', 'ours']);
  });

  test('the variables of a prompt, and the words that one may be', () => {
    offers('variables', ['name', 'tone']);
    offers('choices', ['formal', 'casual']);
  });

  test('kinds, units and the properties of each function', () => {
    offers('kinds', Object.keys(providerKinds));
    offers('units', ['requests']);
    offers('options', ['timeout', 'firstTokenTimeout', 'retries', 'maxConcurrency']);
    offers('model', [
      'needs',
      'prompt',
      'context',
      'policies',
      'quotas',
      'probe',
      'tags',
      'deadline',
      'hedge',
      'strict',
    ]);
    includes('policy', ['target', 'reserveOutput', 'high', 'low']);
  });
});

test('a completion among four hundred models takes no more than a few times as long as among four', () => {
  const models = (count: number): string =>
    Array.from(
      { length: count },
      (_, index) =>
        `export const m${index} = model('m${index}', { needs: ['tools'], targets: [openai.target('gpt-4.1')] });`,
    ).join('\n');
  const timed = (name: string, text: string): number => {
    offered(name, text);
    // An edit, after which everything around the cursor is looked at anew.
    const started = performance.now();
    assert.deepEqual(offered(name, `${text}\n`), [['gpt-4.1', 'ours']]);
    return performance.now() - started;
  };
  const few = timed('few.ts', `${head}${models(4)}\nopenai.target('|');`);
  const many = timed('many.ts', `${head}${models(400)}\nopenai.target('|');`);
  assert.ok(many < few * 4, `${Math.round(many)} ms among many, ${Math.round(few)} ms among few`);
});
