/** The memory of recent requests: bounded, newest first, and it knows the lines of the last few revisions only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newOutcome } from '../../runtime/outcome.ts';
import { RecentRequests, type RecentRequest } from '../../runtime/telemetry/recent-requests.ts';

const request = (id: string, revision = 'r0'): RecentRequest => ({
  id,
  at: 0,
  revision,
  method: 'GET',
  path: '/orders',
  surface: undefined,
  status: 200,
  ms: 1,
  outcome: { ...newOutcome(), matched: 'route:orders', consumer: 'team' },
});
const linesOf = (revision: string) => (object: string) =>
  object === 'routes.orders' ? `${revision}.ts:1:1` : undefined;
const lineIn = (recent: RecentRequests, id: string) =>
  recent.find(id)?.steps.find(({ stage }) => stage === 'route')?.at;

test('of two requests with one id, the newest is told', () => {
  const recent = new RecentRequests();
  recent.add(request('same'), undefined);
  recent.add({ ...request('same'), status: 404 }, undefined);
  assert.equal(recent.find('same')?.status, 404);
  assert.equal(recent.list(10).length, 2);
});

test('the thousand and first request takes the place of the first', () => {
  const recent = new RecentRequests();
  for (let round = 0; round <= 1_000; round += 1) recent.add(request(`id-${round}`), undefined);
  assert.equal(recent.find('id-0'), undefined);
  assert.deepEqual(
    recent.list(2).map(({ id }) => id),
    ['id-1000', 'id-999'],
  );
  assert.equal(recent.list(5_000).length, 1_000);
});

test('a request keeps the lines of the revision that served it, while that is one of the last eight', () => {
  const recent = new RecentRequests();
  for (let round = 0; round < 9; round += 1) recent.add(request(`id-${round}`, `r${round}`), linesOf(`r${round}`));
  assert.equal(lineIn(recent, 'id-0'), undefined);
  assert.equal(lineIn(recent, 'id-1'), 'r1.ts:1:1');
  assert.equal(lineIn(recent, 'id-8'), 'r8.ts:1:1');
});
