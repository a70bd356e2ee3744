/** The command keeps what Node compiled of it in a folder of its user's own, and does without where there is none. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const run = promisify(execFile);

/** A package as it is published, which says `fine`. */
async function published(context: TestContext) {
  const folder = await temporaryFolder(context);
  const bootstrap = await readFile(new URL('../../runtime/bin/bootstrap.js', import.meta.url), 'utf8');
  await writeFiles(folder, {
    'package.json': '{ "type": "module" }',
    'bin/bootstrap.js': bootstrap,
    'bin/headgate.js': "import { start } from './bootstrap.js';\nawait start(import.meta.url, 'cli');\n",
    'dist/cli.js': "export const run = () => (process.stdout.write('fine'), 0);\n",
  });
  const cache = join(folder, 'cache');
  const said = async () => {
    const env = { XDG_CACHE_HOME: cache, HOME: folder };
    return (await run(process.execPath, [join(folder, 'bin/headgate.js')], { env })).stdout;
  };
  return { folder, cache, own: join(cache, 'headgate', 'compiled'), said };
}

test('the cache is a folder that only its user may read or write', async (context) => {
  const { own, said } = await published(context);
  assert.equal(await said(), 'fine');
  assert.equal((await stat(own)).mode & 0o777, 0o700);
  assert.notDeepEqual(await readdir(own), []);
});

test('a folder that others can write to is not used', async (context) => {
  const { own, said } = await published(context);
  await mkdir(own, { recursive: true });
  await chmod(own, 0o777);
  assert.equal(await said(), 'fine');
  assert.deepEqual(await readdir(own), []);
});

test('where nothing can be written the command runs without', async (context) => {
  const { folder, cache, said } = await published(context);
  await writeFiles(folder, { cache: 'a file' });
  assert.equal(await said(), 'fine');
  assert.equal(await readFile(cache, 'utf8'), 'a file');
});

test('threads without an environment, and processes that are started, use the same folder', async (context) => {
  const { folder, own, said } = await published(context);
  await writeFiles(folder, {
    'compile-cache.ts': await readFile(new URL('../../runtime/compile-cache.ts', import.meta.url), 'utf8'),
    'dist/thread.js': `
      import { getCompileCacheDir } from 'node:module';
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage(getCompileCacheDir() ?? 'none');
    `,
    'dist/cli.js': `
      import { once } from 'node:events';
      import { dirname } from 'node:path';
      import { Worker } from 'node:worker_threads';
      import { sameCompileCache } from '../compile-cache.ts';
      export async function run() {
        const thread = new Worker(new URL('./thread.js', import.meta.url), { env: sameCompileCache() });
        const [used] = await once(thread, 'message');
        process.stdout.write(JSON.stringify([dirname(used), process.env.NODE_COMPILE_CACHE]));
        return 0;
      }
    `,
  });
  assert.deepEqual(JSON.parse(await said()), [own, own]);
});
