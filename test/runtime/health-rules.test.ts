/** The health rules on records made by hand: what is held against a revision, and what never is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Changes, type Compared } from '../../runtime/generation/changes.ts';
import { HealthRecord, type Blame, type Ended } from '../../runtime/generation/health.ts';
import { faultOf, type Fault } from '../../runtime/generation/health-rules.ts';

interface Case {
  readonly record: HealthRecord;
  readonly against?: HealthRecord;
  /** What the revision changed: labels of targets and names of objects, with the part that differs. */
  readonly changed?: Readonly<Record<string, string>>;
  readonly meant?: readonly string[];
}

function judge({ record, against = new HealthRecord(), changed = {}, meant = [] }: Case): Fault | undefined {
  const part = (name: string) => (Object.hasOwn(changed, name) ? changed[name] : undefined);
  return faultOf({
    record,
    against,
    changes: { ofObject: part, ofTarget: part, isMeant: (object) => meant.includes(object) },
  });
}

function recordOf(fill: (record: HealthRecord) => void): HealthRecord {
  const record = new HealthRecord();
  fill(record);
  return record;
}

const repeat = (count: number, work: (index: number) => void): void => {
  for (let index = 0; index < count; index += 1) work(index);
};
const end = (record: HealthRecord, count: number, more: Partial<Ended> = {}): void =>
  repeat(count, () =>
    record.ended({ object: 'models.chat', target: undefined, code: undefined, ownMs: undefined, ...more }),
  );
const blame = (record: HealthRecord, label: string, kind: Blame = 'credential', count = 3): void =>
  repeat(count, () => record.blamed(label, kind));
const answer = (record: HealthRecord, label: string, count = 3): void => repeat(count, () => record.answered(label));

const vendor = { 'vendor/m': 'providers.vendor' };

test('a changed target that refuses us is held against the revision, from the third time on', () => {
  const twice = recordOf((record) => blame(record, 'vendor/m', 'credential', 2));
  assert.equal(judge({ record: twice, changed: vendor }), undefined);
  for (const kind of ['credential', 'not_found', 'network', 'broken_answer'] as const) {
    const fault = judge({ record: recordOf((record) => blame(record, 'vendor/m', kind)), changed: vendor });
    assert.equal(fault?.rule, 'target_refused', kind);
    assert.equal(fault?.object, 'providers.vendor');
    assert.match(fault?.sentence ?? '', /^vendor\/m .* \(3 times, 0 good answers\)$/);
  }
});

test('an unchanged target that refuses us is not', () => {
  assert.equal(judge({ record: recordOf((record) => blame(record, 'vendor/m')) }), undefined);
});

test('a target that mostly answers is not, and answers that cannot be understood count only where none ever can', () => {
  const mostly = recordOf((record) => {
    answer(record, 'vendor/m', 3);
    blame(record, 'vendor/m', 'credential', 3);
  });
  assert.equal(judge({ record: mostly, changed: vendor }), undefined);
  const broken = recordOf((record) => {
    answer(record, 'vendor/m', 1);
    blame(record, 'vendor/m', 'broken_answer', 5);
  });
  assert.equal(judge({ record: broken, changed: vendor }), undefined);
});

const passOver = (record: HealthRecord, label: string, count: number): void =>
  repeat(count, () => record.passedOver(label));

test('a target that was passed over is not blamed for it', () => {
  const record = recordOf((one) => {
    blame(one, 'vendor/m', 'network', 2);
    passOver(one, 'vendor/m', 100);
  });
  assert.equal(judge({ record, changed: vendor }), undefined);
  const answered = recordOf((one) => {
    answer(one, 'vendor/m', 5);
    blame(one, 'vendor/m', 'network', 5);
    passOver(one, 'vendor/m', 100);
  });
  assert.equal(judge({ record: answered, changed: vendor }), undefined);
});

test('an outage of what was left alone is one, also while it is passed over', () => {
  const against = recordOf((one) => answer(one, 'other/m', 10));
  const during = (spared: number) =>
    recordOf((one) => {
      blame(one, 'vendor/m', 'network');
      answer(one, 'other/m', 20);
      blame(one, 'other/m', 'network', 5);
      passOver(one, 'other/m', spared);
    });
  assert.equal(judge({ record: during(30), against, changed: vendor }), undefined);
  assert.equal(judge({ record: during(0), against, changed: vendor })?.rule, 'target_refused');
});

interface Declared {
  readonly provider?: object;
  readonly upstream?: object;
  readonly origin?: string | undefined;
}

const connected = { kind: 'openai', options: { baseUrl: 'https://a.test/v1' }, models: { m: { contextWindow: 8 } } };
const forwarded = { url: 'https://shop.test/v1', headers: { accept: 'text/plain' } };

/** A snapshot that has provider `vendor` and upstream `shop`, as far as they are compared. */
function compared({ provider = connected, upstream = forwarded, origin }: Declared): Compared {
  const members: Record<string, object> = { 'providers.vendor': provider, 'upstreams.shop': upstream };
  return {
    memberOf: (object) => members[object],
    targetLabels: new Set(['vendor/m']),
    originOf: () => origin,
    isRemoved: () => false,
  };
}

/** What of `kinds` is held against a revision that makes `now` of `before`. */
function heldAgainst(label: string, now: Declared, before: Declared): Blame[] {
  const kinds = ['credential', 'not_found', 'network', 'broken_answer'] as const;
  return kinds.filter((kind) => {
    const record = recordOf((one) => blame(one, label, kind));
    const changes = new Changes(compared(now), compared(before));
    return faultOf({ record, against: new HealthRecord(), changes }) !== undefined;
  });
}

test('fault 75: only what a revision changed about a provider can be the cause of how that provider fails', () => {
  const [here, there] = ['https://a.test', 'https://b.test'];
  const judged = (provider: object, origin: string | undefined = here) =>
    heldAgainst('vendor/m', { provider: { ...connected, ...provider }, origin }, { origin: here });
  assert.deepEqual(judged({ models: { m: { contextWindow: 16 } } }), [], 'a fact is sent nowhere');
  assert.deepEqual(judged({ tags: ['eu'] }), []);
  const means = ['credential', 'not_found', 'broken_answer'];
  assert.deepEqual(judged({ options: { baseUrl: 'https://a.test/v2' } }), means, 'the same place, another path');
  assert.deepEqual(judged({ kind: 'anthropic' }), means);
  assert.deepEqual(judged({ models: { m: { contextWindow: 8, options: { x: 1 } } } }), means);
  const everything = ['credential', 'not_found', 'network', 'broken_answer'];
  assert.deepEqual(judged({ options: { baseUrl: 'https://b.test/v1' } }, there), everything);
  const inProcess = { models: { m: { contextWindow: 8, options: { fault: 'cut' } } } };
  assert.deepEqual(
    heldAgainst('vendor/m', { provider: { ...connected, ...inProcess } }, {}),
    everything,
    'what answers in process is nowhere else than in its options',
  );
  assert.deepEqual(
    heldAgainst('vendor/new', { provider: { ...connected, tags: ['eu'] }, origin: here }, { origin: here }),
    means,
    'a new model is reached where the others are',
  );
});

test('fault 75: an upstream that cannot be reached is held against a revision that moved it, and no other', () => {
  const judged = (upstream: object) =>
    heldAgainst('upstream:shop', { upstream: { ...forwarded, ...upstream } }, {}).includes('network');
  for (const same of [
    { timeout: 9 },
    { headers: {} },
    { url: 'https://shop.test/v1/' },
    { url: 'https://SHOP.test:443' },
  ])
    assert.equal(judged(same), false, JSON.stringify(same));
  for (const other of ['http://shop.test/v1', 'https://shop.test:8443/v1', 'https://shops.test/v1'])
    assert.equal(judged({ url: other }), true, other);
});

test('fault 75: when an unchanged target that worked before goes bad in the same way, it is the weather', () => {
  const both = recordOf((record) => {
    blame(record, 'vendor/m', 'network');
    blame(record, 'other/m', 'network');
  });
  const good = recordOf((record) => answer(record, 'other/m'));
  assert.equal(judge({ record: both, against: good, changed: vendor }), undefined);
  const different = recordOf((record) => {
    blame(record, 'vendor/m', 'credential');
    blame(record, 'other/m', 'network');
  });
  assert.equal(judge({ record: different, against: good, changed: vendor })?.subject, 'vendor/m');
  const badAllAlong = recordOf((record) => blame(record, 'other/m', 'network', 9));
  assert.equal(judge({ record: both, against: badAllAlong, changed: vendor })?.subject, 'vendor/m');
});

test('an outage that was over under the revision before excuses nothing', () => {
  const before = recordOf((one) => {
    for (let failed = 0; failed < 25; failed += 1) one.blamed('vendor/m', 'network');
    for (let answered = 0; answered < 6; answered += 1) one.answered('vendor/m');
  });
  const changes = new Changes(
    compared({ origin: 'https://b.test', provider: { ...connected, options: {} } }),
    compared({ origin: 'https://a.test' }),
  );
  const record = recordOf((one) => blame(one, 'vendor/m', 'network'));
  assert.equal(faultOf({ record, against: before, changes })?.rule, 'target_refused');
  before.blamed('vendor/m', 'network');
  assert.equal(faultOf({ record, against: before, changes }), undefined, 'it goes on');
});

test('fault 75: what was just as bad under the revision before is not the doing of this one', () => {
  const bad = () => recordOf((record) => blame(record, 'vendor/m', 'network', 5));
  assert.equal(judge({ record: bad(), against: bad(), changed: vendor }), undefined);
});

const chat = { 'models.chat': 'prompts.greeting' };

test('faults inside the gateway name the object that was changed', () => {
  const record = recordOf((one) => end(one, 3, { code: 'internal_error' }));
  const fault = judge({ record, changed: chat });
  assert.equal(fault?.rule, 'internal_faults');
  assert.equal(fault?.object, 'prompts.greeting');
  assert.match(fault?.sentence ?? '', /the gateway itself failed 3 times in requests for models\.chat/);
  assert.equal(judge({ record }), undefined, 'an unchanged object is the control group');
});

test('faults before a request came to any object count, unless unchanged objects fail as often', () => {
  const stray = recordOf((record) => end(record, 3, { object: undefined, code: 'internal_error' }));
  assert.equal(judge({ record: stray, changed: chat })?.rule, 'internal_faults');
  const everywhere = recordOf((record) => {
    end(record, 3, { code: 'internal_error' });
    end(record, 3, { object: 'models.other', code: 'internal_error' });
  });
  assert.equal(judge({ record: everywhere, changed: chat }), undefined);
});

test('requests that the revision before would have served count, unless the author says that they are meant to end', () => {
  const record = recordOf((one) => repeat(3, () => one.lost('routes.orders', 'route_not_found')));
  const fault = judge({ record, changed: { 'routes.orders': 'routes.orders' } });
  assert.equal(fault?.rule, 'requests_lost');
  assert.equal(fault?.object, 'routes.orders');
  assert.match(
    fault?.sentence ?? '',
    /3 requests for routes\.orders .* route_not_found; .*removed: \{ 'routes\.orders': '…' \}/,
  );
  assert.equal(judge({ record, meant: ['routes.orders'] }), undefined);
  const twice = recordOf((one) => repeat(2, () => one.lost('routes.orders', 'route_not_found')));
  assert.equal(judge({ record: twice }), undefined);
});

test('own failures count from fifty requests on, and above two points more than before', () => {
  const failing = (failed: number, of: number, more: Partial<Ended> = {}) =>
    recordOf((record) => {
      end(record, of - failed, more);
      end(record, failed, { code: 'no_target_available', ...more });
    });
  assert.equal(judge({ record: failing(3, 49), changed: chat }), undefined);
  assert.equal(judge({ record: failing(1, 50), changed: chat }), undefined, '2 points are not above 2');
  const fault = judge({ record: failing(2, 50), changed: chat });
  assert.equal(fault?.rule, 'own_failures');
  assert.match(fault?.sentence ?? '', /4\.0 % of 50 requests for models\.chat .*before it 0\.0 %/);
  assert.equal(judge({ record: failing(2, 50) }), undefined, 'not of what was left alone');
  assert.equal(judge({ record: failing(2, 50), against: failing(4, 100), changed: chat }), undefined, 'as before');

  const all = failing(2, 50);
  end(all, 45, { object: 'models.other' });
  end(all, 5, { object: 'models.other', code: 'no_target_available' });
  assert.equal(judge({ record: all, changed: chat }), undefined, 'the control group fails as well');
});

test("a vendor's outage is no own failure, nor is what an unchanged target refuses", () => {
  const outage = recordOf((record) => end(record, 60, { code: 'upstream_failed', target: 'vendor/m' }));
  assert.equal(judge({ record: outage, changed: { ...chat, ...vendor } }), undefined);
  const refused = () =>
    recordOf((record) => end(record, 60, { code: 'upstream_credential_refused', target: 'vendor/m' }));
  assert.equal(judge({ record: refused(), changed: chat }), undefined);
  assert.equal(judge({ record: refused(), changed: { ...chat, ...vendor } })?.rule, 'own_failures');
});

const timed = (ms: number, count = 60, object = 'models.chat') =>
  recordOf((record) => end(record, count, { object, ownMs: ms }));

test('own time counts when it doubles and a client could notice', () => {
  const fault = judge({ record: timed(20), against: timed(4), changed: chat });
  assert.equal(fault?.rule, 'own_time');
  assert.equal(fault?.object, 'prompts.greeting');
  assert.equal(judge({ record: timed(4), against: timed(0.5), changed: chat }), undefined, 'too little to notice');
  assert.equal(judge({ record: timed(30), against: timed(20), changed: chat }), undefined, 'not twice');
  assert.equal(judge({ record: timed(20, 49), against: timed(4), changed: chat }), undefined, 'too few');
  assert.equal(judge({ record: timed(20), against: timed(4, 49), changed: chat }), undefined, 'too few before');
  assert.equal(judge({ record: timed(20), against: timed(4) }), undefined, 'nothing changed');
});

test('a few slow moments are no evidence, and neither is a machine on which everything has become slow', () => {
  const bursts = timed(1, 100);
  end(bursts, 30, { ownMs: 500 });
  assert.equal(judge({ record: bursts, against: timed(1), changed: chat }), undefined);
  const slow = timed(20);
  end(slow, 60, { object: 'models.other', ownMs: 20 });
  const before = timed(4);
  end(before, 60, { object: 'models.other', ownMs: 4 });
  assert.equal(judge({ record: slow, against: before, changed: chat }), undefined);
});
