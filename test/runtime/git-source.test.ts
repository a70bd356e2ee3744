/** Which commit and which files the git transport answers with, over HTTP and from a local repository. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { writePackAnswer } from '../../runtime/sync/git-packets.ts';
import { openGitSource, type GitSource, type GitSourceOptions } from '../../runtime/sync/git-source.ts';
import { SourceError } from '../../runtime/sync/source.ts';
import { startGitServer, type GitServer } from '../support/git-server.ts';
import {
  commitFiles,
  commitTree,
  createBranch,
  initRepository,
  publishFiles,
  push,
  revertCommit,
  runGit,
  temporaryDirectory,
  writeTree,
  type TreeLine,
} from '../support/repository.ts';

const ref = 'headgate/compiled';
const signal = new AbortController().signal;

let server: GitServer;
let url: string;
let repository: string;
let source: GitSource;

before(async () => {
  server = await startGitServer();
  url = await server.createRepository('gateway');
  repository = join(server.root, 'gateway.git');
  source = openGitSource({ url, ref });
});

afterEach(() => server.setFault(undefined));

after(async () => {
  await source.close();
  await server.close();
});

async function failureOf(promise: Promise<unknown>): Promise<SourceError> {
  const error = await promise.then(
    (value) => assert.fail(`answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SourceError, String(error));
  return error;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await failureOf(promise)).code;
}

async function withSource<Result>(
  options: GitSourceOptions,
  use: (source: GitSource) => Promise<Result>,
): Promise<Result> {
  const opened = openGitSource(options);
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

async function textsOf(from: GitSource, commit: string): Promise<Record<string, string>> {
  const { files } = await from.fetch(commit, signal);
  return Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
}

async function removeBranch(): Promise<void> {
  await runGit(repository, ['update-ref', '-d', `refs/heads/${ref}`]);
}

test('fault 21: an empty repository answers in full that there is no such ref', async () => {
  assert.equal(await source.tip(signal), undefined);
});

test('fault 21: an empty repository on an old host answers the same', async () => {
  const old = await startGitServer({ isOld: true });
  try {
    const oldUrl = await old.createRepository('empty');
    await withSource({ url: oldUrl, ref }, async (from) => assert.equal(await from.tip(signal), undefined));
  } finally {
    await old.close();
  }
});

test('fault 22: a repository whose HEAD is unborn is listed and fetched', async () => {
  const commit = await publishFiles(repository, ref, { 'config.json': 'unborn' });
  await assert.rejects(runGit(repository, ['rev-parse', 'HEAD^{commit}']));
  assert.equal(await source.tip(signal), commit);
  assert.deepEqual(await textsOf(source, commit), { 'config.json': 'unborn' });
});

test('fault 30: a branch that is missing among others is undefined, not an error', async () => {
  await removeBranch();
  await publishFiles(repository, 'main', { 'readme.md': 'source' });
  assert.equal(await source.tip(signal), undefined);
});

test('fault 31: a branch that is deleted and restored is followed', async () => {
  const commit = await publishFiles(repository, ref, { 'config.json': 'restored' });
  assert.equal(await source.tip(signal), commit);
  await removeBranch();
  assert.equal(await source.tip(signal), undefined);
  assert.equal(await codeOf(source.fetch(commit, signal)), 'GIT_MOVED');
  await runGit(repository, ['update-ref', `refs/heads/${ref}`, commit]);
  assert.equal(await source.tip(signal), commit);
});

test('fault 32: an answer without any content is an error, never "there is no such ref"', async () => {
  for (const method of ['GET', 'POST'] as const) {
    server.setFault({ kind: 'replace', change: () => Buffer.alloc(0), method });
    assert.equal(await codeOf(source.tip(signal)), 'GIT_TRUNCATED');
  }
});

test('fault 33: a sibling that merely begins with the name is not taken for the branch', async () => {
  await removeBranch();
  await publishFiles(repository, `${ref}-evil`, { 'config.json': 'evil' });
  assert.equal(await source.tip(signal), undefined);
  const commit = await publishFiles(repository, ref, { 'config.json': 'good' });
  assert.equal(await source.tip(signal), commit);
});

test('fault 34: a tag of the same name does not shadow the branch', async () => {
  const evil = await publishFiles(repository, 'other', { 'config.json': 'evil' });
  const commit = await publishFiles(repository, ref, { 'config.json': 'good' });
  await runGit(repository, ['tag', '-f', ref, evil]);
  await runGit(repository, ['tag', '-f', `refs/heads/${ref}`, evil]);
  assert.equal(await source.tip(signal), commit);
  assert.deepEqual(await textsOf(source, commit), { 'config.json': 'good' });
  await withSource({ url: repository, ref }, async (local) => assert.equal(await local.tip(signal), commit));
  await removeBranch();
  assert.equal(await source.tip(signal), undefined);
  await withSource({ url: repository, ref }, async (local) => assert.equal(await local.tip(signal), undefined));
  await runGit(repository, ['tag', '-d', ref, `refs/heads/${ref}`]);
});

test('fault 35, 36, 37: pushes, reverts, rewinds and orphans are reported as they stand', async () => {
  await using directory = await temporaryDirectory();
  const checkout = directory.path;
  await initRepository(checkout);
  const refspec = `HEAD:refs/heads/${ref}`;
  const first = await commitFiles(checkout, { 'config.json': 'one' });
  await push(checkout, { url, refspec, force: true });
  assert.equal(await source.tip(signal), first);
  const second = await commitFiles(checkout, { 'config.json': 'two' });
  await push(checkout, { url, refspec });
  assert.deepEqual(await textsOf(source, second), { 'config.json': 'two' });
  const reverted = await revertCommit(checkout);
  await push(checkout, { url, refspec });
  assert.equal(await source.tip(signal), reverted);
  assert.deepEqual(await textsOf(source, reverted), { 'config.json': 'one' });
  await createBranch(checkout, 'rewound', first);
  await push(checkout, { url, refspec, force: true });
  assert.equal(await source.tip(signal), first);
  const orphan = await publishFiles(repository, ref, { 'config.json': 'orphan' });
  assert.equal(await source.tip(signal), orphan);
  assert.deepEqual(await textsOf(source, orphan), { 'config.json': 'orphan' });
});

test('fault 38: a tip that moves between listing and fetching, or during the fetch, is GIT_MOVED', async () => {
  const listed = await publishFiles(repository, ref, { 'config.json': 'listed' });
  assert.equal(await source.tip(signal), listed);
  const newer = await publishFiles(repository, ref, { 'config.json': 'newer' });
  assert.equal(await codeOf(source.fetch(listed, signal)), 'GIT_MOVED');
  const run = (): Promise<string> => publishFiles(repository, ref, { 'config.json': 'newest' });
  server.setFault({ kind: 'before', run, method: 'POST', times: 1 });
  assert.equal(await codeOf(source.fetch(newer, signal)), 'GIT_MOVED');
  const newest = await source.tip(signal);
  assert.deepEqual(await textsOf(source, newest ?? ''), { 'config.json': 'newest' });
});

test('fault 40: listing asks two small questions in protocol 2 and fetches nothing', async () => {
  await source.tip(signal);
  const start = server.requests.length;
  await source.tip(signal);
  const asked = server.requests.slice(start);
  assert.deepEqual(
    asked.map(({ method, gitProtocol }) => `${method} ${gitProtocol}`),
    ['GET version=2', 'POST version=2'],
  );
});

test('fault 23: ten thousand refs on a host that lists them all are no obstacle', async () => {
  const old = await startGitServer({ isOld: true });
  try {
    const oldUrl = await old.createRepository('many');
    const directory = join(old.root, 'many.git');
    const commit = await publishFiles(directory, ref, { 'config.json': 'many' });
    const lines = Array.from({ length: 10_000 }, (_, index) => `${commit} refs/heads/branch-${10_000 + index}\n`);
    await writeFile(join(directory, 'packed-refs'), `# pack-refs with: peeled fully-peeled sorted \n${lines.join('')}`);
    await withSource({ url: oldUrl, ref }, async (from) => {
      assert.equal(await from.tip(signal), commit);
      assert.deepEqual(await textsOf(from, commit), { 'config.json': 'many' });
    });
  } finally {
    await old.close();
  }
});

test('fault 51: anything but plain top-level files is refused, over HTTP and from a directory', async () => {
  const plain: TreeLine = { mode: '100644', name: 'config.json', content: '{}' };
  const inner = await writeTree(repository, [plain]);
  const cases: ReadonlyArray<readonly [extra: TreeLine, said: RegExp]> = [
    [{ mode: '120000', name: 'link', content: '/etc/passwd' }, /link .* symbolic link/],
    [{ mode: '160000', name: 'module', object: '1'.repeat(40) }, /module .* submodule/],
    [{ mode: '040000', name: 'prompts', object: inner }, /prompts .* directory/],
    [{ mode: '100644', name: '..', content: 'x' }, /unusable name/],
    [{ mode: '100644', name: '.git', content: 'x' }, /unusable name/],
    [{ mode: '100644', name: '__proto__', content: 'x' }, /__proto__/],
    [{ mode: '100644', name: 'two\nlines', content: 'x' }, /"two\\nlines"/],
    [{ mode: '100644', name: 'CONFIG.json', content: 'x' }, /case/],
  ];
  await withSource({ url: repository, ref }, async (local) => {
    for (const [extra, said] of cases) {
      const tree = await writeTree(repository, [plain, extra]);
      const commit = await commitTree(repository, { branch: ref, tree });
      for (const from of [source, local]) {
        const error = await failureOf(from.fetch(commit, signal));
        assert.equal(error.code, 'ARTIFACT_MODE', extra.name);
        assert.match(error.message, said);
      }
    }
  });
});

test('an empty artifact arrives as no files, and large files arrive whole', async () => {
  const empty = await commitTree(repository, { branch: ref, tree: await writeTree(repository, []) });
  assert.deepEqual(await textsOf(source, empty), {});
  const text = 'x'.repeat(3_000_000);
  const large = await publishFiles(repository, ref, { 'config.json': text, 'copy.json': `${text}y` });
  const arrived = await textsOf(source, large);
  assert.ok(arrived['config.json'] === text && arrived['copy.json'] === `${text}y`);
});

test('addresses that are no http URL or absolute directory are refused up front with a hint', () => {
  const cases: ReadonlyArray<readonly [address: string, said: RegExp]> = [
    ['ssh://git@host/a.git', /https:\/\//],
    ['git@host:team/a.git', /https:\/\//],
    ['forgejo@host:a.git', /https:\/\//],
    ['file:///srv/a.git', /absolute path/],
    ['git://host/a.git', /https:\/\//],
    ['./relative', /absolute/],
    ['', /absolute/],
    ['https://user:hunter2@host/a.git', /token/],
    ['https://hunter2@host/a.git', /token/],
    ['https://host/a.git?token=hunter2', /query/],
  ];
  for (const [address, said] of cases) {
    assert.throws(
      () => openGitSource({ url: address, ref }),
      (error) =>
        error instanceof SourceError &&
        error.code === 'GIT_URL' &&
        said.test(error.message) &&
        !error.message.includes('hunter2'),
      address,
    );
  }
});

test('refs that are no branch are refused up front', () => {
  for (const name of ['refs/tags/v1', '', 'a..b', '/a', 'a/', 'a b', 'a~1', '-x', 'a.lock', '../x', '.x']) {
    assert.throws(
      () => openGitSource({ url, ref: name }),
      (error) => error instanceof SourceError && error.code === 'GIT_URL',
      name,
    );
  }
});

/** Ten thousand times a mebibyte of zeros in a few mebibytes: seconds of work without a pause. */
function endlessPack(): Buffer {
  const count = 10_000;
  const header = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
  header.writeUInt32BE(count, 8);
  const zeros = deflateSync(Buffer.alloc(2 ** 20));
  const entry = Buffer.concat([Buffer.of(0xb0, 0x80, 0x80, 0x04), zeros]);
  const body = Buffer.concat([header, ...Array.from({ length: count }, () => entry)]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

test('a thread that hangs is replaced after its deadline and counted, and the next call works', async () => {
  const commit = await publishFiles(repository, ref, { 'config.json': 'light' });
  const body = Buffer.from(writePackAnswer({ lines: ['NAK'], pack: endlessPack() }));
  const boundless = { maxObjects: 2 ** 31, maxInflatedBytes: 2 ** 40, maxFileBytes: 2 ** 31 };
  await withSource({ url, ref, limits: { ...boundless, deadlineMs: 1_500, graceMs: 100 } }, async (from) => {
    assert.equal(await from.tip(signal), commit);
    server.setFault({ kind: 'answer', type: 'application/x-git-upload-pack-result', body, method: 'POST' });
    const both = await Promise.all([codeOf(from.fetch(commit, signal)), codeOf(from.fetch(commit, signal))]);
    assert.deepEqual(both, ['GIT_DEADLINE', 'GIT_DEADLINE']);
    assert.equal(from.restarts, 1);
    server.setFault(undefined);
    assert.equal(await from.tip(signal), commit);
    assert.deepEqual(await textsOf(from, commit), { 'config.json': 'light' });
    assert.equal(from.restarts, 1);
  });
});

async function snapshot(directory: string): Promise<string[]> {
  const names = (await readdir(directory, { recursive: true })).toSorted();
  return Promise.all(names.map(async (name) => `${name} ${(await stat(join(directory, name))).mtimeMs}`));
}

test('a local checkout and a bare repository are followed, loose or packed, and never written to', async () => {
  await using directory = await temporaryDirectory();
  const checkout = join(directory.path, 'checkout');
  await initRepository(checkout);
  await commitFiles(checkout, { 'gateway.config.ts': 'source' });
  await runGit(checkout, ['worktree', 'list']);
  for (const place of [checkout, repository]) {
    const loose = await publishFiles(place, ref, { 'config.json': 'loose' });
    await withSource({ url: place, ref: `refs/heads/${ref}` }, async (local) => {
      const unchanged = await snapshot(place);
      assert.equal(await local.tip(signal), loose);
      assert.deepEqual(await textsOf(local, loose), { 'config.json': 'loose' });
      assert.deepEqual(await snapshot(place), unchanged);
      const packed = await publishFiles(place, ref, { 'config.json': 'packed' });
      await runGit(place, ['gc', '-q', '--prune=now']);
      assert.equal(await local.tip(signal), packed);
      assert.deepEqual(await textsOf(local, packed), { 'config.json': 'packed' });
      assert.equal(await codeOf(local.fetch('1'.repeat(40), signal)), 'GIT_CORRUPT');
      await withSource({ url: place, ref: 'headgate/none' }, async (none) => {
        assert.equal(await none.tip(signal), undefined);
      });
    });
  }
});

test('local layouts the reader would get wrong are refused with a hint', async () => {
  await using directory = await temporaryDirectory();
  const at = (name: string): string => join(directory.path, name);
  await initRepository(at('plain'));
  await commitFiles(at('plain'), { 'a.txt': 'a' });
  await runGit(at('plain'), ['worktree', 'add', '-q', at('linked'), '-b', 'linked']);
  await runGit(at('plain'), ['clone', '-q', '--shared', at('plain'), at('shared')]);
  await runGit(directory.path, ['init', '-q', '--object-format=sha256', at('sha256')]);
  await initRepository(at('reftable'));
  await appendFile(join(at('reftable'), '.git', 'config'), '[extensions]\n\trefStorage = reftable\n');
  await mkdir(at('folder'));
  await cp(at('plain'), at('broken'), { recursive: true });
  await mkdir(join(at('broken'), '.git', 'refs', 'heads', 'headgate'), { recursive: true });
  await writeFile(join(at('broken'), '.git', 'refs', 'heads', ref), 'ref: refs/heads/main\n');
  const cases: ReadonlyArray<readonly [place: string, code: string, said: RegExp]> = [
    [at('linked'), 'GIT_URL', /worktree.*main checkout/],
    [join(at('plain'), '.git', 'worktrees', 'linked'), 'GIT_NOT_FOUND', /no git repository/],
    [at('shared'), 'GIT_URL', /git repack/],
    [at('sha256'), 'GIT_URL', /SHA-256/],
    [at('reftable'), 'GIT_URL', /reftable/],
    [at('folder'), 'GIT_NOT_FOUND', /no git repository/],
    [at('missing'), 'GIT_NOT_FOUND', /no git repository/],
    [at('broken'), 'GIT_BAD_OID', /plain branch/],
  ];
  for (const [place, code, said] of cases) {
    const error = await withSource({ url: place, ref }, (local) => failureOf(local.tip(signal)));
    assert.equal(error.code, code, place);
    assert.match(error.message, said);
  }
});

test('an SHA-256 repository behind HTTP is refused rather than read as empty', async () => {
  await runGit(server.root, ['init', '-q', '--bare', '--object-format=sha256', 'sha256.git']);
  const sha256 = join(server.root, 'sha256.git');
  await publishFiles(sha256, ref, { 'config.json': '{}' });
  await withSource({ url: `${server.url}/sha256.git`, ref }, async (from) => {
    assert.equal(await codeOf(from.tip(signal)), 'GIT_BAD_OID');
  });
});

test('fault 19: a tree with folders is no artifact, however deep', async () => {
  const { path, remove } = await temporaryDirectory();
  const deep = join(path, 'deep.git');
  await initRepository(deep, { bare: true });
  let tree = await writeTree(deep, [{ mode: '100644', name: 'bottom', content: 'x' }]);
  for (let depth = 0; depth < 40; depth += 1)
    tree = await writeTree(deep, [{ mode: '040000', name: 'down', object: tree }]);
  const commit = await commitTree(deep, { branch: ref, tree });
  const local = openGitSource({ url: deep, ref });
  assert.equal(await codeOf(local.fetch(commit, signal)), 'ARTIFACT_MODE');
  await local.close();
  await remove();
});

test('fault 27: a name that does not resolve is an error of its own, not an empty answer', async () => {
  const nowhere = openGitSource({ url: 'https://does-not-exist.invalid/config.git', ref });
  assert.equal(await codeOf(nowhere.tip(signal)), 'GIT_NET');
  await nowhere.close();
});
