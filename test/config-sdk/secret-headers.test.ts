/** Headers that carry nothing but credentials: a text in one is a secret, however simple it looks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

test('a text in a credential header of a provider or an upstream is a secret, one in another header is not', async (context) => {
  const folder = await temporaryFolder(context);
  const headers = `{
  authorization: 'Basic letmein',
  'proxy-authorization': 'x',
  'X-Api-Key': 'opensesame',
  'api-key': 'opensesame',
  cookie: 'a=b',
  'x-team': 'opensesame',
}`;
  const url = 'http://localhost:1/v1';
  await writeFiles(folder, {
    'gateway.config.ts': `${sampleConfig().replace('import {', 'import { upstream,')}
export const up = upstream('up', { url: 'https://a.internal', headers: ${headers.toLowerCase()} });
export const vendor = provider('vendor', { kind: 'openai', baseUrl: '${url}', models: { m: { contextWindow: 9 } }, headers: ${headers} });
`,
  });
  const { findings } = await check(folder);
  const said = findings.filter(({ code }) => code !== 'unused_declaration').map(({ line, code }) => `${line} ${code}`);
  const lines = [11, 12, 13, 14, 15, 19, 20, 21, 22, 23];
  assert.deepEqual(
    said,
    lines.map((line) => `${line} secret_literal`),
  );
  assert.doesNotMatch(JSON.stringify(findings), /letmein|opensesame/);
});
