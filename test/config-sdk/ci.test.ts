/** The workflows that `init` writes: their form, and their own steps run against a real clone and a host's API. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { botId, hostToken, startMergeHost, type MergeHost } from '../support/merge-host.ts';
import { readPlainYaml, type Yaml } from '../support/plain-yaml.ts';
import {
  commitAll,
  git,
  headgate,
  installHeadgate,
  temporaryFolder,
  writeFiles,
  type Finished,
} from '../support/sample-repository.ts';
import { makers, pem } from '../support/signing.ts';

const template = (name: string): string =>
  readFileSync(new URL(`../../config-sdk/template/${name}`, import.meta.url), 'utf8');
const marker = '<!-- headgate-plan -->';

type Map = { readonly [key: string]: Yaml };
const mapAt = (value: Yaml | undefined, ...path: readonly string[]): Map => {
  let at = value;
  for (const key of path) at = (at as Map)[key];
  assert.ok(typeof at === 'object' && !Array.isArray(at), path.join('.'));
  return at as Map;
};

const action = readPlainYaml(template('github/action.yml'));
const workflow = readPlainYaml(template('github/workflow.yml'));
const gitlab = readPlainYaml(template('gitlab-ci.yml'));
const steps = new Map((mapAt(action, 'runs')['steps'] as readonly Map[]).map((step) => [step['name'] as string, step]));
const conditionOf = (step: Map): string => (step['if'] as string | undefined) ?? '';
const bodyOf = (name: string): string => steps.get(name)?.['run'] as string;

/** What `init` makes, made once: each scene begins with a copy. */
let begun = '';
before(async () => {
  begun = await mkdtemp(join(tmpdir(), 'headgate-test-'));
  await headgate(begun, ['init']);
});
after(() => rm(begun, { recursive: true, force: true }));

interface Scene {
  readonly clone: string;
  readonly remote: string;
  readonly host: MergeHost;
  /** Runs a script as the host's runner does, with the variables of a job for a merge request. */
  run(script: string, environment?: Readonly<Record<string, string>>): Promise<Finished>;
}

/** A clone of a repository that `init` made, on a branch that changes the prompt. */
async function scene(context: TestContext, change = (text: string) => text.replace('say so', 'ask')): Promise<Scene> {
  const folder = await temporaryFolder(context);
  const [remote, clone] = [join(folder, 'remote.git'), join(folder, 'clone')];
  await git(folder, 'init', '--quiet', '--bare', remote);
  await git(folder, 'clone', '--quiet', remote, clone);
  await git(clone, 'symbolic-ref', 'HEAD', 'refs/heads/main');
  await cp(begun, clone, { recursive: true, filter: (path) => basename(path) !== '.git' });
  await installHeadgate(clone);
  await mkdir(join(clone, 'node_modules/.bin'));
  await symlink('../headgate/bin/headgate.js', join(clone, 'node_modules/.bin/headgate'));
  await commitAll(clone, 'Begin');
  await git(clone, 'push', '--quiet', 'origin', 'main');
  await git(clone, 'checkout', '--quiet', '-b', 'change');
  // The prompt, and what the team's tests expect of it.
  for (const file of ['prompts/support.ts', 'tests/gateway.test.ts'])
    await writeFiles(clone, { [file]: change(await readFile(join(clone, file), 'utf8')) });
  await commitAll(clone, 'Ask instead');
  const host = await startMergeHost(context);
  const variables = {
    RUNNER_TEMP: folder,
    GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: clone,
    GITHUB_API_URL: host.url,
    GITHUB_REPOSITORY: 'team/gateway',
    GITHUB_REF: 'refs/pull/12/merge',
    GITHUB_SHA: await git(clone, 'rev-parse', 'HEAD'),
    GITHUB_BASE_REF: 'main',
  };
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const ours = { PATH: `${dirname(process.execPath)}${delimiter}${PATH}`, HOME: folder, NODE_COMPILE_CACHE };
  const run: Scene['run'] = (script, environment = variables) =>
    new Promise((resolve) => {
      const settings = { ...ours, ...environment };
      execFile(
        'bash',
        ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script],
        { cwd: clone, env: settings },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
      );
    });
  return {
    clone,
    remote,
    host,
    run: (script, environment = {}) => run(script, { ...variables, ...environment }),
  };
}

describe('the workflow for GitHub', { concurrency: 2 }, () => {
  test('asks for no more than each job needs, and pins what it uses', () => {
    const jobs = mapAt(workflow, 'jobs');
    assert.deepEqual(mapAt(workflow, 'permissions'), {});
    assert.deepEqual(mapAt(jobs, 'review', 'permissions'), {
      contents: 'read',
      'pull-requests': 'write',
      'security-events': 'write',
    });
    assert.deepEqual(mapAt(jobs, 'publish', 'permissions'), { contents: 'write' });
    assert.equal(mapAt(jobs, 'publish', 'concurrency')['cancel-in-progress'], 'false');
    assert.deepEqual(Object.keys(mapAt(workflow, 'on')), ['pull_request', 'push']);
    for (const job of Object.values(jobs))
      for (const { uses } of mapAt(job)['steps'] as readonly { uses: string }[])
        assert.match(uses, /^(\.\/\.github\/actions\/headgate|actions\/(checkout|setup-node)@[0-9a-f]{40})$/);
    const review = mapAt(jobs, 'review')['steps'] as readonly Map[];
    assert.equal(mapAt(review[0], 'with')['persist-credentials'], 'false');
  });

  test('puts no expression into a script, and the token only where a fork never comes', () => {
    const guard = 'github.event.pull_request.head.repo.full_name == github.repository';
    for (const [name, step] of steps) {
      assert.ok(!bodyOf(name).includes('${{'), name);
      assert.equal(step['shell'], 'bash');
      const hasToken = JSON.stringify(step['env'] ?? {}).includes('inputs.token');
      assert.equal(hasToken, conditionOf(step).includes(guard), name);
      assert.equal(hasToken, ['comment', 'upload findings'].includes(name), name);
      assert.equal(JSON.stringify(step['env'] ?? {}).includes('sign-key'), name === 'publish');
    }
    const tasks = [...steps].map(([name, step]) => [name, /task == '(\w+)'/.exec(conditionOf(step))?.[1]]);
    assert.deepEqual(Object.fromEntries(tasks), {
      install: undefined,
      check: 'review',
      test: 'review',
      plan: 'review',
      comment: 'review',
      'upload findings': 'review',
      publish: 'publish',
    });
  });

  test('comments once, brings the same comment up to date, and uploads findings', async (context) => {
    const { run, host, clone } = await scene(context);
    assert.equal((await run(bodyOf('check'))).code, 0);
    assert.equal((await run(bodyOf('plan'))).code, 0);
    const token = { GITHUB_TOKEN: hostToken };
    const first = await run(bodyOf('comment'), token);
    assert.deepEqual([first.code, first.stderr], [0, 'comment on #12 created\n']);
    assert.ok(host.comments[0]?.body.startsWith(`${marker}\n`));
    assert.match(host.comments[0]?.body ?? '', /prompt .*support/);
    assert.match((await run(bodyOf('comment'), token)).stderr, /unchanged/);
    await writeFiles(clone, {
      'gateway.config.ts': (await readFile(join(clone, 'gateway.config.ts'), 'utf8')).replace('limit: 60', 'limit: 90'),
    });
    await commitAll(clone, 'Raise the limit');
    assert.equal((await run(bodyOf('plan'))).code, 0);
    assert.match((await run(bodyOf('comment'), token)).stderr, /updated/);
    assert.equal(host.comments.length, 1);
    assert.match(host.comments[0]?.body ?? '', /60 requests per minute → 90/);
    const upload = await run(bodyOf('upload findings'), token);
    assert.deepEqual([upload.code, upload.stdout], [0, '']);
    const [{ sarif = '', ref } = {}] = host.uploads;
    assert.equal(ref, 'refs/pull/12/merge');
    const log = JSON.parse(gunzipSync(Buffer.from(sarif, 'base64')).toString()) as { version: string };
    assert.equal(log.version, '2.1.0');
  });

  test('a change with errors fails with annotations, and the comment says that there is no plan', async (context) => {
    const { run, host } = await scene(context, (text) => text.replace('{{company}}', '{{firm}}'));
    const checked = await run(bodyOf('check'));
    assert.equal(checked.code, 1);
    assert.match(checked.stdout, /^::error file=gateway\.config\.ts,line=\d+,col=\d+,title=/m);
    assert.equal((await run(bodyOf('plan'))).code, 1);
    assert.equal((await run(bodyOf('comment'), { GITHUB_TOKEN: hostToken })).code, 0);
    assert.equal(
      host.comments[0]?.body,
      `${marker}\n\nNo plan could be made of the last commit: see the checks of this pull request.\n`,
    );
    assert.equal((await run(bodyOf('upload findings'), { GITHUB_TOKEN: hostToken })).code, 0);
    assert.equal(host.uploads.length, 1);
  });

  test("a fork's pull request is checked without a token, and its plan is in the job's summary", async (context) => {
    const { run, host, clone } = await scene(context);
    for (const name of ['check', 'test', 'plan']) assert.equal((await run(bodyOf(name))).code, 0, name);
    assert.deepEqual(host.asked, []);
    const summary = await readFile(join(dirname(clone), 'summary.md'), 'utf8');
    assert.ok(summary.startsWith(`${marker}\n`));
    assert.match(summary, /support/);
  });

  test('a host without code scanning is a warning, a refused comment an error', async (context) => {
    const { run, host } = await scene(context);
    assert.equal((await run(bodyOf('plan'))).code, 0);
    host.refuse(403);
    const upload = await run(bodyOf('upload findings'), { GITHUB_TOKEN: hostToken });
    assert.equal(upload.code, 0);
    assert.match(upload.stdout, /^::warning title=headgate::The findings could not be uploaded/);
    const comment = await run(bodyOf('comment'), { GITHUB_TOKEN: hostToken });
    assert.equal(comment.code, 3);
    assert.match(comment.stderr, /answered 403; may this token write comments/);
    assert.ok(!comment.stderr.includes(hostToken));
  });

  test('publishes, signed when there is a key, and leaves no key behind', async (context) => {
    const { run, remote, clone } = await scene(context);
    const unsigned = await run(bodyOf('publish'), { SIGN_KEY: '' });
    assert.equal(unsigned.code, 0, unsigned.stderr);
    await git(clone, 'commit', '--quiet', '--allow-empty', '-m', 'Again');
    const signed = await run(bodyOf('publish'), { SIGN_KEY: pem(makers['ssh-ed25519']()) });
    assert.equal(signed.code, 0, signed.stderr);
    assert.match(await git(remote, 'ls-tree', '--name-only', 'headgate/compiled'), /manifest\.json\.sig/);
    assert.equal((await run('test ! -e "$RUNNER_TEMP/headgate-sign-key"')).code, 0);
    const broken = await run(bodyOf('publish'), { SIGN_KEY: 'no key' });
    assert.equal(broken.code, 3);
    assert.ok(!`${broken.stdout}${broken.stderr}`.includes('no key\n'));
  });
});

describe('the counterparts', { concurrency: 2 }, () => {
  const gitlabJob = (host: MergeHost, token: string) => ({
    GITHUB_ACTIONS: '',
    GITHUB_BASE_REF: '',
    CI_API_V4_URL: host.url,
    CI_MERGE_REQUEST_PROJECT_ID: '34',
    CI_MERGE_REQUEST_IID: '12',
    HEADGATE_GITLAB_TOKEN: token,
  });
  /** The team's own tests have a test of their own. */
  const withoutTests = (text: string): string => text.replace(/^.* headgate test .*\n/m, '');
  /** Without the installation, which needs the published packages. */
  const script = (job: string): string => withoutTests((mapAt(gitlab, job)['script'] as readonly string[])[1] ?? '');

  test('GitLab: one note of our own is kept up to date, other notes stay', async (context) => {
    const { run, host, clone } = await scene(context);
    const foreign = { id: 1, body: `${marker}\nnot ours`, user: { type: 'User' as const }, author: { id: botId + 1 } };
    host.comments.push(foreign);
    const job = gitlabJob(host, hostToken);
    await writeFiles(clone, { 'plan.md': `${marker}\n\none\n`, 'next.md': `${marker}\n\ntwo\n` });
    assert.match((await run('npx --no-install headgate comment plan.md', job)).stderr, /comment on #12 created/);
    assert.match((await run('npx --no-install headgate comment next.md', job)).stderr, /comment on #12 updated/);
    assert.deepEqual(
      host.comments.map(({ body }) => body),
      [`${marker}\nnot ours`, `${marker}\n\ntwo\n`],
    );
    for (let id = 3; id <= 130; id += 1) host.comments.unshift({ ...foreign, id: 1_000 + id, body: 'talk' });
    assert.match((await run('npx --no-install headgate comment plan.md', job)).stderr, /updated/);
  });

  test('GitLab: a job without a token reviews and keeps the plan, and publishing is one at a time', async (context) => {
    const { run, host, clone } = await scene(context);
    const reviewed = await run(script('headgate-review'), {
      ...gitlabJob(host, ''),
      CI_MERGE_REQUEST_DIFF_BASE_SHA: await git(clone, 'rev-parse', 'main'),
    });
    assert.equal(reviewed.code, 0, reviewed.stderr);
    assert.match(await readFile(join(clone, 'headgate-plan.md'), 'utf8'), /support/);
    assert.deepEqual(host.asked, []);
    const report = join(clone, 'gl-code-quality-report.json');
    assert.equal(await readFile(report, 'utf8'), '[]\n');
    await rm(report);
    const job = mapAt(gitlab, 'headgate-publish');
    for (const each of [job, mapAt(gitlab, 'headgate-review')])
      assert.equal(mapAt(each, 'artifacts', 'reports')['codequality'], basename(report));
    assert.deepEqual([job['resource_group'], job['interruptible']], ['headgate-publish', 'false']);
    assert.equal((await run(script('headgate-publish'), gitlabJob(host, ''))).code, 0);
    assert.equal(await readFile(report, 'utf8'), '[]\n', 'for merge requests to be compared with');
  });

  test('Jenkins: the script of the review runs, and credentials stand in the stage that publishes only', async (context) => {
    const text = template('Jenkinsfile');
    const [beforePublish = '', publishing = ''] = text.split("stage('publish')");
    assert.ok(!beforePublish.includes('withCredentials') && publishing.includes('withCredentials'));
    const body = withoutTests(/'''\n([\s\S]*?)'''/.exec(beforePublish)?.[1] ?? '');
    const { run, clone } = await scene(context, (prompt) => prompt.replace('{{company}}', '{{firm}}'));
    const job = { GITHUB_ACTIONS: '', GITHUB_BASE_REF: '', CHANGE_TARGET: 'main' };
    assert.equal((await run(body, job)).code, 1);
    await git(clone, 'reset', '--quiet', '--hard', 'main');
    const fine = await run(body, job);
    assert.equal(fine.code, 0, fine.stderr);
    assert.match(fine.stdout, /headgate-plan/);
  });
});

test('comment refuses what is no plan, and says which variables a job would have', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'notes.md': 'hello', 'plan.md': `${marker}\n` });
  const settings = { GITHUB_ACTIONS: 'true', GITHUB_TOKEN: '', GITHUB_REF: 'refs/heads/main', GITHUB_API_URL: 'x' };
  const [notes, absent, elsewhere, bare] = await Promise.all([
    headgate(folder, ['comment', 'notes.md']),
    headgate(folder, ['comment', 'absent.md']),
    headgate(folder, ['comment', 'plan.md'], settings),
    headgate(folder, ['comment']),
  ]);
  assert.deepEqual([notes.code, absent.code, elsewhere.code, bare.code], [1, 3, 3, 2]);
  assert.match(notes.stderr, /does not begin with <!-- headgate-plan -->/);
  assert.match(elsewhere.stderr, /not set: GITHUB_REPOSITORY, GITHUB_REF \(refs\/pull\/…\), GITHUB_TOKEN/);
});

test('this repository offers the same action to others', () => {
  const own = fileURLToPath(new URL('../../.github/actions/headgate/action.yml', import.meta.url));
  assert.equal(readFileSync(own, 'utf8'), template('github/action.yml'));
});
