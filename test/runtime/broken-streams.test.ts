/** Streams that break off after they began: what the process makes of their upstream, and what is held against the revision. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { HealthRecord } from '../../runtime/generation/health.ts';
import { faultOf } from '../../runtime/generation/health-rules.ts';
import { Breaker } from '../../runtime/upstream/breaker.ts';

let now = 0;
beforeEach(() => (now = 0));
const made = () =>
  new Breaker(
    () => now,
    () => 1,
  );
const begin = (breaker: Breaker) => breaker.enterAnyhow().answered();
const times = (count: number, work: (turn: number) => void) => {
  for (let turn = 0; turn < count; turn += 1) work(turn);
};

describe('an upstream that breaks its streams off', () => {
  test('is passed over after the fifth in a row, though each of them had begun', () => {
    const breaker = made();
    times(4, () => begin(breaker).brokeOff());
    assert.equal(breaker.state, 'closed');
    begin(breaker).brokeOff();
    assert.equal(breaker.state, 'open');
  });

  test('is not when streams in between come to their end', () => {
    const breaker = made();
    times(30, (turn) => {
      times(2, () => begin(breaker).ended());
      if (turn % 2 === 0) begin(breaker).brokeOff();
    });
    assert.equal(breaker.state, 'closed');
  });

  test('is when whole answers in between are good: they say nothing of streams', () => {
    const breaker = made();
    times(5, () => {
      breaker.enter()?.answered();
      begin(breaker).brokeOff();
    });
    assert.equal(breaker.state, 'open');
  });

  test('is when half of the last attempts broke off, each counted once', () => {
    const breaker = made();
    times(20, (turn) => {
      const stream = begin(breaker);
      if (turn % 2 === 0) stream.ended();
      else stream.brokeOff();
      assert.equal(breaker.state, turn < 19 ? 'closed' : 'open', `after ${turn + 1}`);
    });
  });

  test('is asked by others as soon as the single request that tries it hears its stream begin', () => {
    const breaker = made();
    times(5, () => begin(breaker).brokeOff());
    now = 1_000;
    const probe = breaker.enter()?.answered();
    assert.equal(breaker.state, 'closed');
    probe?.ended();
    times(4, () => begin(breaker).brokeOff());
    assert.equal(breaker.state, 'closed', 'it starts anew');
  });

  test('rests twice as long each time that stream breaks off as well', () => {
    const breaker = made();
    times(5, () => begin(breaker).brokeOff());
    const pauses = [1, 2, 3, 4].map(() => {
      const from = now;
      while (!breaker.mayEnter) now += 250;
      breaker.enter()?.answered().brokeOff();
      return now - from;
    });
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000]);
  });

  test('is not held to what began before it was found out', () => {
    const breaker = made();
    const old = [1, 2, 3].map(() => begin(breaker));
    times(5, () => begin(breaker).brokeOff());
    for (const stream of old) stream.brokeOff();
    now = 1_000;
    assert.ok(breaker.mayEnter, 'the pause is as long as it was');
  });
});

describe('a revision under which streams break off', () => {
  const changed = { ofObject: () => undefined, ofTarget: () => 'providers.vendor', isMeant: () => false };
  const judge = (fill: (record: HealthRecord) => void) => {
    const record = new HealthRecord();
    fill(record);
    return faultOf({ record, against: new HealthRecord(), changes: changed });
  };
  const broken = (record: HealthRecord) => {
    record.answered('vendor/m');
    record.brokeOff('vendor/m', 'broken_answer');
  };

  test('is at fault once three did and none ever ended well', () => {
    assert.equal(
      judge((record) => times(2, () => broken(record))),
      undefined,
    );
    const fault = judge((record) => times(3, () => broken(record)));
    assert.deepEqual([fault?.rule, fault?.subject, fault?.object], ['target_refused', 'vendor/m', 'providers.vendor']);
  });

  test('is not where one of them ended well, nor where they fell silent', () => {
    assert.equal(
      judge((record) => {
        record.answered('vendor/m');
        times(9, () => broken(record));
      }),
      undefined,
    );
    const silent = judge((record) =>
      times(9, () => {
        record.answered('vendor/m');
        record.brokeOff('vendor/m', undefined);
      }),
    );
    assert.equal(silent, undefined);
  });

  test('a stream that began under a record before this one takes nothing from it', () => {
    const record = new HealthRecord();
    record.brokeOff('vendor/m', 'broken_answer');
    record.answered('vendor/m');
    assert.equal(record.targets.get('vendor/m')?.answered, 1);
  });
});
