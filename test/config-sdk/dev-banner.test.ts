/** What `headgate dev` says of a repository that has nothing to serve. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { git, temporaryFolder } from '../support/sample-repository.ts';
import { command } from '../support/command.ts';

test('a repository without a commit is called that, and no model is asked for that is not there', async (context) => {
  const folder = await temporaryFolder(context);
  await git(folder, 'init', '--quiet');
  const flags = ['dev', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const child = spawn(process.execPath, [command, ...flags], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  let said = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    said += String(piece);
    if (said.includes('Commit a change')) child.kill('SIGTERM');
  }
  await ended;
  assert.match(said, /has nothing to serve yet: this repository has no commit/);
  assert.doesNotMatch(said, /curl/);
});
