/** Spans of time as the clocks of the world make them. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Window } from '../../runtime/quota/store.ts';
import { forgottenAt, reachOf, rhythmOf, spanAt, windowName } from '../../runtime/quota/window.ts';
import { calendar, fixed, noWindow, sliding } from '../support/quota-stores.ts';

type Unit = 'day' | 'week' | 'month' | 'year';

/** A moment, and the span that it lies in. */
const table: readonly [Unit, string, string, string, string][] = [
  ['day', 'UTC', '1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '1970-01-02T00:00:00Z'],
  ['day', 'Europe/Berlin', '2026-03-29T00:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
  ['day', 'Europe/Berlin', '2026-10-25T22:59:59Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
  ['day', 'America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z'],
  ['day', 'Australia/Lord_Howe', '2026-10-04T00:00:00Z', '2026-10-03T13:30:00Z', '2026-10-04T13:00:00Z'],
  ['day', 'Asia/Kathmandu', '2026-06-01T18:14:59.999Z', '2026-05-31T18:15:00Z', '2026-06-01T18:15:00Z'],
  ['day', 'Pacific/Chatham', '2026-06-01T11:15:00Z', '2026-06-01T11:15:00Z', '2026-06-02T11:15:00Z'],
  // Midnight does not exist on these days.
  ['day', 'America/Havana', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z'],
  ['day', 'America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00:00Z', '2018-11-05T02:00:00Z'],
  ['day', 'Asia/Beirut', '2024-03-31T12:00:00Z', '2024-03-30T22:00:00Z', '2024-03-31T21:00:00Z'],
  // Midnight comes twice: a minute of the new day, then an hour of the old one again.
  ['day', 'America/St_Johns', '2010-11-07T02:30:30Z', '2010-11-06T02:30:00Z', '2010-11-07T03:30:00Z'],
  ['day', 'America/St_Johns', '2010-11-07T03:00:00Z', '2010-11-06T02:30:00Z', '2010-11-07T03:30:00Z'],
  // 30 December 2011 did not happen in Samoa.
  ['day', 'Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z'],
  ['day', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'],
  ['week', 'UTC', '2026-11-22T23:59:59.999Z', '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'],
  ['week', 'UTC', '2026-11-23T00:00:00Z', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
  ['week', 'America/Los_Angeles', '2027-01-01T00:00:00Z', '2026-12-28T08:00:00Z', '2027-01-04T08:00:00Z'],
  ['month', 'UTC', '2028-02-29T23:59:59.999Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
  ['month', 'UTC', '2100-02-28T23:59:59.999Z', '2100-02-01T00:00:00Z', '2100-03-01T00:00:00Z'],
  ['month', 'Europe/Berlin', '2026-10-31T22:59:59Z', '2026-09-30T22:00:00Z', '2026-10-31T23:00:00Z'],
  ['month', 'Africa/Casablanca', '2026-02-15T00:00:00Z', '2026-01-31T23:00:00Z', '2026-03-01T00:00:00Z'],
  ['month', 'UTC', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['year', 'Pacific/Kiritimati', '2026-12-31T09:59:59Z', '2025-12-31T10:00:00Z', '2026-12-31T10:00:00Z'],
  ['year', 'Asia/Tokyo', '2028-06-01T00:00:00Z', '2027-12-31T15:00:00Z', '2028-12-31T15:00:00Z'],
];

for (const [unit, zone, moment, start, end] of table) {
  test(`${moment} lies in the ${unit} from ${start} to ${end} in ${zone}`, () => {
    const span = spanAt(calendar(unit, zone), Date.parse(moment));
    assert.deepEqual([span.start, span.end].map(iso), [start, end].map(Date.parse).map(iso));
  });
}

const zones = [...new Set(table.map(([, zone]) => zone))];
const window: fc.Arbitrary<Window> = fc.oneof(
  fc
    .tuple(fc.constantFrom<Unit>('day', 'week', 'month', 'year'), fc.constantFrom(...zones))
    .map((of) => calendar(...of)),
  fc.integer({ min: 1, max: 10 ** 9 }).map(fixed),
);

test('spans follow each other without gap or overlap, wherever one looks', () => {
  fc.assert(
    fc.property(window, fc.integer({ min: 0, max: Date.UTC(2100, 0) }), (of, at) => {
      const { start, end } = spanAt(of, at);
      assert.ok(start <= at && at < end);
      assert.equal(spanAt(of, end).start, end);
      assert.equal(spanAt(of, end - 1).start, start);
      if (start > 0) assert.equal(spanAt(of, start - 1).end, start);
    }),
    { numRuns: 200 },
  );
});

test('a slice of a sliding window counts for its length and at most one step longer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 10 }), fc.nat(2 ** 40), (ms, at) => {
      const { stepMs, lengthMs } = rhythmOf(sliding(ms));
      const { start, end } = spanAt(sliding(ms), at);
      assert.ok(start <= at && at < start + stepMs && end === start + lengthMs);
      assert.ok(end - at > ms - 1 && end - at <= ms + 2 * stepMs);
      assert.equal(reachOf(sliding(ms)) % stepMs, 0);
      assert.ok(lengthMs / stepMs <= 61);
    }),
  );
});

test('counts are remembered for as long again as they last', () => {
  const { start, end } = spanAt(calendar('month', 'UTC'), Date.UTC(2028, 1, 29));
  assert.equal(forgottenAt({ start, end }), end + 29 * 86_400_000);
  assert.equal(forgottenAt(spanAt(noWindow, 5)), Number.POSITIVE_INFINITY);
});

test('windows are told apart by what they are', () => {
  const all = [
    fixed(60_000),
    sliding(60_000),
    fixed(61_000),
    noWindow,
    calendar('day', 'UTC'),
    calendar('day', 'Asia/Tokyo'),
    calendar('week', 'UTC'),
  ];
  assert.equal(new Set(all.map(windowName)).size, all.length);
});

test('a zone that nobody knows is an error', () => {
  assert.throws(() => spanAt(calendar('day', 'Mars/Olympus'), 0), RangeError);
});

function iso(at: number): string {
  return new Date(at).toISOString();
}
