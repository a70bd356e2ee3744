/** A wall clock that is set while the gateway runs: durations are measured on another clock. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { sqliteStore } from '../../runtime/quota/sqlite.ts';
import type { QuotaStore } from '../../runtime/quota/store.ts';
import { artifactBranch } from '../support/artifact-branch.ts';
import { startWith } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { takeOne } from '../support/taking.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const yearMs = 365 * 86_400_000;
const monthMs = 31 * 86_400_000;

const fixed = (ms: number) => ({ kind: 'fixed', ms }) as const;

interface Clocks {
  wall: number;
  elapsed: number;
}

const stores: readonly [string, (clocks: Clocks, context: TestContext) => QuotaStore][] = [
  [
    'memory',
    (clocks) =>
      memoryStore(
        () => clocks.wall,
        () => clocks.elapsed,
      ),
  ],
  [
    'sqlite',
    (clocks, context) => {
      const folder = mkdtempSync(join(tmpdir(), 'headgate-clock-'));
      const store = sqliteStore(
        folder,
        () => clocks.wall,
        () => clocks.elapsed,
      );
      context.after(async () => {
        await store.close();
        rmSync(folder, { recursive: true });
      });
      return store;
    },
  ],
];

for (const [name, open] of stores) {
  test(`fault 64: the ${name} store finds a month's count again when the clock was a year ahead for a while`, async (context) => {
    const clocks = { wall: 1_700_000_000_000, elapsed: 5_000 };
    const store = open(clocks, context);
    const month = { key: 'a', limit: 10, window: fixed(monthMs) };
    await takeOne(store, month, 10);
    clocks.wall += yearMs;
    for (let minute = 0; minute < 5; minute += 1) {
      clocks.wall += 61_000;
      clocks.elapsed += 61_000;
      await takeOne(store, { key: 'other', limit: 100, window: fixed(60_000) }, 1);
    }
    assert.equal((await takeOne(store, month, 10)).granted, true, 'a window of its own');
    clocks.wall -= yearMs;
    assert.equal((await takeOne(store, month, 1)).granted, false);
  });

  test(`fault 64: the ${name} store locks nobody out and says no nonsense when the clock is set back`, async (context) => {
    const clocks = { wall: 1_700_000_000_000, elapsed: 5_000 };
    const store = open(clocks, context);
    const minute = { key: 'a', limit: 2, window: fixed(60_000) };
    await takeOne(store, minute, 2);
    clocks.wall -= yearMs;
    const taking = await takeOne(store, minute, 2);
    assert.equal(taking.granted, true);
    assert.ok(taking.resetMs > 0 && taking.resetMs <= 60_000);
    assert.equal((await takeOne(store, minute, 1)).granted, false);
    clocks.wall += 60_000;
    clocks.elapsed += 60_000;
    assert.equal((await takeOne(store, minute, 1)).granted, true);
  });
}

/** Sets `Date`, and only `Date`: what a person or a time server changes under a running process. */
function setClock(context: TestContext): (now: number) => void {
  const mocked = context.mock.timers;
  mocked.enable({ apis: ['Date'], now: Date.now() });
  return (now) => mocked.setTime(now);
}

for (const [name, jumpMs] of [
  ['back', -yearMs],
  ['forward', yearMs],
] as const) {
  test(`fault 64: with the clock set ${name} during a trial, the trial lasts as long as it should and polls go on`, async (context) => {
    const directory = await temporaryDirectory();
    context.after(() => directory.remove());
    const repository = join(directory.path, 'repository.git');
    await initRepository(repository, { bare: true });
    const branch = artifactBranch(repository);
    await branch.publish(versioned(1));
    const set = setClock(context);
    const gateway = await startWith(['--repo', repository, '--poll', '100ms', '--bake', '1200ms']);
    context.after(() => gateway.close());
    await branch.publish(versioned(2));
    await until('on trial', async () => (await gateway.status()).state === 'BAKING');
    const began = performance.now();
    const now = Date.now() + jumpMs;
    set(now);
    const status = await gateway.status();
    const left = Date.parse(status.bake?.endsAt ?? '') - now;
    assert.ok(left > 0 && left <= 1_200, `${left} ms of the trial are left`);
    assert.ok((status.source.staleSeconds ?? -1) >= 0 && (status.source.staleSeconds ?? 99) < 5);
    await until('promoted', async () => (await gateway.status()).state === 'STEADY');
    const lasted = performance.now() - began;
    assert.ok(lasted > 900 && lasted < 3_000, `the trial lasted ${lasted} ms`);
    const third = await branch.publish(versioned(3));
    await until('the next poll', async () => (await gateway.status()).tip.commit === third, 2_000);
  });
}
