/** Each folder of `test/golden/check` is a configuration and the findings it must give. `UPDATE_GOLDEN=1` writes them anew. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { check, judge, type CheckResult } from '../../config-sdk/check.ts';
import { findingTable, type Finding } from '../../config-sdk/findings.ts';
import { load } from '../../config-sdk/load/load.ts';
import { report } from '../../config-sdk/report/report.ts';
import { typecheckTogether } from '../../config-sdk/typecheck.ts';

const root = join(import.meta.dirname, '..', 'golden', 'check');
const cases = readdirSync(root);

/** These go the whole way alone; a syntax error would keep the compiler from speaking of anything else. */
const alone = ['good', 'no-config', 'syntax-error', 'ten-mistakes'];

describe('what check says', { concurrency: 2 }, () => {
  const together = cases.filter((name) => !alone.includes(name));
  let types: readonly (readonly Finding[])[] = [];

  // One run of the compiler for all: a process for each would be most of the suite's time.
  before(async () => {
    types = await typecheckTogether(together.map((name) => join(root, name)));
  });

  async function resultOf(name: string): Promise<CheckResult> {
    const directory = join(root, name);
    if (alone.includes(name)) return check(directory);
    return judge(directory, types[together.indexOf(name)] ?? [], await load(directory));
  }

  for (const name of cases) {
    test(name, async () => {
      const directory = join(root, name);
      const file = join(directory, 'expected.txt');
      const { findings, redact } = await resultOf(name);
      const shown = report(findings, 'pretty', { directory, terminal: false, redact });
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, shown);
      assert.equal(shown, existsSync(file) ? readFileSync(file, 'utf8') : 'there is no expected.txt');
    });
  }
});

test('the fixture with ten mistakes gives ten findings, each on a line of its own', () => {
  const lines = readFileSync(join(root, 'ten-mistakes', 'expected.txt'), 'utf8')
    .trim()
    .split('\n');
  assert.equal(lines.length, 10);
  assert.equal(new Set(lines.map((line) => line.split(':').slice(0, 2).join(':'))).size, 10);
});

test('every finding of the table is shown by one of these configurations', () => {
  const all = cases.map((name) => readFileSync(join(root, name, 'expected.txt'), 'utf8')).join('');
  // Limits are tried where they can be made small or large, and no group that the SDK makes has a weight too many.
  const elsewhere = ['config_timeout', 'snapshot_too_large', 'weight_refused'];
  const missing = Object.keys(findingTable).filter(
    (code) => !elsewhere.includes(code) && !new RegExp(` ${code} `).test(all),
  );
  assert.deepEqual(missing, []);
});
