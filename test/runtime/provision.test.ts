/** Building a generation: every problem at once, nothing held when it comes to nothing, requests answered in between. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { ArtifactRefused } from '../../runtime/artifact.ts';
import { Activator } from '../../runtime/generation/activator.ts';
import { inTheDark } from '../../runtime/generation/live-order.ts';
import { provision, type Verified } from '../../runtime/generation/provision.ts';
import { refuseShrink as refuse } from '../../runtime/generation/shrink-guard.ts';
import { Pace } from '../../runtime/pace.ts';
import { openParcel, packSnapshot } from '../../runtime/packed.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { Pools } from '../../runtime/upstream/pools.ts';
import { keyHash, snapshotOf } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const refuseShrink = (active: Parameters<typeof refuse>[0], candidate: Verified['snapshot']) =>
  refuse(active, candidate, new Pace());

const packed = (snapshot: SnapshotInput) => openParcel(packSnapshot(snapshotSchema.parse(snapshot)));

function verified(snapshot: SnapshotInput, commit = 'a'.repeat(40)): Verified {
  const manifest = { seq: 1 } as Verified['artifact']['manifest'];
  const artifact = {
    commit,
    manifest,
    snapshot: new Uint8Array(),
    digest: 'sha256:0',
    signer: undefined,
    files: new Map(),
  };
  return { artifact, snapshot: packed(snapshot) };
}

/** Counts holds, so that what is not given back shows. */
class CountedPools extends Pools {
  holds = 0;
  override acquire(origin: string) {
    this.holds += 1;
    return super.acquire(origin);
  }
  override release(origin: string) {
    this.holds -= 1;
    super.release(origin);
  }
}

const many = (count: number, make: (index: number) => unknown) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, make(index)])) as never;

const target = { kind: 'target' as const, provider: 'sandbox', model: 'small' };
const routed = (count: number): SnapshotInput =>
  versioned(1, {
    parts: {
      upstreams: many(20, (index) => ({ url: `http://u${index}.test/base/` })),
      routes: many(count, (index) => ({
        path: `/${index}/*`,
        upstream: `n${index % 20}`,
        methods: ['GET'],
        ...(index % 3 === 0 ? { host: `h${index}.test` } : {}),
      })),
      models: many(count, () => ({ targets: target })),
      consumers: many(count, (index) => ({ keys: [keyHash(`key ${index}`)], models: ['n1'] })),
    },
  });

async function refusal(work: Promise<unknown>): Promise<ArtifactRefused> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof ArtifactRefused, String(error));
    return error;
  }
  assert.fail('it was accepted');
}

test('what is built on demand is what was declared, and the same object each time', async () => {
  const pools = new CountedPools();
  const { tables, dispose } = await provision(verified(routed(300)), pools, new Pace());
  assert.equal(tables.models.size, 301);
  assert.ok(tables.models.has('n7') && !tables.models.has('n300') && !tables.models.has('toString'));
  assert.equal(tables.models.get('n7'), tables.models.get('n7'));
  assert.equal(tables.models.get('n7')?.order(inTheDark(() => 0))[0]?.label, 'sandbox/small');
  const consumer = tables.consumersByKey.get(keyHash('key 5').slice('sha256:'.length));
  assert.deepEqual([consumer?.name, [...(consumer?.models ?? [])]], ['n5', ['n1']]);
  const match = tables.matchRoute('GET', 'any.test', '/25/x');
  assert.ok(match && 'route' in match);
  assert.deepEqual(
    [match.route.name, match.route.upstream.origin, match.route.upstream.path],
    ['n25', 'http://u5.test', '/base'],
  );
  assert.equal(tables.matchRoute('GET', 'any.test', '/27/x'), undefined, 'a route for one host is for that host');
  assert.ok(tables.matchRoute('GET', 'h27.test', '/27/x'));
  assert.deepEqual(tables.matchRoute('POST', 'any.test', '/25'), { refused: ['GET'] });
  assert.equal(tables.sourceOf('providers.vendor'), 'gateway.config.ts:7:16');
  assert.equal(tables.sourceOf('providers.toString'), undefined);
  assert.equal(pools.holds, 20, 'one hold for each origin, however many routes go there');
  dispose();
  await until('all holds are given back', async () => pools.holds === 0);
});

test('every problem is told at once, with its place', async () => {
  const pools = new CountedPools();
  const broken = versioned(1, {
    parts: {
      providers: {
        vendor: {
          kind: 'openai',
          options: { baseUrl: 'http://v.test', allowInsecureHttp: true, apiKey: { $secret: 'NOT_SET_ANYWHERE' } },
          models: {},
        },
      },
      models: {
        a: { targets: { ...target, provider: 'gone' }, policies: ['gone'], quotas: ['gone'] },
        b: { targets: { ...target, model: 'gone' }, prompt: { name: 'gone', variables: {} }, context: 'gone' },
      },
      upstreams: { up: { url: 'http://up.test', headers: { 'x-key': { $secret: 'NOT_SET_EITHER' } } } },
      routes: {
        r: { path: '/r', upstream: 'gone' },
        s: { path: '/s', upstream: 'up' },
        t: { path: '/t', upstream: 'up' },
      },
      consumers: { one: { keys: [keyHash('same')] }, two: { keys: [keyHash('same')], quotas: ['gone'] } },
    },
  });
  const { reason, message } = await refusal(provision(verified(broken), pools, new Pace()));
  assert.equal(reason, 'invalid');
  for (const words of [
    /gateway\.config\.ts:7:16 providers\.vendor: secret NOT_SET_ANYWHERE is absent/,
    /models\.a: refers to 'gone', which does not exist.*models\.a: refers to 'gone'.*models\.a: refers to 'gone'/,
    /models\.b: provider 'sandbox' declares no model 'gone'/,
    /models\.b: refers to 'gone'.*models\.b: refers to 'gone'/,
    /routes\.r: refers to 'gone'/,
    /consumers\.two: shares a key with consumer 'one'/,
  ])
    assert.match(message, words);
  assert.equal(message.match(/NOT_SET_EITHER is absent/g)?.length, 1, 'once for the upstream, not for each route');
  await until('nothing is held', async () => pools.holds === 0);
});

test('thousands of problems are told without a message of megabytes', async () => {
  const broken = snapshotOf({ routes: many(5_000, (index) => ({ path: `/${index}`, upstream: 'gone' })) });
  const { message } = await refusal(provision(verified(broken), new Pools(), new Pace()));
  assert.match(message, /; and 4950 more$/);
  assert.ok(message.length < 10_000);
});

test('fault 67: a candidate whose building throws is refused, holds nothing, and leaves what serves alone', async () => {
  const pools = new CountedPools();
  const activator = new Activator(pools, createMetrics());
  const { signal } = new AbortController();
  await activator.warm(verified(routed(3), 'one'), { signal });
  const serving = activator.activate('one');
  const held = pools.holds;
  const parts = { ...routed(3), prompts: { p: { system: 'Hi {{name}}', fixtures: { short: {} } } } };
  const probed = await refusal(activator.warm(verified(parts, 'two'), { signal }));
  assert.match(probed.message, /the probe failed: prompts\.p with fixture 'short': .*'name'/);
  // A fault of our own: the schema was passed by something that no kind can build from.
  const impossible = verified(routed(3), 'three');
  const faulty: Verified = {
    ...impossible,
    snapshot: {
      ...impossible.snapshot,
      providers: openParcel(packSnapshot({ providers: { x: { kind: 'gone' } } } as never)).providers,
    },
  };
  await assert.rejects(activator.warm(faulty, { signal }), /unknown provider kind gone/);
  assert.equal(activator.current, serving);
  assert.equal(activator.live, 1);
  await until('only what serves is held', async () => pools.holds === held);
  assert.throws(() => activator.activate('two'), /no candidate two is warm/);
});

test('fault 68: a secret that is absent refuses the revision, an optional one only takes its targets out', async () => {
  const withKey = (optional: boolean) =>
    versioned(1, {
      parts: {
        providers: {
          vendor: {
            kind: 'openai',
            options: {
              baseUrl: 'http://127.0.0.1:9',
              apiKey: { $secret: 'NOT_SET_ANYWHERE', ...(optional ? { optional } : {}) },
            },
            models: {},
          },
        },
      },
    });
  const { message } = await refusal(provision(verified(withKey(false)), new Pools(), new Pace()));
  assert.match(
    message,
    /gateway\.config\.ts:7:16 providers\.vendor: secret NOT_SET_ANYWHERE is absent: set NOT_SET_ANYWHERE/,
  );
  const { tables } = await provision(verified(withKey(true)), new Pools(), new Pace());
  assert.equal(tables.providers.get('vendor')?.live, undefined);
  assert.ok(tables.providers.get('sandbox')?.live);
});

test('building gives way to the event loop again and again, and ends when it is no longer wanted', async () => {
  const pools = new CountedPools();
  const activator = new Activator(pools, createMetrics());
  const stop = new AbortController();
  let over = false;
  const warmed = activator.warm(verified(routed(5_000)), { signal: stop.signal }).finally(() => (over = true));
  let turns = 0;
  for (; !over && turns < 3; turns += 1) await nextTurn();
  assert.equal(over, false, 'five thousand of everything take more than three helpings');
  const reason = new Error('a newer commit came');
  stop.abort(reason);
  await assert.rejects(warmed, (error) => error === reason);
  assert.throws(() => activator.activate('a'.repeat(40)), /is warm/);
  await until('nothing is held', async () => pools.holds === 0);
});

test('fault 52: a template of nothing but open places is cut in a moment', async () => {
  const system = `{{${' '.repeat(200_000)}${'{{ '.repeat(60_000)}`;
  const snapshot = versioned(1, {
    parts: {
      prompts: { p: { system, fixtures: { one: {} } } },
      models: { m: { targets: target, prompt: { name: 'p', variables: {} } } },
    },
  });
  const began = performance.now();
  await provision(verified(snapshot), new Pools(), new Pace());
  assert.ok(performance.now() - began < 2_000);
});

test('fault 78: a revision that takes most of something away is refused with the counts', async () => {
  const active = (await provision(verified(routed(10)), new Pools(), new Pace())).tables;
  const with_ = (parts: Partial<SnapshotInput>) => packed({ ...routed(10), ...parts });
  const keep = (count: number, of: 'models' | 'routes' | 'consumers') =>
    ({ [of]: Object.fromEntries(Object.entries(routed(10)[of]).slice(0, count)) }) as Partial<SnapshotInput>;

  // There are 10 routes, 11 models (one comes with every version), and 11 consumers (`tester` too).
  await refuseShrink(active, with_({}));
  await refuseShrink(active, with_(keep(5, 'routes')));
  const { reason, message } = await refusal(
    refuseShrink(active, with_({ ...keep(4, 'routes'), ...keep(5, 'models') })),
  );
  assert.equal(reason, 'shrink');
  assert.match(message, /^6 of 11 models are gone, 6 of 10 routes are gone; if that is meant, .*allowShrink/);
  assert.match(
    (await refusal(refuseShrink(active, with_(keep(5, 'consumers'))))).message,
    /^6 of 11 consumers are gone;/,
  );

  // Names count, not numbers: ten routes that all have other names are ten routes gone.
  const renamed = Object.fromEntries(Object.entries(routed(10).routes).map(([name, route]) => [`new-${name}`, route]));
  assert.match((await refusal(refuseShrink(active, with_({ routes: renamed })))).message, /10 of 10 routes are gone/);

  // With the reason given, or with too few to speak of, nothing is refused.
  await refuseShrink(active, with_({ ...keep(0, 'routes'), allowShrink: 'the old API ends today' }));
  const small = (await provision(verified(routed(2)), new Pools(), new Pace())).tables;
  await refuseShrink(small, packed(versioned(1)));
});

test('fault 78: a revision with neither models nor routes is refused, also as the very first', async () => {
  assert.match(
    (await refusal(refuseShrink(undefined, packed(snapshotOf({}))))).message,
    /^it has no models and no routes;/,
  );
  await refuseShrink(undefined, packed(snapshotOf({ allowShrink: 'parked until spring' })));
  await refuseShrink(undefined, packed(versioned(1)));
});
