/** Who is in a cohort: fixed for ever, even, nested, and another few for each commit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInCohort, placeInQueue } from '../../runtime/generation/cohort.ts';

const commit = 'a'.repeat(40);
const names = Array.from({ length: 20_000 }, (_, index) => `team-${index}`);

test('fault 87: the place in the queue is the same on every machine and in every version', () => {
  const places = ['tester', 'web', 'büro', ''].map((name) => placeInQueue(name, commit));
  assert.deepEqual(places, [0.7827521943038462, 0.42428124017607516, 0.6888598868303433, 0.08247721303250799]);
  assert.equal(placeInQueue('web', 'b'.repeat(40)), 0.6097275624731147);
});

test('fault 87: a cohort has the share it should have, for any commit', () => {
  for (const share of [0.01, 0.05, 0.25, 0.5, 0.9]) {
    for (const one of [commit, 'b'.repeat(40), 'c'.repeat(64)]) {
      const size = names.filter((name) => isInCohort(name, one, share)).length;
      const deviation = Math.sqrt(names.length * share * (1 - share));
      assert.ok(Math.abs(size - names.length * share) < 4 * deviation, `${size} of ${names.length} at ${share}`);
    }
  }
});

test('fault 87: places are spread evenly', () => {
  const buckets = Array.from({ length: 100 }, () => 0);
  for (const name of names) {
    const bucket = Math.floor(placeInQueue(name, commit) * buckets.length);
    buckets[bucket] = (buckets[bucket] ?? NaN) + 1;
  }
  const expected = names.length / buckets.length;
  const chiSquare = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 99 degrees of freedom: more than this happens once in a thousand times by chance.
  assert.ok(chiSquare < 148.2, `chi-square ${chiSquare}`);
});

test('fault 87: whoever is in a small share is in every larger one', () => {
  const shares = [0.01, 0.05, 0.25, 0.5, 0.99];
  for (const name of names.slice(0, 2_000)) {
    const inside = shares.map((share) => isInCohort(name, commit, share));
    const first = inside.indexOf(true);
    assert.ok(first < 0 || inside.slice(first).every(Boolean), name);
  }
});

test('fault 87: another commit has others for its first', () => {
  const first = (one: string) => new Set(names.filter((name) => isInCohort(name, one, 0.1)));
  const [before, after] = [first(commit), first('b'.repeat(40))];
  const both = [...before].filter((name) => after.has(name)).length;
  assert.ok(both < before.size * 0.2, `${both} of ${before.size} are first again; chance says a tenth`);
});
