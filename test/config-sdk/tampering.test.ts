/** A configuration that changes what the language does gives a finding or nothing, and never a stack. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

for (const [tampering, codes] of [
  ["(Array.prototype as any).toJSON = () => 'gone';", []],
  ['(Object.prototype as any).toJSON = () => ({});', []],
  ["Object.defineProperty(Array.prototype, 'toJSON', { value: () => 7 });", ['config_failed']],
  ["JSON.stringify = () => 'null';", []],
  ['Array.prototype.map = () => [1] as never;', ['config_failed']],
  ['Object.entries = () => { throw new Error("mine"); };', ['config_failed']],
] as const) {
  test(`${tampering} gives ${codes.join(', ') || 'nothing'}`, async (context) => {
    const folder = await temporaryFolder(context);
    await writeFiles(folder, { 'gateway.config.ts': `${sampleConfig()}${tampering}\n` });
    const { findings } = await check(folder);
    assert.deepEqual(
      findings.map(({ code }) => code),
      [...codes],
    );
  });
}
