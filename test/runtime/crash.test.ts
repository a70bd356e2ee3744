/** What a process leaves behind that dies of a fault with a vendor's key in flight. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startProcess } from '../support/gateway-process.ts';
import { snapshotOf, testKey } from '../support/gateway.ts';
import { temporaryFolder } from '../support/sample-repository.ts';
import { question } from '../support/versioned.ts';

const secret = 'sk-of-a-crash-4c1d';

/** Throws what libraries throw: an error with the request hanging on it. */
const bomb = (report: string) => `process.once('SIGUSR2', () => {
  process.report.writeReport(${JSON.stringify(report)});
  const headers = { authorization: 'Bearer ' + process.env.CRASH_KEY };
  throw Object.assign(new Error('it broke', { cause: Object.assign(new Error('deep'), { headers }) }), { options: { headers } });
});`;

/** It takes a call, and never answers. */
async function silentVendor(context: TestContext) {
  const vendor = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(vendor, 'listening');
  context.after(() => {
    vendor.closeAllConnections();
    vendor.close();
  });
  const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  return { vendor, baseUrl };
}

test('a process that dies of a fault says what and where, and neither it nor a report holds a secret', async (context) => {
  const folder = await temporaryFolder(context);
  const report = join(folder, 'report.json');
  const program = join(folder, 'bomb.mjs');
  await writeFile(program, bomb(report));
  const { vendor, baseUrl } = await silentVendor(context);
  const gateway = await startProcess(
    snapshotOf({
      providers: {
        vendor: {
          kind: 'openai',
          options: { baseUrl, apiKey: { $secret: 'CRASH_KEY' } },
          models: { m: { contextWindow: 8_192 } },
        },
      },
      models: { which: { targets: { kind: 'target', provider: 'vendor', model: 'm' } } },
    }),
    { CRASH_KEY: secret, NODE_OPTIONS: `--import=${pathToFileURL(program).href} --report-on-fatalerror` },
  );
  context.after(() => gateway.kill());
  const asked = once(vendor, 'request');
  const answer = fetch(`${gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(question()),
  }).catch(() => undefined);
  const [request] = await asked;
  assert.equal(request.headers.authorization, `Bearer ${secret}`, 'the key is in flight');
  gateway.signal('SIGUSR2');
  assert.equal(await gateway.ended, 1);
  await answer;
  const output = gateway.output();
  assert.match(output, /died of a fault: .*"message":"it broke".*"stack":".*bomb\.mjs/);
  for (const text of [output, await readFile(report, 'utf8')])
    for (const hidden of [secret, testKey]) assert.ok(!text.includes(hidden), 'a secret is in what it left behind');
});

test('a call that is cut because the process ends is told as its doing, not as the client having left', async (context) => {
  const { vendor, baseUrl } = await silentVendor(context);
  const options = { baseUrl, apiKey: { $secret: 'SLOW_KEY' } };
  const gateway = await startProcess(
    snapshotOf({
      providers: { slow: { kind: 'openai', options, models: { m: { contextWindow: 8_192 } } } },
      models: { which: { targets: { kind: 'target', provider: 'slow', model: 'm' } } },
    }),
    { SLOW_KEY: 'sk-slow' },
    ['--drain', '300ms'],
  );
  context.after(() => gateway.kill());
  const asked = once(vendor, 'request');
  const answer = fetch(`${gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(question()),
  }).then(
    () => 'answered',
    () => 'cut',
  );
  await asked;
  gateway.signal('SIGTERM');
  assert.equal(await answer, 'cut');
  const { status, code } = await gateway.logged('/v1/chat/completions');
  assert.deepEqual([status, code], [503, 'gateway_stopped']);
  assert.equal(await gateway.ended, 0);
});
