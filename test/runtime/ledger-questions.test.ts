/** What the ledger is asked: days of any time zone, single calls by the page; and what it forgets. */
import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { callsFrom, type CallsQuestion } from '../../runtime/ledger/calls.ts';
import { recordsOf, type CallRecord, type Ended } from '../../runtime/ledger/record.ts';
import { openLedgerFile } from '../../runtime/ledger/tables.ts';
import { usageFrom } from '../../runtime/ledger/usage.ts';
import { LedgerWriting } from '../../runtime/ledger/writing.ts';
import { momentIn } from '../../runtime/ledger/zone.ts';
import { newOutcome } from '../../runtime/outcome.ts';
import { temporaryDirectory } from '../support/repository.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Everything that these tests write. */
const always = 100 * 365 * dayMs;

interface Told {
  readonly model?: string;
  readonly consumer?: string;
  readonly revision?: string;
  readonly request?: string;
  readonly status?: number;
}

function recordAt(at: number, told: Told = {}): readonly CallRecord[] {
  const { model = 'chat', consumer = 'shop', revision = 'aaaaaaaaaaaa', request = 'req_1', status = 200 } = told;
  const outcome = { ...newOutcome(), matched: `model:${model}`, consumer };
  const ended: Ended = { id: request, at, revision, surface: 'x', status, ms: 20, firstMs: 10, outcome };
  return recordsOf(ended);
}

async function opened(context: TestContext): Promise<DatabaseSync> {
  const directory = await temporaryDirectory();
  const database = openLedgerFile(directory.path, (aside) => assert.fail(aside));
  context.after(async () => {
    database.close();
    await directory.remove();
  });
  return database;
}

const write = (database: DatabaseSync, records: readonly CallRecord[]) =>
  new LedgerWriting(database, { callsMs: always, sumsMs: always }).write([{ writer: 'w', first: 0, records }]);

/** Weeks in which clocks were set: in Europe, America, on Lord Howe, in Egypt at midnight; and in which Samoa left out a day. */
const weeks = ['2025-03-26', '2025-10-22', '2026-03-07', '2026-04-02', '2026-04-22', '2011-12-28'].map((day) =>
  Date.parse(day),
);
const zones = [
  'UTC',
  'Europe/Berlin',
  'Africa/Cairo',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
];

/** What a calendar on the wall says. */
const dateIn = (zone: string) => {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return (at: number) => format.format(at);
};

const counted = (labels: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(labels, (label) => label)]
      .map(([label, all]) => [label, all.length] as const)
      .toSorted(([one], [other]) => one.localeCompare(other)),
  );

test('days and months are those of the zone that is asked for, wherever its clocks stand and when they are set', async (context) => {
  const database = await opened(context);
  // One in each quarter of an hour: no zone's midnight cuts smaller.
  const stepMs = 15 * 60_000;
  const moments = weeks.flatMap((from) =>
    Array.from({ length: (6 * dayMs) / stepMs }, (_, step) => from + (step + 0.5) * stepMs),
  );
  write(
    database,
    moments.flatMap((at) => recordAt(at)),
  );
  for (const zone of zones)
    for (const [from, to] of weeks.map((week) => [week + 5 * 60_000, week + 6 * dayMs - 20 * 60_000] as const)) {
      const dateOf = dateIn(zone);
      const within = moments.filter((at) => at >= from && at < to);
      const asked = { from, to, zone, where: [], limit: 1_000 };
      const days = usageFrom(database, { ...asked, by: ['day'] }, always);
      const label = `${zone} from ${new Date(from).toISOString()}`;
      const calls = ({ rows }: typeof days, by: 'day' | 'month') =>
        Object.fromEntries(rows.map(({ group, calls: count }) => [group[by] ?? '', count]));
      assert.deepEqual(calls(days, 'day'), counted(within.map(dateOf)), label);
      assert.ok(
        days.rows.every(({ p50Ms }) => p50Ms !== undefined),
        label,
      );
      const months = usageFrom(database, { ...asked, by: ['month'] }, always);
      assert.deepEqual(calls(months, 'month'), counted(within.map((at) => dateOf(at).slice(0, 7))), label);
      const [first = ''] = Object.keys(counted(within.map(dateOf)));
      const where = [{ dimension: 'day', value: first } as const];
      assert.equal(
        usageFrom(database, { ...asked, by: [], where }, always).total.calls,
        calls(days, 'day')[first],
        label,
      );
    }
});

test('hours are told as the clocks showed them, and one that came twice is two', async (context) => {
  const database = await opened(context);
  const from = Date.parse('2025-10-26T00:00Z');
  write(
    database,
    [0.5, 1.25, 1.5].flatMap((hours) => recordAt(from + hours * hourMs)),
  );
  const hoursIn = (zone: string) =>
    usageFrom(database, { from, to: from + dayMs, zone, by: ['hour'], where: [], limit: 10 }, always).rows.map(
      ({ group, calls }) => [group.hour, calls],
    );
  assert.deepEqual(hoursIn('UTC'), [
    ['2025-10-26T00:00Z', 1],
    ['2025-10-26T01:00Z', 2],
  ]);
  assert.deepEqual(hoursIn('Europe/Berlin'), [
    ['2025-10-26T02:00+01:00', 2],
    ['2025-10-26T02:00+02:00', 1],
  ]);
  assert.deepEqual(hoursIn('Asia/Kolkata'), [
    ['2025-10-26T05:30+05:30', 1],
    ['2025-10-26T06:30+05:30', 2],
  ]);
});

test('an hour whose calls are gone counts in the day in which it began, and is not lost', async (context) => {
  const database = await opened(context);
  // Midnight in Kolkata is at half past six in the evening.
  const from = Date.parse('2025-06-01T18:00Z');
  write(
    database,
    [10, 40, 70].flatMap((minutes) => recordAt(from + minutes * 60_000)),
  );
  const asked = { from, to: from + dayMs, zone: 'Asia/Kolkata', by: ['day'], where: [], limit: 10 } as const;
  const daysWith = (keepMs: number) => usageFrom(database, asked, keepMs).rows.map(({ calls }) => calls);
  assert.deepEqual(daysWith(always), [1, 2]);
  assert.deepEqual(daysWith(0), [2, 1]);
});

test('days whose calls are gone are told apart too, by the hours that began in them', async (context) => {
  const database = await opened(context);
  const from = Date.parse('2025-06-01T00:00Z');
  const moments = Array.from({ length: 7 * 24 }, (_, hour) => from + hour * hourMs + 10 * 60_000);
  write(
    database,
    moments.flatMap((at) => recordAt(at)),
  );
  for (const zone of ['Asia/Kolkata', 'America/New_York', 'Europe/Berlin', 'Pacific/Chatham']) {
    const asked = { from, to: from + 7 * dayMs, zone, by: ['day'], where: [], limit: 10 } as const;
    const days = usageFrom(database, asked, 0).rows.map(({ group, calls }) => [group.day, calls]);
    const dateOf = dateIn(zone);
    const expected = Map.groupBy(moments, (at) => dateOf(Math.floor(at / hourMs) * hourMs));
    assert.deepEqual(
      days,
      [...expected].map(([day, all]) => [day, all.length]),
      zone,
    );
  }
});

test('a moment without an offset is what the clocks of the zone showed', () => {
  for (const [zone, text, expected] of [
    ['UTC', '2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['UTC', '2026-01-31T09:30', '2026-01-31T09:30:00.000Z'],
    ['Europe/Berlin', '2026-07-01', '2026-06-30T22:00:00.000Z'],
    ['Europe/Berlin', '2026-07-01T00:00:00Z', '2026-07-01T00:00:00.000Z'],
    ['Europe/Berlin', '2026-07-01T12:00-05:00', '2026-07-01T17:00:00.000Z'],
    // Shown twice: the first; never shown: when the clocks were set.
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30:00.000Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z'],
    ['Asia/Kathmandu', '2026-02-01', '2026-01-31T18:15:00.000Z'],
    ['UTC', '2026-02-30', undefined],
    ['UTC', 'yesterday', undefined],
    ['UTC', '2026-01-31T25:00', undefined],
  ] as const) {
    const at = momentIn(zone, text);
    assert.equal(at === undefined ? undefined : new Date(at).toISOString(), expected, `${text} in ${zone}`);
  }
});

describe('single calls', () => {
  const from = Date.parse('2026-01-01T00:00Z');
  /** Two a minute for two days, among them few of one consumer. */
  const records = Array.from({ length: 5_760 }, (_, index) =>
    recordAt(from + Math.floor(index / 2) * 60_000, {
      model: index % 3 === 0 ? 'large' : 'small',
      consumer: index % 1_000 === 7 ? 'rare' : 'shop',
      request: `req_${index}`,
      revision: index < 3_000 ? 'aaaaaaaaaaaa' : 'bbbbbbbbbbbb',
      status: index % 10 === 0 ? 429 : 200,
    }),
  ).flat();
  const asked: CallsQuestion = {
    from,
    to: from + 2 * dayMs,
    zone: 'UTC',
    where: [],
    request: undefined,
    after: undefined,
    limit: 100,
  };
  const given = (...pairs: readonly (readonly [CallsQuestion['where'][number]['dimension'], string])[]) => ({
    where: pairs.map(([dimension, value]) => ({ dimension, value })),
  });

  test('come newest first, a page at a time, and each once', async (context) => {
    const database = await opened(context);
    write(database, records);
    for (const [question, met] of [
      [{}, () => true],
      [{ from: from + 90_000, to: from + dayMs }, ({ at }) => at >= from + 90_000 && at < from + dayMs],
      [given(['consumer', 'rare']), ({ series }) => series.consumer === 'rare'],
      [
        given(['model', 'large'], ['ended', 'refused'], ['revision', 'bbbbbbbbbbbb']),
        ({ series: { matched, ended, revision } }) =>
          matched === 'model:large' && ended === 'refused' && revision === 'bbbbbbbbbbbb',
      ],
      [given(['model', 'large'], ['model', 'small']), () => true],
      [given(['consumer', 'nobody']), () => false],
      [{ request: 'req_77' }, ({ request }) => request === 'req_77'],
      [{ request: 'req_77', ...given(['consumer', 'rare']) }, () => false],
    ] as readonly (readonly [Partial<CallsQuestion>, (record: CallRecord) => boolean])[]) {
      const expected = records.filter(met).map(({ request }) => request);
      const found: string[] = [];
      let after: CallsQuestion['after'];
      do {
        const page = callsFrom(database, { ...asked, ...question, after, limit: 499 });
        assert.ok(page.calls.length <= 499);
        found.push(...page.calls.map(({ request }) => request));
        after = page.next;
      } while (after);
      assert.deepEqual(found, expected.toReversed(), JSON.stringify(question));
    }
  });

  test('tell all that is known of a call, its time in the zone that is asked for', async (context) => {
    const database = await opened(context);
    const [record] = recordAt(from + 1);
    assert.ok(record);
    const figures = { ...record.figures, inputTokens: 5, costNano: 1_500_000_000, costRest: 7 };
    const series = { ...record.series, tags: '["paid","eu"]', team: 'web' };
    write(database, [{ ...record, series, figures }]);
    const page = callsFrom(database, { ...asked, ...given(['tag', 'eu']), zone: 'Asia/Kolkata' });
    assert.equal(page.next, undefined);
    const [call] = page.calls;
    assert.ok(call);
    assert.equal(call.at, '2026-01-01T05:30:00.001+05:30');
    assert.equal(call.costUsd, '1.500000000000000007');
    assert.deepEqual(
      [call.model, call.route, call.consumer, call.team, call.tags, call.status, call.ended, call.inputTokens],
      ['chat', '', 'shop', 'web', ['paid', 'eu'], 200, 'served', 5],
    );
  });
});

test('a file that new commits are written to day after day does not grow beyond what is kept', async (context) => {
  const database = await opened(context);
  const began = Date.parse('2026-01-01');
  let now = began;
  const writing = new LedgerWriting(database, { callsMs: 5 * dayMs, sumsMs: 10 * dayMs }, () => now);
  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
  const tables = ['call', 'hour', 'day', 'latency_hour', 'latency_day', 'series'] as const;
  const sizes: Record<string, number>[] = [];
  let first = 0;
  for (let day = 0; day < 70; day += 1) {
    now = began + day * dayMs + 12 * hourMs;
    const consumers = Array.from({ length: 20 }, (_, index) => `consumer-${index}`);
    const records = consumers.flatMap((consumer) =>
      [1, 2].flatMap((hours) => recordAt(now - hours * hourMs, { consumer, revision: String(day).padStart(12, 'a') })),
    );
    writing.write([{ writer: 'w', first, records }]);
    first += records.length;
    writing.sweep();
    const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
    sizes.push({ pages, ...Object.fromEntries(tables.map((table) => [table, count(table)])) });
  }
  const last = sizes.at(-1);
  assert.deepEqual(last, sizes[50], 'it is as large after 70 days as after 50');
  assert.deepEqual(
    tables.map((table) => last?.[table]),
    [5 * 40, 11 * 40, 11 * 20, 11 * 40, 11 * 20, 11 * 20],
  );
  // What is left still tells the truth.
  const callsIn = (table: string) => database.prepare(`SELECT sum(calls) AS calls FROM ${table}`).get()?.['calls'];
  assert.deepEqual(['hour', 'day', 'latency_hour', 'latency_day'].map(callsIn), [440, 440, 440, 440]);
  const asked = { from: began, to: now, zone: 'UTC', by: ['day'], where: [], limit: 100 } as const;
  const { rows } = usageFrom(database, asked, Date.now() - now + 5 * dayMs);
  assert.deepEqual([...new Set(rows.map(({ calls }) => calls))], [40]);
  assert.equal(rows.length, 11);
});

test('a series that one process forgot is not mistaken for another by a second process on the same file', async (context) => {
  const database = await opened(context);
  const began = Date.parse('2026-01-01');
  let now = began;
  const [one, other] = [0, 1].map(() => new LedgerWriting(database, { callsMs: dayMs, sumsMs: dayMs }, () => now));
  assert.ok(one && other);
  one.write([{ writer: 'one', first: 0, records: recordAt(now, { consumer: 'old' }) }]);
  now = began + 10 * dayMs;
  other.sweep();
  other.write([{ writer: 'other', first: 0, records: recordAt(now, { consumer: 'new' }) }]);
  one.write([{ writer: 'one', first: 1, records: recordAt(now, { consumer: 'old' }) }]);
  const consumers = database
    .prepare('SELECT s.consumer FROM call c JOIN series s ON s.id = c.series ORDER BY c.id')
    .all();
  assert.deepEqual(
    consumers.map(({ consumer }) => consumer),
    ['new', 'old'],
  );
});
