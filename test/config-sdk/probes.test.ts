/** Declared probes and removals on their way into the snapshot, and what `check` says of wrong ones. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { check } from '../../config-sdk/check.ts';
import { temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const keyHash = `sha256:${createHash('sha256').update('of the team').digest('hex')}`;

const config = (model: string, route: string, gateway: string) => `import * as sdk from 'headgate';
const sandbox = sdk.provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8192 } } });
const shop = sdk.upstream('shop', { url: 'https://shop.internal' });
const chat = sdk.model('chat', { targets: [sandbox.target('echo')], probe: ${model} });
const orders = sdk.route('orders', { path: '/orders/*', upstream: shop, probe: ${route} });
const team = sdk.consumer('team', { keys: ['${keyHash}'], models: [chat], routes: [orders] });
export default sdk.defineGateway({ name: 'demo', models: [chat], routes: [orders], consumers: [team], removed: ${gateway} });
`;

test('probes and removals reach the snapshot as they are written', async (context) => {
  const folder = await temporaryFolder(context);
  const text = config(
    `{ message: 'ping', timeout: '2s' }`,
    `{ path: '/orders/health' }`,
    `{ 'models.old': 'retired' }`,
  );
  await writeFiles(folder, { 'gateway.config.ts': text });
  const { snapshot, findings } = await check(folder);
  assert.deepEqual(findings, []);
  assert.deepEqual(snapshot?.models['chat']?.probe, { message: 'ping', timeout: '2s' });
  assert.deepEqual(snapshot?.routes['orders']?.probe, { path: '/orders/health' });
  assert.deepEqual(snapshot?.removed, { 'models.old': 'retired' });
});

test('a probe that cannot be is found where it stands', async (context) => {
  const folder = await temporaryFolder(context);
  const text = config(`{ message: '', timeout: '1m' }`, `{ path: '/orders/health', expectStatus: 42 }`, `{}`);
  await writeFiles(folder, { 'gateway.config.ts': text });
  const { findings } = await check(folder);
  assert.deepEqual(
    findings.map(({ line, message }) => [line, message]),
    [
      [4, "model 'chat': probe.message: must be at least 1 characters"],
      [4, "model 'chat': probe.timeout: '1m' is outside 1 ms to 15000 ms"],
      [5, "route 'orders': probe.expectStatus: must be at least 100"],
    ],
  );
});
