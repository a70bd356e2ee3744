/** What every quota store promises of counts that go on under another name. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calendar, fixed, limitOf, noWindow, sliding, type Open, type Subject } from '../quota-stores.ts';
import { granting, settleOne, takeOne } from '../taking.ts';

const hourMs = 3_600_000;

export function movesContract(open: Open): void {
  let subject: Subject;
  before(async () => void (subject = await open()));
  after(async () => await subject.close());

  for (const window of [fixed(hourMs), sliding(hourMs), calendar('month', 'Europe/Berlin')])
    test(`a count under a new name goes on from the old one, in ${window.kind} windows`, async () => {
      const old = limitOf(10, window);
      const now = { ...limitOf(10, window), was: old };
      await takeOne(subject.store, old, 3);
      const held = await takeOne(subject.store, old, 2, hourMs);
      const [before] = await subject.store.read([now]);
      assert.deepEqual([before?.used, before?.held], [5, 2], 'what is held counts as used');
      assert.deepEqual(await granting(subject.store, now, 6), [false, 5], 'nothing is taken over by a refusal');
      const taking = await takeOne(subject.store, now, 4);
      assert.deepEqual([taking.granted, taking.used, taking.held], [true, 9, 0]);
      await settleOne(subject.store, { ...old, amount: 2 }, held, 0);
      assert.deepEqual(await granting(subject.store, now, 1), [true, 10], 'from here on it is its own');
      assert.equal((await subject.store.read([old]))[0]?.used, 3);
    });

  test('what a dead process held under the old name is not taken over', async () => {
    for (const window of [fixed(hourMs), sliding(hourMs), calendar('month', 'Europe/Berlin')]) {
      const old = limitOf(10, window);
      await takeOne(subject.store, old, 3);
      await takeOne(subject.store, old, 6, 60_000);
      subject.clock.advance(60_000);
      assert.deepEqual(await granting(subject.store, { ...limitOf(10, window), was: old }, 1), [true, 4]);
    }
  });

  test('both parts of what was split go on from all of it', async () => {
    const old = limitOf(10, fixed(hourMs));
    await takeOne(subject.store, old, 4);
    const parts = [1, 2].map(() => ({ ...limitOf(10, fixed(hourMs)), was: old, amount: 5 }));
    const takings = await subject.store.take(parts);
    assert.deepEqual(
      takings.map(({ granted, used }) => [granted, used]),
      [
        [true, 9],
        [true, 9],
      ],
    );
  });

  test('what has a count of its own, and what is in flight, takes nothing over', async () => {
    const old = limitOf(10, fixed(hourMs));
    const now = { ...limitOf(10, fixed(hourMs)), was: old };
    await takeOne(subject.store, now, 1);
    await takeOne(subject.store, old, 8);
    assert.deepEqual(await granting(subject.store, now, 1), [true, 2]);
    const flying = limitOf(2, noWindow);
    await takeOne(subject.store, flying, 2, hourMs);
    const other = { ...limitOf(2, noWindow), was: flying };
    assert.equal((await takeOne(subject.store, other, 2, hourMs)).granted, true);
  });
}
