/** Rules that are not asked again: an object that changes, one that goes, and one whose neighbour makes it wrong are all seen. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { artifactFiles } from '../../config-sdk/artifact-files.ts';
import { compile } from '../../config-sdk/compile/compile.ts';
import type { FindingCode } from '../../config-sdk/findings.ts';
import type { LoadDocument, LoadedDeclaration } from '../../config-sdk/load/document.ts';
import { declarationsIn, load } from '../../config-sdk/load/load.ts';
import { temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const config = `import { consumer, contextPolicy, defineGateway, from, invariant, model, organisation, policy, prompt, provider, quota, route, team, upstream, weighted } from 'headgate';

const near = provider('near', { kind: 'sandbox', models: { echo: { contextWindow: 8192 }, large: { contextWindow: 64000 } }, tags: ['eu'] });
const far = provider('far', { kind: 'sandbox', models: { echo: { contextWindow: 8192 } } });
const help = prompt('help', { system: 'Be {{tone}} to {{whom}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind', whom: 'Ada' } } });
const plain = prompt('plain', { system: 'Answer.' });
const turns = contextPolicy('turns', { kind: 'quantisedCut', target: 4000, reserveOutput: 1000 });
const words = policy('words', { kind: 'blockTerms', terms: ['forbidden', 'secret plan'] });
const each = quota('each', { unit: 'requests', limit: 10, window: '1h', scope: 'consumer' });
const all = quota('all', { unit: 'requests', limit: 100, window: '1d', scope: 'gateway' });
const one = model('one', { targets: [near.target('echo'), far.target('echo', { timeout: '20s' })], prompt: help.with({ tone: 'kind', whom: from.metadata('whom', { default: 'you' }) }), context: turns, quotas: [each] });
const two = model('two', { targets: [weighted({ weight: 1, target: near.target('large') }, { weight: 3, target: far.target('echo') })], prompt: plain, policies: [words], quotas: [each, all], tags: ['inside'] });
const orders = upstream('orders', { url: 'https://orders.acme.example', timeout: '10s' });
const stock = upstream('stock', { url: 'https://stock.acme.example/api' });
const routes = [
  route('orders', { path: '/orders/*', methods: ['GET', 'POST'], upstream: orders, stripPrefix: '/orders', quotas: [all] }),
  route('order', { path: '/orders/one', methods: ['GET'], upstream: stock }),
  route('stock', { path: '/stock/*', upstream: stock, retries: 2 }),
];
const acme = organisation('acme', { models: [one, two], quotas: [all] });
const sales = team('sales', { organisation: acme, models: [one], quotas: [each] });
const consumers = [
  consumer('shop', { keys: ['sha256:${'0'.repeat(63)}1'], team: sales }),
  consumer('desk', { keys: ['sha256:${'0'.repeat(63)}2'], models: [one, two], quotas: [each], tags: ['inside'] }),
];
invariant('inside only', { tag: 'inside', holds: () => true });

export default defineGateway({ name: 'demo', models: [one, two], routes, consumers });
`;

async function loaded(context: TestContext): Promise<{ document: LoadDocument; folder: string }> {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': config });
  const found = await load(folder);
  assert.ok('document' in found, JSON.stringify(found));
  assert.equal(found.document.failure, undefined);
  return { document: found.document, folder };
}

/** One document after another, as a process that stays reads them. */
function reader(document: LoadDocument) {
  let read: ReadonlyMap<string, object> = new Map();
  return (lines: readonly string[]): LoadDocument => {
    const again = declarationsIn(lines, read);
    ({ read } = again);
    const gateway = again.declarations.findIndex((each) => 'sort' in each && each.sort === 'gateway');
    return { ...document, ...again, gateway: gateway < 0 ? 'failed' : gateway } as LoadDocument;
  };
}

/** Where a refusal is thrown, it must be the same one. */
function told(document: LoadDocument, folder: string) {
  try {
    const { problems, snapshot } = compile(document, folder);
    const files = snapshot && [...artifactFiles(snapshot, { seq: 0 }).files.values()];
    return { problems, bytes: files?.map((each) => Buffer.from(each).toString()) };
  } catch (error) {
    return { thrown: String(error) };
  }
}

const linesOf = ({ declarations }: LoadDocument): string[] => declarations.map((each) => JSON.stringify(each));

type Change = readonly [before: string | RegExp, after: string];

/** Makes one declaration read otherwise. */
const instead = (lines: readonly string[], name: string, [before, after]: Change): string[] =>
  lines.map((line) => {
    const { sort, id } = JSON.parse(line) as LoadedDeclaration;
    if (`${sort} ${id}` !== name) return line;
    const now = line.replace(before, after);
    assert.notEqual(now, line, `${name} does not say ${before}`);
    return now;
  });

const steps: readonly (readonly [name: string, brings: FindingCode, change: Change])[] = [
  ['prompt help', 'prompt_variable_missing', ['to {{whom}}', 'to {{whom}} of {{firm}}']],
  ['prompt help', 'prompt_choice_invalid', ['"kind","brief"', '"stern","brief"']],
  ['prompt help', 'prompt_too_long', ['Be ', `Be ${'very '.repeat(20_000)}`]],
  ['prompt plain', 'prompt_brace_typo', ['Answer.', 'Answer ${question}.']],
  ['route order', 'route_shadowed', ['/orders/one', '/orders/*']],
  ['upstream stock', 'path_doubled', ['/api', '/stock']],
  ['provider near', 'context_does_not_fit', ['"echo":{"contextWindow":8192}', '"echo":{"contextWindow":2048}']],
  ['provider far', 'unknown_model', ['"echo"', '"other"']],
  ['organisation acme', 'permission_above_team', [/"models":\[\{"\$handle":\d+\},/, '"models":[']],
  ['quota each', 'quota_scope_unclear', [',"scope":"consumer"', '']],
  ['model two', 'near_duplicate_name', ['"id":"two"', '"id":"O-ne"']],
];

test('what a change elsewhere makes wrong is found, and gone when the change is', async (context) => {
  const { document, folder } = await loaded(context);
  const [lines, read] = [linesOf(document), reader(document)];
  const quiet = told(read(lines), folder);
  for (const [name, code, change] of steps) {
    const now = instead(lines, name, change);
    const known = told(read(now), folder);
    assert.deepEqual(known, told(reader(document)(now), folder), name);
    const codes = known.problems?.map((each) => each.code) ?? [];
    assert.ok(codes.includes(code), `${name} brings ${code}, not ${codes.join(', ')}`);
    assert.ok(quiet.problems?.every((each) => each.code !== code));
    assert.deepEqual(told(read(lines), folder), quiet, `after ${name}`);
  }
});

const edits = fc.array(fc.tuple(fc.constantFrom('borrow', 'drop', 'double', 'move', 'back'), fc.nat(200), fc.nat(9)), {
  minLength: 25,
  maxLength: 25,
});

/** What another of its sort says; or a declaration that goes, comes twice, or stands elsewhere in its file. */
function edited(lines: readonly string[], [what, at, by]: readonly [string, number, number]): string[] {
  const index = at % lines.length;
  const line = lines[index] ?? '';
  if (what === 'drop') return lines.toSpliced(index, 1);
  if (what === 'double') return lines.toSpliced(index, 0, line);
  if (what === 'move') return lines.with(index, line.replace(/"line":\d+/, `"line":${by + 1}`));
  const own = JSON.parse(line) as LoadedDeclaration;
  const alike = lines.map((each) => JSON.parse(each) as LoadedDeclaration).filter(({ sort }) => sort === own.sort);
  return lines.with(index, JSON.stringify({ ...own, spec: alike[by % alike.length]?.spec }));
}

test('whatever is edited, rules that remember say what they say when asked for the first time', async (context) => {
  const { document, folder } = await loaded(context);
  const first = linesOf(document);
  fc.assert(
    fc.property(edits, (list) => {
      const read = reader(document);
      let lines = first;
      for (const edit of list) {
        lines = edit[0] === 'back' || lines.length < 8 ? first : edited(lines, edit);
        assert.deepEqual(told(read(lines), folder), told(reader(document)(lines), folder));
      }
    }),
    { numRuns: 10 },
  );
});
