/** What every quota store promises of counts: nothing is handed out twice, and several counts are taken from as one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { StoreUnavailable } from '../../../runtime/quota/store.ts';
import { fixed, limitOf, noWindow, sliding, type Open, type Subject } from '../quota-stores.ts';
import { granting, settleOne, takeOne, type Limit } from '../taking.ts';

const hourMs = 3_600_000;
const quota = (limit: number, windowMs = hourMs): Limit => limitOf(limit, fixed(windowMs));

export function countsContract(open: Open): void {
  let subject: Subject;
  before(async () => void (subject = await open()));
  after(async () => await subject.close());

  test('grants exactly the limit to 200 concurrent takers', async () => {
    const window = quota(137);
    const takings = await Promise.all(
      Array.from({ length: 200 }, (_, i) => takeOne(i % 2 === 0 ? subject.store : subject.sibling, window, 1)),
    );
    const granted = takings.filter((taking) => taking.granted);
    assert.equal(granted.length, 137);
    const counts = granted.map((taking) => taking.used).toSorted((a, b) => a - b);
    assert.deepEqual(
      counts,
      Array.from({ length: 137 }, (_, i) => i + 1),
      'each unit is handed out once',
    );
    assert.ok(takings.every((taking) => taking.granted || taking.used === 137));
  });

  test('takes all of an amount or nothing of it', async () => {
    const window = quota(10);
    assert.deepEqual(await granting(subject.store, window, 7), [true, 7]);
    assert.deepEqual(await granting(subject.store, window, 4), [false, 7]);
    assert.deepEqual(await granting(subject.store, window, 3), [true, 10]);
    assert.deepEqual(await granting(subject.store, window, 0), [true, 10]);
    assert.deepEqual(await granting(subject.store, quota(10), 11), [false, 0]);
  });

  test('takes from several counts, or from none of them', async () => {
    const [wide, narrow] = [quota(100), quota(5)];
    const spent = limitOf(3, sliding(hourMs));
    const all = [wide, narrow, spent].map((limit) => ({ ...limit, amount: 3 }));
    const first = await subject.store.take(all);
    assert.deepEqual(
      first.map(({ granted, used }) => [granted, used]),
      [
        [true, 3],
        [true, 3],
        [true, 3],
      ],
    );
    const second = await subject.store.take(all.map((demand) => ({ ...demand, holdMs: 1_000 })));
    assert.deepEqual(
      second.map(({ granted, used, hold }) => [granted, used, hold]),
      [
        [true, 3, undefined],
        [false, 3, undefined],
        [false, 3, undefined],
      ],
      'it says which of them refused, and holds nothing anywhere',
    );
    assert.deepEqual(
      (await subject.store.read([wide, narrow, spent])).map(({ used }) => used),
      [3, 3, 3],
    );
  });

  test('takes from several counts at once, whoever else does', async () => {
    const [wide, narrow, other] = [quota(1_000), quota(60), quota(45)];
    const pairs = [
      [wide, narrow],
      [other, wide],
      [narrow, other],
    ];
    const granted = await Promise.all(
      Array.from({ length: 240 }, async (_, i) => {
        const pair = pairs[i % 3] ?? [];
        const taken = await (i % 2 === 0 ? subject.store : subject.sibling).take(
          pair.map((limit) => ({ ...limit, amount: 1 })),
        );
        return taken.every((taking) => taking.granted) ? pair : [];
      }),
    );
    for (const limit of [wide, narrow, other]) {
      const [reading] = await subject.store.read([limit]);
      assert.equal(reading?.used, granted.flat().filter((each) => each === limit).length);
      assert.ok((reading?.used ?? 0) <= limit.limit);
    }
  });

  test('counts large amounts without losing digits', async () => {
    const window = quota(2 ** 52);
    assert.deepEqual(await granting(subject.store, window, 2 ** 52 - 1), [true, 2 ** 52 - 1]);
    assert.deepEqual(await granting(subject.store, window, 2), [false, 2 ** 52 - 1]);
    const million = 1_000_000_000_000_000;
    const dollars = quota(million);
    const taking = await takeOne(subject.store, dollars, million - 1, 60_000);
    await settleOne(subject.store, { ...dollars, amount: million - 1 }, taking, 999_999_999_999_998);
    assert.deepEqual(await granting(subject.store, dollars, 3), [false, 999_999_999_999_998]);
    assert.deepEqual(await granting(subject.store, dollars, 2), [true, million]);
  });

  test('starts again from zero in the next window', async () => {
    const window = quota(2, 1_000);
    const first = await takeOne(subject.store, window, 2);
    assert.equal((await takeOne(subject.store, window, 1)).granted, false);
    subject.clock.advance(1_000);
    const second = await takeOne(subject.store, window, 1);
    assert.deepEqual([second.granted, second.used], [true, 1]);
    assert.equal(second.start, first.start + 1_000);
  });

  test('takes units back into the window they came from', async () => {
    const window = quota(5);
    const taking = await takeOne(subject.store, window, 5);
    await settleOne(subject.sibling, { ...window, amount: 5 }, taking, 3);
    assert.deepEqual(await granting(subject.store, window, 3), [false, 3]);
    assert.deepEqual(await granting(subject.store, window, 2), [true, 5]);
  });

  test('ignores units given back to a window that has ended', async () => {
    const window = quota(5, 1_000);
    const old = await takeOne(subject.store, window, 4);
    subject.clock.advance(1_000);
    await takeOne(subject.store, window, 4);
    await settleOne(subject.store, { ...window, amount: 4 }, old, 0);
    assert.deepEqual(await granting(subject.store, window, 2), [false, 4]);
  });

  test('never falls below zero', async () => {
    const window = quota(5);
    const taking = await takeOne(subject.store, window, 1);
    await settleOne(subject.store, { ...window, amount: 100 }, taking, 0);
    await settleOne(subject.store, { ...quota(5), amount: 100 }, taking, 0);
    assert.deepEqual(await granting(subject.store, window, 6), [false, 0]);
    assert.deepEqual(await granting(subject.store, window, 5), [true, 5]);
  });

  test('keeps the count when the limit is edited', async () => {
    const window = quota(10);
    await takeOne(subject.store, window, 6);
    assert.deepEqual(await granting(subject.store, { ...window, limit: 5 }, 1), [false, 6]);
    assert.deepEqual(await granting(subject.store, { ...window, limit: 20 }, 14), [true, 20]);
  });

  test('keeps two keys, and two windows of one key, apart', async () => {
    const one = quota(3);
    await takeOne(subject.store, one, 3);
    assert.deepEqual(await granting(subject.store, quota(3), 3), [true, 3]);
    assert.deepEqual(await granting(subject.store, { ...one, window: fixed(2 * hourMs) }, 3), [true, 3]);
    assert.deepEqual(await granting(subject.store, { ...one, window: sliding(hourMs) }, 3), [true, 3]);
    assert.deepEqual(await granting(subject.store, one, 1), [false, 3]);
  });

  test('says when the window ends', async () => {
    const window = quota(3);
    const taking = await takeOne(subject.store, window, 1);
    assert.equal(taking.start % hourMs, 0);
    assert.equal(taking.resetMs, taking.start + hourMs - subject.clock.wall);
  });

  test('refuses amounts and windows that no count can hold', async () => {
    const taking = await takeOne(subject.store, quota(3), 1);
    for (const amount of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      await assert.rejects(takeOne(subject.store, quota(3), amount), RangeError);
      await assert.rejects(takeOne(subject.store, quota(3), 1, amount), RangeError);
      await assert.rejects(settleOne(subject.store, { ...quota(3), amount: 1 }, taking, amount), RangeError);
    }
    for (const windowMs of [0, -5, 1.5, Number.NaN]) {
      await assert.rejects(takeOne(subject.store, quota(3, windowMs), 1), RangeError);
      await assert.rejects(takeOne(subject.store, limitOf(3, sliding(windowMs)), 1), RangeError);
    }
    await assert.rejects(takeOne(subject.store, quota(Number.NaN), 1), RangeError);
    await assert.rejects(takeOne(subject.store, limitOf(3, noWindow), 1), /only what is held counts/);
    const twice = { ...quota(3), amount: 1 };
    await assert.rejects(subject.store.take([twice, { ...twice, limit: 4 }]), /demanded twice/);
    assert.deepEqual(await subject.store.take([]), []);
  });

  test('treats a key as a name and never as code', async () => {
    const window = { key: `o'); DROP TABLE quota_span; -- {x} \n "`, limit: 1, window: fixed(hourMs) };
    assert.deepEqual(await granting(subject.store, window, 1), [true, 1]);
    assert.deepEqual(await granting(subject.store, window, 1), [false, 1]);
  });

  test('is unavailable once closed', async () => {
    const own = await open();
    const taking = await takeOne(own.store, quota(1), 1);
    await own.close();
    await assert.rejects(takeOne(own.store, quota(1), 1), StoreUnavailable);
    await assert.rejects(settleOne(own.store, { ...quota(1), amount: 1 }, taking, 0), StoreUnavailable);
    await assert.rejects(own.store.read([quota(1)]), StoreUnavailable);
    await own.store.close();
  });
}
