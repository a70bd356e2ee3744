/** The state directory, laid out by hand as every kind of crash and damage would leave it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openArtifact, type Artifact } from '../../runtime/artifact.ts';
import { createLog } from '../../runtime/log.ts';
import { Bar } from '../../runtime/sync/bar.ts';
import { memoryKeep, type Keep, type KeptState } from '../../runtime/sync/keep.ts';
import { openKeep } from '../../runtime/sync/keep/disk.ts';
import { StateDirectoryTaken } from '../../runtime/sync/keep/lock.ts';
import { sourceOf } from '../support/artifact-branch.ts';
import { failingDisk } from '../support/failing-disk.ts';
import { artifactFiles } from '../support/gateway.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const log = createLog('silent');
const commitOf = (n: number): string => n.toString(16).padStart(40, '0');

/** Version `n`, published with sequence number `n`. */
function artifactOf(n: number, parts: object = {}): Artifact {
  const files = artifactFiles(versioned(n, { parts }), { seq: n, commit: sourceOf(n) });
  return openArtifact({ commit: commitOf(n), files: new Map([...files].map(([k, v]) => [k, new Uint8Array(v)])) });
}

async function folder(context: TestContext): Promise<string> {
  const directory = await temporaryDirectory();
  context.after(() => directory.remove());
  return join(directory.path, 'state');
}

async function opened<Result>(directory: string, use: (keep: Keep) => Promise<Result>): Promise<Result> {
  const keep = await openKeep(directory, log);
  try {
    return await use(keep);
  } finally {
    await keep.close();
  }
}

/** Why an artifact must not follow what `state` has seen; undefined when it may. */
function rewindOf(state: KeptState, artifact: Artifact): string | undefined {
  const bar = new Bar({ signersFile: undefined, audience: undefined, keep: { ...memoryKeep(), state } });
  try {
    openArtifact(artifact, bar.forCandidate(artifact.commit, { isAllowed: false }));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What a start finds. */
const found = (directory: string) =>
  opened(directory, async (keep) => {
    const { opened: artifact, problems } = await keep.load((raw) => openArtifact(raw));
    return { seq: artifact?.manifest.seq, commit: artifact?.commit, problems, state: keep.state };
  });

/** A directory as it is after versions 1 and 2 were promoted and 3 is on trial. */
async function afterTwo(directory: string): Promise<void> {
  await opened(directory, async (keep) => {
    for (const n of [1, 2]) {
      await keep.change({ pending: commitOf(n), highestSeq: n, highestCommit: commitOf(n) });
      await keep.promote(artifactOf(n));
    }
    await keep.change({ pending: commitOf(3), highestSeq: 3, highestCommit: commitOf(3), quarantine: { bad: 'why' } });
  });
}

/** Where a sealed copy of version 3 can be had. */
async function sealedThree(directory: string): Promise<string> {
  const elsewhere = `${directory}-three`;
  await opened(elsewhere, (keep) => keep.promote(artifactOf(3)));
  return join(elsewhere, 'current');
}

type Layout = readonly [name: string, lay: (at: (name: string) => string, three: string) => Promise<void>, seq: number];

const layouts: readonly Layout[] = [
  ['nothing of the next is written', async () => {}, 2],
  [
    'the next is being written: a file is cut short',
    async (at) => {
      await mkdir(at('next'));
      await writeFile(at('next/manifest.json'), '{"format":');
    },
    2,
  ],
  [
    'the next is written and not sealed',
    async (at, three) => {
      await cp(three, at('next'), { recursive: true });
      await rm(at('next/.commit'));
    },
    2,
  ],
  [
    'the seal of the next is cut short',
    async (at, three) => {
      await cp(three, at('next'), { recursive: true });
      await writeFile(at('next/.commit'), (await readFile(join(three, '.commit'))).subarray(0, 60));
    },
    2,
  ],
  ['the next is sealed', async (at, three) => cp(three, at('next'), { recursive: true }), 3],
  [
    'the spare is half removed',
    async (at, three) => {
      await cp(three, at('next'), { recursive: true });
      await rm(at('previous/snapshot.json'));
    },
    3,
  ],
  [
    'the spare is removed',
    async (at, three) => {
      await cp(three, at('next'), { recursive: true });
      await rm(at('previous'), { recursive: true });
    },
    3,
  ],
  [
    'the current has become the spare',
    async (at, three) => {
      await cp(three, at('next'), { recursive: true });
      await rm(at('previous'), { recursive: true });
      await rename(at('current'), at('previous'));
    },
    3,
  ],
  [
    'the next has become the current, and state.json does not know',
    async (at, three) => {
      await rm(at('previous'), { recursive: true });
      await rename(at('current'), at('previous'));
      await cp(three, at('current'), { recursive: true });
    },
    3,
  ],
  ['state.json was being replaced', async (at) => writeFile(at('state.json.new'), '{"format":"headg'), 2],
];

for (const [name, lay, seq] of layouts) {
  test(`fault 60: died while promoting, ${name}: version ${seq} is whole, and the next promotion works`, async (context) => {
    const directory = await folder(context);
    await afterTwo(directory);
    await lay((path) => join(directory, path), await sealedThree(directory));
    const first = await found(directory);
    assert.equal(first.seq, seq);
    assert.equal(first.commit, commitOf(seq));
    assert.equal(first.state.pending, commitOf(3));
    assert.deepEqual(first.state.quarantine, { bad: 'why' });

    await opened(directory, (keep) => keep.promote(artifactOf(4)));
    assert.equal((await found(directory)).seq, 4);
    await rm(join(directory, 'current'), { recursive: true });
    assert.equal((await found(directory)).seq, seq, 'the one before it is the spare');
    assert.deepEqual((await readdir(directory)).toSorted(), ['history', 'lock', 'previous', 'state.json']);
  });
}

test('fault 57: a flipped bit anywhere in the current one gives the previous one, with the file named', async (context) => {
  const directory = await folder(context);
  await afterTwo(directory);
  for (const name of ['manifest.json', 'snapshot.json', '.commit']) {
    const path = join(directory, 'current', name);
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += Math.max(1, Math.floor(whole.length / 40))) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(path, flipped);
      const { seq, problems, state } = await found(directory);
      assert.equal(seq, 1, `${name} at ${at}`);
      assert.match(problems.join(), /^current\/ is not usable/);
      // The tip that git still has is no rewind.
      assert.equal(rewindOf(state, artifactOf(3)), undefined);
    }
    await writeFile(path, whole);
  }
  assert.equal((await found(directory)).seq, 2);
});

test('fault 57: a flipped bit anywhere in state.json or the history takes no revision and holds up no new one', async (context) => {
  const directory = await folder(context);
  await afterTwo(directory);
  const names = ['state.json', ...(await readdir(join(directory, 'history'))).map((name) => `history/${name}`)];
  for (const name of names) {
    const path = join(directory, name);
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += name === 'state.json' ? 1 : 50) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(path, flipped);
      const { seq, state, problems } = await found(directory);
      assert.equal(seq, 2, `${name} at ${at}`);
      if (name === 'state.json' && !isSame(flipped, whole)) assert.ok(problems.length > 0, `told at ${at}`);
      assert.equal(rewindOf(state, artifactOf(4)), undefined, `${name} at ${at}`);
      assert.notEqual(rewindOf(state, artifactOf(1)), undefined, `${name} at ${at}`);
    }
    await writeFile(path, whole);
  }
});

/** A flip in the white space between the values changes nothing. */
function isSame(a: Buffer, b: Buffer): boolean {
  try {
    assert.deepEqual(JSON.parse(a.toString()), JSON.parse(b.toString()));
    return true;
  } catch {
    return false;
  }
}

test('fault 57: without a readable state.json the kept artifact is used, and the highest sequence is learnt from it', async (context) => {
  for (const [lost, sentence] of [
    ['', /cannot be understood/],
    ['{"format":"headgate/state.v1","highestSeq":3', /cannot be understood/],
    ['[]', /cannot be understood/],
    [undefined, /is missing/],
  ] as const) {
    const directory = await folder(context);
    await afterTwo(directory);
    if (lost === undefined) await rm(join(directory, 'state.json'));
    else await writeFile(join(directory, 'state.json'), lost);
    const { seq, commit, problems, state } = await found(directory);
    assert.deepEqual([seq, commit], [2, commitOf(2)]);
    assert.match(problems.join(), sentence);
    assert.match(problems.join(), /verdicts are forgotten/);
    assert.deepEqual([state.highestSeq, state.highestCommit], [2, commitOf(2)]);
    assert.match(rewindOf(state, artifactOf(1)) ?? '', /sequence 1 is not above 2/);
    await rm(directory, { recursive: true });
    await rm(`${directory}-three`, { recursive: true, force: true });
  }
});

test('a state.json that a person edited is believed once the digest is taken out', async (context) => {
  const directory = await folder(context);
  await afterTwo(directory);
  const path = join(directory, 'state.json');
  const { digest, ...content } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  assert.equal(typeof digest, 'string');
  await writeFile(path, JSON.stringify({ ...content, highestSeq: 30 }));
  const { state, problems } = await found(directory);
  assert.equal(state.highestSeq, 30);
  assert.deepEqual(problems, []);
});

test('fault 58: with both artifacts corrupt nothing is loaded, and the memory of the sequence stays', async (context) => {
  const directory = await folder(context);
  await afterTwo(directory);
  await writeFile(join(directory, 'current', 'snapshot.json'), '');
  await writeFile(join(directory, 'previous', 'manifest.json'), Buffer.alloc(40));
  const { seq, problems, state } = await found(directory);
  assert.equal(seq, undefined);
  assert.equal(problems.length, 2);
  assert.equal(state.highestSeq, 3);
  await rm(join(directory, 'state.json'));
  assert.equal((await found(directory)).state.highestSeq, 2, 'learnt from the history');
});

test('fault 57: foreign files, links and folders where files should be are no reason not to start', async (context) => {
  const directory = await folder(context);
  await afterTwo(directory);
  await mkdir(join(directory, 'lost+found'));
  await writeFile(join(directory, 'notes.txt'), 'mine');
  await writeFile(join(directory, 'history', '000009-x.json'), 'mine');
  await writeFile(join(directory, 'current', '.DS_Store'), 'mine');
  await mkdir(join(directory, 'current', 'folder'));
  await symlink('/dev/zero', join(directory, 'current', 'endless'));
  assert.equal((await found(directory)).seq, 2);

  await rm(join(directory, 'current'), { recursive: true });
  await symlink(join(directory, 'nowhere'), join(directory, 'current'));
  const pointing = await found(directory);
  assert.equal(pointing.seq, 1);
  assert.deepEqual(pointing.problems, ['current/ is missing']);
  await opened(directory, (keep) => keep.promote(artifactOf(3)));
  assert.equal((await found(directory)).seq, 3);
  await rm(join(directory, 'current'), { recursive: true });
  assert.equal((await found(directory)).seq, 1, 'a spare that works was not given up for a current that did not');

  await rm(join(directory, 'state.json'));
  await mkdir(join(directory, 'state.json'));
  assert.equal((await found(directory)).seq, 1);
});

test('keeps two artifacts and the manifests of the last ten, from other users', async (context) => {
  const directory = await folder(context);
  await opened(directory, async (keep) => {
    for (let n = 1; n <= 13; n += 1) await keep.promote(artifactOf(n));
    await keep.promote(artifactOf(13));
  });
  const history = (await readdir(join(directory, 'history'))).toSorted();
  assert.deepEqual(
    history,
    Array.from({ length: 10 }, (_, i) => `${String(i + 4).padStart(6, '0')}-${commitOf(i + 4)}.json`),
  );
  assert.equal((await found(directory)).seq, 13);
  const all = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of all) {
    const path = join(entry.parentPath, entry.name);
    assert.equal((await stat(path)).mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, path);
  }
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.deepEqual((await readdir(directory)).toSorted(), ['current', 'history', 'lock', 'previous', 'state.json']);
});

test('fault 63: a directory that is in use is refused by name, and free again once it is closed', async (context) => {
  const directory = await folder(context);
  const first = await openKeep(directory, log);
  await assert.rejects(openKeep(directory, log), (error) => {
    assert.ok(error instanceof StateDirectoryTaken);
    assert.ok(error.message.includes(directory));
    return true;
  });
  await first.close();
  await (await openKeep(directory, log)).close();
  await writeFile(join(directory, 'lock'), 'other bytes came into the lock file');
  const again = await openKeep(directory, log);
  await assert.rejects(openKeep(directory, log), StateDirectoryTaken);
  await again.close();
});

test('fault 62: a full disk is told, and everything is written once there is room, without waiting for a change', async (context) => {
  const disk = await failingDisk(context);
  const keep = await openKeep(disk.path, log, 50);
  context.after(() => keep.close());
  await keep.promote(artifactOf(1));
  assert.equal(keep.problem, undefined);
  await disk.fill();
  await keep.change({ pending: commitOf(2), highestSeq: 2, highestCommit: commitOf(2) });
  assert.match(keep.problem ?? '', /cannot be written \((ENOSPC|ENOTDIR|EEXIST).*held in memory only/);
  assert.equal(keep.where, 'memory');
  await keep.promote(artifactOf(2));
  assert.equal(keep.state.pending, undefined, 'decided all the same');
  await disk.free();
  await until('it is written', async () => keep.problem === undefined);
  assert.equal(keep.where, disk.path);
  await keep.close();
  const { seq, state } = await found(disk.path);
  assert.deepEqual([seq, state.highestSeq, state.pending], [2, 2, undefined]);
});

test('fault 62: a disk that has room for the state but not for the artifact keeps the old one whole', async (context) => {
  const disk = await failingDisk(context);
  const text = (kilobytes: number) => ({
    prompts: { long: { messages: [{ role: 'system', template: 'x'.repeat(kilobytes * 1024) }], variables: {} } },
  });
  await opened(disk.path, (keep) => keep.promote(artifactOf(1)));
  const keep = await openKeep(disk.path, log, 60_000);
  context.after(() => keep.close());
  const huge = artifactOf(2, text(400));
  if ((await isMounted(disk.path)) === false) return;
  await keep.promote(huge);
  assert.match(keep.problem ?? '', /ENOSPC/);
  assert.deepEqual((await readdir(disk.path)).includes('next'), false, 'what was begun is gone again');
  await keep.promote(artifactOf(3));
  assert.equal(keep.problem, undefined);
  await keep.close();
  assert.equal((await found(disk.path)).seq, 3);
});

async function isMounted(path: string): Promise<boolean> {
  return (await stat(path)).dev !== (await stat(join(path, '..'))).dev;
}

const withoutProc = existsSync('/proc/self')
  ? false
  : 'needs a /proc, which refuses new folders as if they were absent';

test(
  'fault 62: a place where nobody can make a folder is told, and what was decided is held in memory',
  { skip: withoutProc, timeout: 10_000 },
  async (context) => {
    for (const directory of ['/proc/headgate', '/proc/self/headgate/state', '/dev/null/state']) {
      const keep = await openKeep(directory, log, 60_000);
      context.after(() => keep.close());
      await keep.promote(artifactOf(1));
      assert.equal(keep.where, 'memory');
      assert.match(keep.problem ?? '', /cannot be written \((ENOENT|EACCES|ENOTDIR).*held in memory only/);
    }
  },
);

test('a directory is made with all above it that is missing, for this user only', async (context) => {
  const above = await folder(context);
  const directory = join(above, 'deep', 'down');
  await opened(directory, (keep) => keep.promote(artifactOf(1)));
  for (const made of [above, join(above, 'deep'), directory]) assert.equal((await stat(made)).mode & 0o777, 0o700);
  const link = join(above, 'link');
  await symlink(directory, link);
  assert.equal((await found(link)).seq, 1);
});

test('fault 62: a read-only directory is started from, told, and written again when it can be', async (context) => {
  const disk = await failingDisk(context);
  await afterTwo(disk.path);
  if (!disk.setReadOnly(true)) return;
  const keep = await openKeep(disk.path, log, 50);
  context.after(() => keep.close());
  assert.equal((await keep.load((raw) => openArtifact(raw))).opened?.manifest.seq, 2);
  assert.match(keep.problem ?? '', /cannot be written/);
  await keep.promote(artifactOf(3));
  assert.notEqual(keep.problem, undefined);
  disk.setReadOnly(false);
  await until('it is written', async () => keep.problem === undefined);
  await assert.rejects(openKeep(disk.path, log), StateDirectoryTaken, 'the lock is caught up on');
  await keep.close();
  assert.equal((await found(disk.path)).seq, 3);
});
