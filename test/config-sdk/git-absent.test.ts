/** Git that cannot begin: told at once, and nothing of it stays behind. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ownModules } from '../support/command.ts';

const root = resolve(import.meta.dirname, '../..');

test('a directory that is not there holds up no process', async () => {
  const program = `
    import { attempt } from './config-sdk/git.ts';
    await attempt(${JSON.stringify(join(root, 'no-such-directory'))}, ['status']).catch((error) => console.log(error.message));`;
  const parameters = [...ownModules, '--input-type=module-typescript', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: root, timeout: 30_000 });
  assert.match(
    stdout,
    /git could not start in .*no-such-directory: git is not installed, or the directory does not exist/,
  );
});
