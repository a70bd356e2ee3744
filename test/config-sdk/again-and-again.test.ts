/** What `dev --watch` finds after one edit upon another is what `check` finds from nothing: the same findings, the same bytes. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { artifactFiles } from '../../config-sdk/artifact-files.ts';
import { check, type CheckResult } from '../../config-sdk/check.ts';
import { Evaluations } from '../../config-sdk/load/load.ts';
import { StandingCompiler } from '../../config-sdk/standing/compiler.ts';
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
  ],
  'prompts.ts': [
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Stay {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'stern'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}} to {{whom}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind', whom: 'all' } } });\n",
    "// Moved down.\n\nimport { prompt, quota } from 'headgate';\nexport const spare = quota('spare', { unit: 'requests', limit: 1, window: '1h' });\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'kind' } } });\n",
    "import { prompt } from 'headgate';\nexport const help = prompt('help', { system: 'Be {{tone}}.', choices: { tone: ['kind', 'brief'] }, fixtures: { one: { tone: 'rude' } } });\n",
    undefined,
  ],
  'gateway.config.ts': [
    ...[0, 1].map(
      (each) => `import { consumer, defineGateway, model, provider, quota } from 'headgate';
import { help } from './prompts.ts';
import { limit, tone } from './words.ts';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const free = quota('free', { unit: 'requests', limit, window: '${each + 1}h' });
const echo = model('echo', { targets: [sandbox.target('echo')], prompt: help.with({ tone }), quotas: [free] });
const team = consumer('team', { keys: ['sha256:${'0'.repeat(63)}1'] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
`,
    ),
  ],
};

type Edit = readonly [file: string, state: number];
const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof(...Object.entries(states).map(([file, all]) => fc.tuple(fc.constant(file), fc.nat(all.length - 1)))),
  { minLength: 24, maxLength: 24 },
);

const told = ({ findings, snapshot }: CheckResult) => ({
  findings,
  bytes: snapshot && Buffer.from(artifactFiles(snapshot, { seq: 0 }).files.get('snapshot.json') ?? '').toString(),
});

async function save(folder: string, file: string, state: string | undefined): Promise<void> {
  if (state === undefined) await rm(join(folder, file), { force: true });
  else await writeFile(join(folder, file), state);
}

test('after any edits, what is known from before changes nothing about what is found', async (context) => {
  const folder = await temporaryFolder(context);
  const begin = Object.entries(states).map(([file, [first = '']]) => [file, first]);
  await writeFiles(folder, Object.fromEntries(begin) as Record<string, string>);
  const evaluations = new Evaluations(folder);
  const compiler = new StandingCompiler(folder);
  context.after(() => Promise.all([evaluations.close(), compiler.close()]));
  const [order = []] = fc.sample(edits, 1);
  context.diagnostic(JSON.stringify(order));
  let quick = 0;
  for (const [file, state] of order) {
    await save(folder, file, states[file]?.[state]);
    // Only where it had one to begin with can it say anything.
    quick += Number(await compiler.passes());
    const known = told(await check(folder, { evaluations, compiler }));
    assert.deepEqual(known, told(await check(folder)), `after ${file} became ${state}`);
    if (known.bytes === undefined) continue;
    compiler.prepare();
    await until('a compiler stands', () => compiler.passes());
  }
  context.diagnostic(`${quick} of ${order.length} known without the compiler proper`);
});
