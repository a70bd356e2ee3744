/** `headgate plan` in real repositories: what it compares by itself, what it does about a side that does not compile, and exit codes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  commitAll,
  git,
  headgate,
  installHeadgate,
  sampleConfig,
  temporaryFolder,
  writeFiles,
  type Finished,
} from '../support/sample-repository.ts';

/** Nothing of the CI that runs these tests. */
const noCi = { GITHUB_BASE_REF: '', CI_MERGE_REQUEST_DIFF_BASE_SHA: '', CHANGE_TARGET: '' };

interface Scene {
  readonly folder: string;
  readonly write: (limit: number) => Promise<void>;
  readonly commit: (limit: number) => Promise<string>;
  readonly plan: (parameters: readonly string[], environment?: Readonly<Record<string, string>>) => Promise<Finished>;
}

async function scene(context: TestContext): Promise<Scene> {
  const folder = await temporaryFolder(context);
  await git(folder, 'init', '--quiet');
  await installHeadgate(folder);
  const write = (limit: number) =>
    writeFiles(folder, { 'gateway.config.ts': sampleConfig(limit), '.gitignore': 'node_modules\n' });
  return {
    folder,
    write,
    async commit(limit) {
      await write(limit);
      return commitAll(folder, `Limit ${limit}`);
    },
    plan: (parameters, environment = {}) => headgate(folder, ['plan', ...parameters], { ...noCi, ...environment }),
  };
}

const short = (commit: string): string => commit.slice(0, 12);

test('it compares the working tree with where the branch began, and later with any two revisions', async (context) => {
  const { folder, write, commit, plan } = await scene(context);
  const first = await commit(10);
  await git(folder, 'checkout', '--quiet', '-b', 'feature');
  const second = await commit(20);
  await write(30);
  const { code, stdout } = await plan([]);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^from '${short(first)}' to the working tree: 1 change: 1 medium$`, 'm'));
  assert.match(
    stdout,
    /^medium {2}quota 'free': 10 requests per hour → 30 requests per hour \(×3\), for each consumer/m,
  );

  const named = await plan(['--base', second, '--head', 'main', '--format', 'markdown']);
  assert.match(named.stdout, /^<!-- headgate-plan -->\n### Headgate plan: 🟠 medium risk\n/);
  assert.match(named.stdout, /20 requests per hour → 10 requests per hour \(÷2\)/);
  const same = await plan(['--head', 'HEAD', '--base', 'HEAD', '--json']);
  const document = JSON.parse(same.stdout) as { changes: unknown[]; head: string; notes: string[] };
  assert.deepEqual([document.changes, document.head], [[], `'${short(second)}'`]);
  assert.deepEqual(document.notes, ["base and head are one commit; '--base HEAD~1' compares with the one before it"]);
});

test('a promise that is deleted is told, although no snapshot holds it', async (context) => {
  const { folder, plan } = await scene(context);
  const promised = sampleConfig()
    .replace('import {', 'import { invariant, isLimited,')
    .replace('\nexport default', "invariant('all is limited', isLimited());\n\nexport default");
  await writeFiles(folder, { 'gateway.config.ts': promised, '.gitignore': 'node_modules\n' });
  await commitAll(folder, 'Promise');
  await writeFiles(folder, { 'gateway.config.ts': sampleConfig() });
  const { stdout } = await plan([]);
  assert.match(stdout, /^high {4}invariant 'all is limited' is gone: nothing holds this gateway to it any more/m);
  const back = await plan(['--base', 'HEAD', '--head', 'HEAD', '--json']);
  assert.deepEqual((JSON.parse(back.stdout) as { changes: unknown[] }).changes, []);
});

test('in CI it compares with the branch that the pull request names, and fetches it when it must', async (context) => {
  const { folder, commit, plan } = await scene(context);
  await commit(10);
  const release = await commit(11);
  await git(folder, 'branch', 'release');
  await git(folder, 'checkout', '--quiet', '-b', 'feature');
  await commit(12);
  const remote = join(await temporaryFolder(context), 'remote.git');
  await git(folder, 'clone', '--quiet', '--bare', folder, remote);
  await git(folder, 'remote', 'add', 'origin', remote);
  await git(folder, 'branch', '-D', 'release');
  const pattern = new RegExp(`^from '${short(release)}' to the working tree`);
  assert.match((await plan([], { GITHUB_BASE_REF: 'release' })).stdout, pattern);
  assert.match((await plan([], { CI_MERGE_REQUEST_DIFF_BASE_SHA: release })).stdout, pattern);
});

test('a base that does not compile is said, and everything counts as new', async (context) => {
  const { folder, commit, plan } = await scene(context);
  await writeFiles(folder, { readme: 'nothing yet' });
  const empty = await commitAll(folder, 'Start');
  const broken = await commit(0);
  await commit(10);
  const { code, stdout } = await plan(['--base', broken, '--format', 'markdown']);
  assert.equal(code, 0);
  assert.match(
    stdout,
    new RegExp(
      `^> \\*\\*Note:\\*\\* \`${short(broken)}\` does not pass \`headgate check\` \\(1 error: \`gateway\\.config\\.ts:4 .*\`\\), so that everything counts as new$`,
      'm',
    ),
  );
  assert.match(stdout, /model `echo` is new/);
  const before = await plan(['--base', empty]);
  assert.match(
    before.stdout,
    new RegExp(`^note {4}'${short(empty)}' has no configuration, so that everything is new$`, 'm'),
  );
});

test('a head with errors shows them as check does and exits with 1; a revision that does not exist with 3', async (context) => {
  const { write, commit, plan } = await scene(context);
  await commit(10);
  await write(0);
  const { code, stdout } = await plan([]);
  assert.equal(code, 1);
  assert.match(stdout, /^gateway\.config\.ts:4:\d+ error invalid_value /);
  assert.equal((await plan(['--format', 'json'])).code, 1);

  const unknown = await plan(['--base', 'nowhere']);
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /^headgate: 'nowhere' names no commit in .*; is it fetched\?\n$/);
  assert.equal((await plan(['--format', 'xml'])).code, 2);
});

test('without a commit everything is new; without a known branch it asks for a base', async (context) => {
  const { folder, write, commit, plan } = await scene(context);
  await write(10);
  assert.match(
    (await plan([])).stdout,
    /^from nothing to the working tree: .*\nnote {4}the repository has no commit yet/,
  );
  await git(folder, 'checkout', '--quiet', '-b', 'trunk');
  await commit(10);
  const { code, stderr } = await plan([]);
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^headgate: there is no origin\/HEAD, main or master to compare with; name a revision with --base\n$/,
  );
});

test('a clone that does not reach back says how to fetch more', async (context) => {
  const { folder, commit } = await scene(context);
  await commit(10);
  await git(folder, 'checkout', '--quiet', '-b', 'feature');
  await commit(20);
  await git(folder, 'checkout', '--quiet', 'main');
  await commit(30);
  const shallow = join(await temporaryFolder(context), 'shallow');
  await git(
    folder,
    'clone',
    '--quiet',
    '--depth',
    '1',
    '--no-single-branch',
    '--branch',
    'feature',
    `file://${folder}`,
    shallow,
  );
  await installHeadgate(shallow);
  const { code, stderr } = await headgate(shallow, ['plan'], noCi);
  assert.equal(code, 3);
  assert.match(
    stderr,
    /fetch the whole history \(fetch-depth: 0 in actions\/checkout\), or name a revision with --base\n$/,
  );
});
