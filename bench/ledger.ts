/**
 * What the ledger takes from requests, and how fast a million of its calls answer: the same gateway with it and without, in
 * turns in one run, and the console's questions on a file of a million calls. `npm run bench:ledger [-- calls]`.
 */
import { rm } from 'node:fs/promises';
import { LedgerFile } from '../runtime/ledger/file.ts';
import type { CallRecord } from '../runtime/ledger/record.ts';
import type { UsageQuestion } from '../runtime/ledger/usage.ts';
import { snapshotOf, startGateway, type TestGateway } from '../test/support/gateway.ts';
import { temporaryDirectory } from '../test/support/repository.ts';

const rounds = 30;
const perRound = 400;
const atOnce = 4;
const calls = Number(process.argv[2] ?? 1_000_000);

const small = { contextWindow: 8_192, options: { reply: 'hello' } };
const snapshot = snapshotOf({
  providers: { sandbox: { kind: 'sandbox', options: {}, models: { small } } },
  models: { chat: { targets: { kind: 'target', provider: 'sandbox', model: 'small' } } },
});
const question = { model: 'chat', messages: [{ role: 'user', content: 'hello' }] };

interface Round {
  readonly p50: number;
  readonly p99: number;
  /** Of one request, in milliseconds. */
  readonly cpu: number;
}

async function load(gateway: TestGateway): Promise<Round> {
  const times: number[] = [];
  let left = perRound;
  const before = process.cpuUsage();
  const caller = async () => {
    while ((left -= 1) >= 0) {
      const began = performance.now();
      await (await gateway.post('/v1/chat/completions', question)).text();
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  const { user, system } = process.cpuUsage(before);
  return { p50: at(times, 0.5), p99: at(times, 0.99), cpu: (user + system) / 1_000 / perRound };
}

const at = (times: readonly number[], share: number) =>
  times.toSorted((a, b) => a - b)[Math.floor(share * times.length)] ?? 0;

async function sideBySide(directory: string): Promise<void> {
  const sides = await Promise.all(
    [
      ['off', 'off'],
      ['on', directory],
    ].map(async ([name = '', where = '']) => {
      const gateway = await startGateway(snapshot, ['--ledger', where]);
      return { name, gateway, met: [] as Round[] };
    }),
  );
  for (const { gateway } of sides) for (let round = 0; round < 4; round += 1) await load(gateway);
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? sides : sides.toReversed();
    for (const { gateway, met } of order) met.push(await load(gateway));
  }
  process.stdout.write(
    `medians of ${rounds} rounds; the processor time is that of the process, its client and its threads included\n` +
      `| ledger | p50 | p99 | processor time of a request |\n| --- | --- | --- | --- |\n`,
  );
  for (const { name, met } of sides) {
    const figures = (['p50', 'p99', 'cpu'] as const).map((figure) =>
      at(
        met.map((each) => each[figure]),
        0.5,
      ),
    );
    process.stdout.write(`| ${name} | ${figures.map((ms) => `${ms.toFixed(3)} ms`).join(' | ')} |\n`);
  }
  await Promise.all(sides.map(({ gateway }) => gateway.close()));
}

const hourMs = 3_600_000;
const spanHours = 30 * 24;
const now = Date.now();

/** A month of a company: ten commits, five models, forty consumers. */
function recordOf(index: number): CallRecord {
  const moment = now - spanHours * hourMs + Math.floor((index / calls) * spanHours * hourMs);
  const consumer = (index * 7) % 40;
  const model = (index * 3) % 5;
  const isRefused = index % 50 === 0;
  return {
    at: moment,
    request: `req_${index}`,
    ms: 200 + ((index * 7_919) % 3_000),
    firstMs: 150,
    series: {
      revision: `${Math.floor((index / calls) * 10)}`.padStart(12, 'a'),
      matched: `model:model-${model}`,
      surface: 'chat',
      prompt: '',
      organisation: 'house',
      team: `team-${consumer % 8}`,
      consumer: `consumer-${consumer}`,
      tags: '["paid"]',
      target: `vendor/model-${model}`,
      provider: 'vendor',
      cache: 'bypass',
      status: isRefused ? 429 : 200,
      code: isRefused ? 'quota_exceeded' : '',
      ended: isRefused ? 'refused' : 'served',
    },
    figures: {
      calls: 1,
      attempts: isRefused ? 0 : 1,
      inputTokens: 1_000,
      cachedInputTokens: 500,
      cacheWriteTokens: 0,
      outputTokens: 300,
      reasoningTokens: 100,
      costNano: 1_234_567,
      costRest: 500_000_000,
      estimated: 0,
      unpriced: 0,
    },
  };
}

function fill(file: LedgerFile): void {
  const began = performance.now();
  for (let first = 0; first < calls; first += 500) {
    const records = Array.from({ length: Math.min(500, calls - first) }, (_, index) => recordOf(first + index));
    file.write([{ writer: 'bench', first, records }]);
  }
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(
    `\n${calls.toLocaleString('en')} calls written in ${seconds.toFixed(1)} s, ${Math.round(calls / seconds).toLocaleString('en')} a second\n`,
  );
}

function questions(file: LedgerFile): void {
  const asked =
    (hours: number, by: UsageQuestion['by'], where: UsageQuestion['where'] = []) =>
    () =>
      file.usage({ from: now - hours * hourMs, to: now, by, where, limit: 1_000, zone: 'UTC' });
  const both = { revision: 'aaaaaaaaaaa8', with: 'aaaaaaaaaaa9', where: [], limit: 100 };
  const all: Readonly<Record<string, () => unknown>> = {
    'a day by model': asked(24, ['model']),
    'a day by consumer and model': asked(24, ['consumer', 'model']),
    'a week by day': asked(7 * 24, ['day']),
    'a month by team': asked(spanHours, ['team']),
    'a month by tag': asked(spanHours, ['tag']),
    'a month by revision': asked(spanHours, ['revision']),
    'a month of one consumer by day': asked(spanHours, ['day'], [{ dimension: 'consumer', value: 'consumer-7' }]),
    'two commits': () => file.compare({ ...both, by: [] }),
    'two commits by model': () => file.compare({ ...both, by: ['model'] }),
  };
  process.stdout.write('| question | slowest of five |\n| --- | --- |\n');
  for (const [name, ask] of Object.entries(all)) {
    const times = Array.from({ length: 5 }, () => {
      const began = performance.now();
      ask();
      return performance.now() - began;
    });
    process.stdout.write(`| ${name} | ${Math.max(...times).toFixed(0)} ms |\n`);
  }
}

const directory = await temporaryDirectory();
try {
  await sideBySide(`${directory.path}/served`);
  const file = new LedgerFile({
    directory: `${directory.path}/filled`,
    keep: { callsMs: 90 * 24 * hourMs, sumsMs: 400 * 24 * hourMs },
    note: console.log,
  });
  fill(file);
  questions(file);
  file.close();
} finally {
  await rm(directory.path, { recursive: true });
}
