/** The ledger by key: sums and single calls, and files from before it knew keys. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { BadQuestion, whereOf, whereOfCalls } from '../../runtime/admin/usage-question.ts';
import { LedgerFile } from '../../runtime/ledger/file.ts';
import { recordsOf } from '../../runtime/ledger/record.ts';
import { ledgerFile } from '../../runtime/ledger/tables.ts';
import { newOutcome } from '../../runtime/outcome.ts';
import { temporaryDirectory } from '../support/repository.ts';

const at = Date.parse('2027-03-01T12:00:00Z');
const span = { from: at - 86_400_000, to: at + 86_400_000, zone: 'UTC' };
const [one, other] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'];

function recordsFor(key: string | undefined, request: string) {
  const caller = { name: 'shop', ...(key !== undefined && { key }) };
  const outcome = { ...newOutcome(at), matched: 'model:chat', consumer: 'shop', caller };
  return recordsOf({ id: request, at, revision: 'r', surface: 'x', status: 200, ms: 20, firstMs: 10, outcome });
}

const opened = (directory: string) =>
  new LedgerFile({
    directory,
    keep: { callsMs: 1e13, sumsMs: 1e13 },
    note: (text) => assert.fail(text),
    now: Date.now,
  });

function write(file: LedgerFile, writer: string, keys: readonly (string | undefined)[]): void {
  const records = keys.flatMap((key, index) => recordsFor(key, `${writer}-${index}`));
  file.write([{ writer, first: 0, records }]);
}

const sums = (file: LedgerFile) =>
  file
    .usage({ ...span, by: ['consumer', 'key'], where: [], limit: 100 })
    .rows.map(({ group, calls }) => `${group.consumer} ${group.key} ${calls}`)
    .toSorted();

test('calls are added up by key, and single ones are found by it', async () => {
  await using directory = await temporaryDirectory();
  const file = opened(directory.path);
  write(file, 'w', [one, other, one, undefined]);
  assert.deepEqual(sums(file), ['shop  1', `shop ${one} 2`, `shop ${other} 1`]);
  const where = whereOfCalls({ where: `key=sha256:${one}${'0'.repeat(52)}` });
  const { calls } = file.calls({ ...span, where, request: undefined, after: undefined, limit: 10 });
  assert.deepEqual(
    calls.map(({ request, key }) => [request, key]),
    [
      ['w-2', one],
      ['w-0', one],
    ],
  );
  file.close();
});

test('a file from before keys were told is brought up to date with all that it holds, and goes on', async () => {
  await using directory = await temporaryDirectory();
  const before = opened(directory.path);
  write(before, 'old', [undefined, undefined]);
  before.close();
  const plain = new DatabaseSync(ledgerFile(directory.path));
  const names =
    'revision, matched, surface, prompt, organisation, team, consumer, tags, target, provider, cache, status, code, ended';
  const columns = names.replaceAll(/\w+/g, (name) => `${name} ${name === 'status' ? 'INTEGER' : 'TEXT'} NOT NULL`);
  plain.exec(`
    CREATE TABLE first (id INTEGER PRIMARY KEY, ${columns}, UNIQUE (${names})) STRICT;
    INSERT INTO first SELECT id, ${names} FROM series;
    DROP TABLE series;
    ALTER TABLE first RENAME TO series;
    PRAGMA user_version = 1;
  `);
  plain.close();
  const [file, beside] = [opened(directory.path), opened(directory.path)];
  assert.deepEqual(sums(file), ['shop  2']);
  write(beside, 'new', [one, undefined]);
  assert.deepEqual(sums(file), ['shop  3', `shop ${one} 1`]);
  file.close();
  beside.close();
  const after = new DatabaseSync(ledgerFile(directory.path), { readOnly: true });
  assert.deepEqual({ ...after.prepare('PRAGMA user_version').get() }, { user_version: 2 });
  assert.deepEqual(after.prepare('PRAGMA integrity_check').all().length, 1);
  after.close();
});

test('a key is asked for by its hash, and whoever gives the key itself is told so without a word of it', () => {
  assert.deepEqual(whereOf({ where: `key=${one}` }), [{ dimension: 'key', value: one }]);
  assert.deepEqual(whereOf({ where: 'key=' }), [{ dimension: 'key', value: '' }]);
  for (const wrong of ['hg_the_key_itself', 'aaaa', one.toUpperCase()])
    assert.throws(
      () => whereOf({ where: `key=${wrong}` }),
      (error) => error instanceof BadQuestion && !error.message.includes(wrong) && /of the hash/.test(error.message),
    );
});
