/** Every save is seen, however a file is written. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { followSaves } from '../../config-sdk/saves.ts';
import { temporaryFolder, writeFiles } from '../support/sample-repository.ts';
import { until } from '../support/until.ts';

test('files written, replaced, added and removed in turn are all seen; folders of tools are not', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': 'one', 'prompts/a.ts': 'a', 'node_modules/x/y.js': '1' });
  let told = 0;
  const saves = await followSaves(folder, () => (told += 1));
  context.after(() => saves.close());
  const at = (name: string) => join(folder, name);
  const replace = async (text: string) => {
    await writeFile(at('aside.tmp'), text);
    await rename(at('aside.tmp'), at('gateway.config.ts'));
  };
  const ways = [
    () => replace('two'),
    () => writeFile(at('gateway.config.ts'), 'three'),
    () => appendFile(at('gateway.config.ts'), ' and a half'),
    () => replace('four'),
    () => appendFile(at('gateway.config.ts'), '.'),
    () => rm(at('prompts/a.ts')),
    () => mkdir(at('prompts/deep')).then(() => writeFile(at('prompts/deep/b.ts'), 'b')),
    () => replace('five'),
    () => writeFile(at('prompts/deep/b.ts'), 'c'),
  ];
  for (const [index, save] of ways.entries()) {
    const before = saves.count;
    await save();
    await until(`save ${index} is seen`, () => Promise.resolve(saves.count > before), 10_000);
  }
  assert.equal(told, saves.count);
  // What came in the steps of one save has been looked at.
  await wait(700);
  const before = saves.count;
  await writeFiles(folder, { 'node_modules/x/y.js': '2', '.headgate/z': '', 'dist/a.js': '' });
  await wait(700);
  assert.equal(saves.count, before);
});
