/** Balancing strategies: every member once, in the order and the shares that were asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ordered } from '../../runtime/balancing/ordered.ts';
import { weighted } from '../../runtime/balancing/weighted.ts';

/** Independent numbers in [0, 1), the same on every run (xorshift32). */
function seeded(): () => number {
  let state = 0x9e37_79b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const weights = fc.array(fc.double({ min: 1e-6, max: 1_000_000, noNaN: true }), { minLength: 1, maxLength: 64 });
const random = fc.oneof(
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  fc.constantFrom(0, 1 - 2 ** -53),
);

test('every member is in the order exactly once, whatever the weights and the draw', () => {
  for (const balancer of [ordered, weighted]) {
    fc.assert(
      fc.property(weights, random, (given, drawn) => {
        const order = balancer.order(given, () => drawn);
        assert.deepEqual(
          order.toSorted((a, b) => a - b),
          given.map((_, index) => index),
        );
      }),
    );
  }
});

test('ordered keeps the written order', () => {
  assert.deepEqual(ordered.order([1, 9, 3], Math.random), [0, 1, 2]);
});

test('weighted gives each member its share of first choices', () => {
  const given = [70, 20, 10];
  const firsts = [0, 0, 0];
  for (let draw = 0; draw < 10_000; draw += 1) {
    const [first = -1] = weighted.order(given, () => (draw + 0.5) / 10_000);
    firsts[first] = (firsts[first] ?? 0) + 1;
  }
  assert.deepEqual(firsts, [7_000, 2_000, 1_000]);
});

test('weighted spreads the fallbacks by the weights that are left', () => {
  const draw = seeded();
  const seconds = new Map<number, number>();
  for (let turn = 0; turn < 30_000; turn += 1) {
    const [first, second = -1] = weighted.order([50, 40, 10], draw);
    if (first === 0) seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  const [one = 0, two = 0] = [seconds.get(1), seconds.get(2)];
  assert.ok(one + two > 10_000);
  const share = one / (one + two);
  assert.ok(Math.abs(share - 0.8) < 0.05, `${share}`);
});

test('chances are the shares that drawing keeps to', () => {
  assert.deepEqual(ordered.chances([5, 9]), [1, 0]);
  assert.deepEqual(weighted.chances([3, 1]), [0.75, 0.25]);
  const random = seeded();
  let first = 0;
  for (let round = 0; round < 2_000; round += 1) if (weighted.order([3, 1], random)[0] === 0) first += 1;
  assert.ok(Math.abs(first / 2_000 - 0.75) < 0.04, `${first} of 2000`);
});
