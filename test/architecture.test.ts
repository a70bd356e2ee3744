/** The house rules that a machine can hold: who imports whom, one door per package, sizes, and what no file may contain. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { factsOf, packageOf, readSources, targetOf, type Found, type SourceFacts } from './support/source-facts.ts';

/** What authoring may see of the runtime: `@headgate/runtime/<one of these>`. */
const waist = [
  'bootstrap',
  'artifact',
  'canonical-json',
  'context/message-tokens',
  'decide',
  'duration',
  'errors',
  'generation/template',
  'graph',
  'main',
  'masked',
  'serve',
  'settings',
  'snapshot',
  'surfaces',
  'sync/source',
];

const kindFolders = ['providers', 'surfaces', 'policies', 'balancing', 'context'].map((name) => `runtime/${name}/`);

/** Where kinds must not look: they see their contract and their own options, nothing of the machine around them. */
const closedToKinds = ['pipeline/', 'generation/', 'sync/', 'quota/', 'snapshot.ts', 'exchange.ts'].map(
  (name) => `runtime/${name}`,
);

const doors: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/credential-providers': ['runtime/providers/bedrock-credentials.ts'],
  '@fastify/reply-from': ['runtime/upstream/'],
  '@headgate/runtime': ['config-sdk/'],
  aws4fetch: ['runtime/providers/bedrock-signature.ts'],
  commander: ['config-sdk/'],
  diff: ['config-sdk/plan/text-diff.ts'],
  // What `init` writes is the team's own code, and no part of the package.
  headgate: ['config-sdk/template/'],
  fastify: ['runtime/upstream/forward.ts'],
  ioredis: ['runtime/redis/'],
  'isomorphic-git': ['runtime/sync/'],
  jose: ['runtime/tokens/'],
  pino: ['runtime/log.ts'],
  'prom-client': ['runtime/telemetry/'],
  'ts-morph': ['config-sdk/'],
  typescript: ['config-sdk/'],
  undici: ['runtime/upstream/', 'runtime/sync/'],
  zod: [
    'runtime/providers/options.ts',
    // What other people's tools wrote, looked at when a token is asked for.
    'runtime/providers/vertex-credentials.ts',
    'runtime/rollout.ts',
    'runtime/snapshot.ts',
    'runtime/snapshot-consumers.ts',
    'runtime/snapshot-issuers.ts',
    'runtime/snapshot-names.ts',
    'runtime/snapshot-prices.ts',
    'runtime/snapshot-probes.ts',
    'runtime/snapshot-quotas.ts',
    'runtime/snapshot-routes.ts',
    'runtime/zod.ts',
    'config-sdk/define.ts',
    'config-sdk/compile/',
  ],
};

const vendorFolders = ['runtime/providers/', 'runtime/surfaces/', 'runtime/dialects/'];
/** Prices by vendor, the file that a team begins with, the pages on findings, and the forms of keys that are looked for. */
const vendorWords = ['catalogue/', 'template/', 'findings/', 'rules/secrets.ts'].map((name) => `config-sdk/${name}`);
const vendorNames =
  /\b(openai|anthropic|gemini|google|bedrock|azure|mistral|cerebras|cohere|deepseek|groq|huggingface|nvidia|ollama|openrouter|perplexity|vllm|xai)\b/i;

const environmentReaders = [
  'runtime/settings.ts',
  'runtime/secrets.ts',
  'runtime/providers/cloud-variables.ts',
  'config-sdk/cli.ts',
  'config-sdk/cli/',
];

type Rule = (files: readonly SourceFacts[]) => string[];

const runtimeIgnoresTheSdk: Rule = (files) =>
  eachImport(within(files, ['runtime/']), (file, found) => {
    const target = targetOf(file.path, found.text) ?? '';
    return target.startsWith('config-sdk/') || packageOf(found.text) === 'headgate'
      ? 'the runtime ships without config-sdk and never imports it'
      : undefined;
  });

const sdkUsesTheWaist: Rule = (files) =>
  eachImport(within(files, ['config-sdk/']), (file, found) => {
    const target = targetOf(file.path, found.text);
    if (target !== undefined && !target.startsWith('config-sdk/')) {
      return 'config-sdk reaches outside itself only through @headgate/runtime/…';
    }
    if (packageOf(found.text) !== '@headgate/runtime') return undefined;
    const subpath = found.text.slice('@headgate/runtime/'.length);
    return waist.includes(subpath) ? undefined : `"${subpath}" is not in the waist (${waist.join(', ')})`;
  });

const oneDoorPerPackage: Rule = (files) =>
  eachImport(files, (file, found) => {
    const name = packageOf(found.text);
    if (name === undefined) return undefined;
    const allowed = Object.hasOwn(doors, name) ? doors[name] : undefined;
    if (allowed === undefined) {
      return `the package "${name}" has no door yet: add it to \`doors\` in test/architecture.test.ts, with one file or folder`;
    }
    return isWithin(file.path, allowed) ? undefined : `"${name}" is imported in ${allowed.join(', ')} only`;
  });

const kindsAreLeaves: Rule = (files) => {
  const registered = registeredKinds(files);
  return eachImport(within(files, kindFolders), (file, found) => {
    const target = targetOf(file.path, found.text);
    if (target === undefined) return undefined;
    const folder = folderOf(file.path);
    const targetFolder = folderOf(target);
    if (isWithin(target, closedToKinds)) return `a kind does not see ${target}`;
    if (targetFolder !== undefined && targetFolder !== folder)
      return `one kind of thing does not import another: ${target}`;
    if (targetFolder === undefined || file.path === `${folder}index.ts`) return undefined;
    if (target === `${folder}index.ts`) return 'a kind does not see its registry';
    const other = kindOf(target, registered);
    return other === undefined || other === kindOf(file.path, registered)
      ? undefined
      : `kinds do not import each other: ${target}; put what they share beside the contract`;
  });
};

const dialectsArePure: Rule = (files) =>
  eachImport(within(files, ['runtime/dialects/']), (file, found) => {
    const allowed = ['runtime/call.ts', 'runtime/errors.ts'];
    const target = targetOf(file.path, found.text);
    if (target === undefined) return 'a dialect is pure conversion: no package and no Node module';
    if (allowed.includes(target)) return undefined;
    if (!target.startsWith('runtime/dialects/'))
      return `a dialect imports ${allowed.join(', ')} and the dialect contract only`;
    const own = dialectOf(file.path, files);
    const other = dialectOf(target, files);
    return other === undefined || other === own
      ? undefined
      : `the dialect ${own ?? 'contract'} does not import ${other}`;
  });

/** Names of vendors anywhere in a text; and of kinds and surfaces, some of which are plain words, as the whole of one. */
const noVendorNames: Rule = (files) => {
  const kinds = registeredKinds(files).filter((kind) => isWithin(kind, vendorFolders));
  const names = new Set(kinds.map((kind) => kind.split('/').at(-1)));
  return files
    .filter((file) => !isWithin(file.path, [...vendorFolders, ...vendorWords]))
    .flatMap((file) =>
      file.literals
        .filter(({ text }) => vendorNames.test(text) || names.has(text))
        .map((literal) => at(file, literal, `the core never names a vendor: "${literal.text.slice(0, 60)}"`)),
    );
};

const smallFiles: Rule = (files) =>
  files.flatMap((file) => {
    const limit = isWithin(file.path, vendorFolders) ? 400 : 250;
    return file.lineCount > limit ? [`${file.path}: ${file.lineCount} lines, at most ${limit}: split it by duty`] : [];
  });

const noEscapes: Rule = (files) =>
  files.flatMap((file) => [
    ...file.anys.map((found) => at(file, found, 'no `any`: use `unknown` and narrow it')),
    ...file.suppressions.map((found) => at(file, found, `no ${found.text}: mend the type`)),
  ]);

const environmentHasFewReaders: Rule = (files) =>
  files
    .filter((file) => !isWithin(file.path, environmentReaders))
    .flatMap((file) =>
      file.environmentReads.map((found) =>
        at(file, found, `${found.text} is read in ${environmentReaders.join(', ')} only`),
      ),
    );

const noCycles: Rule = (files) => {
  const graph = new Map(within(files, ['runtime/']).map((file) => [file.path, importedFiles(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  function walk(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push(`${[...trail.slice(start), path].join(' -> ')}: files import each other in a circle`);
    if (start >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  }
  for (const path of graph.keys()) walk(path, []);
  return cycles;
};

/** A file and all that is loaded with it. */
function loadedWith(files: readonly SourceFacts[], entries: readonly string[]): readonly SourceFacts[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const loaded = new Set(within(files, entries));
  for (const file of loaded) {
    for (const { text, isLoaded } of file.imports) {
      const next = byPath.get((isLoaded && targetOf(file.path, text)) || '');
      if (next) loaded.add(next);
    }
  }
  return [...loaded];
}

const packagesLoaded = (
  files: readonly SourceFacts[],
  { entries, allowed, problem }: { entries: readonly string[]; allowed: readonly string[]; problem: string },
): string[] =>
  eachImport(loadedWith(files, entries), (file, { text, line }) => {
    const name = packageOf(text);
    const isLoaded = file.imports.some((each) => each.text === text && each.line === line && each.isLoaded);
    return name !== undefined && isLoaded && !allowed.includes(name)
      ? `'${text}' would be loaded by ${problem}`
      : undefined;
  });

/** Each evaluation of a configuration loads all of this, and may read nothing but what is the team's own and ours. */
const configurationsLoadLittle: Rule = (files) =>
  packagesLoaded(files, { entries: ['config-sdk/index.ts'], allowed: [], problem: 'every configuration' });

/** A package more is ten milliseconds and some megabytes of each start: what only some gateways need, they load when they do. */
const startsLoadLittle: Rule = (files) =>
  packagesLoaded(files, {
    entries: ['runtime/main.ts', 'runtime/serve.ts', 'runtime/workers/worker.ts', 'runtime/ledger/ledger-worker.ts'],
    allowed: ['pino', 'prom-client', 'aws4fetch'],
    problem: 'every start: import() it where it is needed',
  });

const rules: readonly { sentence: string; rule: Rule; broken: Readonly<Record<string, string>> }[] = [
  {
    sentence: 'the runtime never imports config-sdk',
    rule: runtimeIgnoresTheSdk,
    broken: { 'runtime/a.ts': `import { x } from '../config-sdk/x.ts';`, 'runtime/b.ts': `await import('headgate');` },
  },
  {
    sentence: 'config-sdk sees of the runtime only the waist',
    rule: sdkUsesTheWaist,
    broken: {
      'config-sdk/a.ts': `export * from '../runtime/snapshot.ts';`,
      'config-sdk/b.ts': `type B = import('@headgate/runtime/log').B;`,
    },
  },
  {
    sentence: 'each package comes in through one door',
    rule: oneDoorPerPackage,
    broken: {
      'runtime/pipeline/a.ts': `import { Redis } from 'ioredis';`,
      'runtime/b.ts': `import pad from '@left/pad/now';`,
      'runtime/c.ts': `import 'constructor';`,
    },
  },
  {
    sentence: 'kinds are leaves',
    rule: kindsAreLeaves,
    broken: {
      'runtime/providers/a.ts': `import { b } from './b-parts.ts';`,
      'runtime/providers/b.ts': `import * as kinds from './index.ts';`,
      'runtime/providers/b-parts.ts': `import type { Policy } from '../policies/policy.ts';`,
      'runtime/policies/c/c.ts': `import { fit } from '../../pipeline/fit.ts';`,
    },
  },
  {
    sentence: 'dialects are pure conversions',
    rule: dialectsArePure,
    broken: {
      'runtime/dialects/a.ts': `import { log } from '../log.ts';`,
      'runtime/dialects/a/read.ts': `import { readFile } from 'node:fs';`,
      'runtime/dialects/b.ts': `import { read } from './a/read.ts';`,
      'runtime/dialects/b/read.ts': `import { a } from '../a.ts';`,
    },
  },
  {
    sentence: 'no vendor is named outside providers, surfaces and dialects',
    rule: noVendorNames,
    broken: {
      'runtime/a.ts': `if (provider.kind === 'anthropic') skip();`,
      'runtime/b.ts': 'const model = `openai/${name}`;',
      'runtime/c.ts': `if (provider.kind === 'b') skip();`,
      'config-sdk/d.ts': `const described = 'openai';`,
    },
  },
  {
    sentence: 'files stay small',
    rule: smallFiles,
    broken: { 'runtime/a.ts': '\n'.repeat(251), 'runtime/providers/b.ts': '\n'.repeat(401) },
  },
  {
    sentence: 'types are neither given up nor silenced',
    rule: noEscapes,
    broken: { 'runtime/a.ts': 'const a = b as any;', 'config-sdk/b.ts': '// @ts-ignore\nf();' },
  },
  {
    sentence: 'the environment has few readers',
    rule: environmentHasFewReaders,
    broken: {
      'runtime/a.ts': `const home = process.env['HOME'];`,
      'runtime/b.ts': `import { env } from 'node:process';`,
      'config-sdk/c.ts': `const { env } = process;`,
      'config-sdk/d.ts': `read(process['env']);`,
    },
  },
  {
    sentence: 'configurations load no package beside the SDK',
    rule: configurationsLoadLittle,
    broken: {
      'config-sdk/index.ts': `import { z } from 'zod';`,
    },
  },
  {
    sentence: 'a start loads no package that only some gateways need',
    rule: startsLoadLittle,
    broken: {
      'runtime/serve.ts': `import { z } from 'zod';`,
      'runtime/workers/worker.ts': `import fastify from 'fastify';`,
    },
  },
  {
    sentence: 'runtime files do not import each other in circles',
    rule: noCycles,
    broken: { 'runtime/a.ts': `import './b/c.ts';`, 'runtime/b/c.ts': `import type { A } from '../a.ts';` },
  },
];

describe('the house', () => {
  const root = resolve(import.meta.dirname, '..');
  const files = readSources(root, ['runtime', 'config-sdk']);
  assert.ok(files.length > 0, 'there are sources to judge');

  for (const { sentence, rule } of rules) {
    test(sentence, () => {
      const problems = rule(files);
      assert.ok(problems.length === 0, `${problems.length} problem(s):\n${problems.join('\n')}`);
    });
  }

  test('the waist is what the runtime exports', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'runtime/package.json'), 'utf8')) as { exports: object };
    const exported = Object.keys(exports).filter((name) => name !== './package.json');
    assert.deepEqual(
      exported.toSorted(),
      waist.map((name) => `./${name}`).toSorted(),
      'exports of runtime/package.json',
    );
  });

  test('every relative import names a file with its extension', () => {
    const strays = eachImport(files, (file, found) => {
      const target = targetOf(file.path, found.text);
      return target === undefined || existsSync(join(root, target)) ? undefined : `there is no ${target}`;
    });
    assert.ok(strays.length === 0, strays.join('\n'));
  });
});

describe('the rules notice', () => {
  for (const { sentence, rule, broken } of rules) {
    test(`what breaks "${sentence}"`, () => {
      const registries = { 'runtime/providers/index.ts': `export { a } from './a.ts';\nexport { b } from './b.ts';` };
      const files = Object.entries({ ...registries, ...broken }).map(([path, text]) => factsOf(path, text));
      const blamed = rule(files).map((problem) => problem.split(/[: ]/)[0] ?? '');
      const expected = rule === noCycles ? ['runtime/a.ts'] : Object.keys(broken);
      assert.deepEqual([...new Set(blamed)].toSorted(), expected.toSorted());
    });
  }

  test('nothing in comments, nor in what merely looks alike', () => {
    const innocent = factsOf(
      'runtime/a.ts',
      `/** Not like openai: import x from 'ioredis'; process.env, any */
      import { provider } from './providers/index.ts';
      import { readFile } from 'node:fs/promises';
      export const anything = { env: process.pid, text: "from 'left-pad'" };`,
    );
    for (const { sentence, rule } of rules) assert.deepEqual(rule([innocent]), [], sentence);
  });
});

function at(file: SourceFacts, found: Found, problem: string): string {
  return `${file.path}:${found.line}: ${problem}`;
}

function eachImport(
  files: readonly SourceFacts[],
  judge: (file: SourceFacts, found: Found) => string | undefined,
): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap((found) => {
      const problem = judge(file, found);
      return problem === undefined ? [] : [at(file, found, problem)];
    }),
  );
}

/** Whether a path is one of the files, or below one of the folders (which end with a slash). */
function isWithin(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}

function within(files: readonly SourceFacts[], places: readonly string[]): SourceFacts[] {
  return files.filter((file) => isWithin(file.path, places));
}

function importedFiles(file: SourceFacts): string[] {
  return file.imports.flatMap((found) => targetOf(file.path, found.text) ?? []);
}

function folderOf(path: string): string | undefined {
  return kindFolders.find((folder) => path.startsWith(folder));
}

/** The files that registries export: `runtime/providers/openai` for `runtime/providers/openai.ts` or its folder. */
function registeredKinds(files: readonly SourceFacts[]): string[] {
  return files
    .filter((file) => kindFolders.some((folder) => file.path === `${folder}index.ts`))
    .flatMap(importedFiles)
    .map(entryName);
}

/** The kind a file belongs to: its own file, its folder, or a file beside it whose name begins with the kind's. */
function kindOf(path: string, registered: readonly string[]): string | undefined {
  const entry = entryName(path);
  return registered
    .filter((kind) => entry === kind || entry.startsWith(`${kind}-`))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** A dialect is a folder of `runtime/dialects` and the file of the same name; the other files there are the contract. */
function dialectOf(path: string, files: readonly SourceFacts[]): string | undefined {
  const name = entryName(path);
  return files.some((file) => file.path.startsWith(`${name}/`)) ? name.split('/').at(-1) : undefined;
}

/** `runtime/providers/openai` for both `runtime/providers/openai.ts` and `runtime/providers/openai/parts.ts`. */
function entryName(path: string): string {
  return path.split('/').slice(0, 3).join('/').replace(/\.ts$/, '');
}
