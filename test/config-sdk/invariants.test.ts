/** Invariants are judged where configuration is evaluated, and a broken one shows a request that `explain` follows to the break. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';
import { command } from '../support/command.ts';

const withInvariant = (body: string): string =>
  sampleConfig()
    .replace('import {', 'import { invariant, isLimited, staysAt,')
    .replace('\nexport default', `void [isLimited, staysAt];\n${body}\n\nexport default`);

async function saidOf(context: Parameters<typeof temporaryFolder>[0], config: string): Promise<string[]> {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': config });
  const { findings } = await check(folder);
  return findings.map(({ code, line }) => `${line} ${code}`);
}

test('the request that a finding shows leads explain to the path that breaks the promise', async (context) => {
  const folder = await temporaryFolder(context);
  const config = withInvariant(
    `invariant('nothing goes to the sandbox', ({ paths }) => paths.every(({ end }) => end.name !== 'sandbox'));`,
  );
  await writeFiles(folder, { 'gateway.config.ts': config });
  const { findings, snapshot } = await check(folder);
  assert.equal(snapshot, undefined);
  const [request = ''] = /\{.*\}/.exec(findings[0]?.hint ?? '') ?? [];
  const child = spawn(process.execPath, [command, 'explain', '-'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(request);
  assert.match(await text(child.stdout), /^target {4}sandbox\/echo .*\n[^]*would be sent to sandbox\/echo\n$/m);
});

test('a promise about what has other errors is not judged', async (context) => {
  const config = withInvariant(`invariant('never', () => false);`).replace("target('echo')", "target('ecoh')");
  const said = await saidOf(context, config);
  assert.ok(said.length > 0 && said.every((each) => !each.includes('invariant')), said.join());
});

test('a promise that would answer later, or with something else, is no promise', async (context) => {
  const later = withInvariant(`invariant('later', (() => Promise.resolve(true)) as never);`);
  assert.deepEqual(await saidOf(context, later), ['8 invariant_failed']);
  const other = withInvariant(`invariant('other', (() => ['x']) as never);`);
  assert.deepEqual(await saidOf(context, other), ['8 invariant_failed']);
});

test('what a configuration promises is not part of what is published', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': withInvariant(`invariant('limited', isLimited());`) });
  const { findings, snapshot } = await check(folder);
  assert.deepEqual(findings, []);
  assert.doesNotMatch(JSON.stringify(snapshot), /invariant|limited/);
});

test('a promise that never ends is named, and everything else is still said', async (context) => {
  const folder = await temporaryFolder(context);
  const config = withInvariant(
    [
      `invariant('never holds', () => false);`,
      `invariant('loops', () => { for (;;); });`,
      `export const wrong: string = 1;`,
    ].join('\n'),
  );
  await writeFiles(folder, { 'gateway.config.ts': config });
  const { findings } = await check(folder, { timeoutMs: 5_000 });
  const failed = "invariant 'loops' could not be judged: evaluation took longer than 5 s at it";
  assert.deepEqual(
    findings.map(({ line, code, message }) => [line, code, code === 'invariant_failed' ? message : '']),
    [
      [8, 'invariant_violated', ''],
      [9, 'invariant_failed', failed],
      [10, 'TS2322', ''],
    ],
  );
});
