/** What evaluating a configuration reads beside the repository: the process that does it starts with each check and each save. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');

test('what a configuration imports brings neither the schema nor any package along', async () => {
  const script = `
    const { registerHooks } = await import('node:module');
    const read = [];
    registerHooks({ load: (url, context, next) => (read.push(url), next(url, context)) });
    await import(${JSON.stringify(pathToFileURL(join(root, 'config-sdk', 'index.ts')).href)});
    console.log(JSON.stringify(read));`;
  const parameters = ['--conditions=source', '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: root });
  const read = (JSON.parse(stdout) as string[]).filter((url) => url.startsWith('file:'));
  const names = read.map((url) => url.slice(pathToFileURL(root).href.length + 1));
  assert.ok(names.includes('config-sdk/index.ts'), names.join('\n'));
  assert.deepEqual(
    names.filter((name) => !name.startsWith('config-sdk/') && name !== 'runtime/quota-unit.ts'),
    [],
  );
});
