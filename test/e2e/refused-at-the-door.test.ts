/** A request that is refused before anyone knows what it asks for is still refused in the words of the API it was sent to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotOf, startGateway } from '../support/gateway.ts';

test('a badly escaped path gets the envelope of its API, and a problem where there is none', async (context) => {
  const gateway = await startGateway(snapshotOf({}));
  context.after(() => gateway.close());
  const refusal = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${gateway.dataUrl}${path}`, { headers });
    assert.equal(response.status, 400);
    const body = (await response.json()) as Record<string, unknown>;
    return [response.headers.get('content-type'), Object.keys(body).sort()];
  };
  assert.deepEqual(await refusal('/v1/models/%zz'), ['application/json', ['error']]);
  assert.deepEqual(await refusal('/v1/files/%ff'), ['application/json', ['error']]);
  assert.deepEqual(await refusal('/v1beta/models/%E0%A4%A:generateContent'), ['application/json', ['error']]);
  const anthropic = await refusal('/v1/models/%zz', { 'anthropic-version': '2023-06-01' });
  assert.deepEqual(anthropic, ['application/json', ['error', 'type']]);
  const [type] = await refusal('/orders/%zz');
  assert.equal(type, 'application/problem+json');
});
