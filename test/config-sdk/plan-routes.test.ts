/** Routes overlap: a plan tells which other route answers where one comes, goes or moves, and for whom that is a difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

interface Written {
  readonly path: string;
  readonly methods?: readonly string[];
  readonly host?: string;
  readonly quotas?: readonly string[];
}

function gateway(routes: Readonly<Record<string, Written>>, ada: object = {}): Snapshot {
  const narrow = Object.hasOwn(routes, 'wide') ? ['wide'] : [];
  return snapshotSchema.parse({
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: {},
    models: {},
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: { few: { unit: 'requests', limit: 10, window: '1h' } },
    consumers: { ada: { keys: [], ...ada }, bob: { keys: [], routes: narrow } },
    upstreams: { back: { url: 'https://back.example.com' } },
    routes: Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, { ...route, upstream: 'back' }])),
    sources: {},
  });
}

const said = (base: Snapshot, head: Snapshot): string[] =>
  planBetween(base, head).changes.map(({ risk, sentence }) => `${risk}: ${plainText(sentence)}`);

const wide: Written = { path: '/x/*' };
const admin: Written = { path: '/x/admin/*', quotas: ['few'] };

test('a route that goes uncovers a wider one: who gains the path, and what no longer counts there', () => {
  assert.deepEqual(said(gateway({ wide, admin }), gateway({ wide })), [
    "high: route 'admin' is gone, and requests for '/x/admin/*' are then answered by route 'wide': consumer 'bob' gains it; quota 'few' no longer counts them",
  ]);
});

test('a route that comes hides a wider one from whoever may not use it', () => {
  assert.deepEqual(said(gateway({ wide }), gateway({ wide, admin })), [
    "high: requests for '/x/admin/*' are then answered by route 'admin' instead of 'wide': consumer 'bob' loses it; quota 'few' counts them now",
    "medium: route 'admin' is new: 1 consumer without a list of routes may use it ('ada')",
  ]);
});

test('a narrow route that goes opens methods that it refused', () => {
  const reading: Written = { path: '/x/admin/*', methods: ['GET', 'HEAD', 'OPTIONS'] };
  assert.deepEqual(said(gateway({ wide, reading }), gateway({ wide })), [
    "high: 'POST', 'PUT', 'PATCH' and 'DELETE' requests for '/x/admin/*', which got 405, are then answered by route 'wide': consumers 'bob' and 'ada' gain it",
    "high: route 'reading' is gone, and 'GET', 'HEAD' and 'OPTIONS' requests for '/x/admin/*' are then answered by route 'wide': consumer 'bob' gains it",
  ]);
});

test('a route that moves away uncovers a wider one too', () => {
  const [first] = said(gateway({ wide, admin }), gateway({ wide, admin: { ...admin, path: '/y/*' } }));
  assert.equal(
    first,
    "high: requests for '/x/admin/*' are then answered by route 'wide' instead of 'admin': consumer 'bob' gains it; quota 'few' no longer counts them",
  );
});

test('a route with a new name and without its quota is no loss: its path is answered all the same', () => {
  const renamed = said(gateway({ old: admin }), gateway({ fresh: { path: '/x/admin/*' } }));
  assert.deepEqual(renamed, [
    "high: route 'fresh' no longer draws from quota 'few' (10 requests per hour for each consumer)",
    "info: route 'old' is now called 'fresh' and is edited besides",
  ]);
});

test('a quota of the consumer itself goes on counting', () => {
  const own = { quotas: ['few'] };
  assert.deepEqual(said(gateway({ wide, admin }, own), gateway({ wide }, own)), [
    "high: route 'admin' is gone, and requests for '/x/admin/*' are then answered by route 'wide': consumer 'bob' gains it; quota 'few' no longer counts them of consumer 'bob'",
  ]);
});

test('a route that moves says what becomes of each request that it leaves, once', () => {
  const all = (base: Snapshot, head: Snapshot): string[] =>
    planBetween(base, head).changes.flatMap(({ sentence, details }) => [sentence, ...details].map(plainText));
  assert.deepEqual(all(gateway({ admin }), gateway({ admin: { ...admin, path: '/y/*' } })), [
    "route 'admin' moves: '/x/admin/*' → '/y/*'",
    "requests for '/x/admin/*' get 404",
  ]);
  assert.deepEqual(all(gateway({ admin }), gateway({ admin: { ...admin, path: '/x/admin/a/*' } })), [
    "route 'admin' answers to fewer paths: '/x/admin/*' → '/x/admin/a/*'",
    "all other requests for '/x/admin/*' get 404",
  ]);
  const uncovered = all(gateway({ wide, admin }), gateway({ wide, admin: { ...admin, path: '/y/*' } }));
  assert.equal(uncovered.length, 2);
  assert.match(uncovered[0] ?? '', /answered by route 'wide' instead of 'admin'/);
});

test('a wider route that is there for one host only answers for that host', () => {
  const local: Written = { path: '/x/*', host: 'api.example.com' };
  assert.deepEqual(said(gateway({ local, admin }), gateway({ local })), [
    "high: route 'admin' is gone: requests for '/x/admin/*' get 404",
    "high: route 'admin' is gone, and requests for 'api.example.com/x/admin/*' are then answered by route 'local': quota 'few' no longer counts them",
  ]);
});

test('one of two routes at a path, each with methods of its own, leaves 405 behind', () => {
  const [read, write] = [
    { path: '/x', methods: ['GET'] },
    { path: '/x', methods: ['POST'] },
  ];
  assert.deepEqual(said(gateway({ read, write }), gateway({ read })), [
    "high: route 'write' is gone: 'POST' requests for '/x' get 405",
  ]);
});

test('a route that others hide is gone without a difference', () => {
  const shown: Written = { path: '/x' };
  assert.deepEqual(said(gateway({ a: shown, b: shown }), gateway({ a: shown })), [
    "low: route 'b' is gone: no request came to it, since others answer where it stood",
  ]);
});
