import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step } from '../../runtime/sync/machine.ts';
import { cold, isBaking, isWatched, phaseOf, type Effect, type Event, type State } from '../../runtime/sync/states.ts';

const commits = ['a', 'b', 'c', 'd'] as const;
const commit = fc.constantFrom(...commits);

/** `next`: whatever would bring the state at hand one step on; random events alone rarely get far. */
type Move = Event | { readonly type: 'next'; readonly well: boolean; readonly busy?: boolean };

function natural(state: State, well: boolean, busy = true): Event {
  const { work, active } = state;
  if (!work) {
    const one = active ?? 'a';
    if (!well) return { type: 'unhealthy', commit: one, detail: 'unwell' };
    return isWatched(state) ? { type: 'watched', commit: one } : { type: 'baked', commit: one, proved: busy };
  }
  const { commit: one } = work;
  if (!well) return { type: 'refused', commit: one, reason: 'schema', detail: 'no good' };
  return { type: ({ FETCHING: 'fetched', VERIFYING: 'verified', WARMING: 'warmed' } as const)[work.step], commit: one };
}

const single: fc.Arbitrary<Event> = fc.oneof(
  commit.map((one): Event => ({ type: 'tip_seen', commit: one })),
  fc.constant<Event>({ type: 'tip_missing' }),
  commit.map((one): Event => ({ type: 'fetched', commit: one })),
  commit.map((one): Event => ({ type: 'fetch_failed', commit: one })),
  commit.map((one): Event => ({ type: 'verified', commit: one })),
  commit.map((one): Event => ({ type: 'refused', commit: one, reason: 'invalid', detail: 'no good' })),
  commit.map((one): Event => ({ type: 'warmed', commit: one })),
  commit.map((one): Event => ({ type: 'unhealthy', commit: one, detail: 'unwell' })),
  fc.tuple(commit, fc.boolean()).map(([one, proved]): Event => ({ type: 'baked', commit: one, proved })),
  commit.map((one): Event => ({ type: 'watched', commit: one })),
  commit.map((one): Event => ({ type: 'condemned', commit: one, detail: 'bad elsewhere' })),
  fc
    .option(commit, { nil: undefined })
    .map((pinned): Event => ({ type: 'paused', pause: { pinned, until: 0, note: 'drill' } })),
  fc.constant<Event>({ type: 'resumed' }),
  commit.map((one): Event => ({ type: 'accepted', commit: one })),
  commit.map((one): Event => ({ type: 'looked_back', commit: one })),
  commit.map((one): Event => ({ type: 'signers_changed', commit: one })),
);

const event: fc.Arbitrary<Move> = fc.oneof(
  { weight: 1, arbitrary: single },
  { weight: 1, arbitrary: commit.map((one): Event => ({ type: 'tip_seen', commit: one })) },
  { weight: 3, arbitrary: fc.constant<Move>({ type: 'next', well: true }) },
  { weight: 2, arbitrary: fc.constant<Move>({ type: 'next', well: true, busy: false }) },
  { weight: 1, arbitrary: fc.constant<Move>({ type: 'next', well: false }) },
);

/** Plays events and hands each step to `look`. */
function play(
  moves: readonly Move[],
  look: (before: State, event: Event, after: State, effects: readonly Effect[]) => void,
) {
  let state = step(cold, { type: 'booted', lastKnownGood: undefined, quarantine: {} }).state;
  for (const move of moves) {
    const one = move.type === 'next' ? natural(state, move.well, move.busy) : move;
    const { state: after, effects } = step(state, one);
    look(state, one, after, effects);
    state = after;
  }
  return state;
}

const runs = { numRuns: 3_000 };

test('what serves was verified and warmed before, in this order, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
      const verified = new Set<string>();
      play(events, (before, one, after) => {
        if (one.type === 'verified' && before.work?.commit === one.commit && before.work.step === 'VERIFYING') {
          verified.add(one.commit);
        }
        // Reported only of what was verified and built.
        if (one.type === 'looked_back') verified.add(one.commit);
        if (after.active !== undefined) assert.ok(verified.has(after.active), `${after.active} serves unverified`);
      });
    }),
    runs,
  );
});

test('a quarantined commit is never worked on or served again by itself', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80, size: 'max' }), (events) => {
      play(events, (before, _one, after, effects) => {
        for (const bad of Object.keys(before.quarantine)) {
          assert.notEqual(after.work?.commit, bad);
          assert.notEqual(after.active, bad);
          for (const effect of effects) {
            const starts =
              effect.do === 'fetch' || effect.do === 'verify' || effect.do === 'warm' || effect.do === 'activate';
            assert.ok(!(starts && effect.commit === bad), `${effect.do} of quarantined ${bad}`);
          }
        }
      });
    }),
    runs,
  );
});

test('a newer commit always interrupts: it is worked on at once, whatever was going on', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), commit, (events, newer) => {
      const before = play(events, () => undefined);
      fc.pre(
        !before.pause && newer !== before.tip && newer !== before.active && !Object.hasOwn(before.quarantine, newer),
      );
      const { state, effects } = step(before, { type: 'tip_seen', commit: newer });
      assert.deepEqual(state.work, { commit: newer, step: 'FETCHING' });
      assert.equal(state.held, undefined);
      assert.equal(state.active, before.active);
      assert.ok(effects.some((effect) => effect.do === 'fetch' && effect.commit === newer));
      if (before.work) assert.ok(effects.some((effect) => effect.do === 'abandon'));
    }),
    runs,
  );
});

test('a rollback goes one step back, to what proved itself before, and never further', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80, size: 'max' }), (events) => {
      const proved = new Set<string>();
      play(events, (before, one, after, effects) => {
        // Found where nothing had served, it is all the proof there is.
        if (one.type === 'looked_back') proved.add(one.commit);
        for (const effect of effects) {
          if (effect.do === 'promote') proved.add(effect.commit);
          if (effect.do !== 'roll_back') continue;
          assert.equal(effect.from, before.active);
          assert.equal(effect.to, before.fallback);
          assert.ok(proved.has(effect.to), `${effect.to} never passed a trial`);
          assert.equal(after.active, effect.to);
          assert.equal(after.lastKnownGood, effect.to);
          assert.equal(after.fallback, undefined, 'no way further back');
          assert.ok(Object.hasOwn(after.quarantine, effect.from));
        }
      });
    }),
    runs,
  );
});

test('there is a way back exactly as long as a trial or a watch goes on over something that was proved before', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80, size: 'max' }), (events) => {
      play(events, (before, one, after, effects) => {
        if (after.fallback !== undefined) {
          assert.notEqual(after.fallback, after.active);
          assert.ok(!Object.hasOwn(after.quarantine, after.fallback), 'the way back is condemned');
        }
        if (isBaking(after)) assert.equal(after.fallback, after.lastKnownGood);
        const closes = effects.some((effect) => effect.do === 'close_way_back');
        if (closes) assert.equal(after.fallback, undefined);
        const isReplaced = effects.some((effect) => effect.do === 'activate' || effect.do === 'roll_back');
        if (before.fallback !== undefined && after.fallback === undefined) assert.ok(closes || isReplaced, one.type);
      });
    }),
    runs,
  );
});

test('whatever can be taken back, is taken back when it is unwell', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
      const before = play(events, () => undefined);
      const { active, fallback } = before;
      fc.pre(active !== undefined && fallback !== undefined && before.pause?.pinned !== active);
      const { state, effects } = step(before, { type: 'unhealthy', commit: active ?? '', detail: 'unwell' });
      assert.equal(state.active, fallback);
      assert.deepEqual(
        effects.map((effect) => effect.do),
        ['roll_back'],
      );
    }),
    runs,
  );
});

test('results of a candidate that was given up change nothing', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), single, (events, late) => {
      const before = play(events, () => undefined);
      const ofThemselves = [
        'tip_seen',
        'unhealthy',
        'baked',
        'watched',
        'condemned',
        'accepted',
        'looked_back',
        'signers_changed',
      ];
      fc.pre('commit' in late && !ofThemselves.includes(late.type));
      fc.pre('commit' in late && before.work?.commit !== late.commit);
      assert.deepEqual(step(before, late), { state: before, effects: [] });
    }),
    runs,
  );
});

test('an error of the source is never an answer: serving and verdicts stay', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), commit, (events, one) => {
      const before = play(events, () => undefined);
      const { state } = step(before, { type: 'fetch_failed', commit: one });
      if (before.active !== undefined) assert.equal(state.active, before.active);
      assert.deepEqual(state.held, before.held);
      assert.deepEqual(state.quarantine, before.quarantine);
    }),
    runs,
  );
});

const events = (state: State, ...list: Event[]): State => list.reduce((now, one) => step(now, one).state, state);
const tryOut = (one: string): Event[] => [
  { type: 'tip_seen', commit: one },
  { type: 'fetched', commit: one },
  { type: 'verified', commit: one },
  { type: 'warmed', commit: one },
];

test('fault 72: bad, then bad, then good: each verdict sticks to its own commit and the good one ends it', () => {
  let state = events(cold, ...tryOut('a'), { type: 'baked', commit: 'a', proved: true });
  assert.equal(phaseOf(state), 'STEADY');
  state = events(state, ...tryOut('b'), { type: 'unhealthy', commit: 'b', detail: 'one' });
  assert.equal(phaseOf(state), 'HELD');
  assert.equal(state.active, 'a');
  state = events(state, ...tryOut('c'), { type: 'unhealthy', commit: 'c', detail: 'two' });
  assert.deepEqual(state.quarantine, { b: 'one', c: 'two' });
  state = events(state, ...tryOut('d'));
  assert.equal(phaseOf(state), 'BAKING');
  assert.equal(state.active, 'd');
  assert.ok(isBaking(state));
  assert.equal(phaseOf(events(state, { type: 'baked', commit: 'd', proved: true })), 'STEADY');
});

test('a verdict on what serves holds even while a newer commit is being fetched', () => {
  let state = events(cold, ...tryOut('a'), { type: 'baked', commit: 'a', proved: true }, ...tryOut('b'), {
    type: 'tip_seen',
    commit: 'c',
  });
  state = events(state, { type: 'unhealthy', commit: 'b', detail: 'unwell' });
  assert.equal(state.active, 'a');
  assert.deepEqual(state.work, { commit: 'c', step: 'FETCHING' });
});

test('the branch going back to what serves ends a hold', () => {
  let state = events(
    cold,
    ...tryOut('a'),
    { type: 'baked', commit: 'a', proved: true },
    { type: 'tip_seen', commit: 'b' },
  );
  state = events(
    state,
    { type: 'fetched', commit: 'b' },
    { type: 'refused', commit: 'b', reason: 'schema', detail: 'x' },
  );
  assert.equal(phaseOf(state), 'HELD');
  assert.equal(phaseOf(events(state, { type: 'tip_seen', commit: 'a' })), 'STEADY');
});

test('a missing branch is held and said, and its return is no new commit', () => {
  let state = events(cold, ...tryOut('a'), { type: 'baked', commit: 'a', proved: true }, { type: 'tip_missing' });
  assert.equal(state.held?.reason, 'branch-missing');
  assert.equal(state.active, 'a');
  state = events(state, { type: 'tip_seen', commit: 'a' });
  assert.equal(phaseOf(state), 'STEADY');
  assert.equal(state.work, undefined);
});

test('while paused nothing moves but the tip in sight, and resuming acts on what came meanwhile', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 60, size: 'max' }),
      fc.array(event, { maxLength: 20 }),
      (events, later) => {
        let state = play(events, () => undefined);
        state = step(state, { type: 'paused', pause: { pinned: undefined, until: 0, note: 'drill' } }).state;
        const serving = state.active;
        for (const move of later) {
          const one = move.type === 'next' ? natural(state, move.well, move.busy) : move;
          if (one.type === 'paused' || one.type === 'resumed') continue;
          if (one.type === 'unhealthy' || one.type === 'condemned') continue;
          const { state: after, effects } = step(state, one);
          assert.equal(after.active, serving);
          assert.ok(!effects.some((effect) => effect.do === 'fetch' || effect.do === 'activate'));
          state = after;
        }
        const { state: resumed, effects } = step(state, { type: 'resumed' });
        // What was found before the first tip waits for the end of a pause like everything else.
        const beside = effects.filter((effect) => effect.do !== 'fall_back');
        assert.deepEqual(beside, [{ do: 'poll' }]);
        assert.equal(resumed.tip, undefined);
      },
    ),
    runs,
  );
});

test('a pinned commit is verified and warmed like any other, and serves until the pin is lifted', () => {
  let state = events(cold, ...tryOut('a'), { type: 'baked', commit: 'a', proved: true }, ...tryOut('b'), {
    type: 'baked',
    commit: 'b',
    proved: true,
  });
  const pinned = step(state, { type: 'paused', pause: { pinned: 'a', until: 1, note: 'incident' } });
  assert.deepEqual(pinned.effects, [
    { do: 'allow', commit: 'a' },
    { do: 'verify', commit: 'a' },
  ]);
  state = events(pinned.state, { type: 'verified', commit: 'a' }, { type: 'warmed', commit: 'a' });
  assert.equal(phaseOf(state), 'PAUSED');
  assert.equal(state.active, 'a');
  state = events(state, { type: 'tip_seen', commit: 'c' }, { type: 'resumed' }, { type: 'tip_seen', commit: 'c' });
  assert.deepEqual(state.work, { commit: 'c', step: 'FETCHING' });
});

test('a rewind that an operator accepts is worked on once more, and allowed this once', () => {
  const rewound = events(
    cold,
    ...tryOut('a'),
    { type: 'baked', commit: 'a', proved: true },
    { type: 'tip_seen', commit: 'b' },
  );
  const state = events(rewound, { type: 'refused', commit: 'b', reason: 'rewind', detail: 'older' });
  assert.deepEqual(step(state, { type: 'accepted', commit: 'c' }).effects, []);
  assert.deepEqual(step(state, { type: 'accepted', commit: 'b' }).effects, [
    { do: 'allow', commit: 'b' },
    { do: 'fetch', commit: 'b' },
  ]);
  const bad = events(rewound, { type: 'refused', commit: 'b', reason: 'signature', detail: 'none' });
  assert.deepEqual(step(bad, { type: 'accepted', commit: 'b' }).effects, []);
});

test('a first revision has what stood before it as its way back, and that serves where the first cannot', () => {
  const seen = step(cold, { type: 'tip_seen', commit: 'b' });
  assert.deepEqual(seen.effects, [
    { do: 'look_back', commit: 'b' },
    { do: 'fetch', commit: 'b' },
  ]);
  const known = step(seen.state, { type: 'looked_back', commit: 'a' });
  assert.deepEqual(known.effects, [], 'the tip is still on its way');
  const refused = step(events(known.state, { type: 'fetched', commit: 'b' }), {
    type: 'refused',
    commit: 'b',
    reason: 'schema',
    detail: 'x',
  });
  assert.deepEqual(refused.effects, [{ do: 'fall_back', commit: 'a' }]);
  assert.equal(refused.state.active, 'a');
  assert.equal(phaseOf(refused.state), 'HELD');
  const tried = events(known.state, ...tryOut('b').slice(1));
  assert.equal(phaseOf(tried), 'BAKING');
  assert.deepEqual(step(tried, { type: 'unhealthy', commit: 'b', detail: 'unwell' }).effects, [
    { do: 'roll_back', from: 'b', to: 'a', detail: 'unwell' },
  ]);
  const bad = step(events({ ...cold, quarantine: { b: 'unwell' } }, { type: 'tip_seen', commit: 'b' }), {
    type: 'looked_back',
    commit: 'a',
  });
  assert.deepEqual(bad.effects, [{ do: 'fall_back', commit: 'a' }]);
});

test('what was found before the first tip is no way back once it is known to be bad', () => {
  const known = events(cold, { type: 'tip_seen', commit: 'b' }, { type: 'looked_back', commit: 'a' });
  const state = events(known, { type: 'condemned', commit: 'a', detail: 'bad elsewhere' }, ...tryOut('b').slice(1));
  assert.equal(state.active, 'b');
  assert.equal(state.fallback, undefined);
});

test('what serves is never looked back for, nor replaced by what was found', () => {
  const state = events(cold, ...tryOut('a'), { type: 'baked', commit: 'a', proved: true });
  assert.ok(!step(state, { type: 'tip_seen', commit: 'b' }).effects.some((effect) => effect.do === 'look_back'));
  assert.deepEqual(step(state, { type: 'looked_back', commit: 'c' }), { state, effects: [] });
});

test('other signers are a reason to look again at a refused signature, and at nothing else', () => {
  const serving = events(
    cold,
    ...tryOut('a'),
    { type: 'baked', commit: 'a', proved: true },
    { type: 'tip_seen', commit: 'b' },
  );
  const refused = (reason: 'signature' | 'schema') =>
    events(serving, { type: 'refused', commit: 'b', reason, detail: 'x' });
  assert.deepEqual(step(refused('signature'), { type: 'signers_changed', commit: 'b' }).effects, [
    { do: 'fetch', commit: 'b' },
  ]);
  assert.deepEqual(step(refused('schema'), { type: 'signers_changed', commit: 'b' }).effects, []);
});

const unproved = (one: string): Event => ({ type: 'baked', commit: one, proved: false });

test('fault 76: what too few requests have proved is kept and watched on, and still taken back when it turns bad', () => {
  let state = events(cold, ...tryOut('a'), { type: 'baked', commit: 'a', proved: true }, ...tryOut('b'), unproved('b'));
  assert.equal(phaseOf(state), 'STEADY');
  assert.equal(state.lastKnownGood, 'b');
  assert.ok(isWatched(state));
  const { state: back, effects } = step(state, { type: 'unhealthy', commit: 'b', detail: 'late' });
  assert.deepEqual(effects, [{ do: 'roll_back', from: 'b', to: 'a', detail: 'late' }]);
  assert.equal(phaseOf(back), 'HELD');
  assert.equal(back.lastKnownGood, 'a', 'a start begins with it again');
  assert.deepEqual(step(back, { type: 'unhealthy', commit: 'a', detail: 'still' }).effects, [], 'one step, no further');

  state = events(state, { type: 'watched', commit: 'b' });
  assert.ok(!isWatched(state));
  assert.deepEqual(step(state, { type: 'unhealthy', commit: 'b', detail: 'too late' }).effects, []);
});

test('fault 76: a newer commit ends the watch: its way back is what was promoted last', () => {
  const before = events(cold, ...tryOut('a'), { type: 'baked', commit: 'a', proved: true }, ...tryOut('b'));
  const state = events(before, unproved('b'), ...tryOut('c'));
  assert.equal(state.fallback, 'b');
  assert.equal(events(state, { type: 'unhealthy', commit: 'c', detail: 'unwell' }).active, 'b');
});
