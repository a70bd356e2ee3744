/** How many requests the engine of `explain`, `test` and replays decides in a minute, on one core. `node --conditions=source bench/decisions.ts [seconds]` */
import { check } from '../config-sdk/check.ts';
import { memoryStore, openDecider, type AskedRequest } from '../runtime/decide.ts';

const seconds = Number(process.argv[2] ?? 5);
const { snapshot } = await check('.');
if (!snapshot) throw new Error('the reference gateway does not compile');
const decider = await openDecider(snapshot);
const long = Array.from({ length: 20 }, (_, turn) => ({
  role: turn % 2 === 0 ? 'user' : 'assistant',
  content: `Turn ${turn}: ${'something to talk about at some length. '.repeat(8)}`,
}));
const requests: readonly AskedRequest[] = [
  {
    consumer: 'web-shop',
    path: '/v1/chat/completions',
    body: { model: 'assistant', messages: [{ role: 'user', content: 'Hello' }] },
  },
  { consumer: 'web-shop', path: '/v1/chat/completions', body: { model: 'support-desk', messages: long } },
  { consumer: 'web-shop', path: '/v1/chat/completions', body: { model: 'nobody', messages: [] } },
  { consumer: 'operations', path: '/healthz', method: 'GET' },
];
const rows: string[] = [];
for (const [name, set] of [
  ['short call', requests.slice(0, 1)],
  ['20 turns, prompt', requests.slice(1, 2)],
  ['all four sorts', requests],
] as const) {
  const quotas = memoryStore(
    () => 0,
    () => 0,
  );
  let made = 0;
  const began = performance.now();
  const before = process.cpuUsage();
  while (performance.now() - began < (seconds * 1000) / 3) {
    for (let round = 0; round < 100; round += 1)
      await decider.decide(set[round % set.length] ?? { path: '/' }, { quotas });
    made += 100;
  }
  // Of the processor's time: others may use it too.
  const { user, system } = process.cpuUsage(before);
  const perMinute = Math.round((made / (user + system)) * 60_000_000);
  rows.push(`| ${name} | ${perMinute.toLocaleString('en')} |`);
}
process.stdout.write(`| requests | decisions a minute |\n| --- | --- |\n${rows.join('\n')}\n`);
