/** The `headgate` command as users and machines meet it: exit codes, formats, and what goes to which stream. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKey } from '../../config-sdk/keys.ts';
import { headgate, sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const broken = sampleConfig(0);

test('exit codes tell a fine configuration, a broken one, wrong usage and a broken environment apart', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, {
    'gateway.config.ts': sampleConfig(),
    'broken/gateway.config.ts': broken,
    'empty/readme': '',
  });
  const codes = async (...parameters: string[]) => (await headgate(folder, parameters)).code;
  assert.equal(await codes('check'), 0);
  assert.equal(await codes('check', 'broken'), 1);
  assert.equal(await codes('check', 'empty'), 1);
  assert.equal(await codes('build', 'broken'), 1);
  assert.equal(existsSync(join(folder, 'broken', '.headgate')), false);
  for (const wrong of [
    ['chekc'],
    ['check', '--jsn'],
    ['check', 'a', 'b'],
    ['check', '--format', 'xml'],
    ['keys'],
    [],
  ]) {
    assert.equal(await codes(...wrong), 2, wrong.join(' '));
  }
  assert.equal(await codes('check', 'missing'), 3);
  assert.equal(await codes('build', '--out', 'gateway.config.ts/out'), 3);
  assert.equal(await codes('--version'), 0);
  assert.equal(await codes('publish', '--help'), 0);
});

test('status of what is no address is wrong usage, in one line', async (context) => {
  const { code, stderr } = await headgate(await temporaryFolder(context), ['status', 'notaurl']);
  assert.equal(code, 2);
  assert.match(stderr, /^headgate: 'notaurl' is no http\(s\) address.*\n$/);
});

test('the help of dev shows the defaults of dev', async (context) => {
  const { stdout } = await headgate(await temporaryFolder(context), ['dev', '--help']);
  const help = stdout.replaceAll(/\s+/g, ' ');
  assert.match(help, /--poll <DURATION> [^(]*\(default 500ms\)/);
  assert.match(help, /--log-level <LEVEL> [^(]*\(default error\)/);
});

test('a warning alone does not fail', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': sampleConfig().replace(/keys: \[.*\]/, 'keys: []') });
  const { code, stdout } = await headgate(folder, ['check']);
  assert.equal(code, 0);
  assert.match(stdout, /^gateway\.config\.ts:6:\d+ warning consumer_without_keys .*; .*\n$/);
});

test('JSON is one document on standard output, whatever the configuration prints', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': `${broken}console.log('noise');\n` });
  const { stdout, stderr } = await headgate(folder, ['check', '--json']);
  const { ok, errors, findings } = JSON.parse(stdout) as { ok: boolean; errors: number; findings: object[] };
  assert.deepEqual([ok, errors, findings.length], [false, 1, 1]);
  assert.deepEqual(Object.keys(findings[0] ?? {}), ['file', 'line', 'column', 'severity', 'code', 'message', 'hint']);
  assert.match(stderr, /noise/);
});

test('GitHub gets annotations by itself, with paths from the top of the checkout', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gate/gateway.config.ts': broken });
  const { stdout } = await headgate(folder, ['check', 'gate'], { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: folder });
  assert.match(
    stdout,
    /^::error file=gate\/gateway\.config\.ts,line=4,col=55,title=invalid_value::quota 'free': limit: must be at least 1; /,
  );
  const { stdout: asked } = await headgate(folder, ['check', 'gate', '--format', 'pretty'], { GITHUB_ACTIONS: 'true' });
  assert.match(asked, /^gateway\.config\.ts:4:55 error/);
});

test('SARIF names each rule once and each place in its result', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': broken.replace("'1h'", "'1y' as '1d'") });
  const { stdout } = await headgate(folder, ['check', '--format', 'sarif']);
  const log = JSON.parse(stdout) as {
    version: string;
    runs: {
      tool: { driver: { rules: { id: string }[] } };
      results: { ruleId: string; ruleIndex: number; locations: { physicalLocation: { region: object } }[] }[];
    }[];
  };
  assert.equal(log.version, '2.1.0');
  const [run] = log.runs;
  assert.deepEqual(
    run?.tool.driver.rules.map(({ id }) => id),
    ['invalid_value'],
  );
  assert.equal(run?.results.length, 2);
  assert.deepEqual(run?.results[0]?.locations[0]?.physicalLocation.region, { startLine: 4, startColumn: 55 });
});

test('colours and frames come on request, never with NO_COLOR, and never show a credential', async (context) => {
  const folder = await temporaryFolder(context);
  // Two lines apart, so that the compiler's finding stays and its words are cleaned.
  const elsewhere = `const table = ['hunter2-hunter2'] as const;\nexport const other = consumer('other', { keys: table });\n`;
  const leaky = `${broken}${elsewhere}const leaked = upstream('leaked', { url: 'https://a', headers: { a: 'AKIAIOSFODNN7EXAMPLE', 'x-token': 4 } });\n`;
  await writeFiles(folder, {
    'gateway.config.ts': leaky.replace('import {', 'import { upstream,').replace(/sha256:\d+/, 'hunter2-hunter2'),
  });
  const { stdout } = await headgate(folder, ['check'], { FORCE_COLOR: '1' });
  assert.ok(stdout.includes('\u001b[31merror'));
  assert.match(stdout, /const free = quota/);
  const { stdout: plain, stderr } = await headgate(folder, ['check'], { NO_COLOR: '1' });
  assert.ok(!plain.includes('\u001b'));
  for (const shown of [stdout, plain, stderr, (await headgate(folder, ['check', '--json'])).stdout])
    assert.doesNotMatch(shown, /AKIA|hunter2/);
});

test('keys create prints a key once and the hash that belongs to it', async (context) => {
  const folder = await temporaryFolder(context);
  const { stdout } = await headgate(folder, ['keys', 'create', '--json']);
  const { key, hash } = JSON.parse(stdout) as { key: string; hash: string };
  assert.match(key, /^hg_[0-9A-Za-z]{43}$/);
  assert.equal(hash, `sha256:${createHash('sha256').update(key).digest('hex')}`);
  const { stdout: lines } = await headgate(folder, ['keys', 'create']);
  assert.match(lines, /^key: {2}hg_\w{43}\nhash: sha256:[0-9a-f]{64}\n$/);
});

test('keys use every character alike', () => {
  const counts = new Map<string, number>();
  for (let made = 0; made < 1_000; made += 1)
    for (const character of createKey().slice(3)) counts.set(character, (counts.get(character) ?? 0) + 1);
  assert.equal(counts.size, 62);
  // 43,000 draws, 694 expected each: 26 standard deviations wide.
  assert.ok([...counts.values()].every((count) => count > 500 && count < 900));
});

test('without a Node that is new enough the command says so in one line', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(join(folder, 'bin'));
  const text = await readFile(new URL('../../runtime/bin/bootstrap.js', import.meta.url), 'utf8');
  assert.match(text, /\[24, 15\]/);
  await writeFiles(folder, {
    'bin/bootstrap.mjs': text.replace('[24, 15]', '[99, 0]'),
    'bin/headgate.mjs': `import { start } from './bootstrap.mjs';\nawait start(import.meta.url, 'cli');\n`,
  });
  const outcome = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, ['bin/headgate.mjs', 'check'], { cwd: folder }, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
  assert.equal(outcome.code, 3);
  assert.match(outcome.stderr, /^headgate: Node \S+ is too old.*\n$/);
});
