/** What every quota store promises of counts that go on over a changed window. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Window } from '../../../runtime/quota/store.ts';
import { calendar, fixed, limitOf, sliding, type Open, type Subject } from '../quota-stores.ts';
import { granting, settleOne, takeOne } from '../taking.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

interface Change {
  readonly what: string;
  readonly from: Window;
  readonly to: Window;
  readonly at: string;
  /** The last moment at which what was taken over counts, and the next one, when the former span still goes on. */
  readonly until: string;
}

const changes: readonly Change[] = [
  {
    what: 'from the day of UTC to that of Berlin, in mid-day',
    from: calendar('day', 'UTC'),
    to: calendar('day', 'Europe/Berlin'),
    at: '2026-11-24T12:00:00Z',
    until: '2026-11-24T22:59:59.999Z',
  },
  {
    what: 'from the day of Berlin to that of Auckland, which ends in three hours',
    from: calendar('day', 'Europe/Berlin'),
    to: calendar('day', 'Pacific/Auckland'),
    at: '2026-11-25T09:00:00+01:00',
    until: '2026-11-25T10:59:59.999Z',
  },
  {
    what: 'from a month to a week',
    from: calendar('month', 'UTC'),
    to: calendar('week', 'UTC'),
    at: '2026-12-08T12:00:00Z',
    until: '2026-12-13T23:59:59.999Z',
  },
  {
    what: 'from a fixed hour to ten sliding minutes',
    from: fixed(hourMs),
    to: sliding(10 * minuteMs),
    at: '2026-12-14T12:10:05Z',
    until: '2026-12-14T12:20:09.999Z',
  },
  {
    what: 'from a sliding hour to the day',
    from: sliding(hourMs),
    to: calendar('day', 'America/New_York'),
    at: '2026-12-14T23:40:00-05:00',
    until: '2026-12-14T23:59:59.999-05:00',
  },
  {
    what: 'from a day to one with another beginning, which loses an hour',
    from: calendar('day', 'UTC'),
    to: calendar('day', 'Europe/Berlin'),
    at: '2027-03-28T00:30:00Z',
    until: '2027-03-28T21:59:59.999Z',
  },
  {
    what: 'from a sliding day to one that gains an hour',
    from: sliding(24 * hourMs),
    to: calendar('day', 'Europe/Berlin'),
    at: '2027-10-31T05:30:00Z',
    until: '2027-10-31T22:59:59.999Z',
  },
];

export function formerWindowsContract(open: Open): void {
  let subject: Subject;
  before(async () => void (subject = await open()));
  after(async () => await subject.close());

  for (const { what, from, to, at, until } of changes)
    test(`a count goes on ${what}, and is not taken over again`, async () => {
      const { store, sibling, clock } = subject;
      const was = limitOf(10, from);
      const now = { ...limitOf(10, to), was };
      clock.moveTo(Date.parse(at));
      await takeOne(store, was, 3);
      const held = await takeOne(store, was, 2, 48 * hourMs);
      assert.equal((await store.read([now]))[0]?.used, 5, 'what is held counts as used');
      assert.deepEqual(await granting(store, now, 6), [false, 5], 'nothing is taken over by a refusal');
      assert.deepEqual(await granting(store, now, 4), [true, 9]);
      await settleOne(store, { ...was, amount: 2 }, held, 0);
      assert.deepEqual(await granting(sibling, now, 1), [true, 10], 'from here on it is its own');
      clock.moveTo(Date.parse(until));
      assert.equal((await store.read([now]))[0]?.used, 10);
      clock.advance(1);
      assert.equal((await store.read([was]))[0]?.used, 3, 'the former span goes on');
      assert.deepEqual(await granting(store, now, 10), [true, 10]);
    });

  test('a sliding window keeps what it took over for its whole length', async () => {
    const { store, clock } = subject;
    const was = limitOf(10, fixed(hourMs));
    const now = { ...limitOf(10, sliding(hourMs)), was };
    await takeOne(store, was, 4);
    assert.deepEqual(await granting(store, now, 1), [true, 5]);
    clock.advance(hourMs);
    assert.equal((await store.read([now]))[0]?.used, 5);
    clock.advance(minuteMs);
    assert.equal((await store.read([now]))[0]?.used, 0);
  });

  test('a count that rested for a span is not taken over again after it', async () => {
    const { store, clock } = subject;
    const was = limitOf(10, calendar('month', 'UTC'));
    const now = { ...limitOf(10, calendar('day', 'UTC')), was };
    clock.moveTo(Date.parse('2027-11-02T12:00:00Z'));
    await takeOne(store, was, 6);
    assert.deepEqual(await granting(store, now, 1), [true, 7]);
    for (let day = 0; day < 4; day += 1) {
      clock.advance(48 * hourMs);
      assert.deepEqual(await granting(store, now, 1), [true, 1]);
    }
  });

  test('revisions that name different former counts by turns take over each of them once', async () => {
    const { store, clock } = subject;
    clock.moveTo(Date.parse('2027-11-12T00:10:00Z'));
    const [day, month, other] = [
      limitOf(1_000, calendar('day', 'UTC')),
      limitOf(1_000, calendar('month', 'UTC')),
      limitOf(1_000, calendar('day', 'UTC')),
    ];
    await takeOne(store, day, 50);
    await takeOne(store, month, 70);
    await takeOne(store, other, 20);
    const own = limitOf(1_000, fixed(hourMs));
    const seen: number[] = [];
    for (const was of [day, month, other, day, month, other]) {
      const [, used] = await granting(store, { ...own, was }, 1);
      seen.push(used);
      clock.advance(hourMs);
    }
    assert.deepEqual(seen, [51, 71, 21, 1, 1, 1]);
  });

  test('until there is something to take over, nothing is', async () => {
    const { store } = subject;
    const was = limitOf(10, calendar('month', 'UTC'));
    const now = { ...limitOf(10, calendar('month', 'Asia/Kathmandu')), was };
    assert.equal((await store.read([now]))[0]?.used, 0);
    await takeOne(store, was, 6);
    assert.deepEqual(await granting(store, now, 1), [true, 7]);
  });

  test('what a dead process held, and what a former span before held, is not taken over', async () => {
    const { store, clock } = subject;
    clock.moveTo(Date.parse('2027-11-20T12:00:00Z'));
    const was = limitOf(10, calendar('day', 'UTC'));
    const now = { ...limitOf(10, calendar('day', 'Europe/Berlin')), was };
    await takeOne(store, was, 9);
    clock.advance(24 * hourMs);
    await takeOne(store, was, 3);
    await takeOne(store, was, 6, minuteMs);
    clock.advance(minuteMs);
    assert.deepEqual(await granting(store, now, 1), [true, 4]);
  });

  test('a count of its own stays what it is, and parts of a split each begin with all of it', async () => {
    const { store } = subject;
    const was = limitOf(10, fixed(hourMs));
    const own = { ...limitOf(10, calendar('day', 'UTC')), was };
    await takeOne(store, own, 1);
    await takeOne(store, was, 8);
    assert.deepEqual(await granting(store, own, 1), [true, 2]);
    const parts = [fixed(hourMs), sliding(hourMs)].map((window) => ({ ...limitOf(10, window), was, amount: 1 }));
    const takings = await store.take(parts);
    assert.deepEqual(
      takings.map(({ granted, used }) => [granted, used]),
      [
        [true, 9],
        [true, 9],
      ],
    );
  });
}
