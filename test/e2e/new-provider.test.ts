/** Adding a provider is one new file and one export line: what docs/providers.md says, done to a copy of this repository. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startHeadgate } from '../support/process.ts';
import { git, temporaryFolder, writeFiles } from '../support/sample-repository.ts';
import { startScripted } from '../support/scripted-upstream.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const own = ['headgate', '@headgate'];

/** The packages of this repository, and those of others as they are installed here. */
async function copyRepository(context: TestContext): Promise<string> {
  const folder = await temporaryFolder(context);
  const isSource = (path: string) => !['node_modules', 'dist'].includes(basename(path));
  for (const name of ['runtime', 'config-sdk', 'package.json'])
    await cp(join(root, name), join(folder, name), { recursive: true, filter: isSource });
  const packages = join(folder, 'node_modules');
  await mkdir(join(packages, '@headgate'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules')))
    if (!own.includes(name)) await symlink(join(root, 'node_modules', name), join(packages, name));
  await symlink('../config-sdk', join(packages, 'headgate'));
  await symlink('../../runtime', join(packages, '@headgate', 'runtime'));
  return folder;
}

/** What the page shows of a file, its first line naming it. */
async function shown(path: string): Promise<string> {
  const page = await readFile(join(root, 'docs', 'providers.md'), 'utf8');
  const [, text] = page.split(`\`\`\`ts\n// ${path}\n`);
  return text?.split('```')[0] ?? assert.fail(`docs/providers.md shows ${path}`);
}

const answered = (content: string) => ({
  id: 'c-1',
  object: 'chat.completion',
  created: 1,
  model: 'acme-1',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});

test('one new file and one export line make a kind that configs accept and calls go through', async (context) => {
  const upstream = await startScripted(({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answered('Here is Acme')));
  });
  context.after(() => upstream.close());
  const folder = await copyRepository(context);
  const registry = join(folder, 'runtime', 'providers', 'index.ts');
  const [line, lines] = [await shown('runtime/providers/index.ts'), await readFile(registry, 'utf8')];
  const after = lines.indexOf('export {');
  await writeFile(registry, `${lines.slice(0, after)}${line}${lines.slice(after)}`);
  const config = (await shown('gateway.config.ts')).replace("'acme',\n", `'acme',\n  baseUrl: '${upstream.url}/v1',\n`);
  await writeFiles(folder, {
    'runtime/providers/acme.ts': await shown('runtime/providers/acme.ts'),
    'gateway.config.ts': `import { consumer, defineGateway, model, provider, secret } from 'headgate';
${config}
const chat = model('chat', { needs: ['tools'], targets: [acme.target('acme-1')] });
const team = consumer('team', { keys: ['sha256:${'0'.repeat(63)}1'] });
export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
`,
  });
  await git(folder, 'init', '--quiet');
  await git(folder, 'add', 'gateway.config.ts');
  await git(folder, 'commit', '--quiet', '--message', 'Acme');

  const dev = startHeadgate(['dev', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'], {
    cwd: folder,
    env: { ACME_API_KEY: 'key-of-acme' },
    command: join(folder, 'config-sdk', 'bin', 'headgate.js'),
  });
  context.after(() => dev.end('SIGKILL'));
  const [, key] = await dev.printed(/key +(hg_\w+)/);
  const [, url] = await dev.printed(/curl \S*?(http:\/\/127\.0\.0\.1:\d+)/);
  const messages = [{ role: 'user', content: 'hi' }];
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'chat', messages, max_completion_tokens: 9, seed: 7 }),
  });
  assert.match(await response.text(), /Here is Acme/);
  const [received] = upstream.received;
  assert.deepEqual(received?.json, { model: 'acme-1', messages, max_tokens: 9, seed: 7 });
  assert.equal(received.path, '/v1/chat/completions');
  assert.equal(received.headers.authorization, 'Bearer key-of-acme');
});
