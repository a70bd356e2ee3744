/** What every quota store promises of windows: sliding ones leak nothing at any boundary, those of the calendar end when it says. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calendar, fixed, limitOf, sliding, type Open, type Subject } from '../quota-stores.ts';
import { granting, takeOne } from '../taking.ts';

const minuteMs = 60_000;

/** The last millisecond of a span, by the clock of its zone. */
const ends: readonly [string, Parameters<typeof calendar>, string, number][] = [
  ['a month of 30 days', ['month', 'UTC'], '2026-11-30T23:59:59.999Z', 30 * 24],
  ['February of a leap year', ['month', 'Asia/Kathmandu'], '2028-02-29T23:59:59.999+05:45', 29 * 24],
  ['29 February', ['day', 'Pacific/Auckland'], '2028-02-29T23:59:59.999+13:00', 24],
  ['February of a common year', ['month', 'America/New_York'], '2027-02-28T23:59:59.999-05:00', 28 * 24],
  ['March, which loses an hour', ['month', 'Europe/Berlin'], '2026-03-31T23:59:59.999+02:00', 31 * 24 - 1],
  ['the day that loses an hour', ['day', 'Europe/Berlin'], '2026-03-29T23:59:59.999+02:00', 23],
  ['the day that gains an hour', ['day', 'America/New_York'], '2026-11-01T23:59:59.999-05:00', 25],
  ['the day that gains half an hour', ['day', 'Australia/Lord_Howe'], '2026-04-05T23:59:59.999+10:30', 24.5],
  ['the week of the change', ['week', 'Europe/London'], '2026-10-25T23:59:59.999Z', 7 * 24 + 1],
  [
    'the year on the other side of the date line',
    ['year', 'Pacific/Kiritimati'],
    '2026-12-31T23:59:59.999+14:00',
    8_760,
  ],
];

/** The same numbers each time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield (state >>> 8) / 2 ** 24;
  }
}

export function windowsContract(open: Open): void {
  let subject: Subject;
  before(async () => void (subject = await open()));
  after(async () => await subject.close());

  for (const [what, window, last, hours] of ends) {
    test(`${what} ends when the clocks of ${window[1]} say so`, async () => {
      const limit = limitOf(5, calendar(...window));
      subject.clock.moveTo(Date.parse(last));
      const taking = await takeOne(subject.store, limit, 5);
      assert.deepEqual([taking.granted, taking.resetMs], [true, 1]);
      assert.equal(taking.start, Date.parse(last) + 1 - hours * 3_600_000);
      assert.equal((await takeOne(subject.store, limit, 1)).granted, false);
      subject.clock.advance(1);
      const next = await takeOne(subject.sibling, limit, 4);
      assert.deepEqual([next.granted, next.used, next.start], [true, 4, Date.parse(last) + 1]);
      assert.equal((await subject.store.read([limit]))[0]?.resetMs, next.resetMs);
    });
  }

  test('a sliding window never grants more than its limit within its length, and all of it one step later', async () => {
    const lengthMs = minuteMs;
    const limit = limitOf(50, sliding(lengthMs));
    const chance = numbers(7);
    const granted: { at: number; amount: number }[] = [];
    const within = (ms: number) =>
      granted.filter(({ at }) => at > subject.clock.wall - ms).reduce((sum, { amount }) => sum + amount, 0);
    let refusals = 0;
    for (let i = 0; i < 400; i += 1) {
      subject.clock.advance(Math.floor(chance.next().value * 2_000));
      const amount = Math.floor(chance.next().value * 6);
      const taking = await takeOne(subject.store, limit, amount);
      if (taking.granted) granted.push({ at: subject.clock.wall, amount });
      else refusals += 1;
      assert.ok(within(lengthMs) <= 50, `${within(lengthMs)} within the window`);
      if (!taking.granted) assert.ok(within(lengthMs + 1_000) + amount > 50, 'refused below the limit');
    }
    assert.ok(refusals > 20 && granted.length > 100, `${refusals} refused, ${granted.length} granted`);
  });

  test('a sliding window says when there is room again, to the millisecond', async () => {
    const limit = limitOf(10, sliding(minuteMs));
    await takeOne(subject.store, limit, 3);
    subject.clock.advance(20_000);
    await takeOne(subject.store, limit, 7);
    for (const amount of [2, 4, 10]) {
      const own = { ...limit };
      const refused = await takeOne(subject.store, own, amount);
      assert.equal(refused.granted, false);
      const expected = amount <= 3 ? 40_000 : 60_000;
      assert.ok(refused.resetMs > expected && refused.resetMs <= expected + 1_000, `${refused.resetMs} for ${amount}`);
    }
    const { resetMs } = await takeOne(subject.store, limit, 2);
    subject.clock.advance(resetMs - 1);
    assert.deepEqual(await granting(subject.store, limit, 2), [false, 10]);
    subject.clock.advance(1);
    assert.deepEqual(await granting(subject.store, limit, 2), [true, 9]);
    const { resetMs: never } = await takeOne(subject.store, limit, 11);
    assert.ok(never > 60_000 && never <= 61_000, 'what never fits waits for all to leave');
    assert.equal((await subject.store.read([limitOf(1, sliding(minuteMs))]))[0]?.resetMs, 0);
  });

  test('a clock that is set back across a boundary and comes again finds its counts', async () => {
    const own = await open();
    for (const window of [fixed(1_000), calendar('month', 'America/Havana'), sliding(minuteMs)]) {
      const limit = limitOf(4, window);
      await takeOne(own.store, limit, 4);
      const step = window.kind === 'sliding' ? 5_000 : (await takeOne(own.store, limit, 0)).resetMs;
      own.clock.advance(step);
      if (window.kind !== 'sliding') assert.equal((await takeOne(own.store, limit, 4)).granted, true);
      own.clock.set(own.clock.wall - step);
      assert.equal((await takeOne(own.store, limit, 1)).granted, false, window.kind);
      own.clock.set(own.clock.wall + step);
      assert.equal((await takeOne(own.store, limit, 1)).granted, false, window.kind);
    }
    await own.close();
  });

  test('a sliding window counts what was taken before its clock was set back', async () => {
    const own = await open();
    const limit = limitOf(4, sliding(minuteMs));
    await takeOne(own.store, limit, 4);
    own.clock.set(own.clock.wall - 5_000);
    assert.equal((await takeOne(own.store, limit, 1)).granted, false);
    own.clock.advance(minuteMs + 10_000);
    assert.equal((await takeOne(own.store, limit, 1)).granted, true);
    await own.close();
  });

  test('a clock that was a year ahead for a while locks nobody out', async () => {
    const own = await open();
    for (const window of [fixed(minuteMs), calendar('week', 'UTC'), sliding(minuteMs)]) {
      const limit = limitOf(4, window);
      const now = own.clock.wall;
      own.clock.set(now + 365 * 86_400_000);
      for (let minute = 0; minute < 5; minute += 1) {
        await takeOne(own.store, limit, 1);
        own.clock.advance(minuteMs);
      }
      own.clock.set(now);
      assert.deepEqual(await granting(own.store, limit, 4), [true, 4]);
      assert.equal((await takeOne(own.store, limit, 1)).granted, false);
    }
    await own.close();
  });
}
