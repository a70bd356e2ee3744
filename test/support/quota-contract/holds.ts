/** What every quota store promises of holds: they count until they are settled, once, or until their process is given up. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Settlement } from '../../../runtime/quota/store.ts';
import { calendar, fixed, limitOf, noWindow, sliding, type Open, type Subject } from '../quota-stores.ts';
import { granting, settleOne, takeOne, type Limit } from '../taking.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const windows = [fixed(hourMs), sliding(hourMs), calendar('day', 'Asia/Tokyo')];

export function holdsContract(open: Open): void {
  let subject: Subject;
  before(async () => void (subject = await open()));
  after(async () => await subject.close());

  const usedOf = async (limit: Limit) => (await subject.sibling.read([limit]))[0]?.used;

  for (const window of windows) {
    test(`a hold counts until it is settled, for less or for more (${window.kind})`, async () => {
      const limit = limitOf(100, window);
      const [less, more, nothing] = [
        await takeOne(subject.store, limit, 40, minuteMs),
        await takeOne(subject.sibling, limit, 20, minuteMs),
        await takeOne(subject.store, limit, 40, minuteMs),
      ];
      assert.deepEqual(await granting(subject.store, limit, 1), [false, 100]);
      await settleOne(subject.sibling, { ...limit, amount: 40 }, less, 10);
      assert.equal(await usedOf(limit), 70);
      await settleOne(subject.store, { ...limit, amount: 20 }, more, 95);
      assert.equal(await usedOf(limit), 145, 'beyond the limit, when that is what it took');
      await settleOne(subject.store, { ...limit, amount: 40 }, nothing, 0);
      assert.equal(await usedOf(limit), 105);
      assert.deepEqual(await granting(subject.store, limit, 0), [false, 105]);
    });

    test(`a hold is settled once, however often it is said and by whom (${window.kind})`, async () => {
      const limit = limitOf(100, window);
      const taking = await takeOne(subject.store, limit, 40, minuteMs);
      const settlement: Settlement = { demand: { ...limit, amount: 40, holdMs: minuteMs }, taking, spent: 30 };
      await subject.store.settle([settlement, settlement]);
      await Promise.all([subject.store.settle([settlement]), subject.sibling.settle([{ ...settlement, spent: 0 }])]);
      assert.equal(await usedOf(limit), 30);
    });

    test(`a hold whose process died is freed after its time, and one that was only slow still pays (${window.kind})`, async () => {
      const limit = limitOf(100, window);
      const slow = await takeOne(subject.store, limit, 40, minuteMs);
      await takeOne(subject.store, limit, 50, minuteMs);
      const long = await takeOne(subject.store, limit, 10, 3 * minuteMs);
      subject.clock.advance(minuteMs - 1);
      assert.deepEqual(await granting(subject.sibling, limit, 1), [false, 100]);
      subject.clock.advance(1);
      assert.deepEqual(await granting(subject.sibling, limit, 85), [true, 95]);
      const late: Settlement = { demand: { ...limit, amount: 40 }, taking: slow, spent: 25 };
      await subject.sibling.settle([late, late]);
      assert.equal(await usedOf(limit), 120);
      await settleOne(subject.store, { ...limit, amount: 10 }, long, 0);
      assert.equal(await usedOf(limit), 110);
    });
  }

  test('what is held is told beside what is used, to those who take and to those who are refused', async () => {
    const limit = limitOf(10, sliding(hourMs));
    const tell = async (amount: number, holdMs?: number) => {
      const { granted, used, held } = await takeOne(subject.store, limit, amount, holdMs);
      return [granted, used, held];
    };
    assert.deepEqual(await tell(2), [true, 2, 0]);
    assert.deepEqual(await tell(3, minuteMs), [true, 5, 3]);
    assert.deepEqual(await tell(4), [true, 9, 3]);
    assert.deepEqual(await tell(2, minuteMs), [false, 9, 3]);
    subject.clock.advance(minuteMs);
    assert.deepEqual(await tell(0), [true, 6, 0]);
  });

  test('several holds are taken and settled together', async () => {
    const limits = [limitOf(10, fixed(hourMs)), limitOf(1_000, sliding(minuteMs)), limitOf(2, noWindow)];
    const demands = limits.map((limit, index) => ({ ...limit, amount: [1, 600, 1][index] ?? 0, holdMs: minuteMs }));
    const takings = await subject.store.take(demands);
    assert.ok(takings.every(({ granted, hold }) => granted && hold !== undefined));
    assert.equal(new Set(takings.map(({ hold }) => hold)).size, 3);
    const second = await subject.store.take(demands);
    assert.deepEqual(
      second.map(({ granted }) => granted),
      [true, false, true],
    );
    await subject.store.settle(
      demands.flatMap((demand, index) => {
        const taking = takings[index];
        return taking ? [{ demand, taking, spent: [1, 123, 1][index] ?? 0 }] : [];
      }),
    );
    assert.deepEqual(
      (await subject.store.read(limits)).map(({ used }) => used),
      [1, 123, 0],
    );
  });

  test('of a span that is over only the hold goes', async () => {
    for (const window of [fixed(hourMs), calendar('month', 'Europe/Berlin'), sliding(minuteMs)]) {
      const limit = limitOf(10, window);
      const taking = await takeOne(subject.store, limit, 8, 400 * 24 * hourMs);
      subject.clock.advance(taking.resetMs + (window.kind === 'sliding' ? minuteMs : 0));
      assert.deepEqual(await granting(subject.store, limit, 7), [true, 7], 'what is held counts in its own span only');
      await settleOne(subject.store, { ...limit, amount: 8 }, taking, 8);
      assert.equal(await usedOf(limit), 7);
      await settleOne(subject.store, { ...limit, amount: 8 }, taking, 8);
      assert.equal(await usedOf(limit), 7);
    }
  });

  test('without a window only what runs counts', async () => {
    const limit = limitOf(2, noWindow);
    const [one, two] = [
      await takeOne(subject.store, limit, 1, minuteMs),
      await takeOne(subject.sibling, limit, 1, 2 * minuteMs),
    ];
    assert.deepEqual([one.used, two.used, two.resetMs], [1, 2, 0]);
    assert.deepEqual(await granting(subject.store, limit, 0), [true, 2]);
    assert.equal((await takeOne(subject.store, limit, 1, minuteMs)).granted, false);
    await settleOne(subject.sibling, { ...limit, amount: 1 }, one, 1);
    const third = await takeOne(subject.store, limit, 1, minuteMs);
    assert.deepEqual([third.granted, third.used], [true, 2]);
    subject.clock.advance(minuteMs);
    assert.equal(await usedOf(limit), 1, 'the one that died is gone');
    await settleOne(subject.store, { ...limit, amount: 1 }, third, 1);
    assert.equal(await usedOf(limit), 1, 'and is not given back again');
    subject.clock.advance(minuteMs);
    assert.equal(await usedOf(limit), 0);
  });

  test('a clock that is set back keeps nothing held for longer than its time', async () => {
    const own = await open();
    const limit = limitOf(1, noWindow);
    await takeOne(own.store, limit, 1, minuteMs);
    own.clock.set(own.clock.wall - 365 * 24 * hourMs);
    assert.equal((await takeOne(own.store, limit, 1, minuteMs)).granted, false);
    own.clock.advance(minuteMs);
    assert.equal((await takeOne(own.store, limit, 1, minuteMs)).granted, true);
    await own.close();
  });
}
