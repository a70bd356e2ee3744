/** What the process remembers of upstreams: when one is passed over and tried again, how many retries it gets, which key is next. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Admission } from '../../runtime/upstream/admission.ts';
import { Breaker } from '../../runtime/upstream/breaker.ts';
import { digestOf, Keys } from '../../runtime/upstream/keys.ts';
import { RetryBudget } from '../../runtime/upstream/retry-budget.ts';
import { Upstreams } from '../../runtime/upstream/upstreams.ts';

let now = 0;
const clock = () => now;
const longest = () => 1;
beforeEach(() => (now = 0));

describe('a breaker', () => {
  const opened = () => {
    const breaker = new Breaker(clock, longest);
    for (let turn = 0; turn < 5; turn += 1) breaker.enter()?.failed();
    return breaker;
  };

  test('opens at the fifth failure in a row, and no sooner', () => {
    const breaker = new Breaker(clock, longest);
    for (let turn = 0; turn < 4; turn += 1) breaker.enter()?.failed();
    breaker.enter()?.answered();
    for (let turn = 0; turn < 4; turn += 1) breaker.enter()?.failed();
    assert.equal(breaker.state, 'closed');
    breaker.enter()?.failed();
    assert.equal(breaker.state, 'open');
    assert.equal(breaker.enter(), undefined);
  });

  test('opens for an outlier that fails half of the time', () => {
    const breaker = new Breaker(clock, longest);
    for (let turn = 0; turn < 19; turn += 1) {
      const ticket = breaker.enter();
      if (turn % 2 === 0) ticket?.answered();
      else ticket?.failed();
      assert.equal(breaker.state, 'closed', `after ${turn + 1}`);
    }
    breaker.enter()?.failed();
    assert.equal(breaker.state, 'open');
  });

  test('stays closed for one that fails now and then', () => {
    const breaker = new Breaker(clock, longest);
    for (let turn = 0; turn < 200; turn += 1) {
      const ticket = breaker.enter();
      if (turn % 4 === 0) ticket?.failed();
      else ticket?.answered();
    }
    assert.equal(breaker.state, 'closed');
  });

  test('lets a single request through after its pause, and closes when that is answered', () => {
    const breaker = opened();
    now = 999;
    assert.equal(breaker.enter(), undefined);
    now = 1_000;
    const probe = breaker.enter();
    assert.ok(probe);
    assert.deepEqual([breaker.state, breaker.enter()], ['half_open', undefined]);
    probe.answered();
    assert.equal(breaker.state, 'closed');
    breaker.enter()?.failed();
    assert.equal(breaker.state, 'closed', 'it starts anew');
  });

  test('pauses twice as long each time the single request fails, a minute at most', () => {
    const breaker = opened();
    const pauses: number[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      const from = now;
      while (!breaker.mayEnter) now += 250;
      pauses.push(now - from);
      breaker.enter()?.failed();
    }
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  test('comes back after half of the pause at the earliest, each replica at its own time', () => {
    const breaker = new Breaker(clock, () => 0);
    for (let turn = 0; turn < 5; turn += 1) breaker.enter()?.failed();
    now = 499;
    assert.equal(breaker.mayEnter, false);
    now = 500;
    assert.equal(breaker.mayEnter, true);
  });

  test('lets another request try when the single one came to no end of its own', () => {
    const breaker = opened();
    now = 1_000;
    breaker.enter()?.unclear();
    assert.ok(breaker.enter());
  });

  test('closes for one that had nowhere else to go and was answered, and does not pause longer when it was not', () => {
    const breaker = opened();
    for (let turn = 0; turn < 10; turn += 1) breaker.enterAnyhow().failed();
    now = 1_000;
    assert.ok(breaker.mayEnter);
    breaker.enterAnyhow().answered();
    assert.equal(breaker.state, 'closed');
  });
});

describe('a retry budget', () => {
  const taken = (budget: RetryBudget) => {
    let count = 0;
    while (count < 1_000 && budget.take()) count += 1;
    return count;
  };

  test('is a fifth of the requests of the last ten seconds, and ten at least', () => {
    const quiet = new RetryBudget(clock);
    assert.equal(taken(quiet), 10);
    const busy = new RetryBudget(clock);
    for (let turn = 0; turn < 200; turn += 1) busy.asked();
    assert.equal(taken(busy), 40);
  });

  test('comes back as time goes by', () => {
    const budget = new RetryBudget(clock);
    for (let turn = 0; turn < 100; turn += 1) budget.asked();
    assert.equal(taken(budget), 20);
    now = 9_999;
    assert.equal(budget.take(), false);
    now = 10_000;
    assert.equal(taken(budget), 10);
  });
});

describe('a place at an upstream', () => {
  const never = new AbortController().signal;
  /** Who came in, in order, as places are given back one by one. */
  async function order(asked: readonly string[]) {
    const admission = new Admission();
    const first = admission.tryEnter(1);
    const entered: string[] = [];
    const all = asked.map(async (consumer) => {
      const leave = await admission.enter(consumer, 1, never);
      entered.push(consumer);
      leave?.();
    });
    first?.();
    await Promise.all(all);
    assert.deepEqual([admission.waiting, admission.isIdle], [0, true]);
    return entered;
  }

  test('is given in turn among consumers, so that one with many requests holds up its own', async () => {
    assert.deepEqual(await order(['a', 'a', 'a', 'a', 'b', 'c', 'b']), ['a', 'b', 'c', 'a', 'b', 'a', 'a']);
  });

  test('is there for as many as the limit says, and for all where there is none', () => {
    const admission = new Admission();
    const leave = admission.tryEnter(2);
    assert.ok(leave && admission.tryEnter(2));
    assert.equal(admission.tryEnter(2), undefined);
    assert.ok(admission.tryEnter(undefined));
    leave();
    leave();
    assert.equal(admission.tryEnter(2), undefined, 'one is still over the limit, and a place is given back once');
  });

  test('is waited for by sixteen each, and not by one more', async () => {
    const admission = new Admission();
    const leave = admission.tryEnter(1);
    const waiting = Array.from({ length: 16 }, (_, index) => admission.enter(`${index % 3}`, 1, never));
    assert.equal(await admission.enter('1', 1, never), undefined);
    leave?.();
    for (const each of waiting) (await each)?.();
    assert.ok(admission.isIdle);
  });

  test('is not kept for who has left', async () => {
    const admission = new Admission();
    const leave = admission.tryEnter(1);
    const gone = new AbortController();
    const first = admission.enter('a', 1, gone.signal);
    const second = admission.enter('b', 1, never);
    gone.abort();
    assert.equal(await first, undefined);
    leave?.();
    assert.ok(await second);
  });
});

describe('keys', () => {
  const all = [1, 2, 3].map((position) => ({ id: `k${position}`, position }));
  const [one, two] = all as [(typeof all)[0], (typeof all)[0]];
  const positions = (keys: Keys, times: number, model = 'm') =>
    Array.from({ length: times }, () => keys.next(all, model)?.position);

  test('are used in turn', () => assert.deepEqual(positions(new Keys(clock), 6), [1, 2, 3, 1, 2, 3]));

  test('that were refused rest for a minute, for every model', () => {
    const keys = new Keys(clock);
    keys.refused(one);
    for (const model of ['m', 'n']) assert.ok(!positions(keys, 6, model).includes(1));
    now = 60_000;
    assert.ok(positions(keys, 3).includes(1));
  });

  test('that are limited rest as long as the vendor says, for that model', () => {
    const keys = new Keys(clock);
    keys.limited(two, 'm', 30_000);
    assert.ok(!positions(keys, 6).includes(2));
    assert.ok(positions(keys, 3, 'n').includes(2));
    now = 30_000;
    assert.ok(positions(keys, 3).includes(2));
  });

  test('that answer again need no rest', () => {
    const keys = new Keys(clock);
    keys.refused(one);
    keys.answered(one, 'm');
    assert.ok(positions(keys, 3).includes(1));
  });

  test('that all rest are used where nothing else is there, the refused ones last', () => {
    const keys = new Keys(clock);
    for (const key of all) keys.refused(key);
    assert.equal(keys.next(all, 'm'), undefined);
    assert.equal(keys.allRefused(all), true);
    assert.ok(keys.nextAnyhow(all, 'm'));
    const mixed = new Keys(clock);
    mixed.refused(one);
    mixed.limited(two, 'm');
    const [, , three] = all;
    if (three) mixed.limited(three, 'm');
    for (let turn = 0; turn < 4; turn += 1) assert.notEqual(mixed.nextAnyhow(all, 'm')?.position, 1);
  });

  test('are remembered by a digest that does not hold them', () => {
    const digest = digestOf('https://api.example.com', 'sk-live-PLANTED');
    assert.ok(!digest.includes('PLANTED') && digest.length > 40);
    assert.equal(digest, digestOf('https://api.example.com', 'sk-live-PLANTED'));
    assert.notEqual(digestOf('a', 'b'), digestOf('ab', ''));
  });
});

describe('upstreams', () => {
  test('are known by where they are, under whatever label', () => {
    const upstreams = new Upstreams(clock, longest);
    const at = (label: string, upstream: string) => upstreams.of({ label, upstream });
    for (let turn = 0; turn < 5; turn += 1) at('old/m', 'http://one m').breaker.enter()?.failed();
    assert.equal(at('new/m', 'http://one m').breaker.state, 'open');
    assert.equal(at('new/n', 'http://one n').breaker.state, 'closed');
    const told = upstreams.health(new Set(['new/m', 'new/n']));
    assert.deepEqual(told, [
      { target: 'new/m', state: 'open', failures: 5, waiting: 0 },
      { target: 'new/n', state: 'closed', failures: 0, waiting: 0 },
    ]);
  });

  test('are remembered in bounded number, those in trouble longest', () => {
    const upstreams = new Upstreams(clock, longest);
    const sick = { label: 'sick', upstream: 'sick' };
    for (let turn = 0; turn < 5; turn += 1) upstreams.of(sick).breaker.enter()?.failed();
    const first = upstreams.of({ label: '0', upstream: '0' });
    for (let turn = 1; turn < 6_000; turn += 1) upstreams.of({ label: `${turn}`, upstream: `${turn}` });
    assert.notEqual(upstreams.of({ label: '0', upstream: '0' }), first);
    assert.equal(upstreams.of(sick).breaker.state, 'open');
  });
});
