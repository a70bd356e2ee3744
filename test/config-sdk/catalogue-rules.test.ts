/** Rules that ask the catalogue need neither a clock nor the compiler, and say what the editor would say. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalogue } from '../../config-sdk/catalogue/catalogue.ts';
import { judge } from '../../config-sdk/check.ts';
import type { Finding } from '../../config-sdk/findings.ts';
import { load } from '../../config-sdk/load/load.ts';
import { typecheck } from '../../config-sdk/typecheck.ts';

const golden = (name: string): string => join(import.meta.dirname, '..', 'golden', 'check', name);

async function ruledWith(name: string, types: readonly Finding[]): Promise<readonly Finding[]> {
  return (await judge(golden(name), types, await load(golden(name)))).findings;
}

/** The compiler orders capabilities in its own way. */
const misfits = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ code }) => code === 'target_unfit')
    .map(({ file, line, column, message }) => [file, line, column, ...message.split(/,? /).toSorted()].join(' '));

test('the catalogue says on which day it was taken', () => {
  assert.match(catalogue.source, new RegExp(`, as of ${catalogue.taken}\\.`));
});

test('a model is as retired a hundred years later, and as much before its day', async (context) => {
  const names = ['model-retired', 'model-deprecated'];
  const now = await Promise.all(names.map((name) => ruledWith(name, [])));
  for (const day of ['1990-01-01', '2126-01-01']) {
    context.mock.timers.enable({ apis: ['Date'], now: Date.parse(day) });
    assert.deepEqual(await Promise.all(names.map((name) => ruledWith(name, []))), now);
    context.mock.timers.reset();
  }
});

test('without its types, a configuration is told the same of the same places', async () => {
  const typed = await ruledWith('target-unfit', await typecheck(golden('target-unfit')));
  assert.equal(misfits(typed).length, 4);
  assert.deepEqual(misfits(await ruledWith('target-unfit', [])), misfits(typed));
});
