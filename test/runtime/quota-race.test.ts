/** Several processes race for the same quotas, and some are killed: nothing is overspent, and nobody wrongly refused. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  figuresOf,
  problemsOf,
  raceInMemory,
  raceOverRedis,
  raceOverSqlite,
  raceWithSlack,
  type Outcome,
} from '../support/quota-race/run.ts';
import { skipWithoutRedis } from '../support/redis.ts';

function assertFair(context: TestContext, name: string, outcome: Outcome): void {
  for (const line of figuresOf(name, outcome)) context.diagnostic(line);
  assert.deepEqual(problemsOf(outcome), []);
  const [tokens, money] = outcome.verdicts;
  const refusals = (tokens?.refusals ?? 0) + (money?.refusals ?? 0);
  const fullest = Math.max(tokens?.fullest ?? 0, money?.fullest ?? 0);
  assert.ok(refusals > 0 && fullest > 0.9, 'there was something to race for, and nine tenths of it can be had');
}

test('four processes over one Redis overspend nothing, killed or not', { skip: skipWithoutRedis() }, async (t) => {
  assertFair(t, 'Redis', await raceOverRedis({ processes: 4, forMs: 2_000, killEveryMs: 600 }, true));
});

test(
  'four processes that take batches exceed a limit by no more than its slack',
  { skip: skipWithoutRedis() },
  async (t) => {
    assertFair(t, 'Redis, with slack', await raceWithSlack({ processes: 4, forMs: 1_500, killEveryMs: 600 }));
  },
);

test('three processes over one file overspend nothing, killed or not', async (t) => {
  assertFair(t, 'sqlite', await raceOverSqlite({ processes: 3, forMs: 1_500, killEveryMs: 600 }));
});

test('one process with the embedded store overspends nothing at all', async (t) => {
  const forMs = 1_200;
  const [sqlite, memory] = await Promise.all([raceOverSqlite({ processes: 1, forMs }), raceInMemory({ forMs })]);
  for (const [name, outcome] of Object.entries({ sqlite, memory })) {
    assertFair(t, `${name}, one process`, outcome);
    assert.ok(outcome.verdicts.every(({ over }) => over === 0));
  }
});
