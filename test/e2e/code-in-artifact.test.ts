/** Code that lies in the artifact, by accident or on purpose: whatever its name and place, nobody runs it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactFiles } from '../support/gateway.ts';
import { commitTree, runGit, temporaryDirectory, writeTree, type TreeLine } from '../support/repository.ts';
import { sourceOf } from '../support/artifact-branch.ts';
import { grounds } from '../support/serving-process.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const branch = 'headgate/compiled';
const names = ['gateway.config.ts', 'snapshot.ts', 'index.js', 'package.json'];

/** Leaves a file behind when it is loaded, in whatever way. */
const traps = (canary: string): Record<string, string> => ({
  'gateway.config.ts': `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(canary)}, 'config');\nexport default {};\n`,
  'snapshot.ts': `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(canary)}, 'snapshot');\n`,
  'index.js': `require('node:fs').writeFileSync(${JSON.stringify(canary)}, 'index');\n`,
  'package.json': '{"type":"commonjs","main":"index.js","scripts":{"prepare":"node index.js","start":"node index.js"}}',
});

/** Files of version `seq`; `named` adds them to the manifest, as a publisher who means them would. */
function filesOf(seq: number, named: Readonly<Record<string, string>> = {}): Map<string, Buffer> {
  const files = artifactFiles(versioned(seq), { seq, commit: sourceOf(seq) });
  const manifest = JSON.parse(files.get('manifest.json')?.toString() ?? '') as { files: object[] };
  for (const [path, text] of Object.entries(named)) {
    const sha256 = createHash('sha256').update(text).digest('hex');
    manifest.files.push({ path, sha256, size: Buffer.byteLength(text) });
    files.set(path, Buffer.from(text));
  }
  return files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
}

const linesOf = (files: ReadonlyMap<string, Buffer | string>): TreeLine[] =>
  [...files].map(([name, content]) => ({ mode: '100644', name, content }));

test('fault 55: code in the artifact is never loaded, whether it is hidden in it, named in its manifest or in a folder', async (context) => {
  await using directory = await temporaryDirectory();
  const canary = join(directory.path, 'canary');
  const code = traps(canary);
  assert.deepEqual(Object.keys(code), names);
  const { repository, start } = await grounds(context);
  const put = async (lines: readonly TreeLine[]) =>
    commitTree(repository, { branch, tree: await writeTree(repository, lines) });
  await put(linesOf(filesOf(1)));
  const gateway = start('--bake', '0s', '--drain', '0s');
  await until('1 serves', async () => (await gateway.which())?.says === 'version 1', 15_000);

  // Beside the artifact: refused, naming the file.
  const hidden = await put([...linesOf(filesOf(2)), ...linesOf(new Map(Object.entries(code)))]);
  const held = await until('it is held', async () => {
    const status = await gateway.status();
    return status.held?.commit === hidden && status.held;
  });
  assert.equal(held.reason, 'invalid');
  assert.match(held.detail, /holds gateway\.config\.ts.*, which its manifest does not name/);
  assert.equal((await gateway.which())?.says, 'version 1');

  // Vouched for by the manifest: an artifact holds data, and nothing else.
  const vouched = await put(linesOf(filesOf(3, code)));
  const refused = await until('it is held too', async () => {
    const status = await gateway.status();
    return status.held?.commit === vouched && status.held;
  });
  assert.equal(refused.reason, 'schema');
  assert.match(refused.detail, /an artifact holds data only/);

  // Data that package managers would act upon is carried along like any file, and no more.
  const named = await put(linesOf(filesOf(4, { 'package.json': code['package.json'] ?? '' })));
  await until('4 serves, and is kept', async () => (await gateway.status()).lkg.commit === named);
  assert.equal((await gateway.which())?.says, 'version 4');

  // In a folder, as a repository of sources would have it: not even fetched to the end.
  const folder = await writeTree(repository, linesOf(new Map(Object.entries(code))));
  await put([...linesOf(filesOf(5)), { mode: '040000', name: 'node_modules', object: folder }]);
  await until('it is refused', async () => (await gateway.status()).source.errorCode === 'ARTIFACT_MODE');
  assert.equal((await gateway.which())?.says, 'version 4');

  // And what was kept on disk, is no more than bytes to the next start.
  await runGit(repository, ['update-ref', '-d', `refs/heads/${branch}`]);
  assert.equal(await gateway.end(), 0);
  const again = start('--drain', '0s');
  await until('4 serves again', async () => (await again.which())?.says === 'version 4', 15_000);
  assert.equal(await again.end(), 0);
  await assert.rejects(access(canary), 'something ran the code');
});
