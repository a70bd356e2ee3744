/** What a gateway writes to its log is what `plan --traffic` reads: no recorder in between, and nothing of what was said. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { replay } from '../../config-sdk/plan/traffic/replay.ts';
import { snapshotOf, testKey } from '../support/gateway.ts';
import { startProcess } from '../support/gateway-process.ts';

const target = (model: string) => ({ kind: 'target' as const, provider: 'box', model });
const snapshot = (limit: number, size: number) =>
  snapshotOf({
    providers: {
      box: { kind: 'sandbox', options: {}, models: { echo: { contextWindow: 8_000, options: { reply: 'Well.' } } } },
    },
    contextPolicies: { recent: { kind: 'quantisedCut', options: { target: size, reserveOutput: 0 } } },
    quotas: { few: { unit: 'requests', limit, window: '31d' } },
    models: { chat: { targets: target('echo'), context: 'recent', quotas: ['few'] } },
  });

test('the log of a gateway is replayed: the same decisions under its own revision, others under another', async (context) => {
  const served = snapshot(4, 4_000);
  const gateway = await startProcess(served);
  context.after(() => gateway.kill());
  const folder = await mkdtemp(join(tmpdir(), 'headgate-traffic-'));
  context.after(() => rm(folder, { recursive: true }));
  const said = 'what-nobody-may-read ';
  const statuses: number[] = [];
  for (const turns of [1, 21, 1, 1, 1]) {
    const messages = Array.from({ length: turns }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: said.repeat(10),
    }));
    const response = await fetch(`${gateway.dataUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'chat', messages, max_tokens: 50 }),
    });
    statuses.push(response.status);
    await response.text();
  }
  await (await fetch(`${gateway.dataUrl}/nowhere`)).text();
  await gateway.logged('/nowhere');
  assert.deepEqual(statuses, [200, 200, 200, 200, 429]);

  // Only the test's own harness writes the line without a level.
  const log = gateway
    .output()
    .split('\n')
    .filter((line) => line.includes('"level"'));
  assert.ok(!log.join('\n').includes(said.trim()));
  const path = join(folder, 'gateway.log');
  await writeFile(path, log.join('\n'));
  const same = await replay({ base: served, head: served, path });
  assert.deepEqual([same.requests, same.differ, same.bad], [6, 0, 0]);
  assert.deepEqual(same.admitted, { before: 4, after: 4 });
  assert.equal(same.spent.unsized, 0);
  const changed = await replay({ base: served, head: snapshot(3, 800), path });
  assert.deepEqual(
    changed.groups.map(({ kind, count, object }) => [kind, count, object]),
    [
      ['refused_now', 1, 'quotas.few'],
      ['cut_more', 1, 'contextPolicies.recent'],
    ],
  );
});
