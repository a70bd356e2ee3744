/** The staged part of the life of revisions, under random histories: who is served by what, and when it may change. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step } from '../../runtime/sync/machine.ts';
import { shareOf } from '../../runtime/sync/stages.ts';
import { cold, phaseOf, type Effect, type Event, type State } from '../../runtime/sync/states.ts';

const three = [0.05, 0.25, 0.5].map((share) => ({ share, for: 1_000 }));
const commit = fc.constantFrom('a', 'b', 'c', 'd');
const stages = fc.constantFrom(undefined, three.slice(0, 1), three);

/** `next`: whatever would bring the state at hand one step on; random events alone rarely get far. */
type Move = Event | { readonly type: 'next'; readonly stages: typeof three | undefined };

function natural({ work, active = 'a', rollout }: State, declared: typeof three | undefined): Event {
  if (!work)
    return rollout
      ? { type: 'stage_over', commit: active, at: rollout.at }
      : { type: 'baked', commit: active, proved: true };
  if (work.step === 'WARMING') return { type: 'warmed', commit: work.commit, stages: declared };
  return { type: work.step === 'FETCHING' ? 'fetched' : 'verified', commit: work.commit };
}

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: stages.map((declared): Move => ({ type: 'next', stages: declared })) },
  { weight: 2, arbitrary: commit.map((one): Move => ({ type: 'tip_seen', commit: one })) },
  fc.constant<Move>({ type: 'tip_missing' }),
  commit.map((one): Move => ({ type: 'fetch_failed', commit: one })),
  commit.map((one): Move => ({ type: 'refused', commit: one, reason: 'invalid', detail: 'no good' })),
  commit.map((one): Move => ({ type: 'unhealthy', commit: one, detail: 'unwell' })),
  commit.map((one): Move => ({ type: 'condemned', commit: one, detail: 'unwell elsewhere' })),
  fc.tuple(commit, fc.boolean()).map(([one, proved]): Move => ({ type: 'baked', commit: one, proved })),
  commit.map((one): Move => ({ type: 'watched', commit: one })),
  commit.map((one): Move => ({ type: 'retried', commit: one })),
  fc.tuple(commit, fc.nat(3)).map(([one, at]): Move => ({ type: 'stage_over', commit: one, at })),
  fc
    .option(commit, { nil: undefined })
    .map((pinned): Move => ({ type: 'paused', pause: { pinned, until: 0, note: '' } })),
  fc.constant<Move>({ type: 'resumed' }),
);

interface Seen {
  readonly before: State;
  readonly event: Event;
  readonly after: State;
  readonly effects: readonly Effect[];
}

/** Plays events from where `a` has proved itself, and hands each step to `look`. */
function play(moves: readonly Move[], look: (seen: Seen) => void = () => undefined): State {
  let state = step(cold, { type: 'booted', lastKnownGood: 'a', quarantine: {} }).state;
  for (const one of moves) {
    const event = one.type === 'next' ? natural(state, one.stages) : one;
    const { state: after, effects } = step(state, event);
    look({ before: state, event, after, effects });
    state = after;
  }
  return state;
}

const always = (look: () => (seen: Seen) => void) =>
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80, size: 'max' }), (moves) => void play(moves, look())),
    { numRuns: 3_000 },
  );

/** What serves anyone at all. */
const serving = ({ active, rollout, lastKnownGood }: State) => [active, ...(rollout ? [lastKnownGood] : [])];

test('whatever serves anyone was verified, and is not in quarantine', () => {
  always(() => {
    const verified = new Set<string | undefined>(['a']);
    return ({ before, event, after }) => {
      if (event.type === 'verified' && before.work?.commit === event.commit && before.work.step === 'VERIFYING')
        verified.add(event.commit);
      for (const one of serving(after)) {
        assert.ok(verified.has(one), `${one} serves unverified`);
        // Proved is proved: what others say of it is remembered and does not take it away.
        if (one !== after.lastKnownGood) assert.ok(!Object.hasOwn(after.quarantine, one ?? ''), `${one} serves`);
      }
    };
  });
});

test('the others are served by what proved itself, and by nothing else than the cohort is', () => {
  always(() => ({ after }) => {
    if (!after.rollout) return;
    assert.notEqual(after.lastKnownGood, undefined);
    assert.notEqual(after.active, after.lastKnownGood);
    assert.notEqual(after.pause?.pinned, after.active);
  });
});

test('what the effects make of it is what the state says, after each step', () => {
  always(() => {
    let served: { all: string | undefined; few: string | undefined; share: number } = {
      all: 'a',
      few: undefined,
      share: 1,
    };
    let known: string | undefined = 'a';
    return ({ after, effects }) => {
      for (const effect of effects) {
        if (effect.do === 'activate' || effect.do === 'widen')
          served =
            effect.share < 1
              ? { all: known, few: effect.commit, share: effect.share }
              : { all: effect.commit, few: undefined, share: 1 };
        if (effect.do === 'promote') known = effect.commit;
        if (effect.do !== 'roll_back') continue;
        served = { all: effect.to, few: undefined, share: 1 };
        // It may have been promoted with too little proof.
        known = effect.to;
      }
      const { active, lastKnownGood, rollout } = after;
      const said = rollout ? { all: lastKnownGood, few: active } : { all: active, few: undefined };
      assert.deepEqual(served, { ...said, share: shareOf(after) });
    };
  });
});

test('a revision reaches more consumers one stage at a time, and fewer only when it is taken back or replaced', () => {
  always(() => ({ before, event, after, effects }) => {
    const widened = effects.find((effect) => effect.do === 'widen');
    assert.equal(widened !== undefined, before.active === after.active && shareOf(before) !== shareOf(after));
    if (!widened) return;
    assert.ok(shareOf(after) > shareOf(before));
    if (event.type === 'paused') assert.equal(event.pause.pinned, after.active);
    else {
      assert.equal(event.type, 'stage_over');
      assert.equal(after.rollout?.at ?? before.rollout?.stages.length, (before.rollout?.at ?? NaN) + 1);
    }
  });
});

test('no revision is proved before it has served everyone', () => {
  always(() => ({ before, effects, after }) => {
    for (const effect of effects) if (effect.do === 'promote') assert.equal(after.rollout, undefined);
    if (before.rollout && after.lastKnownGood === before.active) assert.fail('promoted during its rollout');
  });
});

test('a newer commit stops the widening at once, and its own rollout begins anew', () => {
  let state = play([{ type: 'tip_seen', commit: 'b' }, ...advance(3, three), ...advance(1)]);
  assert.equal(shareOf(state), 0.25);
  state = after(state, { type: 'tip_seen', commit: 'c' });
  assert.deepEqual(step(state, { type: 'stage_over', commit: 'b', at: 1 }), { state, effects: [] });
  state = after(state, { type: 'fetched', commit: 'c' }, { type: 'verified', commit: 'c' });
  const { state: replaced, effects } = step(state, { type: 'warmed', commit: 'c', stages: three });
  assert.deepEqual(effects, [{ do: 'activate', commit: 'c', share: 0.05 }]);
  assert.deepEqual([replaced.active, replaced.lastKnownGood, shareOf(replaced)], ['c', 'a', 0.05]);
  const late = step(replaced, { type: 'stage_over', commit: 'b', at: 0 });
  assert.deepEqual(late, { state: replaced, effects: [] });
});

test('a newer commit that is refused lets the rollout go on', () => {
  let state = play([{ type: 'tip_seen', commit: 'b' }, ...advance(3, three)]);
  state = after(
    state,
    { type: 'tip_seen', commit: 'c' },
    { type: 'refused', commit: 'c', reason: 'signature', detail: '' },
  );
  assert.equal(phaseOf(state), 'HELD');
  assert.equal(shareOf(after(state, { type: 'stage_over', commit: 'b', at: 0 })), 0.25);
});

test('a verdict during a stage gives the cohort back to what proved itself', () => {
  const staged = play([{ type: 'tip_seen', commit: 'b' }, ...advance(3, three)]);
  for (const type of ['unhealthy', 'condemned'] as const) {
    const { state, effects } = step(staged, { type, commit: 'b', detail: 'unwell' });
    assert.deepEqual(effects, [{ do: 'roll_back', from: 'b', to: 'a', detail: 'unwell' }]);
    assert.deepEqual([state.active, state.rollout, state.held?.reason], ['a', undefined, 'bad-health']);
  }
});

test('a pause holds the stage, resuming lets it go on, and a pin of the revision brings it to everyone', () => {
  const staged = play([{ type: 'tip_seen', commit: 'b' }, ...advance(3, three)]);
  const over: Event = { type: 'stage_over', commit: 'b', at: 0 };
  const pause = (pinned: string | undefined): Event => ({ type: 'paused', pause: { pinned, until: 0, note: '' } });
  const paused = after(staged, pause(undefined), over);
  assert.equal(shareOf(paused), 0.05);
  assert.equal(shareOf(after(paused, { type: 'resumed' }, over)), 0.25);
  const pinned = step(staged, pause('b'));
  assert.deepEqual(pinned.effects, [{ do: 'widen', commit: 'b', share: 1 }]);
  assert.equal(pinned.state.rollout, undefined);
});

test('what proved itself before, and the first of all, go to everyone at once', () => {
  const back = play([
    { type: 'tip_seen', commit: 'b' },
    ...advance(3),
    { type: 'tip_seen', commit: 'a' },
    ...advance(3, three),
  ]);
  assert.deepEqual([back.active, back.rollout], ['a', undefined]);
  const first = [{ type: 'tip_seen', commit: 'b' }, ...advance(3, three)] as const;
  let state = cold;
  for (const one of first) state = step(state, one.type === 'next' ? natural(state, one.stages) : one).state;
  assert.deepEqual([state.active, state.rollout], ['b', undefined]);
  const [seen, ...steps] = first;
  state = step(step(cold, seen).state, { type: 'looked_back', commit: 'a' }).state;
  for (const one of steps) state = step(state, one.type === 'next' ? natural(state, one.stages) : one).state;
  assert.deepEqual([state.active, state.lastKnownGood, state.rollout], ['b', 'a', undefined]);
});

function advance(times: number, declared?: typeof three): Move[] {
  return Array.from({ length: times }, () => ({ type: 'next', stages: declared }));
}

function after(state: State, ...events: readonly Event[]): State {
  return events.reduce((now, event) => step(now, event).state, state);
}
