/** A test of a team that hangs, or waits for nothing, is that test's failure: it takes no other result with it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { runTests } from '../../config-sdk/testing/run.ts';
import { headgate, installHeadgate, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const golden = join(import.meta.dirname, '..', 'golden', 'explain', 'gateway.config.ts');
const config = readFileSync(golden, 'utf8').replaceAll(/^const /gm, 'export const ');
const top = "import { test } from 'headgate/test';\nimport { chat, guest, team } from '../gateway.config.ts';\n";

async function repository(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(context);
  await installHeadgate(folder);
  await writeFiles(folder, { 'package.json': '{ "type": "module" }', 'gateway.config.ts': config, ...files });
  return folder;
}

/** Each result as one line: its place, its name, and how it failed and where. */
async function resultsOf(directory: string, timeoutMs = 20_000): Promise<string[]> {
  const { results = [] } = await runTests(directory, { timeoutMs });
  return results.map(({ file, line, name, failure }) =>
    [
      `${file}:${line} ${name}`,
      ...(failure ? [failure.message] : []),
      ...(failure?.position ? [`line ${failure.position.line}`] : []),
    ].join(': '),
  );
}

describe('tests that hang', { concurrency: 2 }, () => {
  test('each is named as failed at its place, and all others are judged', async (context) => {
    const directory = await repository(context, {
      'tests/a.test.ts': `${top}void [chat, guest, team];
test('before', () => {});
test('waits for ever', () => new Promise(() => {}));
test('loops', () => { for (;;); });
test('between', async ({ gateway }) => { (await gateway.ask({ model: chat, consumer: team })).isAdmitted(); });
throw new Error('at its end');
`,
      'tests/c.test.ts': `${top}void [chat, guest, team];
await new Promise(() => {});
`,
      'tests/d.test.ts': `${top}void [chat, guest, team];
test('after', () => {});
`,
    });
    const never = 'it never settles: it waits for what does not happen';
    const long = 'it took longer than 8 s and was ended';
    assert.deepEqual(await resultsOf(directory, 8_000), [
      'tests/a.test.ts:1 the file can be run: Error: at its end: line 8',
      'tests/a.test.ts:4 before',
      `tests/a.test.ts:5 waits for ever: ${never}`,
      `tests/a.test.ts:6 loops: ${long}`,
      'tests/a.test.ts:7 between',
      `tests/c.test.ts:1 the file can be run: ${never}`,
      'tests/d.test.ts:4 after',
    ]);
  });

  test('the command says exit code 1 and one JSON document', async (context) => {
    const directory = await repository(context, {
      'tests/a.test.ts': `import { test } from 'headgate/test';
test('waits for ever', () => new Promise(() => {}));
test('after', () => {});
`,
    });
    const { code, stdout } = await headgate(directory, ['test', '--json']);
    const { ok, results } = JSON.parse(stdout) as { ok: boolean; results: { name: string; failure?: object }[] };
    assert.deepEqual(
      [code, ok, results.map(({ name, failure }) => [name, failure === undefined])],
      [
        1,
        false,
        [
          ['waits for ever', false],
          ['after', true],
        ],
      ],
    );
  });

  test('a request or an expectation that nobody awaits fails its test', async (context) => {
    const directory = await repository(context, {
      'tests/a.test.ts': `${top}void [chat, guest, team];
test('asks and leaves', ({ gateway }) => {
  void gateway.ask({ model: chat, consumer: team }).then((asked) => asked.isRefused('model_not_allowed'));
});
test('awaits the other one', async ({ gateway }) => {
  void gateway.ask({ model: chat, consumer: team }).then((asked) => asked.isRefused('model_not_allowed'));
  (await gateway.ask({ model: chat, consumer: team })).isAdmitted();
});
test('throws on the side', () => {
  void Promise.resolve().then(() => { throw new Error('aside'); });
});
test('after', async ({ gateway }) => { (await gateway.ask({ model: chat, consumer: team })).isAdmitted(); });
`,
    });
    assert.deepEqual(await resultsOf(directory), [
      'tests/a.test.ts:4 asks and leaves: it ended before a request was decided: write await before it',
      'tests/a.test.ts:7 awaits the other one: the request is refused: line 8',
      'tests/a.test.ts:11 throws on the side: Error: aside: line 12',
      'tests/a.test.ts:14 after',
    ]);
  });

  test('a day that does not exist is refused at its line', async (context) => {
    const days = ['2027-02-29T00:00:00Z', '2026-02-30T12:00:00+01:00', '2026-04-31T00:00:00Z', '1 March 2026 Z'];
    const good = ['2028-02-29T23:59:59Z', '2026-12-31T23:59:59.999-05:00'];
    const directory = await repository(context, {
      'tests/a.test.ts': [
        "import { test } from 'headgate/test';",
        ...[...days, ...good].map((day, index) => `test('${index}', ({ gateway }) =>\n  gateway.clock.set('${day}'));`),
      ].join('\n'),
    });
    const results = await resultsOf(directory);
    assert.deepEqual(
      results.map((each) => /: line (\d+)$/.exec(each)?.[1]),
      ['3', '5', '7', '9', undefined, undefined],
    );
    assert.match(results[0] ?? '', /'2027-02-29T00:00:00Z' is no moment: there is no 2027-02-29/);
  });
});
