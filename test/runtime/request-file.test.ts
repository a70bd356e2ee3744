/** A request as a file describes it: what is left out is what one would expect. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headOf } from '../../runtime/request-file.ts';

test('a request without a body is a GET, one with a body a POST, and what is written stands', () => {
  const methodOf = (asked: object): string | undefined =>
    headOf({ path: '/orders/3', ...asked }, undefined).request.method;
  assert.equal(methodOf({}), 'GET');
  assert.equal(methodOf({ body: {} }), 'POST');
  assert.equal(methodOf({ body: '' }), 'POST');
  assert.equal(methodOf({ method: 'delete' }), 'DELETE');
});
