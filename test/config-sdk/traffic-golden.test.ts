/** Each folder of `test/golden/traffic` is a change, the log of a gateway, and the comment with what becomes of its requests. `UPDATE_GOLDEN=1` writes them anew. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { snapshotSchema, type SnapshotInput } from '@headgate/runtime/snapshot';
import { compile } from '../../config-sdk/compile/compile.ts';
import { findingTable } from '../../config-sdk/findings.ts';
import { load } from '../../config-sdk/load/load.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';
import { markdown } from '../../config-sdk/plan/render/markdown.ts';
import { replay } from '../../config-sdk/plan/traffic/replay.ts';

const root = join(import.meta.dirname, '..', 'golden', 'traffic');

async function snapshotIn(directory: string): Promise<SnapshotInput> {
  const loaded = await load(directory);
  assert.ok('document' in loaded);
  const { problems, snapshot } = compile(loaded.document, directory);
  assert.deepEqual(
    problems.filter(({ code }) => findingTable[code].severity === 'error'),
    [],
  );
  assert.ok(snapshot);
  return snapshot;
}

describe('what plan says of recorded traffic', () => {
  for (const name of readdirSync(root)) {
    test(name.replaceAll('-', ' '), async () => {
      const file = join(root, name, 'expected.md');
      const [base, head] = [await snapshotIn(join(root, name, 'base')), await snapshotIn(join(root, name, 'head'))];
      const plan = planBetween(snapshotSchema.parse(base), snapshotSchema.parse(head));
      const path = join(root, name, 'gateway.log');
      const titles = { base: [{ code: 'main' }], head: [{ code: name }], notes: [] };
      const shown = markdown({ ...plan, ...titles, traffic: await replay({ base, head, path }) });
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, shown);
      assert.equal(shown, existsSync(file) ? readFileSync(file, 'utf8') : 'there is no expected.md');
      const again = markdown({ ...plan, ...titles, traffic: await replay({ base, head, path }) });
      assert.equal(again, shown, 'the same on each run');
    });
  }
});
