/** That the scan at the end of a run can fail: planted secrets are found wherever and however they are spelled. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from './support/sample-repository.ts';
import { leakInWords, scanForSecrets } from './support/secret-scan.ts';

const secret = 'sk-made/up+"key"-0815';

/** What `recording.ts` writes of a process that says `text`. */
async function recorded(folder: string, text: string, words: readonly string[] = ['serve']): Promise<void> {
  await mkdir(folder, { recursive: true });
  const origin = { file: 'test/a.test.ts', test: 'a test', what: words.join(' '), words };
  await writeFile(join(folder, '1.planted'), `${JSON.stringify({ value: secret, where: 'test/b.test.ts' })}\n`);
  await writeFile(join(folder, '1.json'), JSON.stringify(origin));
  await writeFile(join(folder, '1.said'), text);
}

const spelled: Readonly<Record<string, string>> = {
  plain: `key ${secret} was refused`,
  'as JSON': JSON.stringify({ message: `key ${secret}` }),
  'in a URL': `https://example.com/?key=${encodeURIComponent(secret)}`,
  'in hexadecimal': Buffer.from(`x${secret}`).toString('hex'),
  'in base64': Buffer.from(`user:${secret}`).toString('base64'),
  'in base64 of URLs': Buffer.from(`to:${secret}, and more`).toString('base64url'),
  'in base64 by itself': Buffer.from(secret).toString('base64'),
};

test('a planted secret is found in each spelling, with its line, the recording and the test', async (context) => {
  const folder = await temporaryFolder(context);
  for (const [name, text] of Object.entries(spelled)) {
    const at = join(folder, name);
    await recorded(at, `one line\nanother\nthen ${text}\nand the end`);
    const { leaks, secrets } = scanForSecrets(at);
    assert.equal(secrets, 1);
    assert.equal(leaks.length, 1, `${name}: ${text}`);
    const [leak] = leaks;
    assert.ok(leak);
    assert.equal(leak.line, 3, name);
    const words = leakInWords(leak);
    for (const part of ['line 3', '1.said', '"a test"', 'test/a.test.ts', 'planted in test/b.test.ts'])
      assert.ok(words.includes(part), words);
    assert.ok(!words.includes(secret), 'the report does not say the whole of it');
  }
});

test('what is no secret, half of one, or its hash is not found', async (context) => {
  const folder = join(await temporaryFolder(context), 'clean');
  await recorded(folder, `sk-made and ${secret.slice(0, -1)}\n${secret.toUpperCase()}\n`);
  assert.deepEqual(scanForSecrets(folder).leaks, []);
});

test('only who makes a key may print it: keys create yes, serve and other commands no', async (context) => {
  const folder = await temporaryFolder(context);
  const found = async (name: string, words: string[]) => {
    await recorded(join(folder, name), `the key is ${secret}`, words);
    return scanForSecrets(join(folder, name)).leaks.length;
  };
  assert.equal(await found('create', ['headgate.js', 'keys', 'create', 'app']), 0);
  assert.equal(await found('serve', ['headgate.js', 'serve', '--store', 'keys-create']), 1);
  assert.equal(await found('check', ['headgate.js', 'check', 'keys']), 1);
  assert.equal(await found('dev', ['headgate.js', 'dev']), 1, 'dev may print the key it made, and no other');
});

const loud = `import { execFile } from 'node:child_process';
import { test } from 'node:test';
test('a loud process', (context, done) => {
  const program = "process.stdout.write('sk-loud-'); setTimeout(() => process.stdout.write(process.env.LOUD_KEY.slice(8)), 50)";
  execFile(process.execPath, ['-e', program], { env: { LOUD_KEY: 'sk-loud-process' } }, done);
});
`;

test('a process that a test starts is recorded, and its secret found though it was written in pieces', async (context) => {
  const folder = await temporaryFolder(context);
  const recordings = join(folder, 'recordings');
  await mkdir(recordings);
  await writeFile(join(folder, 'loud.test.mjs'), loud);
  const { NODE_TEST_CONTEXT, ...inherited } = process.env;
  void NODE_TEST_CONTEXT;
  const preload = resolve(import.meta.dirname, 'support/record-run.ts');
  await promisify(execFile)(process.execPath, [`--import=${preload}`, join(folder, 'loud.test.mjs')], {
    env: { ...inherited, RECORDINGS_OF_TESTS: recordings },
  });
  const [leak, ...more] = scanForSecrets(recordings).leaks;
  assert.ok(leak && more.length === 0);
  assert.equal(leak.secret, 'sk-loud-process');
  assert.equal(leak.origin.test, 'a loud process');
  assert.match(leak.origin.file, /loud\.test\.mjs$/);
});
