/** What there is to tell, read off the machine: each thing once, and nothing that did not happen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step } from '../../runtime/sync/machine.ts';
import { cold, type Event, type State } from '../../runtime/sync/states.ts';
import { happeningsOf } from '../../runtime/sync/word/happening.ts';

/** Walks the machine, and gives what there was to tell as `kind commit`. */
function story(events: readonly Event[], from: State = cold): { told: string[]; state: State } {
  let state = from;
  const told: string[] = [];
  for (const event of events) {
    const before = state;
    ({ state } = step(before, event));
    for (const { kind, commit } of happeningsOf(before, state)) told.push(`${kind} ${commit}`);
  }
  return { told, state };
}

const built = (commit: string): Event[] => [
  { type: 'tip_seen', commit },
  { type: 'fetched', commit },
  { type: 'verified', commit },
  { type: 'warmed', commit },
];
const good = (commit: string): Event[] => [...built(commit), { type: 'baked', commit, proved: true }];
const booted = (lastKnownGood?: string): Event => ({ type: 'booted', lastKnownGood, quarantine: {} });

test('the first revision is accepted without a trial, each further one after it', () => {
  const { told } = story([booted(), ...good('a'), ...good('b')]);
  assert.deepEqual(told, ['accepted a', 'on_trial b', 'accepted b']);
});

test('what a start finds on disk is no news, nor is the branch that stands there still', () => {
  assert.deepEqual(story([booted('a'), { type: 'tip_seen', commit: 'a' }]).told, []);
});

test('what is taken back is told once, although it is held from then on', () => {
  const { told, state } = story([
    booted('a'),
    ...built('b'),
    { type: 'unhealthy', commit: 'b', detail: 'it broke' },
    { type: 'tip_seen', commit: 'b' },
    { type: 'unhealthy', commit: 'b', detail: 'again' },
  ]);
  assert.deepEqual(told, ['on_trial b', 'rolled_back b']);
  assert.equal(state.active, 'a');
});

test('a rollback while the next is being fetched is told too, and the next goes its way', () => {
  const { told } = story([
    booted('a'),
    ...built('b'),
    { type: 'tip_seen', commit: 'c' },
    { type: 'unhealthy', commit: 'b', detail: 'it broke' },
    { type: 'fetched', commit: 'c' },
    { type: 'verified', commit: 'c' },
    { type: 'warmed', commit: 'c' },
  ]);
  assert.deepEqual(told, ['on_trial b', 'rolled_back b', 'on_trial c']);
});

test('a trial that a newer revision cut short is over', () => {
  const { told } = story([booted('a'), ...built('b'), ...built('c')]);
  assert.deepEqual(told, ['on_trial b', 'superseded b', 'on_trial c']);
});

test('each refusal is told with the commit it is about, and a missing branch without one', () => {
  const refused: Event = { type: 'refused', commit: 'b', reason: 'shrink', detail: 'most is gone' };
  const { told } = story([
    booted('a'),
    { type: 'tip_seen', commit: 'b' },
    refused,
    { type: 'tip_seen', commit: 'b' },
    { type: 'tip_missing' },
    { type: 'tip_missing' },
  ]);
  assert.deepEqual(told, ['held b', 'held undefined']);
});

test('what another replica condemned is held, not taken back, where it never served', () => {
  const { told } = story([
    booted('a'),
    { type: 'condemned', commit: 'b', detail: 'bad there' },
    { type: 'tip_seen', commit: 'b' },
  ]);
  assert.deepEqual(told, ['held b']);
});

test('a pin is an acceptance by an operator', () => {
  const pause = { pinned: 'a', until: 1, note: '' };
  const { state } = story([booted('z'), ...good('a'), ...built('b')]);
  const { told } = story(
    [
      { type: 'paused', pause },
      { type: 'verified', commit: 'a' },
      { type: 'warmed', commit: 'a' },
    ],
    state,
  );
  assert.deepEqual(told, ['superseded b']);
  const onTrial = story([booted('z'), ...built('a'), ...built('b')]).state;
  const pinned = story(
    [
      { type: 'paused', pause },
      { type: 'verified', commit: 'a' },
      { type: 'warmed', commit: 'a' },
    ],
    onTrial,
  );
  assert.deepEqual(pinned.told, ['superseded b', 'accepted a']);
});
