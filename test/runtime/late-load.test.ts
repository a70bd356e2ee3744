/** What is loaded late comes once, and again where it did not come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Closers } from '../../runtime/closers.ts';
import { LateLoad } from '../../runtime/late-load.ts';

test('a load that failed is tried again with the next use, and one that came is kept', async () => {
  let loads = 0;
  const late = new LateLoad(async () => {
    loads += 1;
    if (loads === 1) throw new Error('no file left to open');
    return loads;
  });
  assert.equal(await late.known(), undefined);
  const first = late.get();
  const known = late.known();
  await assert.rejects(first, /no file left/);
  assert.equal(await known, undefined, 'what failed is nothing to close');
  assert.deepEqual(await Promise.all([late.get(), late.get()]), [2, 2]);
  assert.equal(await late.known(), 2);
});

test('one part that cannot be closed keeps no other from it', async () => {
  const closed: string[] = [];
  const closers = new Closers();
  const part = (name: string, problem?: string) => ({
    async close() {
      closed.push(name);
      if (problem !== undefined) throw new Error(problem);
    },
  });
  for (const each of [part('counts'), part('ledger', 'disk'), part('forwarder', 'files'), part('door')])
    closers.add(each);
  await assert.rejects(closers.closeAll(), /files/);
  assert.deepEqual(closed, ['door', 'forwarder', 'ledger', 'counts']);
  await closers.closeAll();
});
