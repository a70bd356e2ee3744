import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeptState } from '../../runtime/sync/keep.ts';
import { afterDeath, diedOnTrial } from '../../runtime/sync/keep/boot.ts';

const state = (marks: Partial<KeptState>): KeptState => ({
  format: 'headgate/state.v1',
  highestSeq: 2,
  quarantine: { old: 'earlier' },
  ...marks,
});
const good = { kept: 'good', hasFallback: true };
const nothing = { kept: undefined, hasFallback: false };

test('fault 61: without a mark the last end was deliberate, and nobody is judged', () => {
  assert.equal(afterDeath(state({}), good), undefined);
  assert.equal(afterDeath(state({ died: { commit: 'a', times: 2 } }), good), undefined);
});

test('fault 61: what served on trial when the process died is guilty at once', () => {
  assert.deepEqual(afterDeath(state({ pending: 'a' }), good), {
    pending: undefined,
    building: undefined,
    quarantine: { old: 'earlier', a: diedOnTrial },
  });
});

test('fault 60: a mark on what is kept as proved means nothing', () => {
  const judged = afterDeath(state({ pending: 'good' }), good);
  assert.deepEqual(judged?.quarantine, { old: 'earlier' });
  assert.equal(judged?.pending, undefined);
});

test('fault 61: what was being built is guilty at the third death in a row, and only then', () => {
  const first = afterDeath(state({ building: 'a' }), good);
  assert.deepEqual(first?.died, { commit: 'a', times: 1 });
  assert.deepEqual(first?.quarantine, { old: 'earlier' });
  const second = afterDeath(state({ building: 'a', died: { commit: 'a', times: 1 } }), good);
  assert.deepEqual(second?.died, { commit: 'a', times: 2 });
  const other = afterDeath(state({ building: 'b', died: { commit: 'a', times: 2 } }), good);
  assert.deepEqual(other?.died, { commit: 'b', times: 1 });
  const third = afterDeath(state({ building: 'a', died: { commit: 'a', times: 2 } }), good);
  assert.match(third?.quarantine?.['a'] ?? '', /died 3 times while this revision was being built/);
  assert.equal(third?.died, undefined);
});

test('fault 61: dying on trial while a newer one is being built condemns the one that served', () => {
  const judged = afterDeath(state({ pending: 'a', building: 'b' }), good);
  assert.deepEqual(judged?.quarantine, { old: 'earlier', a: diedOnTrial });
  assert.deepEqual(judged?.died, { commit: 'b', times: 1 });
});

test('fault 61: the very first revision, with nothing else to serve, gets three starts', () => {
  const first = afterDeath(state({ pending: 'a' }), nothing);
  assert.deepEqual(first?.quarantine, { old: 'earlier' });
  assert.deepEqual(first?.died, { commit: 'a', times: 1 });
  const third = afterDeath(state({ pending: 'a', died: { commit: 'a', times: 2 } }), nothing);
  assert.ok(third?.quarantine?.['a']);
});
