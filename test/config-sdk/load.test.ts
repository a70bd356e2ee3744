/** Evaluating a configuration: what it may do, what is refused, and what the rest of the program learns from it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { load } from '../../config-sdk/load/load.ts';
import { importedNames } from '../../config-sdk/load/imports.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const said = async (folder: string): Promise<string[]> =>
  (await check(folder)).findings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);

test('a configuration that never ends is stopped', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': 'for (;;) {}' });
  const loaded = await load(folder, { timeoutMs: 500 });
  assert.ok('fault' in loaded && loaded.fault === 'config_timeout');
});

test('a promise that never settles is a failure and not a wait', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': `await new Promise(() => {});\n${sampleConfig()}` });
  assert.deepEqual(await said(folder), ['gateway.config.ts:1:1 config_failed']);
});

test('what a configuration prints, and a process it tries to end, leave the answer whole', async (context) => {
  const folder = await temporaryFolder(context);
  const noise = `console.log('{"declarations":[]}');\nconsole.error('x'.repeat(200_000));\n`;
  await writeFiles(folder, { 'gateway.config.ts': `${sampleConfig()}${noise}` });
  assert.deepEqual(await said(folder), []);
  await writeFiles(folder, { 'gateway.config.ts': `${sampleConfig()}process.exit(0);\n` });
  assert.deepEqual(await said(folder), ['gateway.config.ts:9:1 impure_code']);
});

test('a large configuration arrives whole', async (context) => {
  const folder = await temporaryFolder(context);
  const text = `${sampleConfig()}export const long = prompt('long', { system: 'x'.repeat(3_000_000) });\n`;
  await writeFiles(folder, { 'gateway.config.ts': text.replace('import {', 'import { prompt,') });
  const loaded = await load(folder);
  assert.ok('document' in loaded);
  const spec = loaded.document.declarations.at(-1)?.spec;
  assert.deepEqual(spec, { system: 'x'.repeat(3_000_000) });
});

test('a snapshot that the runtime would refuse for its size is refused here', async (context) => {
  const folder = await temporaryFolder(context);
  const prompts = `const models = Array.from({ length: 25 }, (_, n) =>
  model(\`m\${n}\`, { targets: [sandbox.target('echo')], prompt: prompt(\`p\${n}\`, { system: String(n).padStart(3, '0').repeat(130_000) }) }),
);\n`;
  const text = sampleConfig()
    .replace('import {', 'import { prompt,')
    .replace('8_192', '1_000_000')
    .replace('export default', `${prompts}export default`);
  await writeFiles(folder, { 'gateway.config.ts': text.replace('models: [echo]', 'models: [echo, ...models]') });
  assert.deepEqual(await said(folder), ['gateway.config.ts:11:16 snapshot_too_large']);
});

test('fault 94: purity holds in imported files, in functions that run later, and behind try', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, {
    'gateway.config.ts': `import { stamp, quiet } from './lib/stamp.js';\nvoid [stamp(), quiet()];\n${sampleConfig()}`,
    'lib/stamp.js': [
      'export const stamp = () =>',
      '  Math.random();',
      'export function quiet() {',
      '  try {',
      '    return globalThis.process.env.HOME;',
      '  } catch {',
      '    return undefined;',
      '  }',
      '}',
    ].join('\n'),
  });
  assert.deepEqual(await said(folder), ['lib/stamp.js:2:3 impure_code', 'lib/stamp.js:5:23 impure_code']);
});

test('sockets and channels are refused where they are opened', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, {
    'gateway.config.ts': `import './lib/live.js';\n${sampleConfig()}`,
    'lib/live.js': "const socket = new WebSocket('wss://x.example');\nsocket.send('x');\nnew BroadcastChannel('x');\n",
  });
  assert.deepEqual(await said(folder), ['lib/live.js:1:16 impure_code', 'lib/live.js:3:1 impure_code']);
});

test('impurity in code that is never run is found by its type errors', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, {
    'gateway.config.ts': `${sampleConfig()}export const later = () => process.env['X'] ?? fetch('x');\n`,
  });
  assert.deepEqual(await said(folder), ['gateway.config.ts:9:28 impure_code', 'gateway.config.ts:9:48 impure_code']);
});

test('code made from strings does not run', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': `${sampleConfig()}new Function('return process')();\n` });
  assert.deepEqual(await said(folder), ['gateway.config.ts:9:1 config_failed']);
});

test('a file outside is refused when a link inside leads to it, and a module of its own stays in', async (context) => {
  const folder = await temporaryFolder(context);
  const repository = join(folder, 'repository');
  await writeFiles(folder, {
    'outside.ts': 'export const outside = 1;\n',
    'repository/gateway.config.ts': `import { outside } from './link.ts';\nvoid outside;\n${sampleConfig()}`,
  });
  await symlink(join(folder, 'outside.ts'), join(repository, 'link.ts'));
  assert.deepEqual(await said(repository), ['gateway.config.ts:1:25 impure_import']);
});

test('nothing is written and no package code runs while a configuration is evaluated', async (context) => {
  const folder = await temporaryFolder(context);
  const target = join(folder, 'written');
  await writeFiles(folder, {
    'node_modules/evil/package.json': '{ "name": "evil", "type": "module", "exports": "./index.js" }',
    'node_modules/evil/index.js': `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(target)}, 'x');\nexport const evil = 1;\n`,
    'node_modules/evil/index.d.ts': 'export const evil: number;\n',
    'gateway.config.ts': `import { writeFileSync } from 'node:fs';\nimport { evil } from 'evil';\nwriteFileSync(${JSON.stringify(target)}, String(evil));\n${sampleConfig()}`,
  });
  assert.deepEqual(await said(folder), [
    'gateway.config.ts:1:31 impure_import',
    'gateway.config.ts:2:22 impure_import',
  ]);
  assert.equal(existsSync(target), false);
});

test('text files give their text, with line ends and mark of their own taken out', async (context) => {
  const folder = await temporaryFolder(context);
  const text = sampleConfig()
    .replace('import {', 'import { prompt,')
    .replace('quotas: [free]', "quotas: [free], prompt: prompt('p', { system })");
  await writeFiles(folder, {
    'gateway.config.ts': `import system from './p.md';\n${text}`,
    'p.md': '\uFEFFBe kind.\r\nBe brief.\r\n',
  });
  const { snapshot, findings } = await check(folder);
  assert.deepEqual(findings, []);
  assert.equal(snapshot?.prompts['p']?.system, 'Be kind.\nBe brief.\n');
});

test('the names that stand-ins offer are read from imports and re-exports', () => {
  const source = `import a, { b, type C, d as e } from 'x';\nexport { f } from "x";\nimport { g } from 'y';`;
  assert.deepEqual(importedNames(source, 'x'), ['b', 'd', 'f']);
});
