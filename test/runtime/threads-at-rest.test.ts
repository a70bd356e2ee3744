import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LedgerThread } from '../../runtime/ledger/thread.ts';
import { ledgerFile } from '../../runtime/ledger/tables.ts';
import { openGitSource } from '../../runtime/sync/git-source.ts';
import { artifactBranch } from '../support/artifact-branch.ts';
import { snapshotOf } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';

const tasks = '/proc/self/task';
const never = new AbortController().signal;

/** Whether this process has a thread of that name now. */
const runs = (name: string): boolean =>
  readdirSync(tasks).some((task) => {
    try {
      return readFileSync(join(tasks, task, 'comm'), 'latin1').trim() === name;
    } catch {
      return false;
    }
  });

test('the git thread ends between two looks, and is no crash', { skip: !existsSync(tasks) }, async (context) => {
  await using directory = await temporaryDirectory();
  await initRepository(directory.path, { bare: true });
  const commit = await artifactBranch(directory.path).publish(snapshotOf({}));
  const source = openGitSource({ url: directory.path, ref: 'headgate/compiled', limits: { restMs: 50 } });
  context.after(() => source.close());
  assert.equal(await source.tip(never), commit);
  assert.ok(runs('headgate-git'), 'it is there while it may be asked again');
  await until('it is gone', async () => !runs('headgate-git'));
  const found = await source.fetch(commit, never);
  assert.ok(found.files.has('manifest.json'), 'another answers the next question');
  assert.equal(source.restarts, 0);
});

test('the thread of a ledger closes its file at rest, and what comes later is written beside the rest', async () => {
  await using directory = await temporaryDirectory();
  const keep = { callsMs: 86_400_000, sumsMs: 86_400_000 };
  const thread = new LedgerThread({ kind: 'file', directory: directory.path, keep }, assert.fail, 50);
  const write = (first: number) => thread.ask<'write'>({ do: 'write', lines: { writer: 'w', first, records: [] } });
  const log = `${ledgerFile(directory.path)}-wal`;
  for (const first of [0, 1]) {
    assert.equal(await write(first), 0);
    assert.ok(existsSync(log), 'open');
    await until('the file is closed', async () => !existsSync(log));
  }
  await thread.close();
});
