/** The signers file as it is found on disk: what is read, and what is refused without waiting for it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ArtifactRefused } from '../../runtime/artifact.ts';
import { Bar } from '../../runtime/sync/bar.ts';
import { memoryKeep } from '../../runtime/sync/keep.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { allows, newKey } from '../support/signing.ts';

async function folder(context: TestContext): Promise<string> {
  const { path, remove } = await temporaryDirectory();
  context.after(remove);
  return path;
}

const barWith = (signersFile: string) => new Bar({ signersFile, audience: undefined, keep: memoryKeep() });
const refuses = (signersFile: string, message: RegExp) =>
  assert.throws(
    () => barWith(signersFile),
    (error) => {
      assert.ok(error instanceof ArtifactRefused);
      assert.match(error.message, message);
      assert.ok(error.message.includes(signersFile));
      return true;
    },
  );

test('a signers file may be a link, as a cluster mounts it, and what it says is what counts', async (context) => {
  const path = await folder(context);
  const text = allows(newKey());
  await writeFile(join(path, 'real'), text);
  await symlink(join(path, 'real'), join(path, 'signers'));
  assert.equal(barWith(join(path, 'signers')).forSeed().signers, text);
});

test('what is no regular file, or too large to be one of signers, is refused by name', async (context) => {
  const path = await folder(context);
  await mkdir(join(path, 'folder'));
  refuses(join(path, 'folder'), /no regular file: put one at/);
  refuses('/dev/zero', /no regular file/);
  await writeFile(join(path, 'large'), '#'.repeat(1_048_577));
  refuses(join(path, 'large'), /has 1048577 bytes, and 1048576 are allowed/);
  refuses(join(path, 'gone'), /cannot be read \(ENOENT\): put it back/);
});

test('a pipe that nobody writes to ends the start at once', { timeout: 20_000 }, async (context) => {
  const pipe = join(await folder(context), 'signers');
  execFileSync('mkfifo', [pipe]);
  // In a process of its own: what waits for the pipe would hold up the test as well.
  const main = resolve(import.meta.dirname, '../../runtime/main.ts');
  const words = ['--conditions=source', main, '--repo', 'https://git.test/x.git', '--signers', pipe];
  const { status, stderr, error } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 10_000 });
  assert.equal(error, undefined);
  assert.equal(status, 2, stderr);
  assert.match(stderr, /--signers \(or HEADGATE_SIGNERS\) \S+: the signers file is no regular file: put one at/);
});
