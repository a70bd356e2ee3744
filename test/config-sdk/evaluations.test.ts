/** Evaluating the same repository again and again: each time in a new process, however early it was started. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Evaluations } from '../../config-sdk/load/load.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';
import { until } from '../support/until.ts';

const named = (name: string): string => sampleConfig().replace("name: 'demo'", `name: ${name}`);

async function nameFrom(evaluations: Evaluations): Promise<unknown> {
  const loaded = await evaluations.load();
  assert.ok('document' in loaded, JSON.stringify(loaded));
  const { declarations, gateway } = loaded.document;
  return (declarations[Number(gateway)]?.spec as { name?: unknown } | undefined)?.name;
}

test('nothing that one evaluation leaves behind is there in the next', async (context) => {
  const folder = await temporaryFolder(context);
  const left =
    "const world = globalThis as { left?: string };\nconst name = world.left ?? 'first';\nworld.left = 'again';\n";
  await writeFiles(folder, { 'gateway.config.ts': `${left}${named('name')}` });
  const evaluations = new Evaluations(folder);
  context.after(() => evaluations.close());
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await nameFrom(evaluations), 'first');
    evaluations.prepare();
  }
});

test('a process that has looked at a file reads it as it is when it is told to begin', async (context) => {
  const folder = await temporaryFolder(context);
  const says = (name: string) =>
    writeFiles(folder, {
      'gateway.config.ts': `import { name } from './name.ts';\n${named('name')}`,
      'name.ts': `export const name: string = '${name}';\n`,
    });
  await says('one');
  const evaluations = new Evaluations(folder);
  context.after(() => evaluations.close());
  assert.equal(await nameFrom(evaluations), 'one');
  for (const name of ['two', 'three']) {
    evaluations.prepare();
    // Long enough for it to have looked; nothing tells.
    await wait(700);
    await says(name);
    assert.equal(await nameFrom(evaluations), name);
  }
  evaluations.prepare();
  await wait(700);
  assert.equal(await nameFrom(evaluations), 'three');
});

test('one that was started ahead is confined like any other', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': sampleConfig() });
  const evaluations = new Evaluations(folder);
  context.after(() => evaluations.close());
  await evaluations.load();
  evaluations.prepare();
  await writeFiles(folder, {
    'gateway.config.ts': `import 'node:fs';\n${named('`${Date.now()}-${process.env.HOME}`')}`,
  });
  const loaded = await evaluations.load();
  assert.ok('document' in loaded);
  assert.deepEqual(
    loaded.document.impurities.map(({ what }) => what),
    ['Date.now', 'process.env'],
  );
  assert.equal(loaded.document.refusedImports.length, 1);
});

test('one that ended while it waited is replaced, and so is one that may not read what is there by now', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': named("'one'") });
  const evaluations = new Evaluations(folder);
  context.after(() => evaluations.close());
  evaluations.prepare();
  await until('it waits', async () => (await processesAbout(folder)).length === 1);
  const [waiting] = await processesAbout(folder);
  process.kill(Number(waiting), 'SIGKILL');
  await until('it is gone', async () => (await processesAbout(folder)).length === 0);
  assert.equal(await nameFrom(evaluations), 'one');
  evaluations.prepare();
  await writeFiles(folder, { 'node_modules/new/package.json': '{}' });
  assert.equal(await nameFrom(evaluations), 'one');
  await until('both are gone', async () => (await processesAbout(folder)).length === 0);
});

/** Processes whose command line names the folder. */
async function processesAbout(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('--permission') && line.includes(folder)) found.push(id);
  }
  return found;
}

test('one that waits ends when nobody is left to tell it to begin', async (context) => {
  const folder = await temporaryFolder(context);
  const module = new URL('../../config-sdk/load/load.ts', import.meta.url).href;
  await writeFiles(folder, {
    'gateway.config.ts': sampleConfig(),
    'parent.mjs': `import { Evaluations } from '${module}';\nnew Evaluations('${folder}').prepare();\nconsole.log('ready');\n`,
  });
  const parent = spawn(process.execPath, ['--conditions=source', join(folder, 'parent.mjs')]);
  await once(parent.stdout, 'data');
  await until('it waits', async () => (await processesAbout(folder)).length === 1);
  parent.kill('SIGKILL');
  await until('it has ended', async () => (await processesAbout(folder)).length === 0);
});
