/** The files of a new team repository: those of `template/` with names filled in, and those that depend on how Headgate is installed. */
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ownDirectory, ownPackages, version } from '../own-packages.ts';

export const ciHosts = ['github', 'gitlab', 'jenkins', 'none'] as const;
export type CiHost = (typeof ciHosts)[number];

export interface TeamRepository {
  /** Where it will stand; a real path. */
  readonly directory: string;
  /** Name of the gateway. */
  readonly name: string;
  /** The branch that is published. */
  readonly branch: string;
  readonly keyHash: string;
  readonly ci: CiHost;
}

/** Path in the new repository, by path in `template/`. */
const always = {
  'gateway.config.ts': 'team/gateway.config.ts',
  'prompts/support.ts': 'team/prompts/support.ts',
  'policies/no-confidential.ts': 'team/policies/no-confidential.ts',
  'tests/gateway.test.ts': 'team/tests/gateway.test.ts',
  'README.md': 'team/README.md',
  // npm leaves files of the true name out of packages.
  '.gitignore': 'team/gitignore',
};

const forCi: Readonly<Record<CiHost, Readonly<Record<string, string>>>> = {
  github: {
    '.github/workflows/headgate.yml': 'github/workflow.yml',
    '.github/actions/headgate/action.yml': 'github/action.yml',
  },
  gitlab: { '.gitlab-ci.yml': 'gitlab-ci.yml' },
  jenkins: { Jenkinsfile: 'Jenkinsfile' },
  none: {},
};

/** Run from a checkout, there is no published package to depend on: the new repository depends on the checkout itself. */
export const fromCheckout = !ownDirectory.split(sep).includes('node_modules');

function dependencies(directory: string): Record<string, string> {
  if (!fromCheckout) return { headgate: version };
  const [sdk = '', runtime = ''] = ownPackages.map((each) => `file:${relative(directory, each).split(sep).join('/')}`);
  return { '@headgate/runtime': runtime, headgate: sdk };
}

function packageFile({ directory, name }: TeamRepository): object {
  return {
    name: name.toLowerCase(),
    private: true,
    type: 'module',
    engines: { node: '>=24.15' },
    scripts: { check: 'headgate check', test: 'headgate test', plan: 'headgate plan', dev: 'headgate dev --watch' },
    devDependencies: dependencies(directory),
  };
}

/** For editors: `headgate check` brings settings of its own, which say the same. */
const compilerSettings = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: 'es2024',
    lib: ['es2024'],
    types: ['headgate/ambient'],
    module: 'nodenext',
    ...(fromCheckout && { customConditions: ['source'] }),
    resolveJsonModule: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
  },
  include: ['gateway.config.ts', 'prompts', 'policies', 'tests'],
};

/** Texts by path, in the order to name them. */
export function teamFiles(repository: TeamRepository): ReadonlyMap<string, string> {
  const { name, branch, keyHash, ci } = repository;
  const filled = (template: string): string =>
    readFileSync(join(ownDirectory, 'template', template), 'utf8')
      .replaceAll('__NAME__', name)
      .replaceAll('__BRANCH__', branch)
      .replaceAll('sha256:__KEY_HASH__', keyHash);
  const templates = Object.entries({ ...always, ...forCi[ci] });
  return new Map([
    ...templates.map(([path, template]) => [path, filled(template)] as const),
    ['package.json', `${JSON.stringify(packageFile(repository), null, 2)}\n`],
    ['tsconfig.json', `${JSON.stringify(compilerSettings, null, 2)}\n`],
  ]);
}
