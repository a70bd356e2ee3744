/** Bounds of the ledger: of its buffer, of how long calls are kept, and of what is said twice. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { BufferedLedger } from '../../runtime/ledger/ledger.ts';
import { recordsOf, type CallRecord, type Ended } from '../../runtime/ledger/record.ts';
import { openLedgerFile } from '../../runtime/ledger/tables.ts';
import { usageFrom } from '../../runtime/ledger/usage.ts';
import { LedgerWriting } from '../../runtime/ledger/writing.ts';
import { createLog } from '../../runtime/log.ts';
import { newOutcome, type Caller } from '../../runtime/outcome.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { temporaryDirectory } from '../support/repository.ts';

const dayMs = 86_400_000;
const keep = { callsMs: 90 * dayMs, sumsMs: 400 * dayMs };

function endedAt(at: number, caller?: Caller): Ended {
  const outcome = { ...newOutcome(), matched: 'model:chat', consumer: caller?.name, caller };
  return { id: 'req_1', at, revision: 'abcdefabcdef', surface: 'x', status: 200, ms: 20, firstMs: 10, outcome };
}

const fail = (aside: string) => assert.fail(aside);

test('a full buffer drops the newest, counts them, and holds up nobody', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'file');
  await writeFile(path, '');
  const metrics = createMetrics();
  const ledger = new BufferedLedger({ kind: 'file', directory: path, keep }, { log: createLog('silent'), metrics });
  for (let sent = 0; sent < 20_050; sent += 1) ledger.add(endedAt(Date.now()));
  assert.deepEqual([ledger.status.waiting, ledger.status.dropped], [20_000, 50]);
  assert.match(await metrics.registry.metrics(), /^headgate_ledger_dropped_total 50$/m);
  await ledger.close();
  assert.equal(ledger.status.dropped, 20_050);
});

test('single calls go after their time, what was added up stays, and what is said twice counts once', async () => {
  await using directory = await temporaryDirectory();
  const database = openLedgerFile(directory.path, fail);
  const now = Date.now();
  const writing = new LedgerWriting(database, keep, () => now);
  const records = (at: number): readonly CallRecord[] => recordsOf(endedAt(at));
  const old = records(now - keep.callsMs - 3 * dayMs);
  assert.equal(writing.write([{ writer: 'w', first: 0, records: old }]), 1);
  assert.equal(writing.write([{ writer: 'w', first: 0, records: [...old, ...records(now - 1)] }]), 1);
  assert.equal(writing.write([{ writer: 'w', first: 1, records: records(now - 1) }]), 0);
  writing.sweep();
  assert.equal(database.prepare('SELECT count(*) AS calls FROM call').get()?.['calls'], 1);
  const asked = { from: now - 2 * keep.callsMs, to: now, by: [], where: [], limit: 10, zone: 'UTC' } as const;
  assert.equal(usageFrom(database, asked, keep.callsMs).total.calls, 2);
  database.close();
});

test('calls count for their team and organisation, and in the group of each of their tags', async () => {
  await using directory = await temporaryDirectory();
  const database = openLedgerFile(directory.path, fail);
  const now = Date.now();
  const caller = { name: 'shop', team: 'web', organisation: 'house', tags: ['paid', 'eu'] };
  const records = [...recordsOf(endedAt(now - 2, caller)), ...recordsOf(endedAt(now - 1))];
  new LedgerWriting(database, keep).write([{ writer: 'w', first: 0, records }]);
  const span = { from: now - dayMs, to: now, limit: 10, zone: 'UTC' };
  const tags = usageFrom(database, { ...span, by: ['tag'], where: [] }, keep.callsMs);
  assert.deepEqual(
    tags.rows.map(({ group, calls }) => [group.tag, calls]),
    [
      ['', 1],
      ['eu', 1],
      ['paid', 1],
    ],
  );
  assert.equal(tags.total.calls, 2);
  const eu = { dimension: 'tag', value: 'eu' } as const;
  const teams = usageFrom(database, { ...span, by: ['organisation', 'team'], where: [eu] }, keep.callsMs);
  assert.deepEqual(
    teams.rows.map(({ group }) => group),
    [{ organisation: 'house', team: 'web' }],
  );
  database.close();
});

test('a file of a later version is left to that version', async () => {
  await using directory = await temporaryDirectory();
  const database = new DatabaseSync(join(directory.path, 'ledger.sqlite'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(() => openLedgerFile(directory.path, fail), /later version of Headgate/);
});
