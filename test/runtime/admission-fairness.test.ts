/** One consumer with many requests and others with few, at an upstream that takes few at once: nobody waits for, or is refused because of, the busy one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../runtime/seeded-random.ts';
import { Admission, type Leave } from '../../runtime/upstream/admission.ts';

const never = new AbortController().signal;

/** Lets every promise that is settled be heard of. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A queue of one upstream that is served place by place. */
class Row {
  readonly admission = new Admission();
  readonly served: string[] = [];
  readonly refused: string[] = [];
  readonly #inside: Leave[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  ask(consumer: string, signal: AbortSignal = never): void {
    void this.admission.enter(consumer, this.#limit, signal).then((leave) => {
      if (!leave) return void this.refused.push(consumer);
      this.served.push(consumer);
      this.#inside.push(leave);
    });
  }

  async serveOne(): Promise<void> {
    await settled();
    this.#inside.shift()?.();
    await settled();
  }
}

const count = (all: readonly string[], name: string): number => all.filter((each) => each === name).length;

test('a consumer that fills the whole queue takes no place from one that comes later', async () => {
  const row = new Row(1);
  for (let turn = 0; turn < 40; turn += 1) row.ask('busy');
  row.ask('quiet');
  row.ask('quiet');
  await settled();
  assert.equal(count(row.refused, 'quiet'), 0);
  assert.equal(row.admission.waiting, 16, 'no more wait than may');
  await row.serveOne();
  await row.serveOne();
  assert.deepEqual(row.served.slice(0, 3), ['busy', 'busy', 'quiet']);
  for (let turn = 0; turn < 20; turn += 1) await row.serveOne();
  assert.equal(count(row.served, 'quiet'), 2);
  assert.ok(row.admission.isIdle);
});

test('who has as much of the queue as any other makes nobody give way', async () => {
  const row = new Row(1);
  row.ask('inside');
  for (let turn = 0; turn < 16; turn += 1) row.ask(`c${turn % 4}`);
  for (let turn = 0; turn < 4; turn += 1) row.ask(`c${turn}`);
  await settled();
  assert.deepEqual(row.refused, ['c0', 'c1', 'c2', 'c3']);
  // Sixteen consumers with one each: the seventeenth is one too many, and none of them is better than him.
  const wide = new Row(1);
  wide.ask('inside');
  for (let turn = 0; turn < 17; turn += 1) wide.ask(`c${turn}`);
  await settled();
  assert.deepEqual(wide.refused, ['c16']);
});

test('under any traffic, consumers that want their share get the same, whatever one of them asks beyond it', async () => {
  const random = seededRandom(7);
  const row = new Row(3);
  const quiet = ['a', 'b', 'c'];
  for (let turn = 0; turn < 400; turn += 1) {
    const load = 1 + Math.floor(random() * 30);
    for (let each = 0; each < load; each += 1) row.ask('busy');
    for (const name of quiet) if (turn % 4 === 0) row.ask(name);
    await row.serveOne();
  }
  // Each of the three asked for a fourth of what was served, and the busy one for many times all of it.
  for (const name of quiet) {
    assert.equal(count(row.refused, name), 0, name);
    assert.ok(count(row.served, name) >= 98, `${name}: ${count(row.served, name)}`);
  }
  assert.ok(count(row.refused, 'busy') > 1_000);
  assert.ok(count(row.served, 'busy') >= 95, 'and it has what the others leave');
});

test('who left is not taken for one that waits, and who gave way does not come back', async () => {
  const row = new Row(1);
  row.ask('inside');
  const gone = new AbortController();
  for (let turn = 0; turn < 16; turn += 1) row.ask('busy', turn < 8 ? gone.signal : never);
  row.ask('quiet');
  gone.abort();
  await settled();
  assert.equal(row.admission.waiting, 8);
  for (let turn = 0; turn < 12; turn += 1) await row.serveOne();
  assert.deepEqual([count(row.served, 'busy'), count(row.served, 'quiet')], [7, 1]);
  assert.ok(row.admission.isIdle);
});
