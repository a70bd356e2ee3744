/** Which route a request takes, as the table decides it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiveRoute } from '../../runtime/generation/live.ts';
import { routeMatcher, type DeclaredRoute } from '../../runtime/generation/routes.ts';

function declare(name: string, path: string, more: { host?: string; methods?: readonly string[] } = {}): DeclaredRoute {
  const route: LiveRoute = {
    name,
    tags: [],
    methods: more.methods && new Set(more.methods),
    host: more.host,
    upstream: { name: 'up', origin: 'http://up.test', path: '', headers: {}, timeoutMs: 1_000 },
    stripPrefix: '',
    retries: 0,
    maxBodyBytes: 0,
    quotas: [],
  };
  return { path, route };
}

/** `taken(method, host, path)` as a name, `refused`, or `none`. */
function table(...declared: DeclaredRoute[]) {
  const match = routeMatcher(declared);
  return (method: string, host: string, path: string): string => {
    const found = match(method, host, path);
    return found === undefined ? 'none' : 'route' in found ? found.route.name : 'refused';
  };
}

describe('routes', () => {
  test('an exact path is itself and nothing else', () => {
    const taken = table(declare('one', '/orders'));
    assert.equal(taken('GET', 'a', '/orders'), 'one');
    for (const path of ['/', '/order', '/orders/', '/orders/1', '/ordersx', '/Orders'])
      assert.equal(taken('GET', 'a', path), 'none', path);
  });

  test('a prefix is its own path and all below it, and ends at a slash', () => {
    const taken = table(declare('all', '/orders/*'));
    for (const path of ['/orders', '/orders/', '/orders/1', '/orders/1/2'])
      assert.equal(taken('GET', 'a', path), 'all');
    for (const path of ['/', '/ordersx', '/x/orders']) assert.equal(taken('GET', 'a', path), 'none', path);
  });

  test('the longest prefix wins, whatever the order of declaration', () => {
    const declared = [
      declare('a', '/a/*'),
      declare('abc', '/a/b/c/*'),
      declare('ab', '/a/b/*'),
      declare('exact', '/a/b'),
    ];
    for (const some of [declared, declared.toReversed()]) {
      const taken = table(...some);
      assert.equal(taken('GET', 'h', '/a/x'), 'a');
      assert.equal(taken('GET', 'h', '/a/b'), 'exact');
      assert.equal(taken('GET', 'h', '/a/b/x'), 'ab');
      assert.equal(taken('GET', 'h', '/a/b/c/d/e'), 'abc');
    }
  });

  test('at one path, a route for the host is asked before one for any host', () => {
    const declared = [declare('any', '/a/*'), declare('ours', '/a/*', { host: 'api.test' })];
    for (const some of [declared, declared.toReversed()]) {
      const taken = table(...some);
      assert.equal(taken('GET', 'api.test', '/a'), 'ours');
      assert.equal(taken('GET', 'other.test', '/a'), 'any');
      assert.equal(taken('GET', 'sub.api.test', '/a'), 'any');
    }
  });

  test('the nearest path decides: one that takes other methods refuses, and opens no way to a wider one', () => {
    const taken = table(declare('write', '/a', { methods: ['POST'] }), declare('read', '/a/*', { methods: ['GET'] }));
    assert.equal(taken('POST', 'h', '/a'), 'write');
    assert.equal(taken('GET', 'h', '/a'), 'refused');
    assert.equal(taken('GET', 'h', '/a/b'), 'read');
    assert.equal(taken('PUT', 'h', '/a'), 'refused');
    assert.equal(taken('PUT', 'h', '/b'), 'none');
  });

  test('a declared path may be spelled with escapes that need not be', () => {
    assert.equal(table(declare('one', '/%6Frders/%c3%a9'))('GET', 'h', '/orders/%C3%A9'), 'one');
  });

  test('no path finds what objects inherit', () => {
    const taken = table(declare('one', '/a'));
    for (const path of ['/__proto__', '/constructor', 'constructor', '']) assert.equal(taken('GET', 'h', path), 'none');
  });

  test('ten thousand routes are not looked through one by one', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => declare(`r${index}`, `/r${index}/*`));
    const taken = table(...many);
    const began = performance.now();
    for (let turn = 0; turn < 10_000; turn += 1) taken('GET', 'h', '/r9999/a/b');
    assert.ok(performance.now() - began < 1_000);
  });
});
