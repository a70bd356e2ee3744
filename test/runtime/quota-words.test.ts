/** What is told of limits: to clients in headers, and to who wrote a limit that cannot be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldReply } from '../../runtime/held-reply.ts';
import { writeQuotaHeaders } from '../../runtime/pipeline/quota-headers.ts';
import { quota } from '../../runtime/snapshot-quotas.ts';

type Writing = Parameters<typeof writeQuotaHeaders>;

/** `RateLimit` for a quota in dollars, of billionths of one. */
function leftOf(limit: number, used: number): string | undefined {
  const reply = new HeldReply();
  const declared = { name: 'q', unit: 'usd', limit, mode: 'hard', window: { kind: 'fixed', ms: 60_000 } };
  const taken = { quota: declared, demand: { limit }, taking: { used, resetMs: 30_000 } };
  writeQuotaHeaders({ reply } as unknown as Writing[0], [taken] as unknown as Writing[1]);
  return /r=([\d.]+)/.exec(reply.headers.get('ratelimit') ?? '')?.[1];
}

test('of money less than a thousandth of a dollar, what is left is not told as nothing', () => {
  assert.equal(leftOf(5_000_000_000, 1_234_567), '4.998');
  assert.equal(leftOf(500_000, 207_000), '0.001');
  assert.equal(leftOf(500_000, 500_000), '0.00');
});

test('a limit in dollars that is of a wrong size is told so, and one that is no money is told how to write it', () => {
  const wordsOf = (limit: unknown) => {
    const { error } = quota.safeParse({ unit: 'usd', limit, window: 3_600_000, scope: 'consumer' });
    return error?.issues.find(({ path }) => path[0] === 'limit')?.message;
  };
  assert.equal(wordsOf('250.00'), undefined);
  assert.match(wordsOf('99999999999999999999') ?? '', /^write at most '1000000'/);
  assert.match(wordsOf('2000000') ?? '', /^write at most '1000000'/);
  for (const nothing of ['-5.00', '0', '0.00']) assert.match(wordsOf(nothing) ?? '', /^write more than '0'/, nothing);
  for (const odd of ['1e3', '1.0000000001', 'five']) assert.match(wordsOf(odd) ?? '', /^write USD as text/, odd);
});
