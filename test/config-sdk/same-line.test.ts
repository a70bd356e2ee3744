/** Several mistakes on one line are several findings, and one mistake is one, wherever the parts that notice it point. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const hash = `'sha256:${'0'.repeat(63)}2'`;

/** Codes and columns on line 8 of a configuration that has `line` there. */
async function saidOf(context: TestContext, line: string, gateway = ''): Promise<string[]> {
  const folder = await temporaryFolder(context);
  const text = sampleConfig()
    .replace('import {', 'import { contextPolicy, route, upstream,')
    .replace('\nexport default', `${line}\nexport default`)
    .replace('consumers: [team] }', `consumers: [team]${gateway} }`);
  await writeFiles(folder, { 'gateway.config.ts': text });
  const { findings } = await check(folder);
  return findings
    .filter(({ code }) => code !== 'unused_declaration')
    .map((each) => `${each.line}:${each.column} ${each.code}`);
}

test('a plain key and a route among the models of one line are two findings', async (context) => {
  const line = `const up = upstream('up', { url: 'https://a.internal' }); const orders = route('orders', { path: '/o', upstream: up });
export const other = consumer('other', { keys: ['hg_plaintextplain' as never], models: [orders] });`;
  assert.deepEqual(await saidOf(context, line), ['8:49 plaintext_key', '8:89 TS2322']);
  assert.deepEqual(await saidOf(context, line.replace(' as never', '')), ['8:49 plaintext_key', '8:80 TS2322']);
});

test('a wrong method and a forbidden path on one line are two findings', async (context) => {
  const line = `const up = upstream('up', { url: 'https://a.internal' });
export const orders = route('orders', { path: '/v1/foo', upstream: up, stripPrefix: '/v1', methods: ['GETT'] });`;
  assert.deepEqual(await saidOf(context, line), ['8:47 invalid_value', '8:102 TS2820']);
});

test('a property that is not known and holds something impure is both', async (context) => {
  assert.deepEqual(await saidOf(context, '', ", extra: process.env['X']"), ['8:81 TS2353', '8:88 impure_code']);
});

test('one mistake that compiler, schema and rules notice is one finding', async (context) => {
  for (const [line, expected] of [
    [`export const q = quota('q', { unit: 'requests', limit: '5', window: '1m' });`, '7:49 TS2322'],
    [`export const q = quota('q', { unit: 'requests', limit: 5, window: '1y' });`, '7:59 TS2322'],
    [`export const q = quota('q', { unit: 'requests', limit: 5 });`, '7:29 TS2345'],
    [`export const q = quota('q', { unit: 'requests', limit: 5, window: '1m', burst: 1 });`, '7:73 TS2353'],
    [`export const q = quota('q', { unit: 'requests', limit: new Date(), window: '1m' });`, '7:56 impure_code'],
    [`export const m = model('m', { targets: [sandbox] });`, '7:41 TS2322'],
    [`export const c = contextPolicy('c', { kind: 'quantisedCut' });`, '7:37 TS2345'],
    [`export const p = provider('p', { kind: 'sandbox', models: { a: {} } });`, '7:61 TS2322'],
    [`export const c = consumer('c', { keys: [${hash}], models: [free] });`, undefined],
  ] as const) {
    const said = await saidOf(context, line);
    assert.equal(said.length, 1, `${line}: ${said.join(', ')}`);
    if (expected) assert.equal(said[0], expected, line);
  }
});

test('a value that is refused for being impure is not refused again for its stand-in', async (context) => {
  const line = `export const q = quota('rate', { unit: 'requests', limit: process.pid, window: '1m' });
export const used = consumer('used', { keys: [${hash}], quotas: [q] });`;
  assert.deepEqual(await saidOf(context, line, ', routes: process.argv'), ['7:59 impure_code', '9:89 impure_code']);
  const folder = await temporaryFolder(context);
  const served = sampleConfig().replace('limit: 10', 'limit: process.pid').replace("'demo'", 'process.title');
  await writeFiles(folder, { 'gateway.config.ts': served });
  const { findings } = await check(folder);
  assert.deepEqual(
    findings.map((each) => `${each.line}:${each.code}`),
    ['4:impure_code', '8:impure_code'],
  );
});
