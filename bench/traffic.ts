/** How many decisions `plan --traffic` makes in a minute, both sides counted, over a log of the gateway. `node --conditions=source bench/traffic.ts [requests]` */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../config-sdk/check.ts';
import { replay } from '../config-sdk/plan/traffic/replay.ts';

const requests = Number(process.argv[2] ?? 60_000);
const { snapshot } = await check('.');
if (!snapshot) throw new Error('the reference gateway does not compile');
/** The head cuts every limit and conversation, so that each request has something to differ in. */
const head = structuredClone(snapshot);
for (const quota of Object.values(head.quotas))
  if (typeof quota.limit === 'number') quota.limit = Math.max(1, Math.floor(quota.limit / 2));
const models = ['assistant', 'support-desk'];

function line(index: number): string {
  const time = new Date(Date.UTC(2026, 0, 1) + index * 1_500).toISOString();
  const shared = { level: 'info', time, event: 'request', host: 'gateway.example', ms: 800, consumer: 'web-shop' };
  if (index % 10 === 9)
    return JSON.stringify({
      ...shared,
      consumer: 'operations',
      method: 'GET',
      path: '/healthz',
      matched: 'route:health',
    });
  return JSON.stringify({
    ...shared,
    method: 'POST',
    path: '/v1/chat/completions',
    matched: `model:${models[index % models.length]}`,
    messages: 1 + (index % 40),
    conversation_tokens: (1 + (index % 40)) * 120,
    input_tokens: 1_000,
    output_tokens: 300,
  });
}

const folder = await mkdtemp(join(tmpdir(), 'headgate-traffic-'));
try {
  const path = join(folder, 'gateway.log');
  const file = await open(path, 'w');
  for (let from = 0; from < requests; from += 1_000) {
    const count = Math.min(1_000, requests - from);
    await file.write(`${Array.from({ length: count }, (_, index) => line(from + index)).join('\n')}\n`);
  }
  await file.close();
  const [began, before] = [performance.now(), process.cpuUsage()];
  const result = await replay({ base: snapshot, head, path });
  const wall = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  const perMinute = (ms: number) => Math.round((result.requests * 2 * 60_000) / ms).toLocaleString('en');
  const memory = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(
    `${result.requests} requests, ${result.requests * 2} decisions, ${result.differ} requests differ\n` +
      `| decisions a minute | wall time | processor time | most memory |\n| --- | --- | --- | --- |\n` +
      `| promised: 100,000 | ${perMinute(wall)} | ${perMinute((user + system) / 1_000)} | ${memory} MiB |\n`,
  );
} finally {
  await rm(folder, { recursive: true });
}
