import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { report } from '../../config-sdk/report/report.ts';
import { headgate, sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const golden = (name: string) => join(import.meta.dirname, '..', 'golden', 'check', name);

test('fault 96: a credential in the configuration is an error at its line, and is repeated nowhere', async () => {
  const directory = golden('secret-literal');
  const { findings, redact } = await check(directory);
  assert.ok(findings.some(({ code, severity }) => code === 'secret_literal' && severity === 'error'));
  const config = readFileSync(join(directory, 'gateway.config.ts'), 'utf8');
  const literals = [...config.matchAll(/'((?:sk-|ghp_|AKIA|xox)[\w-]{8,})'/g)].map(([, literal = '']) => literal);
  assert.ok(literals.length > 0);
  for (const format of ['pretty', 'json', 'github', 'sarif'] as const) {
    const shown = report(findings, format, { directory, terminal: true, redact });
    for (const literal of literals) assert.ok(!shown.includes(literal), `${format} shows a credential`);
  }
});

test('fault 97: syntax that Node cannot strip is an error at its line', async () => {
  const { findings } = await check(golden('enum'));
  assert.ok(findings.length > 0 && findings.every(({ file, line }) => file === 'gateway.config.ts' && line > 1));
});

test("fault 98: a fork's pull request without any secret still validates", async (context) => {
  const folder = await temporaryFolder(context);
  const config = sampleConfig()
    .replace('import { consumer,', 'import { secret, consumer,')
    .replace(
      "provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } })",
      "provider('vendor', { kind: 'openai', apiKey: secret('ONLY_IN_PRODUCTION'), models: { echo: { contextWindow: 8_192 } } })",
    );
  assert.match(config, /ONLY_IN_PRODUCTION/);
  await writeFiles(folder, { 'gateway.config.ts': config });
  const { code, stdout } = await headgate(folder, ['check', '--json']);
  assert.equal(code, 0, stdout);
});
