/** Balancing strategies: every member once, in the order and the shares that were asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Asking, Balancer, BalancedGroup, Circumstances } from '../../runtime/balancing/balancer.ts';
import * as balancers from '../../runtime/balancing/index.ts';
import type { Call } from '../../runtime/call.ts';
import { inTheDark } from '../../runtime/generation/live-order.ts';
import { seededRandom } from '../../runtime/seeded-random.ts';
import { Latency } from '../../runtime/upstream/latency.ts';
import { Upstreams } from '../../runtime/upstream/upstreams.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const { cheapest, fastest, leastBusy, ordered, roundRobin, sticky, weighted, when } = balancers;
const kinds: Readonly<Record<string, Balancer>> = balancers;

const unmarked = { tags: [], capabilities: undefined };

/** Members by name, each with one target at the upstream of that name. */
function groupOf(names: readonly string[], rest: Partial<BalancedGroup> = {}): BalancedGroup {
  const members = names.map((name) => ({
    name,
    weight: 1,
    targets: [{ upstream: name, prices: undefined, ...unmarked }],
  }));
  return { name: 'group', options: undefined, members, ...rest };
}

const weighing = (weights: readonly number[]): BalancedGroup =>
  groupOf([], { members: weights.map((weight, index) => ({ name: `m${index}`, weight, targets: [] })) });

const plain: Call = { model: 'm', messages: [], stream: false, tools: [], untranslated: [] };

const asking = (facts: Partial<Asking> & { readonly say?: Partial<Call> } = {}): Asking => ({
  consumer: 'team',
  consumerTags: [],
  claims: undefined,
  metadata: () => undefined,
  call: { ...plain, ...facts.say },
  header: () => undefined,
  tokens: () => 0,
  ...facts,
});

const live = (facts: Partial<Circumstances> = {}): Circumstances => ({ ...inTheDark(seededRandom(7)), ...facts });

/** How often each member came at `position`. */
function counted(draw: () => readonly number[], times: number, position = 0): number[] {
  const counts: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const index = draw()[position] ?? -1;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return [...counts.keys()].map((index) => counts[index] ?? 0);
}

const around = (count: number | undefined, wanted: number): void =>
  assert.ok(Math.abs((count ?? 0) - wanted) < wanted * 0.1, `${count} instead of about ${wanted}`);

const weights = fc.array(fc.double({ min: 1e-6, max: 1_000_000, noNaN: true }), { minLength: 1, maxLength: 64 });
const random = fc.oneof(
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  fc.constantFrom(0, 1 - 2 ** -53),
);

const optionsOf: Readonly<Record<string, unknown>> = { sticky: { by: 'consumer' } };

test('every member is in the order exactly once, whatever the weights and the draw', () => {
  for (const [kind, balancer] of Object.entries(kinds)) {
    if (balancers.when === kinds[kind]) continue;
    fc.assert(
      fc.property(weights, random, fc.boolean(), (given, drawn, isAsked) => {
        const group = { ...weighing(given), options: optionsOf[kind] };
        const circumstances = { ...inTheDark(() => drawn), asking: isAsked ? asking() : undefined };
        const order = balancer.prepare(group)(circumstances);
        assert.deepEqual(
          order.toSorted((a, b) => a - b),
          given.map((_, index) => index),
          kind,
        );
      }),
      { numRuns: 50 },
    );
  }
});

test('chances add up to one wherever everybody is tried', () => {
  for (const [kind, balancer] of Object.entries(kinds)) {
    if (balancers.when === kinds[kind]) continue;
    const group = { ...groupOf(['a', 'b', 'c']), options: optionsOf[kind] };
    for (const facts of [undefined, asking()]) {
      const sum = balancer.chances(group, facts).reduce((total, chance) => total + chance, 0);
      assert.ok(Math.abs(sum - 1) < 1e-9, `${kind}: ${sum}`);
    }
  }
});

test('ordered keeps the written order', () => {
  assert.deepEqual(ordered.prepare(weighing([1, 9, 3]))(), [0, 1, 2]);
});

test('weighted gives each member its share of first choices', () => {
  const draw = weighted.prepare(weighing([70, 20, 10]));
  let point = -0.5;
  const firsts = counted(() => {
    point += 1;
    return draw(inTheDark(() => point / 10_000));
  }, 10_000);
  assert.deepEqual(firsts, [7_000, 2_000, 1_000]);
});

test('weighted spreads the fallbacks by the weights that are left', () => {
  const draw = weighted.prepare(weighing([50, 40, 10]));
  const circumstances = inTheDark(seededRandom(3));
  const seconds = new Map<number, number>();
  for (let turn = 0; turn < 30_000; turn += 1) {
    const [first, second = -1] = draw(circumstances);
    if (first === 0) seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  const [one = 0, two = 0] = [seconds.get(1), seconds.get(2)];
  assert.ok(one + two > 10_000);
  const share = one / (one + two);
  assert.ok(Math.abs(share - 0.8) < 0.05, `${share}`);
});

test('chances are the shares that drawing keeps to', () => {
  assert.deepEqual(ordered.chances(weighing([5, 9])), [1, 0]);
  assert.deepEqual(weighted.chances(weighing([3, 1])), [0.75, 0.25]);
  const draw = weighted.prepare(weighing([3, 1]));
  const circumstances = inTheDark(seededRandom(5));
  around(counted(() => draw(circumstances), 2_000)[0], 1_500);
});

test('round robin takes turns exactly, and spreads what fails over all others', () => {
  const upstreams = new Upstreams(() => 0, seededRandom(1));
  const circumstances = live({ turn: (group) => upstreams.turn(group) });
  const draw = roundRobin.prepare(groupOf(['a', 'b', 'c']));
  const orders = Array.from({ length: 3_000 }, () => draw(circumstances));
  const [start = -1] = orders[0] ?? [];
  for (const [turn, [first]] of orders.entries()) assert.equal(first, (start + turn) % 3);
  const afterFirst = orders.filter(([first]) => first === 0).map(([, second]) => second);
  around(afterFirst.filter((second) => second === 1).length, 500);
});

test('groups of round robin take their turns apart, and begin anywhere', () => {
  const upstreams = new Upstreams(() => 0, seededRandom(1));
  const [one, other] = [upstreams.turn('one'), upstreams.turn('other')];
  assert.notEqual(one, other);
  assert.equal(upstreams.turn('one'), one + 1);
  assert.equal(upstreams.turn('other'), other + 1);
});

const names = ['a', 'b', 'c', 'd', 'e'];
const sticking = (members: readonly string[], by: string) => {
  const draw = sticky.prepare({ ...groupOf(members), options: { by } });
  return (facts: Asking) => draw(live({ asking: facts })).map((index) => members[index]);
};

test('sticky sends a user to the same member every time, and users to all of them alike', () => {
  const drawn = sticking(names, 'user');
  const firsts = new Map<string | undefined, number>();
  for (let user = 0; user < 5_000; user += 1) {
    const facts = asking({ say: { user: `user-${user}` } });
    const [first] = drawn(facts);
    assert.deepEqual(drawn(facts)[0], first);
    firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  for (const name of names) around(firsts.get(name), 1_000);
});

test('sticky moves nothing but the share of a member that is taken away', () => {
  const [before, after] = [sticking(names, 'user'), sticking(names.toSpliced(2, 1), 'user')];
  for (let user = 0; user < 1_000; user += 1) {
    const facts = asking({ say: { user: `user-${user}` } });
    assert.deepEqual(
      after(facts),
      before(facts).filter((name) => name !== 'c'),
    );
  }
});

test('sticky goes by what it is told to, each consumer apart, and by the consumer where that is absent', () => {
  const byHeader = sticking(names, 'header:x-session');
  const header = (value: string) => (name: string) => (name === 'x-session' ? value : undefined);
  const firsts = (facts: (index: number) => Asking, drawn = byHeader) =>
    new Set(Array.from({ length: 50 }, (_, index) => drawn(facts(index))[0])).size;
  assert.equal(
    firsts((index) => asking({ header: header(`s${index}`) })),
    5,
  );
  assert.equal(
    firsts((index) => asking({ header: header('same'), say: { user: `u${index}` } })),
    1,
  );
  assert.equal(
    firsts((index) => asking({ header: header('same'), consumer: `c${index}` })),
    5,
  );
  assert.equal(
    firsts((index) => asking({ say: { user: `u${index}` } })),
    1,
  );
  const byConsumer = sticking(names, 'consumer');
  assert.equal(
    firsts((index) => asking({ say: { user: `u${index}` } }), byConsumer),
    1,
  );
  assert.equal(
    firsts((index) => asking({ consumer: `c${index}` }), byConsumer),
    5,
  );
});

test('sticky knows the chances of a request that it knows, and takes all for alike where it knows none', () => {
  const group = { ...groupOf(names), options: { by: 'user' } };
  assert.deepEqual(sticky.chances(group, undefined), [0.2, 0.2, 0.2, 0.2, 0.2]);
  const facts = asking({ say: { user: 'ada' } });
  const [first = -1] = sticky.prepare(group)(live({ asking: facts }));
  assert.equal(sticky.chances(group, facts)[first], 1);
});

test('least busy tries first where the fewest requests are, and draws among equals', () => {
  const loads: Record<string, number> = { a: 5, b: 1, c: 1, d: 9 };
  const circumstances = live({ load: (upstream) => loads[upstream] ?? 0 });
  const draw = leastBusy.prepare(groupOf(['a', 'b', 'c', 'd']));
  const [, second, third] = counted(() => draw(circumstances), 2_000);
  around(second, 1_000);
  around(third, 1_000);
  assert.deepEqual(draw(circumstances).slice(2), [0, 3]);
});

test('least busy keeps members level while requests come and go', async () => {
  const upstreams = new Upstreams(() => 0, seededRandom(1));
  const draw = leastBusy.prepare(groupOf(['a', 'b', 'c']));
  const circumstances = live({ load: (upstream) => upstreams.load(upstream) });
  const leaves = Array.from({ length: 30 }, () => {
    const [first = 0] = draw(circumstances);
    const upstream = 'abc'[first] ?? '';
    return { upstream, leave: upstreams.of({ upstream, label: upstream }).admission.tryEnter() };
  });
  for (const name of 'abc') assert.equal(upstreams.load(name), 10);
  for (const { upstream, leave } of leaves) if (upstream === 'b') leave?.();
  assert.equal(upstreams.load('b'), 0);
  for (let turn = 0; turn < 10; turn += 1) assert.equal(draw(circumstances)[0], 1);
});

test('fastest never tries the slowest of all first, and shares by pairs', () => {
  const slow: Record<string, number> = { a: 900, b: 100, c: 200 };
  const circumstances = live({ latencyMs: (upstream) => slow[upstream] });
  const draw = fastest.prepare(groupOf(['a', 'b', 'c']));
  const [first = 0, second, third] = counted(() => draw(circumstances), 6_000);
  assert.equal(first, 0);
  // Of three pairs the fastest is in two.
  around(second, 4_000);
  around(third, 2_000);
});

test('fastest counts the requests that are there, asks who is not known, and keeps streams apart', () => {
  const draw = fastest.prepare(groupOf(['a', 'b']));
  const latencyMs = (upstream: string) => (upstream === 'a' ? 100 : 150);
  assert.equal(draw(live({ latencyMs }))[0], 0);
  assert.equal(draw(live({ latencyMs, load: (upstream) => (upstream === 'a' ? 1 : 0) }))[0], 1);
  assert.equal(draw(live({ latencyMs: (upstream) => (upstream === 'a' ? 100 : undefined) }))[0], 1);
  const apart = (upstream: string, answer: string) => ((upstream === 'a') === (answer === 'begun') ? 1 : 9);
  assert.equal(draw(live({ latencyMs: apart, asking: asking({ say: { stream: true } }) }))[0], 0);
  assert.equal(draw(live({ latencyMs: apart, asking: asking() }))[0], 1);
});

test('a latency follows what is slower at once, what is faster bit by bit, and fades', () => {
  let now = 0;
  const latency = new Latency(() => now);
  const known = (): number => latency.ms ?? -1;
  assert.equal(known(), -1);
  latency.note(100);
  assert.equal(known(), 100);
  latency.note(900);
  assert.equal(known(), 900);
  now += 1_000;
  latency.note(100);
  assert.ok(known() > 700 && known() < 900, `${known()}`);
  now += 60_000;
  assert.ok(known() < 5, `${known()}`);
});

const priced = (...prices: readonly (readonly [string, string] | undefined)[]): BalancedGroup =>
  groupOf([], {
    members: prices.map((each, index) => ({
      name: `m${index}`,
      weight: 1,
      targets: [{ upstream: '', prices: each && { input: each[0], output: each[1] }, ...unmarked }],
    })),
  });

test('cheapest goes by the price of the call at hand: what it sends, and what it may get', () => {
  const draw = cheapest.prepare(priced(['1', '20'], ['3', '2'], undefined));
  const at = (tokens: number, maxOutputTokens: number) =>
    draw(live({ asking: asking({ tokens: () => tokens, say: { maxOutputTokens } }) }));
  assert.deepEqual(at(100_000, 100), [0, 1, 2]);
  assert.deepEqual(at(100, 1_000), [1, 0, 2]);
});

test('cheapest measures no call where one order holds for all, and keeps the written one among equals', () => {
  const refuse = () => assert.fail('the call was measured');
  const circumstances = live({ asking: asking({ tokens: refuse }) });
  assert.deepEqual(
    cheapest.prepare(priced(['9', '9'], undefined, ['1', '2'], ['1', '3']))(circumstances),
    [2, 3, 0, 1],
  );
  assert.deepEqual(cheapest.prepare(priced(undefined, undefined))(circumstances), [0, 1]);
  assert.deepEqual(cheapest.prepare(priced(['0', '0'], ['0', '0']))(circumstances), [0, 1]);
});

test('the chances of cheapest see everybody who is cheapest for some call', () => {
  const [one = 0, two = 0, never] = cheapest.chances(priced(['1', '20'], ['3', '2'], ['9', '30']), undefined);
  assert.ok(one > 0.05 && two > 0.5, `${one} ${two}`);
  assert.equal(never, 0);
  assert.deepEqual(cheapest.chances(priced(['1', '20'], ['3', '2']), asking({ tokens: () => 1e6 })), [1, 0]);
});

const image = { type: 'image' as const, url: 'data:' };
const tool = { name: 'find', parameters: {} };

test('a condition is met where all it says holds', () => {
  const meets = (options: object, facts: Asking): boolean =>
    when.prepare({ ...groupOf(['a']), options: schemaOf(when.options).parse(options) })(live({ asking: facts }))
      .length > 0;
  const header = (name: string) => (name === 'x-region' ? 'eu' : undefined);
  const cases: readonly (readonly [object, Asking, Asking])[] = [
    [{ consumers: ['team', 'desk'] }, asking(), asking({ consumer: 'shop' })],
    [{ headers: { 'x-region': ['eu', 'ch'] } }, asking({ header }), asking()],
    [{ stream: true }, asking({ say: { stream: true } }), asking()],
    [{ stream: false }, asking(), asking({ say: { stream: true } })],
    [{ tools: true }, asking({ say: { tools: [tool] } }), asking()],
    [{ images: true }, asking({ say: { messages: [{ role: 'user', parts: [image] }] } }), asking()],
    [{ minTokens: 10 }, asking({ tokens: () => 10 }), asking({ tokens: () => 9 })],
    [{ maxTokens: 10 }, asking({ tokens: () => 10 }), asking({ tokens: () => 11 })],
    [
      { stream: true, tools: false },
      asking({ say: { stream: true } }),
      asking({ say: { stream: true, tools: [tool] } }),
    ],
  ];
  for (const [options, met, missed] of cases) {
    assert.ok(meets(options, met), JSON.stringify(options));
    assert.ok(!meets(options, missed), JSON.stringify(options));
  }
  for (const bad of [{}, { stream: undefined }, { minTokens: 2, maxTokens: 1 }, { headers: { 'X-A': ['b'] } }])
    assert.ok(!schemaOf(when.options).safeParse(bad).success, JSON.stringify(bad));
});

test('what a condition depends on counts as equally likely each way while it is not known', () => {
  const group = { ...groupOf(['a']), options: schemaOf(when.options).parse({ stream: true }) };
  assert.deepEqual(when.chances(group, undefined), [0.5]);
  assert.deepEqual(when.chances(group, asking()), [0]);
  const circumstances = live();
  around(counted(() => when.prepare(group)(circumstances), 2_000)[0], 1_000);
  const both = { ...groupOf(['a', 'b']), options: group.options };
  assert.deepEqual(when.chances(both, undefined), [0.5, 0.5]);
  assert.deepEqual(when.prepare(both)(live({ asking: asking() })), [1]);
  assert.deepEqual(when.prepare(both)(live({ asking: asking({ say: { stream: true } }) })), [0]);
});
