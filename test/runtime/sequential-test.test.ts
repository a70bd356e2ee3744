/** The comparison of a staged revision with the one before it, by simulation: how often it is wrong, and how soon it is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SequentialTest } from '../../runtime/generation/sequential-test.ts';

/** A small generator with a seed: the same run each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface World {
  readonly consumers: number;
  /** How many of the consumers are in the cohort. */
  readonly cohort: number;
  /** How often a request of this consumer fails. */
  readonly fails: (consumer: number, isInCohort: boolean, request: number) => number;
  readonly failedBefore?: (consumer: number) => number;
  /** Of the cohort, how many called before the rollout; all unless said. */
  readonly callers?: number;
  /** How much of the traffic each consumer makes; even unless said. */
  readonly weight?: (consumer: number) => number;
}

/** The number of requests of the cohort after which the revision was dropped; undefined: it was not. */
function run(world: World, seed: number, requests: number): number | undefined {
  const random = seeded(seed);
  const { consumers, cohort, fails, failedBefore = () => 0, weight = () => 1 } = world;
  const comparison = new SequentialTest((name) => failedBefore(Number(name)), random);
  comparison.widen(world.callers ?? cohort);
  const weights = Array.from({ length: consumers }, (_, consumer) => weight(consumer));
  const total = weights.reduce((sum, each) => sum + each, 0);
  for (let request = 0; request < requests; request += 1) {
    let consumer = 0;
    for (let at = random() * total; at >= (weights[consumer] ?? Infinity); consumer += 1) at -= weights[consumer] ?? 0;
    const isInCohort = consumer < cohort;
    const hasFailed = random() < fails(consumer, isInCohort, request);
    comparison.ended(isInCohort ? 'cohort' : 'rest', String(consumer), hasFailed);
    if (comparison.isWorse) return comparison.cohort.requests;
  }
  return undefined;
}

/** How many of `runs` drop the revision. */
function dropped(world: World, runs: number, requests = 2_000): number {
  let count = 0;
  for (let seed = 1; seed <= runs; seed += 1) if (run(world, seed * 7_919, requests) !== undefined) count += 1;
  return count;
}

const runs = 500;
const most = runs * 0.01;

for (const base of [0, 0.01, 0.05, 0.3, 0.5]) {
  test(`a revision that is no worse is dropped at most once in a hundred times, looked at after each request, where ${base * 100} % fail anyway`, () => {
    const even: World = { consumers: 20, cohort: 5, fails: () => base };
    assert.ok(dropped(even, runs) <= most);
    assert.ok(dropped({ ...even, cohort: 1 }, runs / 2) <= most, 'a cohort of one');
    assert.ok(dropped({ ...even, cohort: 19 }, runs / 2) <= most, 'a rest of one');
  });
}

test('a difference too small to matter does not drop a revision, however long it lasts', () => {
  const trifle: World = { consumers: 20, cohort: 10, fails: (_, isInCohort) => (isInCohort ? 0.02 : 0.005) };
  assert.equal(dropped(trifle, 10, 40_000), 0);
});

test('what befalls all at once is held against nobody, whenever it comes and goes', () => {
  const outage = (request: number) => (request % 700 > 400 ? 0.9 : 0);
  assert.ok(dropped({ consumers: 20, cohort: 2, fails: (_, __, request) => outage(request) }, runs) <= most);
});

test('consumers who failed before as they fail now are held against no revision', () => {
  const share = (consumer: number) => [1, 0.5, 0.2][consumer] ?? 0;
  assert.ok(dropped({ consumers: 20, cohort: 3, fails: share, failedBefore: share }, runs) <= most);
  const one: World = { consumers: 20, cohort: 1, fails: share, failedBefore: share };
  assert.ok(dropped(one, runs) <= most, 'alone in the cohort');
});

test('others who come to fail less than before make the revision look no worse', () => {
  const better: World = {
    consumers: 20,
    cohort: 5,
    fails: (_, isInCohort) => (isInCohort ? 0.5 : 0),
    failedBefore: () => 0.5,
  };
  assert.ok(dropped(better, runs) <= most);
});

test('how requests follow each other makes no difference', () => {
  // Half of them fail with both. With one revision two come at a time, with the other they come one by one.
  for (const pair of [
    [true, false],
    [false, true],
  ]) {
    for (const paired of ['cohort', 'rest'] as const) {
      let drops = 0;
      for (let seed = 1; seed <= 200; seed += 1) {
        const comparison = new SequentialTest(() => 0, seeded(seed));
        for (let round = 0; round < 500 && !comparison.isWorse; round += 1) {
          for (const hasFailed of pair) comparison.ended(paired, String(round % 3), hasFailed);
          comparison.ended(paired === 'rest' ? 'cohort' : 'rest', String(round % 5), round % 2 === 0);
        }
        if (comparison.isWorse) drops += 1;
      }
      assert.ok(drops <= 2, `${drops} of 200 with ${paired} in pairs, ${pair.join()}`);
    }
  }
});

test('one noisy consumer among several does not drop a revision, however much it calls', () => {
  const noisy: World = {
    consumers: 20,
    cohort: 4,
    fails: (consumer) => (consumer === 0 ? 1 : 0),
    weight: (consumer) => (consumer === 0 ? 50 : 1),
  };
  assert.equal(dropped(noisy, 200, 5_000), 0);
});

test('a failure that one consumer meets is found where it is the only one in the cohort', () => {
  const took = run({ consumers: 20, cohort: 1, fails: (_, isInCohort) => (isInCohort ? 1 : 0) }, 1, 5_000);
  assert.ok(took !== undefined && took <= 25, `${took} requests`);
});

test('a failure that one consumer meets is found where the others of the cohort never call', () => {
  const took = run(
    { consumers: 20, cohort: 4, callers: 1, fails: (_, is) => (is ? 1 : 0), weight: (one) => (one % 4 > 0 ? 0 : 1) },
    1,
    5_000,
  );
  assert.ok(took !== undefined && took <= 25, `${took} requests`);
});

test('20 % against none is found within 300 requests of the cohort in 95 of 100 rollouts', () => {
  let late = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const worse: World = { consumers: 50, cohort: 10, fails: (_, isInCohort) => (isInCohort ? 0.2 : 0) };
    if ((run(worse, seed, 3_000) ?? Infinity) > 300) late += 1;
  }
  assert.ok(late <= 10, `${late} of 200 were found too late`);
});

test('a failure that begins late is found as soon as one that is there from the start', () => {
  const late = (_: number, isInCohort: boolean, request: number) => (isInCohort && request > 20_000 ? 0.5 : 0);
  const took = run({ consumers: 20, cohort: 10, fails: late }, 3, 40_000);
  assert.ok(took !== undefined && took < 10_300, `${took} requests of the cohort, about 10,000 of which were good`);
});

test('many who ask only a few times each are heard together', () => {
  const took = run({ consumers: 4_000, cohort: 400, fails: (_, isInCohort) => (isInCohort ? 0.5 : 0) }, 5, 8_000);
  assert.ok(took !== undefined && took < 100, `${took} requests`);
});

test('with nobody to compare with, nothing is concluded', () => {
  const alone: World = { consumers: 5, cohort: 5, fails: () => 1 };
  assert.equal(run(alone, 1, 1_000), undefined);
});
