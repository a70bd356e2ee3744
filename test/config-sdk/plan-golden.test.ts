/** Each folder of `test/golden/plan` is a pull request and the comment it must get. `UPDATE_GOLDEN=1` writes them anew. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { compile } from '../../config-sdk/compile/compile.ts';
import { findingTable } from '../../config-sdk/findings.ts';
import { load } from '../../config-sdk/load/load.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';
import { markdown } from '../../config-sdk/plan/render/markdown.ts';
import { safeguardsOf, type Safeguards } from '../../config-sdk/safeguards.ts';

const root = join(import.meta.dirname, '..', 'golden', 'plan');

/** Without the type checker, which has nothing to add here and takes most of the time of `check`. */
async function compiledIn(directory: string): Promise<{ snapshot: Snapshot; safeguards: Safeguards }> {
  const loaded = await load(directory);
  assert.ok('document' in loaded);
  const { problems, snapshot } = compile(loaded.document, directory);
  const errors = problems.filter(({ code }) => findingTable[code].severity === 'error');
  assert.deepEqual(errors, []);
  return { snapshot: snapshotSchema.parse(snapshot), safeguards: safeguardsOf(loaded.document) };
}

describe('what plan says of a pull request', { concurrency: 2 }, () => {
  const names = readdirSync(root);
  assert.ok(names.length >= 10);
  for (const name of names) {
    test(name.replaceAll('-', ' '), async () => {
      const file = join(root, name, 'expected.md');
      const [base, head] = [await compiledIn(join(root, name, 'base')), await compiledIn(join(root, name, 'head'))];
      const titles = { base: [{ code: 'main' }], head: [{ code: name }], notes: [] };
      const safeguards = { base: base.safeguards, head: head.safeguards };
      const shown = markdown({ ...planBetween(base.snapshot, head.snapshot, safeguards), ...titles });
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, shown);
      assert.equal(shown, existsSync(file) ? readFileSync(file, 'utf8') : 'there is no expected.md');
    });
  }
});
