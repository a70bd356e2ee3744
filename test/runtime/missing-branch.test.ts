/** What is told of a branch that stays away for many polls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../runtime/log.ts';
import { History } from '../../runtime/sync/history.ts';
import { step } from '../../runtime/sync/machine.ts';
import { cold, type Event, type State } from '../../runtime/sync/states.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';

test('fault 31: a branch that is missing poll after poll is told once, and pushes nothing out of the history', () => {
  const history = new History(createLog('silent'), createMetrics());
  let state: State = cold;
  const happen = (event: Event) => {
    const before = state;
    ({ state } = step(before, event));
    history.tell(before, state, undefined);
  };
  const verdict = { commit: 'b', reason: 'signature', detail: 'it is not signed' } as const;
  happen({ type: 'booted', lastKnownGood: 'a', quarantine: {} });
  happen({ type: 'tip_seen', commit: 'b' });
  happen({ type: 'refused', ...verdict });
  for (let polls = 0; polls < 100; polls += 1) happen({ type: 'tip_missing' });
  const told = () => history.entries.map(({ to, reason }) => `${to} ${reason}`.trim());
  assert.deepEqual(told(), ['HELD the source has no such branch', 'HELD it is not signed', 'STEADY']);

  // The refusal that it hid comes to light again with the branch.
  happen({ type: 'tip_seen', commit: 'b' });
  assert.equal(state.work?.commit, 'b');
});
