/** What a plan says of counts: which go on, which begin anew although something was used, and which end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';
import { snapshotOf } from '../support/gateway.ts';

type Quotas = NonNullable<SnapshotInput['quotas']>;
type Quota = Quotas[string];

const day = { unit: 'requests', limit: 900, window: { calendar: 'day' } } as const;
const berlin = { ...day, window: { calendar: 'day', zone: 'Europe/Berlin' } } as const;
const hour = { ...day, window: '1h' } as const;
const last = { ...day, window: { sliding: '1h' } } as const;
const money = { unit: 'usd', limit: '250.00', window: { calendar: 'month' } } as const;
const flight = { unit: 'concurrency', limit: 4 } as const;

/** Without the lines about limits, scopes and renames that other tests are about. */
const linesOfCounts = / begins a new count| goes on from | is gone,/;

function said(before: Quotas, after: Quotas): string[] {
  const [base, head] = [before, after].map((quotas) => snapshotSchema.parse(snapshotOf({ quotas })));
  assert.ok(base && head);
  return planBetween(base, head).changes.flatMap(({ risk, sentence, details }) =>
    linesOfCounts.test(plainText(sentence))
      ? [`${risk}: ${plainText(sentence)}`, ...details.map((detail) => `  ${plainText(detail)}`)]
      : [],
  );
}

const aboutCarried = [
  '  all of it counts as if it were used with the first request from now on',
  '  what was used before that window began is not in it',
];
const keep = (was: string) => `  to keep what was counted, write into the quota: '${was}'`;
const up = (to: string, until: string) => `up to ${to} can be used again ${until}`;
const toDay = up('900 requests for each consumer', "before the day ends ('UTC')");
const inBerlin = up('900 requests for each consumer', "before the day ends ('Europe/Berlin')");

const table: readonly (readonly [what: string, before: Quotas, after: Quotas, lines: readonly string[]])[] = [
  [
    'another zone',
    { x: day },
    { x: berlin },
    [
      `medium: quota 'x' begins a new count: its window was each calendar day ('UTC'), is each calendar day ('Europe/Berlin'); ${inBerlin}`,
      keep("was: { window: { calendar: 'day', zone: 'UTC' } }"),
    ],
  ],
  [
    'another zone, declared',
    { x: day },
    { x: { ...berlin, was: { window: { calendar: 'day' } } } },
    [
      "low: quota 'x' goes on from what it has counted in its former window: each calendar day ('UTC')",
      ...aboutCarried,
    ],
  ],
  [
    'another sort and length',
    { x: hour },
    { x: { ...last, window: { sliding: '90m' } } },
    [
      `medium: quota 'x' begins a new count: its window was each hour, is the last 90 minutes; ${up('900 requests for each consumer', 'within the next 90 minutes')}`,
      keep("was: { window: '1h' }"),
    ],
  ],
  [
    'a longer window, declared',
    { x: last },
    { x: { ...day, was: { window: { sliding: '60m' } } } },
    ["low: quota 'x' goes on from what it has counted in its former window: the last hour", ...aboutCarried],
  ],
  [
    'a declared window that there was not',
    { x: hour },
    { x: { ...day, was: { window: '2h' } } },
    [
      `medium: quota 'x' begins a new count: its window was each hour, is each calendar day ('UTC'); its 'was' names a window that 'x' did not have: each 2 hours; ${toDay}`,
      keep("was: { window: '1h' }"),
    ],
  ],
  [
    'another unit, declared or not',
    { x: money },
    { x: { ...day, was: { window: { calendar: 'month' } } } },
    [
      `medium: quota 'x' begins a new count: its window was each calendar month ('UTC'), is each calendar day ('UTC'); it counted money, counts requests; ${toDay}`,
      '  what was counted in another unit cannot go on',
    ],
  ],
  [
    'others that it counts for',
    { x: { ...day, scope: 'gateway' } },
    { x: day },
    [
      `medium: quota 'x' begins a new count: it counted for all consumers together, counts for each consumer; ${toDay}`,
      '  what was counted for all consumers together cannot go on',
    ],
  ],
  [
    'what is in flight',
    { x: { ...flight, scope: 'gateway' } },
    { x: flight },
    [
      `medium: quota 'x' begins a new count: it counted for all consumers together, counts for each consumer; ${up('4 requests at once for each consumer', 'beside what is in flight')}`,
    ],
  ],
  [
    'another name and window, declared',
    { old: day },
    { x: { ...berlin, was: { name: 'old', window: { calendar: 'day' } } } },
    ["low: quota 'x' goes on from what it has counted as 'old': each calendar day ('UTC')", ...aboutCarried],
  ],
  [
    'another name and window, of which only the name is declared',
    { old: day },
    { x: { ...berlin, was: 'old' } },
    [
      `medium: quota 'x' begins a new count: its window was each calendar day ('UTC'), is each calendar day ('Europe/Berlin'); its 'was' names a window that 'old' did not have: each calendar day ('Europe/Berlin'); ${inBerlin}`,
      keep("was: { name: 'old', window: { calendar: 'day', zone: 'UTC' } }"),
    ],
  ],
  [
    'a split in two windows',
    { old: hour },
    { one: { ...day, was: { name: 'old', window: '1h' } }, two: { ...last, was: { name: 'old', window: '1h' } } },
    [
      "low: quota 'one' goes on from what it has counted as 'old': each hour",
      ...aboutCarried,
      "low: quota 'two' goes on from what it has counted as 'old': each hour",
      ...aboutCarried,
    ],
  ],
  [
    'a name that there was not',
    {},
    { x: { ...day, was: { name: 'old', window: '1h' } } },
    ["low: quota 'x' goes on from what 'old' has counted, which is not there before either: it begins at nothing"],
  ],
  [
    'a declaration that comes without a change',
    { x: day },
    { x: { ...day, was: { window: '1h' } } },
    ["low: quota 'x' goes on from what 'x' has counted, and nothing was counted so before: its own count stays"],
  ],
  [
    'a declaration of another quota, which ends',
    { x: day, old: day },
    { x: { ...day, was: 'old' } },
    ["low: quota 'x' goes on from what 'old' has counted, where it has nothing of its own"],
  ],
  [
    'a declaration that stays',
    { x: { ...berlin, was: { window: '1h' } } },
    { x: { ...berlin, limit: 9, was: { window: '1h' } } },
    [],
  ],
  [
    'a declaration that goes',
    { x: { ...berlin, was: { window: '1h' } } },
    { x: berlin },
    [
      "low: quota 'x' no longer goes on from what 'x' has counted",
      '  counts that were not drawn from since then begin at nothing',
    ],
  ],
  [
    'a quota that is gone',
    { x: day },
    {},
    ["low: quota 'x' is gone, and nothing goes on from what it has counted for each consumer"],
  ],
  ['an edited limit, as ever', { x: day }, { x: { ...day, limit: 1_000 } }, []],
];

for (const [what, before, after, lines] of table)
  test(`a plan says of counts under ${what}`, () => {
    assert.deepEqual(said(before, after), lines);
  });

test('of a quota that is gone where something that drew from it stays, that says enough', () => {
  const drawing = (quota?: Quota) =>
    snapshotSchema.parse(
      snapshotOf({
        quotas: quota ? { x: quota } : {},
        consumers: { team: { keys: [], quotas: quota ? ['x'] : [] } },
      }),
    );
  const changes = planBetween(drawing(day), drawing()).changes.map(({ sentence }) => plainText(sentence));
  assert.deepEqual(changes, [
    "consumer 'team' no longer draws from quota 'x' (900 requests per calendar day ('UTC') for each consumer)",
  ]);
});
