/** Quotas on the clock of `headgate/test`: the calendar's own lengths, moving windows, estimates and what was really spent. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openDecider, type Decider } from '@headgate/runtime/decide';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { ExpectationFailed } from '../../config-sdk/testing/expectation.ts';
import { DecidedGateway } from '../../config-sdk/testing/gateway.ts';
import { snapshotOf } from '../support/gateway.ts';

const quotas: SnapshotInput['quotas'] = {
  month: { unit: 'requests', limit: 1, window: { calendar: 'month', zone: 'Europe/Berlin' } },
  day: { unit: 'requests', limit: 1, window: { calendar: 'day', zone: 'America/New_York' } },
  week: { unit: 'requests', limit: 1, window: { calendar: 'week' } },
  year: { unit: 'requests', limit: 1, window: { calendar: 'year', zone: 'Pacific/Auckland' } },
  sliding: { unit: 'requests', limit: 2, window: { sliding: '1h' } },
  budget: { unit: 'usd', limit: '0.10', window: { calendar: 'month' } },
  tokens: { unit: 'tokens', limit: 2_000, window: '1m', warnAt: 0.5 },
  soft: { unit: 'requests', limit: 1, window: '1h', mode: 'soft' },
  flight: { unit: 'concurrency', limit: 2 },
};

let decider: Decider;

before(async () => {
  const models = Object.keys(quotas).map((name) => [
    name,
    { targets: { kind: 'target', provider: 'house', model: 'm' }, quotas: [name] },
  ]);
  decider = await openDecider(
    snapshotOf({
      providers: {
        house: {
          kind: 'sandbox',
          options: {},
          models: { m: { contextWindow: 100_000, maxOutputTokens: 1_000, prices: { input: '10', output: '40' } } },
        },
      },
      models: Object.fromEntries(models) as SnapshotInput['models'],
      quotas,
    }),
  );
});

/** Whether a call at each moment passes, on one clock. */
async function passes(model: string, moments: readonly string[]): Promise<readonly boolean[]> {
  const gateway = new DecidedGateway(decider);
  const passed: boolean[] = [];
  for (const moment of moments) {
    gateway.clock.set(moment);
    passed.push((await gateway.ask({ model, consumer: 'tester' })).refusal === undefined);
  }
  return passed;
}

describe('quotas on the virtual clock', () => {
  const table: readonly (readonly [what: string, model: string, moments: readonly (readonly [string, boolean])[]])[] = [
    [
      'a month ends at midnight of its own zone, and February of a leap year has 29 days',
      'month',
      [
        ['2028-02-01T00:00:00+01:00', true],
        ['2028-02-28T23:59:59+01:00', false],
        ['2028-02-29T23:59:59+01:00', false],
        ['2028-02-29T23:00:00Z', true],
        ['2028-03-31T23:59:59+02:00', false],
        ['2028-03-31T22:00:00Z', true],
      ],
    ],
    [
      'without a leap day, February ends on the 28th',
      'month',
      [
        ['2027-02-28T22:59:59Z', true],
        ['2027-02-28T22:59:59Z', false],
        ['2027-02-28T23:00:00Z', true],
      ],
    ],
    [
      'the day on which clocks go forward has 23 hours',
      'day',
      [
        ['2026-03-08T05:00:00Z', true],
        ['2026-03-09T03:59:59Z', false],
        ['2026-03-09T04:00:00Z', true],
      ],
    ],
    [
      'the day on which they go back has 25',
      'day',
      [
        ['2026-11-01T04:00:00Z', true],
        ['2026-11-02T04:30:00Z', false],
        ['2026-11-02T05:00:00Z', true],
      ],
    ],
    [
      'a week begins on Monday, also across the end of a year',
      'week',
      [
        ['2026-12-28T00:00:00Z', true],
        ['2027-01-03T23:59:59Z', false],
        ['2027-01-04T00:00:00Z', true],
      ],
    ],
    [
      'a year ends where its zone is',
      'year',
      [
        ['2026-12-31T10:59:59Z', true],
        ['2026-12-31T10:59:59Z', false],
        ['2026-12-31T11:00:00Z', true],
      ],
    ],
    [
      'a sliding hour frees what is older than an hour, and no more',
      'sliding',
      [
        ['2026-01-01T10:50:00Z', true],
        ['2026-01-01T11:10:00Z', true],
        ['2026-01-01T11:40:00Z', false],
        ['2026-01-01T11:52:00Z', true],
        ['2026-01-01T11:55:00Z', false],
      ],
    ],
    [
      'a soft quota lets everything pass',
      'soft',
      [
        ['2026-01-01T10:00:00Z', true],
        ['2026-01-01T10:00:01Z', true],
      ],
    ],
  ];
  for (const [what, model, moments] of table)
    test(what, async () => {
      const asked = moments.map(([moment]) => moment);
      assert.deepEqual(
        await passes(model, asked),
        moments.map(([, passed]) => passed),
      );
    });

  test('money is held by estimate and counted as it was spent', async () => {
    const gateway = new DecidedGateway(decider);
    const call = { model: 'budget', consumer: 'tester', body: { max_tokens: 1_000 } };
    // 1,000 × 10 + 500 × 40, by a million.
    const spends = { inputTokens: 1_000, outputTokens: 500 };
    (await gateway.ask({ ...call, spends })).isAdmitted().draws('budget', '0.03');
    (await gateway.ask({ ...call, spends })).draws('budget', '0.06');
    (await gateway.ask({ ...call, spends })).isRefused('quota_exceeded');
    // A shorter answer still fits into what is left.
    (await gateway.ask({ ...call, body: { max_tokens: 100 }, spends: { inputTokens: 10, outputTokens: 1 } })).draws(
      'budget',
      '0.06014',
    );
    gateway.clock.set('2026-02-01T00:00:00Z');
    (await gateway.ask({ ...call, spends })).draws('budget', '0.03');
  });

  test('without a word on what is spent, all that was held is', async () => {
    const gateway = new DecidedGateway(decider);
    const asked = await gateway.ask({ model: 'tokens', consumer: 'tester' });
    const [drawn] = (
      await decider.decide({
        path: '/v1/chat/completions',
        consumer: 'tester',
        body: { model: 'tokens', messages: [{ role: 'user', content: 'Hello' }] },
      })
    ).outcome.drawn;
    asked.draws('tokens', drawn?.amount ?? 0);
    assert.ok((drawn?.amount ?? 0) > 1_000, 'the answer may have 1,000 tokens, and the question has some');
    assert.equal(drawn?.warns, true);
  });

  test('a call that is larger than the whole quota is told so', async () => {
    const body = { model: 'tokens', max_tokens: 5_000, messages: [{ role: 'user', content: 'Hello' }] };
    const { refusal, outcome } = await decider.decide({ path: '/v1/chat/completions', consumer: 'tester', body });
    assert.equal(refusal?.code, 'quota_exceeded');
    assert.match(
      refusal?.message ?? '',
      /^This call may take up to 50\d\d tokens, and quota 'tokens' allows 2000 tokens in 60 s altogether, so that it can never pass: ask for a shorter answer/,
    );
    assert.equal(outcome.drawn[0]?.used, undefined);
  });

  test('what is in flight counts until it has ended', async () => {
    const gateway = new DecidedGateway(decider);
    const call = { model: 'flight', consumer: 'tester' };
    (await gateway.ask(call)).draws('flight', 1);
    (await gateway.ask({ ...call, inFlight: true })).draws('flight', 1);
    (await gateway.ask({ ...call, inFlight: true })).draws('flight', 2);
    (await gateway.ask(call)).isRefused('quota_exceeded');
    // Longer than any call may last: its process must have died.
    gateway.clock.advance('12m');
    (await gateway.ask(call)).isAdmitted();
  });

  test('a zone that this machine does not know is refused before anything is served', async () => {
    const month = { unit: 'requests', limit: 1, window: { calendar: 'month', zone: 'Europe/Atlantis' } } as const;
    const moved = { ...month, window: { calendar: 'month' }, was: { window: month.window } } as const;
    for (const quota of [month, moved])
      await assert.rejects(
        openDecider(snapshotOf({ quotas: { month: quota } })),
        /quotas\.month: .*no time zone 'Europe\/Atlantis'/,
      );
  });

  test('an expectation about money that does not hold shows money', async () => {
    const gateway = new DecidedGateway(decider);
    const asked = await gateway.ask({
      model: 'budget',
      consumer: 'tester',
      spends: { inputTokens: 1_000, outputTokens: 500 },
    });
    assert.throws(
      () => asked.draws('budget', '0.04'),
      (error) =>
        error instanceof ExpectationFailed &&
        error.difference?.actual === '$0.03' &&
        error.difference.expected === '$0.04',
    );
  });

  test('the trace says what each quota held, and until when', async () => {
    const said = async (model: string) => {
      const body = { model, max_tokens: 500, messages: [{ role: 'user', content: 'Hello' }] };
      const trace = decider.explain(await decider.decide({ path: '/v1/chat/completions', consumer: 'tester', body }));
      return trace.steps.find(({ stage }) => stage === 'quota')?.said ?? '';
    };
    assert.match(
      await said('budget'),
      /^budget: holds \$0\.020\d+, now \$0\.020\d+ of \$0\.10 in a calendar month \(UTC\) of tester; the window ends in \d+\w$/,
    );
    assert.match(
      await said('tokens'),
      /^tokens: holds 5\d\d tokens, now 5\d\d of 2000 tokens in 1m of tester; the window ends in \d+\w$/,
    );
    assert.match(await said('flight'), /^flight: number 1 of 2 requests at once of tester$/);
    assert.match(
      await said('sliding'),
      /^sliding: number 1 of 2 requests in the last 1h of tester; some is free again in \d+\w$/,
    );
  });
});
