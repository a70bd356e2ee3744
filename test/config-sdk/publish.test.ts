/** Publishing to a bare repository: sequence, order, concurrency, and what an artifact commit holds. */
import assert from 'node:assert/strict';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openArtifact, type Manifest } from '@headgate/runtime/artifact';
import { compileCommit } from '../../config-sdk/compile-commit.ts';
import { EnvironmentFault } from '../../config-sdk/findings.ts';
import { commitWords, currentCommit } from '../../config-sdk/git.ts';
import { publish } from '../../config-sdk/publish.ts';
import {
  commitAll,
  git,
  headgate,
  installHeadgate,
  sampleConfig,
  temporaryFolder,
  writeFiles,
} from '../support/sample-repository.ts';

const branch = 'headgate/compiled';

interface Scene {
  readonly remote: string;
  readonly clone: string;
  readonly clones: (name: string) => Promise<string>;
}

async function scene(context: TestContext): Promise<Scene> {
  const folder = await temporaryFolder(context);
  const remote = join(folder, 'remote.git');
  await git(folder, 'init', '--quiet', '--bare', remote);
  const clones = async (name: string): Promise<string> => {
    await git(folder, 'clone', '--quiet', remote, name);
    await installHeadgate(join(folder, name));
    return join(folder, name);
  };
  const clone = await clones('first');
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(), '.gitignore': 'node_modules\n' });
  await commitAll(clone, 'Start');
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  return { remote, clone, clones };
}

const publishFrom = async (repository: string, sourceRef = 'HEAD') =>
  (await publish({ repository, remote: 'origin', branch, sourceRef })).result;

async function manifestAt(remote: string, revision = branch): Promise<Manifest> {
  return JSON.parse(await git(remote, 'cat-file', 'blob', `${revision}:manifest.json`)) as Manifest;
}

test('the first publication is an orphan commit of exactly the artifact, which the runtime accepts', async (context) => {
  const { remote, clone } = await scene(context);
  const source = await currentCommit(clone);
  const result = await publishFrom(clone);
  assert.equal(result.outcome, 'published');
  assert.equal(await git(remote, 'rev-list', '--count', branch), '1');
  assert.equal(await git(remote, 'ls-tree', '--name-only', branch), 'manifest.json\nsnapshot.json');

  const files = new Map<string, Uint8Array>();
  for (const name of ['manifest.json', 'snapshot.json'])
    files.set(name, Buffer.from(await git(remote, 'cat-file', 'blob', `${branch}:${name}`)));
  const artifact = openArtifact({ commit: await git(remote, 'rev-parse', branch), files });
  assert.deepEqual(artifact.manifest.source, { commit: source, author: 'Ada', subject: 'Start' });
  assert.equal(artifact.manifest.seq, 1);
  assert.equal(artifact.manifest.audience, 'demo');

  const trailers = await git(remote, 'log', '-1', '--format=%(trailers:only)', branch);
  assert.equal(trailers, `Headgate-Source: ${source}\nHeadgate-Seq: 1\nHeadgate-Digest: ${artifact.digest}`);
  assert.equal(await git(clone, 'status', '--porcelain'), '');
});

test('fault 95: an unchanged configuration is published again with the next sequence number, the same commit is not', async (context) => {
  const { remote, clone } = await scene(context);
  await publishFrom(clone);
  await writeFiles(clone, { 'notes.txt': 'nothing that is served' });
  await commitAll(clone, 'Notes');
  const second = await publishFrom(clone);
  assert.ok(second.outcome === 'published' && second.seq === 2 && !second.changed);
  assert.equal(await git(remote, 'rev-list', '--count', branch), '2');
  assert.equal((await publishFrom(clone)).outcome, 'already_published');
  assert.equal((await manifestAt(remote)).seq, 2);
});

test('a revert is published forwards, with the bytes of the first snapshot', async (context) => {
  const { remote, clone } = await scene(context);
  await publishFrom(clone);
  const before = await git(remote, 'rev-parse', `${branch}:snapshot.json`);
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(99) });
  await commitAll(clone, 'More');
  await publishFrom(clone);
  assert.notEqual(await git(remote, 'rev-parse', `${branch}:snapshot.json`), before);
  await git(clone, 'revert', '--no-edit', 'HEAD');
  await publishFrom(clone);
  assert.equal(await git(remote, 'rev-parse', `${branch}:snapshot.json`), before);
  assert.equal((await manifestAt(remote)).seq, 3);
});

test('fault 93: an older job that finishes last publishes nothing, also from a clone that has never seen the newer commit', async (context) => {
  const { remote, clone, clones } = await scene(context);
  const late = await clones('late');
  const old = await currentCommit(clone);
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(20) });
  const newer = await commitAll(clone, 'Newer');
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  await publishFrom(clone);
  for (const [where, sourceRef] of [
    [late, 'HEAD'],
    [clone, old],
  ] as const) {
    const result = await publishFrom(where, sourceRef);
    assert.equal(result.outcome, 'skipped');
  }
  assert.equal((await manifestAt(remote)).source?.commit, newer);
});

test('a rewritten history is an error with its cure, and published on top of the tip only on request', async (context) => {
  const { remote, clone } = await scene(context);
  const start = await currentCommit(clone);
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(20) });
  const lost = await commitAll(clone, 'Lost');
  await publishFrom(clone);
  await git(clone, 'reset', '--quiet', '--hard', start);
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(21) });
  const kept = await commitAll(clone, 'Kept');
  const tip = await git(remote, 'rev-parse', branch);

  const { code, stderr, stdout } = await headgate(clone, ['publish']);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, new RegExp(`${lost.slice(0, 12)}.*${kept.slice(0, 12)}.*--after-rewrite\n$`));
  assert.equal(await git(remote, 'rev-parse', branch), tip);
  assert.equal((await publishFrom(clone)).outcome, 'diverged');

  assert.equal((await headgate(clone, ['publish', '--after-rewrite'])).code, 0);
  assert.equal(await git(remote, 'rev-parse', `${branch}~1`), tip);
  const { seq, source } = await manifestAt(remote);
  assert.deepEqual([seq, source?.commit], [2, kept]);
  // Not backwards either: what is older than the published stays so.
  const back = await publish({ repository: clone, remote: 'origin', branch, sourceRef: start, afterRewrite: true });
  assert.equal(back.result.outcome, 'skipped');
});

test('fault 92: publishers that start together all land, one after the other', async (context) => {
  const { remote, clone, clones } = await scene(context);
  const others = [await clones('a'), await clones('b')];
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(11) });
  const first = await commitAll(clone, 'One');
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(12) });
  const second = await commitAll(clone, 'Two');
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  for (const other of others) await git(other, 'fetch', '--quiet', 'origin');
  const results = await Promise.all([publishFrom(others[0] ?? '', first), publishFrom(others[1] ?? '', second)]);
  assert.ok(
    results.every(({ outcome }) => outcome === 'published' || outcome === 'skipped'),
    JSON.stringify(results),
  );
  const sequence = (
    await git(remote, 'log', '--reverse', '--format=%(trailers:key=Headgate-Seq,valueonly,separator=)', branch)
  )
    .split('\n')
    .map(Number);
  assert.deepEqual(
    sequence,
    sequence.map((_, index) => index + 1),
  );
  assert.equal((await manifestAt(remote)).source?.commit, second);
});

test('a push that is overtaken is made again on top of the winner', async (context) => {
  const { remote, clone, clones } = await scene(context);
  await publishFrom(clone);
  const rival = await clones('rival');
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(30) });
  const mid = await commitAll(clone, 'Between');
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  const last = await commitAll(clone, 'Last');
  await git(rival, 'fetch', '--quiet', 'origin');
  // The rival reaches the branch while our push is on its way: the remote's own hook publishes for it, once.
  const marker = join(remote, 'rival-ran');
  const script = `#!/bin/sh\nif [ ! -e '${marker}' ]; then touch '${marker}'; env -i PATH="$PATH" HOME="$HOME" git --git-dir='${remote}' update-ref refs/heads/${branch} "$(cat '${join(remote, 'rival-commit')}')"; fi\n`;
  const rivalRemote = join(remote, '..', 'aside.git');
  await git(remote, 'clone', '--quiet', '--bare', remote, rivalRemote);
  await git(rival, 'remote', 'add', 'aside', rivalRemote);
  const published = (await publish({ repository: rival, remote: 'aside', branch, sourceRef: mid })).result;
  assert.ok(published.outcome === 'published');
  await git(remote, 'fetch', '--quiet', rivalRemote, `refs/heads/${branch}`);
  await writeFiles(remote, { 'rival-commit': published.commit, 'hooks/update': script });
  await chmod(join(remote, 'hooks', 'update'), 0o755);

  const result = await publishFrom(clone, last);
  assert.ok(result.outcome === 'published' && result.seq === 3, JSON.stringify(result));
  assert.equal((await manifestAt(remote, `${branch}~1`)).source?.commit, mid);
});

test('a shallow clone is completed to see that it builds on what is published', async (context) => {
  const { remote, clone } = await scene(context);
  await publishFrom(clone);
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(21) });
  await commitAll(clone, 'Next');
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
  const shallow = join(remote, '..', 'shallow');
  await git(remote, 'clone', '--quiet', '--depth', '1', '--branch', 'main', `file://${remote}`, shallow);
  await installHeadgate(shallow);
  const result = await publishFrom(shallow);
  assert.ok(result.outcome === 'published' && result.seq === 2);
});

test('the commit is compiled and not the working tree', async (context) => {
  const { remote, clone } = await scene(context);
  await writeFiles(clone, { 'gateway.config.ts': 'this is not even TypeScript' });
  assert.equal((await publishFrom(clone)).outcome, 'published');
  assert.match(await git(remote, 'cat-file', 'blob', `${branch}:snapshot.json`), /"limit":10/);
});

test('a configuration with errors is not published, and the command says where they are', async (context) => {
  const { remote, clone } = await scene(context);
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(0) });
  await commitAll(clone, 'Broken');
  const { code, stdout } = await headgate(clone, ['publish']);
  assert.equal(code, 1);
  assert.match(stdout, /^gateway\.config\.ts:4:55 error invalid_value quota 'free': limit/);
  assert.equal(await git(remote, 'branch', '--list', branch), '');
});

test('a branch that somebody else writes is left alone', async (context) => {
  const { remote, clone } = await scene(context);
  await git(clone, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
  const tip = await git(remote, 'rev-parse', branch);
  await assert.rejects(
    publishFrom(clone),
    (error) => error instanceof EnvironmentFault && /has not written/.test(error.message),
  );
  assert.equal(await git(remote, 'rev-parse', branch), tip);
});

test('an unreachable remote ends with exit code 3 and no password in the message', async (context) => {
  const { clone } = await scene(context);
  const { code, stderr } = await headgate(clone, ['publish', '--remote', 'http://ada:letmein@127.0.0.1:9/x.git']);
  assert.equal(code, 3);
  assert.doesNotMatch(stderr, /letmein/);
  await git(clone, 'remote', 'remove', 'origin');
  await assert.rejects(publishFrom(clone), {
    message:
      "git ls-remote failed: fatal: 'origin' does not appear to be a git repository; --remote names another remote or its address",
  });
});

test('publish prints one JSON document on request', async (context) => {
  const { clone } = await scene(context);
  const { code, stdout } = await headgate(clone, ['publish', '--json']);
  assert.equal(code, 0);
  const { outcome, seq, source, digest } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([outcome, seq, source], ['published', 1, await currentCommit(clone)]);
  assert.match(String(digest), /^sha256:[0-9a-f]{64}$/);
});

test('compiling a commit gives the artifact with its source, keeps two trees, and reports paths of the repository', async (context) => {
  const { clone } = await scene(context);
  for (const limit of [1, 2, 3]) {
    await writeFiles(clone, { 'gateway.config.ts': sampleConfig(limit) });
    await commitAll(clone, `Limit ${limit}`);
    const commit = await currentCommit(clone);
    const { artifactFiles } = await compileCommit({ repository: clone, commit });
    const manifest = JSON.parse(Buffer.from(artifactFiles?.get('manifest.json') ?? []).toString()) as Manifest;
    assert.deepEqual(manifest.source, { commit, ...(await commitWords(clone, commit)) });
  }
  assert.equal((await readdir(join(clone, '.headgate', 'trees'))).length, 2);
  await writeFiles(clone, { 'gateway.config.ts': sampleConfig(0) });
  const { findings, artifactFiles } = await compileCommit({
    repository: clone,
    commit: await commitAll(clone, 'None'),
  });
  assert.equal(artifactFiles, undefined);
  assert.deepEqual(
    findings.map(({ file, line, column }) => [file, line, column]),
    [['gateway.config.ts', 4, 55]],
  );
});
