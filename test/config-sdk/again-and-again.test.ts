/** What is known from one save to the next changes nothing about what is found: the same verdict, the same problems, the same bytes. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { artifactFiles } from '../../config-sdk/artifact-files.ts';
import { compile } from '../../config-sdk/compile/compile.ts';
import type { Finding } from '../../config-sdk/findings.ts';
import type { LoadDocument } from '../../config-sdk/load/document.ts';
import { declarationsIn, load } from '../../config-sdk/load/load.ts';
import { StandingCompiler } from '../../config-sdk/standing/compiler.ts';
import { typecheckTogether } from '../../config-sdk/typecheck.ts';
import { temporaryFolder, writeFiles } from '../support/sample-repository.ts';
import { until } from '../support/until.ts';

/** Each file in several states; some are wrong by themselves, some make others wrong, some say another thing only. */
const states: Readonly<Record<string, readonly (string | undefined)[]>> = {
  'words.ts': [
    "export const tone = 'kind';\nexport const limit: number = 10;\n",
    "export const tone = 'kind';\nexport const limit: number = 20;\n",
    "export const tone = 'brief';\nexport const limit: number = 10;\n",
    "export const tone: string = 'kind';\nexport const limit: number = 10;\n",
    "export const tone = 'kind';\nexport const limit: string = '10';\n",
    "interface Tone { of: 'kind' }\nexport const tone: Tone['of'] = 'kind';\nexport const limit: number = 10;\n",
    "export const tone = 'kind';\n",
    'export const tone = \'kind\';\nexport const limit: number = "ten";\n',
    "import type { Tone } from './types.ts';\nexport const tone = 'kind' as Tone;\nexport const limit: number = 10;\n",
    "import type { Tone } from './types.ts';\nexport const tone = ((): Tone => 'kind')();\nexport const limit: number = 11;\n",
  ],
  'types.ts': ["export type Tone = 'kind';\n", "export type Tone = 'kind' | 'rude';\n"],
  'prompts.ts': [
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Stay {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'stern'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}} to {{whom}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind', whom: 'all' } } });\n",
    "// Moved down.\n\nimport { prompt, quota } from 'headgate';\nexport const spare = quota('spare', { unit: 'requests', limit: 1, window: '1h' });\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'rude' } } });\n",
    undefined,
  ],
  'gateway.config.ts': ['1h', '2h'].map(
    (window) => `import { consumer, defineGateway, model, provider, quota } from 'headgate';
import { help } from './prompts.ts';
import { limit, tone } from './words.ts';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const free = quota('free', { unit: 'requests', limit, window: '${window}' });
const echo = model('echo', { targets: [sandbox.target('echo')], prompt: help.with({ tone }), quotas: [free] });
const team = consumer('team', { keys: ['sha256:${'0'.repeat(63)}1'] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
`,
  ),
};

type State = Readonly<Record<string, number>>;
const edits = fc.array(
  fc.oneof(...Object.entries(states).map(([file, all]) => fc.tuple(fc.constant(file), fc.nat(all.length - 1)))),
  { minLength: 4, maxLength: 4 },
);

async function write(folder: string, state: State): Promise<void> {
  for (const [file, number] of Object.entries(state)) {
    const text = states[file]?.[number];
    if (text === undefined) await rm(join(folder, file), { force: true });
    else await writeFiles(folder, { [file]: text });
  }
}

/** What the compiler proper finds in each state, asked about all of them at once. */
async function expected(folder: string, all: readonly State[]): Promise<readonly (readonly Finding[])[]> {
  const names = [...new Set(all.map((state) => Object.values(state).join('-')))];
  for (const state of all) await write(join(folder, Object.values(state).join('-')), state);
  const found = await typecheckTogether(names.map((name) => join(folder, name)));
  return all.map((state) => found[names.indexOf(Object.values(state).join('-'))] ?? []);
}

/** Each is fine by itself, and makes another file wrong. */
const breaking: readonly [string, number][] = [
  ['words.ts', 1],
  ['words.ts', 3],
  ['words.ts', 0],
  ['prompts.ts', 3],
  ['prompts.ts', 1],
  ['words.ts', 4],
  ['words.ts', 8],
  ['types.ts', 1],
  ['words.ts', 9],
  ['types.ts', 0],
];

test('a compiler that stands through any edits never passes what the compiler proper would not', async (context) => {
  const folder = await temporaryFolder(context);
  const start: State = Object.fromEntries(Object.keys(states).map((file) => [file, 0]));
  const [random = []] = fc.sample(edits, 1);
  const order = [...breaking, ...random];
  const all = order.reduce<State[]>(
    (before, [file, number]) => [...before, { ...before.at(-1), [file]: number }],
    [start],
  );
  const findings = await expected(join(folder, 'each'), all);
  const live = join(folder, 'live');
  const compiler = new StandingCompiler(live);
  context.after(() => compiler.close());
  let passed = 0;
  for (const [index, state] of all.entries()) {
    await write(live, state);
    const isFine = findings[index]?.length === 0;
    const passes = await compiler.passes();
    assert.ok(
      isFine || !passes,
      `passed, after ${JSON.stringify(order.slice(0, index))}: ${JSON.stringify(findings[index])}`,
    );
    passed += Number(passes);
    if (!isFine || passes) continue;
    const stands = async () => {
      // One that meets a file that is just being written gives up.
      compiler.prepare();
      return await compiler.passes();
    };
    await until('one stands again', stands, 60_000);
  }
  context.diagnostic(`${passed} of ${findings.filter(({ length }) => length === 0).length} passed`);
});

/** Declarations as an evaluation tells them: what they refer to has a number, which moves when one goes or comes. */
const changes = fc.array(fc.tuple(fc.constantFrom('text', 'move', 'drop', 'double', 'name'), fc.nat(200), fc.nat(3)), {
  minLength: 40,
  maxLength: 40,
});

function changed(lines: readonly string[], [what, at, by]: readonly [string, number, number]): string[] {
  const index = at % lines.length;
  const line = lines[index] ?? '';
  if (what === 'drop' && lines.length > 6) return lines.toSpliced(index, 1);
  if (what === 'double') return lines.toSpliced(index, 0, line);
  if (what === 'name') return lines.with(index, line.replace(/"id":"[^"]*"/, `"id":"name-${by}"`));
  if (what === 'move') return lines.with(index, line.replace(/"line":\d+/, `"line":${by + 1}`));
  return lines.with(index, line.replace(/("limit"|"contextWindow"):\d+/, `$1:${by}`).replace(/Be \{\{/, `Be ${by} {{`));
}

const told = ({ problems, snapshot }: ReturnType<typeof compile>) => ({
  problems,
  bytes:
    snapshot && [...artifactFiles(snapshot, { seq: 0 }).files.values()].map((each) => Buffer.from(each).toString()),
});

test('declarations that were compiled before come to what they come to for the first time', async (context) => {
  const folder = await temporaryFolder(context);
  await write(folder, Object.fromEntries(Object.keys(states).map((file) => [file, 0])));
  const loaded = await load(folder);
  assert.ok('document' in loaded);
  const { document } = loaded;
  const first = document.declarations.map((each) => JSON.stringify(each));
  fc.assert(
    fc.property(changes, (list) => {
      let lines: string[] = first;
      let read: ReadonlyMap<string, object> = new Map();
      for (const change of list) {
        lines = changed(lines, change);
        const again = declarationsIn(lines, read);
        ({ read } = again);
        const gateway = again.declarations.findIndex((each) => 'sort' in each && each.sort === 'gateway');
        const known = { ...document, ...again, gateway: gateway < 0 ? 'failed' : gateway } as LoadDocument;
        assert.deepEqual(attempt(known, folder), attempt(structuredClone(known), folder));
      }
    }),
    { numRuns: 10 },
  );
});

/** Where a refusal is thrown, it must be the same one. */
function attempt(document: LoadDocument, folder: string): object {
  try {
    return told(compile(document, folder));
  } catch (error) {
    return { thrown: String(error) };
  }
}
