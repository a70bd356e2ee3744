/** What `check` lets through is what the runtime takes: the reason for a shrink, and text that no strict reader refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const shrinking = (reason: string) =>
  sampleConfig().replace('defineGateway({', `defineGateway({ allowShrink: ${reason},`);

test('fault 78: the reason for a shrink stands in the snapshot, and must be one', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': shrinking("'the old API ends today'") });
  const { snapshot, findings } = await check(folder);
  // It is said each time, because it may stay by mistake.
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['allow_shrink_left'],
  );
  assert.equal(snapshot?.allowShrink, 'the old API ends today');
  await writeFiles(folder, { 'gateway.config.ts': shrinking("''") });
  const blank = await check(folder);
  assert.deepEqual(
    blank.findings
      .filter(({ severity }) => severity === 'error')
      .map(({ code, message }) => [code, /allowShrink/.test(message)]),
    [['invalid_value', true]],
  );
  assert.equal(blank.snapshot, undefined);
});

test('fault 52: text that the runtime would refuse is found before it is published', async (context) => {
  const folder = await temporaryFolder(context);
  for (const [text, words] of [
    ['\\ud83d', /half of a surrogate pair at providers\./],
    ['a\\0b', /a NUL character at providers\./],
  ] as const) {
    const reply = `{ contextWindow: 8_192, reply: '${text}' }`;
    await writeFiles(folder, { 'gateway.config.ts': sampleConfig().replace(/\{ contextWindow: 8_?192[^}]*\}/, reply) });
    const { findings } = await check(folder);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['invalid_value'],
    );
    assert.match(findings[0]?.message ?? '', words);
  }
});
