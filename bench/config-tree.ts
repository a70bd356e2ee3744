/** A team's repository as a large company may have it, in 60 files, with the packages as they are published: for `config.ts`. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { installPackages } from '../test/support/install-packages.ts';

const run = promisify(execFile);

export interface TreeSize {
  /** Files with routes and prompts; ten more hold what they share. */
  readonly areas: number;
  readonly routes: number;
  readonly prompts: number;
}

export const promised: TreeSize = { areas: 50, routes: 5_000, prompts: 1_000 };

const teams = 7;
const perTeam = 10;
const count = <Value>(length: number, make: (index: number) => Value): Value[] =>
  Array.from({ length }, (_, index) => make(index));

const shared = `import { contextPolicy, quota, upstream } from 'headgate';

export const perMinute = quota('per-minute', { unit: 'requests', limit: 600, window: '1m' });
export const perDay = quota('per-day', { unit: 'requests', limit: 200_000, window: '1d', scope: 'gateway' });
export const recentTurns = contextPolicy('recent-turns', { kind: 'quantisedCut', target: 64_000, reserveOutput: 4_000 });
export const backend = (area: string) => upstream(\`backend-\${area}\`, { url: \`https://\${area}.acme.example\`, timeout: '10s' });
`;

const providers = `import { provider, secret } from 'headgate';

export const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': {}, 'gpt-6-luna': {} },
});
export const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_API_KEY'),
  models: { 'claude-haiku-4-5': {} },
});
`;

/** Written out as people write it: no loop makes these objects. */
function area(index: number, { areas, routes, prompts }: TreeSize): string {
  const name = `area${index}`;
  const promptTexts = count(
    prompts / areas,
    (each) => `const prompt${each} = prompt('${name}-prompt-${each}', {
  system:
    'You are assistant ${each} of ${name}. Answer in a {{tone}} tone, in short sentences, and say so when you do not know.',
  user: 'The customer is called {{customer}}.',
  choices: { tone: ['friendly', 'formal'] },
  fixtures: { usual: { customer: 'Ada', tone: 'friendly' }, other: { customer: 'Grace', tone: 'formal' } },
});
export const model${each} = model('${name}-model-${each}', {
  targets: [openai.target('${each % 2 === 0 ? 'gpt-6-sol' : 'gpt-6-luna'}', { timeout: '30s' }), anthropic.target('claude-haiku-4-5')],
  prompt: prompt${each}.with({ customer: from.metadata('customer', { default: 'our customer' }), tone: 'friendly' }),
  context: recentTurns,
  quotas: [perMinute],
});`,
  );
  const routeTexts = count(
    routes / areas,
    (each) =>
      `  route('${name}-route-${each}', { path: '/${name}/things-${each}/*', methods: ['GET', 'POST'], upstream: own, stripPrefix: '/${name}', quotas: [perMinute, perDay] }),`,
  );
  const models = count(prompts / areas, (each) => `model${each}`).join(', ');
  return `import { from, model, prompt, route } from 'headgate';
import { anthropic, openai } from './providers.ts';
import { backend, perDay, perMinute, recentTurns } from './shared.ts';

const own = backend('${name}');

${promptTexts.join('\n')}

export const models = [${models}];
export const routes = [
${routeTexts.join('\n')}
];
`;
}

const hash = (index: number): string => createHash('sha256').update(`a key ${index}`).digest('hex');

const team = (index: number): string => `import { consumer } from 'headgate';

export const consumers = [
${count(perTeam, (each) => `  consumer('team${index}-app${each}', { keys: ['sha256:${hash(index * perTeam + each)}'] }),`).join('\n')}
];
`;

function root({ areas }: TreeSize): string {
  const [areaNumbers, teamNumbers] = [count(areas, (index) => index), count(teams, (index) => index)];
  return `import { defineGateway } from 'headgate';
${areaNumbers.map((index) => `import * as area${index} from './gateway/area${index}.ts';`).join('\n')}
${teamNumbers.map((index) => `import * as team${index} from './gateway/team${index}.ts';`).join('\n')}

export default defineGateway({
  name: 'acme',
  models: [${areaNumbers.map((index) => `...area${index}.models`).join(', ')}],
  routes: [${areaNumbers.map((index) => `...area${index}.routes`).join(', ')}],
  consumers: [${teamNumbers.map((index) => `...team${index}.consumers`).join(', ')}],
});
`;
}

const tsconfig = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: 'es2024',
    lib: ['es2024'],
    types: [],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
  },
  include: ['gateway.config.ts', 'gateway'],
};

export function treeFiles(size: TreeSize): Readonly<Record<string, string>> {
  return {
    'gateway.config.ts': root(size),
    'gateway/shared.ts': shared,
    'gateway/providers.ts': providers,
    ...Object.fromEntries(count(size.areas, (index) => [`gateway/area${index}.ts`, area(index, size)])),
    ...Object.fromEntries(count(teams, (index) => [`gateway/team${index}.ts`, team(index)])),
  };
}

/** What our packages depend on, as links. */
async function linkDependencies(repository: string, folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  await mkdir(modules, { recursive: true });
  for (const name of await readdir(join(repository, 'node_modules')))
    if (!['headgate', '@headgate', '.bin', '.package-lock.json'].includes(name))
      await symlink(join(repository, 'node_modules', name), join(modules, name));
}

/** Writes the tree to `folder`, with git and the packages, which `npm run build` must have built. */
export async function writeTree(repository: string, folder: string, size: TreeSize): Promise<number> {
  const files = treeFiles(size);
  const others = {
    'package.json': '{"name":"acme","private":true,"type":"module"}\n',
    'tsconfig.json': JSON.stringify(tsconfig),
    '.gitignore': 'node_modules\n.headgate\n',
  };
  for (const [name, text] of Object.entries({ ...files, ...others })) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await linkDependencies(repository, folder);
  await installPackages(repository, folder);
  await run('git', ['init', '--quiet', folder]);
  return Object.keys(files).length;
}

/** Changes one file, each time differently; with `added`, so that other files can see something new in it. */
export async function edit(folder: string, round: number, added = ''): Promise<void> {
  const file = join(folder, 'gateway', `area${round}.ts`);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('You are assistant 0', `You are (${round}) assistant 0`) + added);
}
