/** The race of issue and soak alike: which quotas, over which stores, and what must come of it. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openQuotaStore } from '../../../runtime/quota/open.ts';
import type { Reading } from '../../../runtime/quota/store.ts';
import { calendar, fixed, noWindow, sliding, temporaryFolder } from '../quota-stores.ts';
import { startRedis } from '../redis.ts';
import { until } from '../until.ts';
import { judge, settledIn, type Verdict } from './judge.ts';
import type { RaceLimit } from './journal.ts';
import { race, type Race } from './race.ts';

const holdMs = 1_500;

/** Narrow enough that each of them refuses, and that spans begin and end during the shortest race. */
export const raceLimits: readonly RaceLimit[] = [
  { key: 'tokens in two seconds', limit: 400, window: fixed(2_000), most: 16 },
  { key: 'nano-USD in three seconds', limit: 500_000_000_000, window: sliding(3_000), most: 16_000_000_000 },
  { key: 'calls at once', limit: 24, window: noWindow, most: 1 },
  {
    key: 'requests a month',
    limit: 1_000_000_000,
    window: calendar('month', 'Europe/Berlin'),
    most: 1,
    isCounted: true,
  },
  { key: 'tokens a month', limit: 1_000_000_000, window: calendar('month', 'Europe/Berlin'), most: 16 },
];

/** Batches of 20. */
const leasedLimits: readonly RaceLimit[] = [
  { key: 'tokens with slack', limit: 1_000, slack: 320, window: fixed(2_000), most: 16 },
];

export interface Course {
  readonly limits?: readonly RaceLimit[];
  readonly processes: number;
  readonly forMs: number;
  readonly killEveryMs?: number;
  /** Where nobody is killed. */
  readonly troubleEveryMs?: number;
}

export interface Outcome extends Race {
  readonly verdicts: readonly Verdict[];
}

async function run(store: string, course: Course, trouble?: () => Promise<void>): Promise<Outcome> {
  const { limits = raceLimits } = course;
  const folder = temporaryFolder();
  try {
    const ran = await race({
      ...course,
      store,
      folder,
      limits,
      callers: 8,
      holdMs,
      callMs: 120,
      ...(trouble && { trouble }),
    });
    const verdicts = judge(ran.lines, limits, holdMs);
    if (store !== 'memory' && limits === raceLimits) await assertSettled(store, ran);
    return { ...ran, verdicts };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function readingsOf(where: string): Promise<readonly Reading[]> {
  const store = openQuotaStore(where);
  try {
    return await until('the store to answer', () => store.read(raceLimits).catch(() => undefined));
  } finally {
    await store.close();
  }
}

/** When all is quiet and what dead processes held is free, the store shows what was settled and nothing else. */
async function assertSettled(where: string, { lines, kills }: Race): Promise<void> {
  if (kills > 0) await wait(holdMs);
  const readings = await readingsOf(where);
  for (const [index, limit] of raceLimits.entries()) {
    if (limit.window.kind === 'fixed' || limit.window.kind === 'sliding') continue;
    const [least, most] = limit.window.kind === 'none' ? [0, 0] : settledIn(lines, limit, index, Date.now());
    const used = readings[index]?.used ?? -1;
    assert.ok(used >= least && used <= most, `${limit.key}: ${used} is counted, ${least} to ${most} was settled`);
  }
}

/** For longer than anybody waits for an answer. */
const frozenMs = 400;

/** With `restarts` the server stands still and is killed in turn; it keeps its counts on disk. */
export async function raceOverRedis(course: Course, restarts = false): Promise<Outcome> {
  // With `everysec` it answers before it has written while a flush to the disk is under way, and SIGKILL takes that along.
  const server = await startRedis('--appendonly', 'yes', '--appendfsync', 'no');
  try {
    let troubles = 0;
    const trouble = async () => {
      troubles += 1;
      if (troubles % 2 === 1) {
        server.freeze();
        await wait(frozenMs);
        return server.continue();
      }
      await server.kill();
      await server.start();
    };
    return await run(server.url, course, restarts ? trouble : undefined);
  } finally {
    await server.stop();
  }
}

/** Processes that take batches; those that are killed leave theirs counted. */
export const raceWithSlack = (course: Course): Promise<Outcome> => raceOverRedis({ ...course, limits: leasedLimits });

export async function raceOverSqlite(course: Course): Promise<Outcome> {
  const folder = join(temporaryFolder(), 'store');
  mkdirSync(folder);
  try {
    return await run(folder, course);
  } finally {
    rmSync(join(folder, '..'), { recursive: true });
  }
}

export const raceInMemory = (course: Omit<Course, 'processes' | 'killEveryMs'>): Promise<Outcome> =>
  run('memory', { ...course, processes: 1 });

const whole = (amount: number) => Math.round(amount).toLocaleString('en');

/** One line for each quota. */
export function figuresOf(name: string, { lines, kills, verdicts }: Outcome): string[] {
  const calls = lines.filter(({ is }) => is === 'asked').length;
  const lost = lines.filter(({ is }) => is === 'lost').length;
  return [
    `${name}: ${whole(calls)} calls, ${kills} processes killed, ${lost} takings without an answer`,
    ...verdicts.map(
      (each) =>
        `  ${each.quota}: ${each.spans} spans, fullest ${(100 * each.fullest).toFixed(1)} %, over the limit by ` +
        `${whole(each.over)} of ${whole(each.slack)} that was declared, or that killed processes left unsettled; ` +
        `${whole(each.refusals)} refused, ${each.wronglyRefused} of them wrongly`,
    ),
  ];
}

/** What must hold of any race. */
export function problemsOf({ verdicts, kills }: Outcome): string[] {
  return verdicts.flatMap(({ quota, overSlack, over, slack, wronglyRefused }) => [
    ...(overSlack > 0 ? [`${quota}: ${overSlack} were spent beyond the limit and the slack`] : []),
    ...(kills === 0 && over > slack ? [`${quota}: ${over} were spent beyond the limit, and nothing was killed`] : []),
    ...(wronglyRefused > 0 ? [`${quota}: ${wronglyRefused} were refused with room to spare`] : []),
  ]);
}
