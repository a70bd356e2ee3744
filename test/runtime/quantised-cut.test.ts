/** The strategy that cuts long conversations: what it keeps, what it drops, and how long a beginning stays the same. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { quantisedCut } from '../../runtime/context/quantised-cut.ts';
import type { Entry, Room } from '../../runtime/context/strategy.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const options = (more: object = {}) =>
  schemaOf(quantisedCut.options).parse({ target: 1_000, reserveOutput: 0, margin: '0%', ...more });
const room = (more: Partial<Room> = {}): Room => ({
  window: 100_000,
  maxOutputTokens: undefined,
  overhead: 0,
  ...more,
});

/** Turns of so many tokens each, in one message per number. */
function conversation(turns: readonly (readonly number[])[], pinned: readonly number[] = []): Entry[] {
  const instructions = pinned.map((tokens) => ({ tokens, pinned: true, group: 0 }));
  const history = turns.flatMap((turn, at) => turn.map((tokens) => ({ tokens, pinned: false, group: at + 1 })));
  return [...instructions, ...history].map((entry, index) => ({ ...entry, index }));
}

const kept = (entries: readonly Entry[], result: ReturnType<typeof quantisedCut.fit>): readonly Entry[] => {
  assert.ok(result.fits);
  const { keep } = result;
  return keep === undefined ? entries : entries.filter(({ index }) => keep.includes(index));
};
const sum = (entries: readonly Entry[]) => entries.reduce((total, { tokens }) => total + tokens, 0);

describe('a conversation', () => {
  test('that fits stays whole', () => {
    const entries = conversation([[500], [500]]);
    assert.deepEqual(quantisedCut.fit(entries, room(), options()), { fits: true, keep: undefined, tokens: 1_000 });
  });

  test('that does not fit loses whole turns from the front, never instructions', () => {
    const entries = conversation([[200, 100], [200, 100], [200, 100], [50]], [100]);
    const rest = kept(entries, quantisedCut.fit(entries, room(), options()));
    assert.deepEqual(
      rest.map(({ index }) => index),
      [0, 5, 6, 7],
    );
  });

  test('keeps its last turn even where that is above the high mark, as long as it fits', () => {
    const entries = conversation([[300], [900]]);
    const rest = kept(entries, quantisedCut.fit(entries, room(), options({ high: '80%', low: '40%' })));
    assert.deepEqual(
      rest.map(({ tokens }) => tokens),
      [900],
    );
  });

  test('whose last turn alone is too large does not fit, and neither does one with too many instructions', () => {
    const large = quantisedCut.fit(conversation([[10], [1_001]], [5]), room(), options());
    assert.deepEqual(large, { fits: false, limit: 1_000, needed: 1_006 });
    const instructed = quantisedCut.fit(conversation([[10], [10]], [1_001]), room(), options());
    assert.equal(instructed.fits, false);
  });

  test('leaves room for the answer, the larger of what the policy and the client say, and for the tools', () => {
    const entries = conversation([[100], [100], [100]]);
    const policy = options({ target: 'window', reserveOutput: 50 });
    assert.equal(kept(entries, quantisedCut.fit(entries, room({ window: 350 }), policy)).length, 3);
    assert.ok(kept(entries, quantisedCut.fit(entries, room({ window: 350, maxOutputTokens: 51 }), policy)).length < 3);
    assert.ok(kept(entries, quantisedCut.fit(entries, room({ window: 350, overhead: 1 }), policy)).length < 3);
    assert.equal(quantisedCut.fit(entries, room({ window: 350, maxOutputTokens: 400 }), policy).fits, false);
  });
});

test('options that make no sense are refused by name', () => {
  const bad: readonly (readonly [object, string])[] = [
    [{ low: '90%', high: '80%' }, 'low'],
    [{ low: '0%' }, 'low'],
    [{ high: '101%' }, 'high'],
    [{ margin: '-1%' }, 'margin'],
    [{ target: 10 }, 'target'],
    [{ reserve: 1 }, ''],
  ];
  for (const [more, path] of bad) {
    const parsed = schemaOf(quantisedCut.options).safeParse({ target: 1_000, ...more });
    assert.ok(!parsed.success, JSON.stringify(more));
    assert.equal(parsed.error.issues[0]?.path.join('.'), path);
  }
  assert.ok(quantisedCut.budget(options({ target: 'window', reserveOutput: 100 }), 100) <= 0);
});

describe('over a growing conversation', () => {
  const turns = fc.array(fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 60,
  });
  const settings = fc.record({
    target: fc.integer({ min: 700, max: 3_000 }),
    low: fc.integer({ min: 10, max: 70 }),
    high: fc.integer({ min: 75, max: 100 }),
    fixed: fc.integer({ min: 0, max: 80 }),
  });

  test('the cut only ever moves forward, everything fits, the last turn stays, and little more goes than must', () => {
    fc.assert(
      fc.property(turns, settings, (all, { target, low, high, fixed }) => {
        const policy = options({ target, low: `${low}%`, high: `${high}%` });
        const largest = Math.max(...all.map((turn) => turn.reduce((a, b) => a + b, 0)));
        let first = 0;
        for (let count = 1; count <= all.length; count += 1) {
          const entries = conversation(all.slice(0, count), [fixed]);
          const rest = kept(entries, quantisedCut.fit(entries, room(), policy));
          const history = rest.filter(({ pinned }) => !pinned);
          assert.ok(sum(rest) <= target, 'too much is kept');
          assert.ok(
            rest.some(({ pinned }) => pinned),
            'instructions went',
          );
          assert.equal(history.at(-1)?.index, entries.at(-1)?.index, 'the newest message went');
          const start = history[0]?.index ?? -1;
          assert.ok(start >= first, 'a dropped message came back');
          assert.equal(history.length, entries.length - start, 'there is a hole');
          assert.notEqual(entries[start - 1]?.group, history[0]?.group, 'a turn was cut in two');
          if (start > 1) {
            const floor = Math.floor((target - fixed) * (low / 100)) - largest;
            assert.ok(sum(history) >= floor, `only ${sum(history)} of at least ${floor} tokens were kept`);
          }
          first = start;
        }
      }),
      { numRuns: 150 },
    );
  });

  test('the beginning changes once in a step of tokens, not once in a turn', () => {
    const policy = options({ target: 10_000, low: '50%' });
    const starts = new Set<number>();
    for (let count = 1; count <= 500; count += 1) {
      const entries = conversation(Array.from({ length: count }, () => [40, 60]));
      starts.add(kept(entries, quantisedCut.fit(entries, room(), policy))[0]?.index ?? -1);
    }
    // 50,000 tokens, 10,000 of them without a cut, then one cut for each 5,000.
    assert.equal(starts.size, 9);
  });
});
