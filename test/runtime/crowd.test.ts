/** Who is there now, after any coming and going. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Crowd, type Leave } from '../../runtime/crowd.ts';

test('a crowd holds those who came and have not left, however often they say so', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('come' as const), fc.nat(20)), { maxLength: 60 }), (steps) => {
      const crowd = new Crowd<number>();
      const there = new Set<number>();
      const leaves: Leave[] = [];
      for (const step of steps) {
        if (step === 'come') {
          const member = leaves.length;
          leaves.push(crowd.enter(member));
          there.add(member);
        } else {
          leaves[step]?.();
          there.delete(step);
        }
        assert.deepEqual(new Set(crowd), there);
        assert.equal(crowd.size, there.size);
      }
    }),
  );
});
