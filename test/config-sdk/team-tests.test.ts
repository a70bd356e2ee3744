/** `headgate test` runs a repository's own expectations: offline, confined, on a clock of their own, with the lines of config that decided. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test, type TestContext } from 'node:test';
import { command } from '../support/command.ts';
import { headgate, installHeadgate, temporaryFolder, writeFiles, type Finished } from '../support/sample-repository.ts';

const golden = join(import.meta.dirname, '..', 'golden', 'explain', 'gateway.config.ts');
/** The gateway that `explain` is tested with, its objects exported, so that tests can refer to them. */
const config = readFileSync(golden, 'utf8').replaceAll(/^const /gm, 'export const ');

const tests = (body: string): string => `import { same, test } from 'headgate/test';
import { chat, daily, desk, guest, home, orders, remote, shop, support, team } from '../gateway.config.ts';
void [chat, daily, desk, guest, home, orders, remote, same, shop, support, team];

${body}
`;

async function repository(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(context);
  await installHeadgate(folder);
  await writeFiles(folder, { 'package.json': '{ "type": "module" }', 'gateway.config.ts': config, ...files });
  return folder;
}

async function ran(context: TestContext, body: string, flags: readonly string[] = []): Promise<Finished> {
  return headgate(await repository(context, { 'tests/team.test.ts': tests(body) }), ['test', ...flags]);
}

/** Advice about the configuration says nothing about its tests. */
const withoutAdvice = (text: string): string => text.replaceAll(/^(\S+ warning .*|0 errors, \d+ warnings)\n/gm, '');

/** Without how long it took. */
const timeless = (text: string): string => text.replaceAll(/ \(\d+\.\d s\)/g, '');

describe('headgate test', { concurrency: 2 }, () => {
  test('holds what routes, orders, prompts, views, refusals and quotas should be', async (context) => {
    const { code, stdout, stderr } = await ran(
      context,
      `
test('the team starts at home', async ({ gateway }) => {
  const asked = await gateway.ask({ model: chat, consumer: team });
  asked.isAdmitted().matches(chat).goesTo(home.target('small'), 'remote/big').keepsAll().draws(daily, 1);
});
test('weights and the prompt of the desk', async ({ gateway }) => {
  const asked = await gateway.ask({ model: desk, consumer: guest, metadata: { customer: 'Ada' } });
  asked.startsAt({ 'home/small': 2 / 3, 'remote/big': 1 / 3 });
  asked.prompts({ system: 'You help Ada.\\n\\nBe brief.', user: 'The tone: calm.' });
});
test('guests may not chat, and nobody may plan', async ({ gateway }) => {
  (await gateway.ask({ model: chat, consumer: guest })).isRefused('model_not_allowed');
  const messages = [{ role: 'user', content: 'my secret plan' }] as const;
  (await gateway.ask({ model: chat, consumer: team, messages })).isRefused('blocked_by_policy');
  (await gateway.ask({ model: chat })).isRefused('missing_api_key');
});
test('a key is asked with by value, and no key comes with claims', async ({ gateway }) => {
  const key: import('headgate').KeySpec = { hash: \`sha256:\${'1'.repeat(64)}\` };
  // @ts-expect-error a key has no claims
  void (() => gateway.ask({ model: chat, consumer: team, key, claims: {} }));
  try {
    await gateway.ask({ model: chat, consumer: team, key });
  } catch (error) {
    same((error as Error).message.startsWith("consumer 'team' has no key"), true);
  }
});
test('an order goes to the shop', async ({ gateway }) => {
  const asked = await gateway.send({ method: 'GET', path: '/orders/7', consumer: team });
  asked.matches(orders).isForwardedTo(shop, '/api/7');
});
test('a long conversation keeps its end', async ({ gateway }) => {
  const messages = Array.from({ length: 30 }, (_, turn) => ({
    role: turn % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content: \`Turn \${turn}. \${'It goes on and on, and on again. '.repeat(8)}\`,
  }));
  (await gateway.ask({ model: chat, consumer: team, messages })).keeps([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
});
test('a prompt by itself', ({ gateway }) => {
  same(gateway.render(support, { customer: 'Bo', tone: 'dry' }).user, 'The tone: dry.');
});`,
    );
    assert.equal(withoutAdvice(stderr), '');
    assert.equal(
      timeless(stdout),
      `ok   tests/team.test.ts: the team starts at home
ok   tests/team.test.ts: weights and the prompt of the desk
ok   tests/team.test.ts: guests may not chat, and nobody may plan
ok   tests/team.test.ts: a key is asked with by value, and no key comes with claims
ok   tests/team.test.ts: an order goes to the shop
ok   tests/team.test.ts: a long conversation keeps its end
ok   tests/team.test.ts: a prompt by itself
7 tests, all fine
`,
    );
    assert.equal(code, 0);
  });

  test('moves the clock over the end of a month, a leap day and a change of zone', async (context) => {
    const { code, stdout } = await ran(
      context,
      `
for (const [name, last, next] of [
  ['the end of a month', '2026-04-30T23:59:59Z', '2026-05-01T00:00:00Z'],
  ['a leap day', '2028-02-28T23:59:59Z', '2028-02-29T00:00:00Z'],
  ['the day after it', '2028-02-29T23:59:59Z', '2028-03-01T00:00:00Z'],
] as const)
  test(name, async ({ gateway }) => {
    gateway.clock.set(last);
    for (let used = 1; used <= 100; used += 1) (await gateway.ask({ model: chat, consumer: team })).draws(daily, used);
    (await gateway.ask({ model: chat, consumer: team })).isRefused('quota_exceeded');
    gateway.clock.advance('1s');
    same(gateway.clock.now, next.replace('Z', '.000Z'));
    (await gateway.ask({ model: chat, consumer: team })).draws(daily, 1);
  });
test('summer time begins, and days go on in UTC', async ({ gateway }) => {
  gateway.clock.set('2026-03-29T01:59:59+01:00');
  (await gateway.ask({ model: chat, consumer: team })).draws(daily, 1);
  gateway.clock.set('2026-03-29T03:00:00+02:00');
  (await gateway.ask({ model: chat, consumer: team })).draws(daily, 2);
  gateway.clock.set('2026-03-30T02:00:00+02:00');
  (await gateway.ask({ model: chat, consumer: team })).draws(daily, 1);
});`,
    );
    assert.match(stdout, /\n4 tests, all fine/);
    assert.equal(code, 0);
  });

  test('shows what was expected, what came, and the lines of configuration that decided', async (context) => {
    const body = `test('the guest may chat', async ({ gateway }) => {
  (await gateway.ask({ model: chat, consumer: guest })).isAdmitted();
});
test('the team starts far away', async ({ gateway }) => {
  (await gateway.ask({ model: chat, consumer: team })).goesTo(remote.target('big'));
});
test('throws', () => {
  throw new TypeError('out of luck');
});
test('asks for nobody', async ({ gateway }) => {
  await gateway.ask({ model: chat, consumer: 'tema' });
});`;
    const { code, stdout } = await ran(context, body);
    assert.equal(code, 1);
    assert.equal(
      timeless(stdout),
      `FAIL tests/team.test.ts: the guest may chat
    tests/team.test.ts:6:57 the request is let through
    expected admitted
    actual   refused: model_not_allowed
    decided  gateway.config.ts:45:22 consumers.guest
FAIL tests/team.test.ts: the team starts far away
    tests/team.test.ts:9:56 the targets in order
    expected [ 'remote/big' ]
    actual   [ 'home/small', 'remote/big' ]
    decided  gateway.config.ts:30:21 models.chat
FAIL tests/team.test.ts: throws
    tests/team.test.ts:12:9 TypeError: out of luck
FAIL tests/team.test.ts: asks for nobody
    tests/team.test.ts:15:17 RangeError: no consumer is named 'tema': did you mean 'team'?
4 tests, 4 failed
`,
    );
    const json = await ran(context, body, ['--json']);
    const { ok, results } = JSON.parse(json.stdout) as { ok: boolean; results: { failure?: { actual?: string } }[] };
    assert.deepEqual([ok, results.length, json.code], [false, 4, 1]);
    assert.equal(results[1]?.failure?.actual, "[ 'home/small', 'remote/big' ]");
  });

  test('is confined: the clock, the network and the file system are refused at their lines', async (context) => {
    const body = `import { readFileSync } from 'node:fs';
test('reaches out', async () => {
  void [Date.now(), readFileSync];
  await fetch('http://127.0.0.1:1');
});`;
    const { code, stderr } = await ran(context, body);
    assert.equal(code, 1);
    // The compiler does not know them here, and names them first.
    assert.match(stderr, /tests\/team\.test\.ts:5:\d+ error .*node:fs/);
    const untyped = {
      'tests/loose.test.js': '',
      'tests/team.test.ts': tests(
        `${body
          .replace(/^import.*\n/, '')
          .replace(', readFileSync', '')
          .replace('await fetch', 'await (globalThis as { fetch?: (url: string) => unknown }).fetch?.')}`,
      ),
    };
    const second = await headgate(await repository(context, untyped), ['test']);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /tests\/team\.test\.ts:6:\d+ error impure_code Date\.now/);
    assert.match(second.stderr, /tests\/team\.test\.ts:7:\d+ error impure_code fetch/);
  });

  test('types tests: a wrong reference or code is an error before anything runs', async (context) => {
    const { code, stderr, stdout } = await ran(
      context,
      `test('wrong', async ({ gateway }) => {
  (await gateway.ask({ model: home, consumer: team })).isRefused('quota_exceded');
});`,
    );
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /team\.test\.ts:6:\d+ error TS2322/);
    assert.match(stderr, /team\.test\.ts:6:\d+ error TS\d+ .*quota_exceded/);
  });

  test('a configuration with errors, a repository without tests and a file that fails are told', async (context) => {
    const broken = await repository(context, {
      'gateway.config.ts': config.replace("home.target('small'), remote", "home.target('smal'), remote"),
      'tests/team.test.ts': tests(''),
    });
    const { code, stderr } = await headgate(broken, ['test']);
    assert.equal(code, 1);
    assert.match(stderr, /gateway\.config\.ts:\d+:\d+ error/);
    const bare = await headgate(await repository(context, {}), ['test']);
    assert.equal(bare.code, 1);
    assert.match(bare.stderr, /there are no tests here: write tests\/\*\*\/\*\.test\.ts/);
    const failing = await ran(context, `throw new Error('not today');`);
    assert.equal(failing.code, 1);
    assert.match(
      failing.stdout,
      /FAIL tests\/team\.test\.ts: the file can be run\n {4}tests\/team\.test\.ts:5:7 Error: not today/,
    );
  });

  test('runs again on each save with --watch', async (context) => {
    const holds = tests(`test('one', async ({ gateway }) => {
  (await gateway.ask({ model: chat, consumer: team })).isAdmitted();
});`);
    const folder = await repository(context, { 'tests/team.test.ts': holds });
    const child = spawn(process.execPath, [command, 'test', '--watch'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (wanted: RegExp): Promise<void> => {
      for (;;) {
        const { value, done } = await lines.next();
        assert.ok(!done, 'it ended');
        if (wanted.test(String(value))) return;
      }
    };
    const ended = once(child, 'exit');
    try {
      await next(/^1 test, all fine/);
      await writeFile(join(folder, 'tests/team.test.ts'), holds.replace('isAdmitted()', "isRefused('quota_exceeded')"));
      await next(/^1 test, 1 failed/);
      await writeFile(join(folder, 'tests/team.test.ts'), holds);
      await next(/^1 test, all fine/);
    } finally {
      // Before its folder goes: what is watched there is looked at again when it does.
      child.kill();
      await ended;
    }
  });
});
