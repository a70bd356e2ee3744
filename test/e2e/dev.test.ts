/** What `npm start` does, on a clone of this very repository: the reference gateway follows the commits. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { StatusReport } from '../../runtime/serve.ts';
import { startHeadgate } from '../support/process.ts';
import { commitAll, git, temporaryFolder } from '../support/sample-repository.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

/** A repository with what this one says about its gateway, and the packages this one has. */
async function clone(context: TestContext): Promise<string> {
  const folder = await temporaryFolder(context);
  await git(folder, 'init', '--quiet');
  for (const name of ['gateway.config.ts', 'prompts', 'policies', '.gitignore'])
    await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await commitAll(folder, 'The reference gateway');
  return folder;
}

async function edit(folder: string, from: string, to: string): Promise<void> {
  const path = join(folder, 'gateway.config.ts');
  const text = await readFile(path, 'utf8');
  assert.ok(text.includes(from), `${from} stands in gateway.config.ts`);
  await writeFile(path, text.replace(from, to));
}

test(
  'prints a curl line that works as pasted, follows commits and reverts within five seconds, refuses a broken one',
  { timeout: 120_000 },
  async (context) => {
    const folder = await clone(context);
    const dev = startHeadgate(['dev', ...ports], { cwd: folder });
    context.after(() => dev.end('SIGKILL'));
    const [curl] = await dev.printed(/curl [^]*?\}'/);
    const ask = async () => (await promisify(execFile)('bash', ['-c', curl.replace('curl ', 'curl -s ')])).stdout;
    assert.match(dev.output, /console {5}http:\/\/127\.0\.0\.1:\d+\/console/);
    assert.match(dev.output, /key {9}hg_\w{43}/);
    assert.match(await ask(), /You said: Hello/);

    // The reference gateway has a quota, so the waiting is done on the admin plane.
    const [, adminUrl] = await dev.printed(/(http:\S+)\/console/);
    const live = async (subject: string, pattern: RegExp) => {
      const committed = performance.now();
      await until(
        `${subject} is served`,
        async () => {
          const { active } = (await (await fetch(`${adminUrl}/status`)).json()) as StatusReport;
          return active?.source?.subject === subject;
        },
        20_000,
      );
      const seconds = (performance.now() - committed) / 1000;
      assert.match(await ask(), pattern);
      return seconds;
    };
    // The promise is about the gateway, not about what else the machine does: one round within it is enough.
    const promised = 5;
    const forward: number[] = [];
    const back: number[] = [];
    for (const word of ['One', 'Two', 'Three', 'Four', 'Five', 'Six']) {
      await edit(folder, 'You said: {{input}}', `${word}: {{input}}`);
      await commitAll(folder, `Say ${word}`);
      forward.push(await live(`Say ${word}`, new RegExp(`${word}: Hello`)));
      await git(folder, 'revert', '--no-edit', 'HEAD');
      back.push(await live(`Revert "Say ${word}"`, /You said: Hello/));
      if (Math.min(...forward) < promised && Math.min(...back) < promised) break;
    }
    const inWords = (times: readonly number[]) => times.map((seconds) => `${seconds.toFixed(1)} s`).join(', ');
    context.diagnostic(`from commit to live: ${inWords(forward)}; the reverts: ${inWords(back)}`);
    assert.ok(Math.min(...forward) < promised && Math.min(...back) < promised);

    await edit(folder, "latency: '20ms'", "latency: 'soon'");
    await commitAll(folder, 'Break it');
    await dev.printed(/gateway\.config\.ts:\d+:\d+ error TS2322/);
    await dev.printed(/held: .* still serves/);
    assert.match(await ask(), /You said: Hello/);
    assert.equal(await dev.end(), 0);
  },
);

test('--watch follows saves without a commit', { timeout: 60_000 }, async (context) => {
  const folder = await clone(context);
  const dev = startHeadgate(['dev', '--watch', ...ports], { cwd: folder, env: { HEADGATE_DEV_KEY: 'a-key-of-mine' } });
  context.after(() => dev.end('SIGKILL'));
  const [curl] = await dev.printed(/curl [^]*?\}'/);
  const ask = async () => (await promisify(execFile)('bash', ['-c', curl.replace('curl ', 'curl -s ')])).stdout;
  assert.match(curl, /Bearer a-key-of-mine/);
  assert.match(await ask(), /You said: Hello/);
  await edit(folder, 'You said: {{input}}', 'Saved: {{input}}');
  await until('the save is live', async () => /Saved: Hello/.test(await ask()), 8_000);
  // Advice that changes nothing of what is served is told all the same.
  const config = join(folder, 'gateway.config.ts');
  const text = await readFile(config, 'utf8');
  const limit = "{ unit: 'requests', limit: 1, window: '1m' }";
  await writeFile(
    config,
    `${text}\nimport { quota as another } from 'headgate';\nexport const dead = another('dead', ${limit});\n`,
  );
  await dev.printed(/unused_declaration quota 'dead'/);
});
