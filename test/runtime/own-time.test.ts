/** The few counters that own time is kept in, and that noise alone never looks like a jump. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthRecord } from '../../runtime/generation/health.ts';
import { faultOf } from '../../runtime/generation/health-rules.ts';
import { OwnTime } from '../../runtime/generation/own-time.ts';

const ofAll = (values: readonly number[]): OwnTime => {
  const time = new OwnTime();
  for (const ms of values) time.add(ms);
  return time;
};

test('a share of all values is known to within a fifth, between a sixteenth of a millisecond and a minute', () => {
  const values = fc.array(fc.double({ min: 0.0626, max: 50_000, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(values, fc.constantFrom(0.1, 0.5, 0.9, 1), (all, share) => {
      const exact = all.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * all.length) - 1)] ?? 0;
      const told = ofAll(all).quantile(share);
      assert.ok(told >= exact * 0.999 && told <= exact * 1.19, `${told} for ${exact}`);
    }),
  );
});

test('whatever is measured is counted, and together they are one', () => {
  const time = ofAll([0, -1, 0.001, 1e9, Infinity]);
  assert.equal(time.total, 5);
  assert.ok(time.quantile(0.6) < 0.1 && time.quantile(1) > 50_000);
  const both = OwnTime.together([ofAll([1, 1, 1]), ofAll([64, 64, 64])]);
  assert.equal(both.total, 6);
  assert.ok(both.quantile(0.5) < 1.2 && both.quantile(0.6) > 60);
  assert.equal(new OwnTime().quantile(0.5), 0);
});

test('two draws from the same times, however wild, never look like a jump of own time', () => {
  // Medians of fifty from one distribution differ by far less than twice, unless the times themselves jump about.
  const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(seed, fc.double({ min: 0.1, max: 200, noNaN: true }), (from, scale) => {
      let state = from;
      const draw = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      const record = () => {
        const health = new HealthRecord();
        // Half as long to half as long again, and every tenth a pause of the machine.
        for (let at = 0; at < 200; at += 1)
          health.ended({
            object: 'models.chat',
            target: undefined,
            code: undefined,
            ownMs: scale * (0.5 + draw()) * (draw() < 0.1 ? 10 : 1),
          });
        return health;
      };
      const changes = { ofObject: () => 'models.chat', ofTarget: () => undefined, isMeant: () => false };
      assert.equal(faultOf({ record: record(), against: record(), changes }), undefined);
    }),
    { numRuns: 500 },
  );
});
