/**
 * What the ledger takes from requests, and how fast a million of its calls answer: gateways with it and without, in turns in one
 * run, and questions on a file of a million calls. `npm run bench:ledger [-- calls [rounds]]`.
 */
import { rm } from 'node:fs/promises';
import type { CallsQuestion } from '../runtime/ledger/calls.ts';
import { LedgerFile } from '../runtime/ledger/file.ts';
import type { CallRecord } from '../runtime/ledger/record.ts';
import type { UsageQuestion } from '../runtime/ledger/usage.ts';
import { temporaryDirectory } from '../test/support/repository.ts';
import { sideBySide } from './ledger-load.ts';

const calls = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 70);

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
      key: '',
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
    (hours: number, by: UsageQuestion['by'], where: UsageQuestion['where'] = [], zone = 'UTC') =>
    () =>
      file.usage({ from: now - hours * hourMs, to: now, by, where, limit: 1_000, zone });
  const page = (where: CallsQuestion['where'], request?: string, after?: CallsQuestion['after']) => () =>
    file.calls({ from: 0, to: now, zone: 'UTC', where, request, after, limit: 100 });
  const both = { revision: 'aaaaaaaaaaa8', with: 'aaaaaaaaaaa9', where: [], limit: 100 };
  const all: Readonly<Record<string, () => unknown>> = {
    'a day by model': asked(24, ['model']),
    'a day by consumer and model': asked(24, ['consumer', 'model']),
    'a week by day': asked(7 * 24, ['day']),
    'a month by team': asked(spanHours, ['team']),
    'a month by tag': asked(spanHours, ['tag']),
    'a month by revision': asked(spanHours, ['revision']),
    'a month of one consumer by day': asked(spanHours, ['day'], [{ dimension: 'consumer', value: 'consumer-7' }]),
    'a month by day in Berlin': asked(spanHours, ['day'], [], 'Europe/Berlin'),
    'a month by team and month in Berlin': asked(spanHours, ['team', 'month'], [], 'Europe/Berlin'),
    'a week by day in Kolkata': asked(7 * 24, ['day'], [], 'Asia/Kolkata'),
    'the newest 100 calls': page([]),
    '100 calls of one consumer': page([{ dimension: 'consumer', value: 'consumer-7' }]),
    '100 refused calls of one model, from the oldest day': page(
      [
        { dimension: 'ended', value: 'refused' },
        { dimension: 'model', value: 'model-0' },
      ],
      undefined,
      { at: now - (spanHours - 24) * hourMs, id: 1 },
    ),
    'one request': page([], 'req_7'),
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
  await sideBySide(`${directory.path}/served`, rounds);
  const file = new LedgerFile({
    now: Date.now,
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
