/** Keys and tokens in the wrong place: in a path, or on a command line. What is written down of them names none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../config-sdk/cli.ts';
import { masked } from '../../runtime/masked.ts';
import { snapshotOf, startGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const key = `hg_${'Ab3'.repeat(15).slice(0, 43)}`;
const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"sub":"me"}').toString('base64url')}.c2lnbmF0dXJl`;

test('keys and tokens are taken out of a text, and what merely resembles them stays', () => {
  assert.equal(masked(`/v1/${key}/x?${token}`), '/v1/***/x?***');
  assert.equal(masked('/orders/hg_7/eyJ'), '/orders/hg_7/eyJ');
});

test('a path with a key in it is remembered without', async (context) => {
  const gateway = await startGateway(snapshotOf({}));
  context.after(() => gateway.close());
  await gateway.ask(`/v1/models/${key}`);
  const told = await until('the request to be remembered', async () => {
    const text = await (await fetch(`${gateway.adminUrl}/api/requests`)).text();
    return text.includes('/v1/models/') && text;
  });
  assert.ok(told.includes('/v1/models/***') && !told.includes(key));
});

test('what a command says is wrong names no key or token that stood where none belongs', async (context) => {
  const said: string[] = [];
  context.mock.method(process.stderr, 'write', (text: string) => {
    said.push(text);
    return true;
  });
  const before = process.exitCode;
  for (const line of [
    ['pin', key],
    ['status', key],
    ['keys', 'create', key],
    ['explain', key],
    ['check', token],
  ])
    await run(line);
  context.mock.restoreAll();
  process.exitCode = before;
  assert.equal(said.length >= 5, true);
  assert.ok(!said.some((text) => text.includes(key) || text.includes(token)), said.join(''));
  assert.ok(said.some((text) => text.includes('***')));
});
