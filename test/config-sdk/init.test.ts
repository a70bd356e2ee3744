/** `headgate init`: a repository in which everything works at once, made whole or not at all. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { ciHosts, teamFiles, type CiHost } from '../../config-sdk/init/files.ts';
import { git, headgate, installHeadgate, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const team = [
  '.gitignore',
  'README.md',
  'gateway.config.ts',
  'package.json',
  'policies/no-confidential.ts',
  'prompts/support.ts',
  'tests/gateway.test.ts',
  'tsconfig.json',
];
const filesIn = (folder: string): string[] =>
  globSync('{*,.*}{,/**/*}', { cwd: folder, withFileTypes: true, exclude: (each) => each.name === '.git' })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(folder.length + 1))
    .sort();

async function made(context: TestContext, ...flags: string[]): Promise<{ folder: string; stdout: string }> {
  const folder = await temporaryFolder(context);
  const { code, stdout, stderr } = await headgate(folder, ['init', 'team', ...flags]);
  assert.deepEqual([code, stderr], [0, '']);
  return { folder: join(folder, 'team'), stdout };
}

type Json = Record<string, Record<string, unknown>>;
const parsed = (text: string | undefined): Json => JSON.parse(text ?? '{}') as Json;
const filesFor = (ci: CiHost): ReadonlyMap<string, string> =>
  teamFiles({ directory: '/team', name: 'team', branch: 'main', keyHash: 'sha256:0', ci });

/** The code blocks of the README that was made, by the heading they stand under. */
async function snippets(folder: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(folder, 'README.md'), 'utf8');
  const found = text.matchAll(/^## (.+)\n[^#]*?```ts\n\/\/ ([^\n]*)\n([\s\S]*?)```/gm);
  return new Map([...found].map(([, heading = '', , code = '']) => [heading, code]));
}

describe('headgate init', { concurrency: 2 }, () => {
  test('makes a repository in which check finds nothing', async (context) => {
    const { folder, stdout } = await made(context);
    await installHeadgate(folder);
    const { code, stdout: found } = await headgate(folder, ['check', '--format', 'json']);
    assert.deepEqual([code, (JSON.parse(found) as { findings: unknown[] }).findings], [0, []]);
    assert.match(stdout, /^made a gateway in team, a new git repository:\n/);
    assert.match(
      stdout,
      /next:\n(?: {2}npm run build --prefix \S+\n)? {2}cd team\n {2}npm install\n {2}npx --no-install headgate check/,
    );
    assert.equal(await git(folder, 'symbolic-ref', '--short', 'HEAD'), 'main');
  });

  test('makes tests that hold, and that fail when the configuration says something else', async (context) => {
    const { folder } = await made(context);
    await installHeadgate(folder);
    const { code, stdout } = await headgate(folder, ['test']);
    assert.equal(code, 0);
    assert.match(stdout, /\n5 tests, all fine/);
    const config = await readFile(join(folder, 'gateway.config.ts'), 'utf8');
    await writeFiles(folder, { 'gateway.config.ts': config.replace('limit: 60', 'limit: 59') });
    const changed = await headgate(folder, ['test']);
    assert.equal(changed.code, 1);
    assert.match(changed.stdout, /FAIL tests\/gateway\.test\.ts: a minute allows sixty requests/);
  });

  test('prints the only key once and keeps its hash', async (context) => {
    const { folder, stdout } = await made(context);
    const keys = stdout.match(/hg_[0-9A-Za-z]{43}/g) ?? [];
    assert.equal(keys.length, 1);
    const hash = createHash('sha256')
      .update(keys[0] ?? '')
      .digest('hex');
    for (const file of filesIn(folder))
      assert.ok(!(await readFile(join(folder, file), 'utf8')).includes(keys[0] ?? ''), file);
    assert.ok((await readFile(join(folder, 'gateway.config.ts'), 'utf8')).includes(`sha256:${hash}`));
  });

  test('brings the compiler of check, and the Node that this repository runs on', async () => {
    const read = async (file: string) => parsed(await readFile(join(import.meta.dirname, '../..', file), 'utf8'));
    const files = filesFor('none');
    const { devDependencies, optionalDependencies } = parsed(files.get('package.json'));
    assert.equal(
      devDependencies?.['typescript'],
      (await read('config-sdk/package.json'))['dependencies']?.['typescript'],
    );
    assert.deepEqual(optionalDependencies, (await read('package.json'))['optionalDependencies']);
    assert.equal(parsed(files.get('tsconfig.json'))['compilerOptions']?.['customConditions'], undefined);
  });

  test('makes a README with the name of the gateway, which speaks of CI where there is one', () => {
    for (const ci of ciHosts) {
      const readme = filesFor(ci).get('README.md') ?? '';
      assert.match(readme, /^# `team`\n/);
      assert.equal(/\bCI\b/.test(readme), ci !== 'none');
      assert.doesNotMatch(readme, /<!--/);
    }
  });

  test('writes the workflow of the host that is asked for, and leaves nothing to fill in', async (context) => {
    const own = {
      github: ['.github/actions/headgate/action.yml', '.github/workflows/headgate.yml'],
      gitlab: ['.gitlab-ci.yml'],
      jenkins: ['Jenkinsfile'],
      none: [],
    };
    for (const [host, files] of Object.entries(own)) {
      const { folder } = await made(context, '--ci', host);
      assert.deepEqual(filesIn(folder), [...files, ...team].sort());
      for (const file of filesIn(folder))
        assert.doesNotMatch(await readFile(join(folder, file), 'utf8'), /__[A-Z_]+__/);
    }
    const folder = await temporaryFolder(context);
    const { code, stderr } = await headgate(folder, ['init', '--ci', 'travis']);
    assert.deepEqual([code, filesIn(folder)], [2, []]);
    assert.match(stderr, /Allowed choices are github, gitlab, jenkins, none/);
  });

  test('what its README says to add passes check', async (context) => {
    const { folder } = await made(context);
    await installHeadgate(folder);
    const said = await snippets(folder);
    const bound = /^prompt: translate\.with.*\n/m.exec(await readFile(join(folder, 'README.md'), 'utf8'))?.[0] ?? '';
    const config = (await readFile(join(folder, 'gateway.config.ts'), 'utf8'))
      .replace(
        'defineGateway, model, provider, quota }',
        'defineGateway, from, model, provider, quota, route, secret, upstream }',
      )
      .replace(
        "import { support } from './prompts/support.ts';",
        "$&\nimport { translate } from './prompts/translate.ts';",
      )
      .replace('// One count', `${said.get('Add a vendor')}${said.get('Add a route with a quota')}$&`)
      .replace(
        '// Who may call',
        `const translator = model('translator', {
  targets: [openai.target('gpt-6-luna', { timeout: '30s', retries: 1 })],
  ${bound}  quotas: [perMinute],
});
$&`,
      )
      .replace('models: [assistant],\n', 'models: [assistant, translator],\n')
      .replace('models: [assistant], consumers', 'models: [assistant, translator], routes: [orders], consumers');
    await writeFiles(folder, { 'gateway.config.ts': config, 'prompts/translate.ts': said.get('Add a prompt') ?? '' });
    const { code, stdout, stderr } = await headgate(folder, ['check']);
    assert.deepEqual([code, stdout, stderr], [0, '', 'no problems\n']);
  });

  test('says where nobody can make a folder and waits for nothing', async (context) => {
    const folder = await temporaryFolder(context);
    const { code, stdout, stderr } = await headgate(folder, ['init', '/proc/headgate/team']);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /^headgate: \/proc\/headgate\/team cannot be written: ENOENT: [^\n]*\n$/);
  });

  test('names everything that is in the way and writes nothing', async (context) => {
    const folder = await temporaryFolder(context);
    await writeFiles(folder, { 'README.md': 'mine', prompts: 'a file, no folder', 'notes/kept.md': 'mine' });
    const before = filesIn(folder);
    const { code, stdout, stderr } = await headgate(folder, ['init']);
    assert.deepEqual([code, stdout, filesIn(folder)], [1, '', before]);
    assert.match(stderr, /nothing was written .*these are there already:\n {2}README\.md\n {2}prompts\nmove them away/);
    assert.equal(await readFile(join(folder, 'README.md'), 'utf8'), 'mine');
  });

  test('joins an existing repository, and publishes from the branch it is on', async (context) => {
    const folder = await temporaryFolder(context);
    await git(folder, 'init', '--quiet', '--initial-branch=trunk');
    await writeFiles(folder, { LICENSE: 'ours' });
    const { code, stdout } = await headgate(folder, ['init', '--json']);
    assert.equal(code, 0);
    const { outcome, newRepository, key } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([outcome, newRepository, typeof key], ['made', false, 'string']);
    assert.match(await readFile(join(folder, '.github/workflows/headgate.yml'), 'utf8'), /branches: \['trunk'\]/);
    await mkdir(join(folder, 'below'));
    const below = await headgate(join(folder, 'below'), ['init']);
    assert.equal(below.code, 1);
    assert.match(below.stderr, /lies inside the git repository .*choose a directory outside/);
    assert.deepEqual(filesIn(join(folder, 'below')), []);
  });

  test('takes a name from a directory that is no name, and refuses a file as a directory', async (context) => {
    const folder = await temporaryFolder(context);
    assert.equal((await headgate(folder, ['init', 'Über uns, 2026!'])).code, 0);
    assert.match(await readFile(join(folder, 'Über uns, 2026!', 'gateway.config.ts'), 'utf8'), /name: 'ber-uns-2026'/);
    await writeFile(join(folder, 'file'), '');
    for (const path of ['file', 'file/below']) {
      const { code, stderr } = await headgate(folder, ['init', path]);
      assert.equal(code, 3);
      assert.match(stderr, /is not a directory\n$/);
    }
  });
});
