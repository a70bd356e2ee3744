/** The plan as a pure function: nothing that changes goes unsaid, and what is said keeps its shape whatever stands in the configuration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type Snapshot, type SnapshotInput } from '@headgate/runtime/snapshot';
import type { Risk } from '../../config-sdk/plan/change.ts';
import { plainText } from '../../config-sdk/plan/change.ts';
import { costOfThousand } from '../../config-sdk/plan/cost.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

const key = (digit: string): string => `sha256:${digit.repeat(64)}`;

const rich = {
  format: 'headgate/snapshot.v1',
  name: 'acme',
  providers: {
    east: {
      kind: 'openai',
      options: {
        baseUrl: 'https://east.example.com/v1',
        apiKey: { $secret: 'EAST_KEY' },
        headers: { 'x-tenant': 'a' },
      },
      models: { large: { contextWindow: 100_000, maxOutputTokens: 8_000 }, small: { contextWindow: 100_000 } },
    },
    west: {
      kind: 'anthropic',
      options: { baseUrl: 'https://west.example.com', apiKey: { $secret: 'WEST_KEY' } },
      models: { medium: { contextWindow: 200_000 } },
    },
  },
  models: {
    chat: {
      targets: {
        kind: 'group',
        balance: 'ordered',
        of: [
          {
            node: {
              kind: 'group',
              balance: 'weighted',
              of: [
                { weight: 3, node: { kind: 'target', provider: 'east', model: 'large', timeout: '30s', retries: 1 } },
                { weight: 1, node: { kind: 'target', provider: 'west', model: 'medium' } },
              ],
            },
          },
          { node: { kind: 'target', provider: 'east', model: 'small' } },
        ],
      },
      prompt: { name: 'greeting', variables: { who: { from: 'header', name: 'x-who', default: 'you' }, tone: 'dry' } },
      context: 'turns',
      policies: ['guard'],
      quotas: ['free'],
    },
    plain: { targets: { kind: 'target', provider: 'east', model: 'small' } },
  },
  prompts: {
    greeting: {
      system: 'Greet {{who}}, {{tone}}.',
      user: 'Hello.',
      choices: { tone: ['dry', 'warm'] },
      fixtures: { usual: { who: 'Ada', tone: 'dry' } },
    },
  },
  contextPolicies: { turns: { kind: 'quantisedCut', options: { target: 9_000, reserveOutput: 500 } } },
  policies: { guard: { kind: 'blockTerms', options: { terms: ['secret plan', 'merger'] } } },
  quotas: { free: { unit: 'requests', limit: 10, window: '1h' } },
  consumers: {
    ada: { keys: [key('a'), key('b')], models: ['chat'], routes: ['orders'], quotas: ['free'] },
    bob: { keys: [key('c')] },
  },
  upstreams: {
    orders: { url: 'https://orders.example.com', headers: { authorization: { $secret: 'TOKEN' } }, timeout: '5s' },
  },
  routes: {
    orders: {
      path: '/orders/*',
      methods: ['GET'],
      host: 'api.example.com',
      upstream: 'orders',
      stripPrefix: '/orders',
      quotas: ['free'],
    },
  },
  sources: { 'models.chat': 'gateway.config.ts:7:3' },
} as const;

const base = snapshotSchema.parse(rich);

type Path = readonly (string | number)[];
type Loose = Record<string | number, unknown>;

/** The base with other values at some places; `undefined` takes a property out. */
function edited(...edits: readonly (readonly [Path, unknown])[]): Snapshot {
  const copy = structuredClone(base);
  for (const [path, value] of edits) {
    const last = path.at(-1) ?? '';
    const holder = path.slice(0, -1).reduce<Loose>((inside, step) => inside[step] as Loose, copy as Loose);
    if (value === undefined) delete holder[last];
    else holder[last] = value;
  }
  return copy;
}

const said = (head: Snapshot, from = base): string[] =>
  planBetween(from, head).changes.map(({ risk, sentence }) => `${risk}: ${plainText(sentence)}`);

const details = (head: Snapshot): string[] =>
  planBetween(base, head).changes.flatMap((change) => change.details.map(plainText));

const topRisk = (head: Snapshot): Risk | undefined => planBetween(base, head).changes[0]?.risk;

/** The same objects, written down in the opposite order. */
const turned = (snapshot: Snapshot): Snapshot =>
  Object.fromEntries(
    Object.entries(snapshot)
      .toReversed()
      .map(([name, value]) => [
        name,
        typeof value === 'object' ? Object.fromEntries(Object.entries(value).toReversed()) : value,
      ]),
  ) as Snapshot;

test('equal snapshots have no change, whatever order their objects stand in and wherever they are declared', () => {
  const moved = { ...turned(base), sources: { 'models.chat': 'elsewhere.ts:1:1' } };
  assert.deepEqual(planBetween(base, moved), { gateway: 'acme', changes: [], prompts: [] });
});

test('the same change gives the same plan, whatever order objects stand in', () => {
  const head = edited(
    [['quotas', 'free', 'limit'], 99],
    [['consumers', 'bob'], undefined],
    [['consumers', 'eve'], { keys: [] }],
    [['prompts', 'greeting', 'system'], 'Be {{tone}} to {{who}}.'],
    [['models', 'plain', 'policies'], ['guard']],
  );
  assert.deepEqual(planBetween(turned(base), turned(head)), planBetween(base, head));
});

function* leaves(value: unknown, path: Path = []): Generator<[Path, string | number | boolean]> {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') yield [path, value];
  else if (Array.isArray(value)) for (const [index, member] of value.entries()) yield* leaves(member, [...path, index]);
  else if (value !== null && value !== undefined)
    for (const [key, member] of Object.entries(value)) yield* leaves(member, [...path, key]);
}

/** Where only a few words are allowed. */
const otherWord: Readonly<Record<string, string>> = { consumer: 'gateway', closed: 'open' };

test('nothing that changes goes unsaid: each value of a snapshot, changed alone or taken out, is a change', () => {
  const all = [...leaves(base)].filter(
    // What a node is decides which properties it has; another word there is no configuration.
    ([path]) => path[0] !== 'sources' && path[0] !== 'format' && !(path.includes('targets') && path.at(-1) === 'kind'),
  );
  assert.ok(all.length > 60);
  for (const [path, value] of all) {
    const other =
      typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : (otherWord[value] ?? `${value}x`);
    assert.notDeepEqual(said(edited([path, other])), [], `${path.join('.')} → ${other}`);
  }
  // Others are published only while something refers to them, and that is told.
  const ownRight = ['models', 'routes', 'consumers', 'providers', 'prompts', 'upstreams'];
  const names = Object.entries(base).flatMap(([collection, objects]) =>
    ownRight.includes(collection) ? Object.keys(objects).map((name) => [collection, name]) : [],
  );
  for (const path of names) assert.notDeepEqual(said(edited([path, undefined])), [], path.join('.'));
});

test('a property that no part of the plan knows is told all the same', () => {
  const head = edited([['models', 'plain', 'cache'], { ttl: '1h' }], [['consumers', 'bob', 'tier'], 'gold']);
  assert.deepEqual(said(head), [
    "low: 'consumers.bob': 'tier' none → 'gold'",
    "low: 'models.plain': 'cache.ttl' none → '1h'",
  ]);
});

test('a new model is told once, with everybody who may use it', () => {
  const target = base.models['plain'];
  const head = edited(
    [['models', 'fresh'], target],
    [
      ['consumers', 'ada', 'models'],
      ['chat', 'fresh'],
    ],
  );
  assert.deepEqual(said(head), [
    "medium: model 'fresh' is new: 1 consumer without a list of models may use it ('bob'), and 1 consumer by name ('ada')",
  ]);
});

test('access is what a consumer may do in effect, not what its list says', () => {
  assert.deepEqual(
    said(
      edited([
        ['consumers', 'bob', 'models'],
        ['chat', 'plain'],
      ]),
    ),
    ["low: consumer 'bob' no longer gets the models that are added later"],
  );
  assert.deepEqual(said(edited([['consumers', 'bob', 'models'], ['chat']])), [
    "high: consumer 'bob' loses 1 model: 'plain'",
  ]);
  const open = edited([['consumers', 'ada', 'models'], undefined]);
  assert.deepEqual(said(open), ["high: consumer 'ada' may use every model from now on, and any that is added later"]);
  assert.ok(details(open).includes("gains 'plain'"));
});

test('a key that changes hands is one change, and not a loss and a gain', () => {
  const head = edited(
    [['consumers', 'ada', 'keys'], [key('a')]],
    [
      ['consumers', 'bob', 'keys'],
      [key('c'), key('b')],
    ],
  );
  assert.deepEqual(said(head), [
    "high: key 'sha256:bbbbbbbb…' moves from consumer 'ada' to 'bob': who holds it calls as 'bob' now",
  ]);
});

test('limits are compared as rates, exactly', () => {
  const quota = (limit: number, window: number) =>
    said(edited([['quotas', 'free', 'limit'], limit], [['quotas', 'free', 'window'], window]));
  assert.match(quota(20, 3_600_000)[0] ?? '', /^medium: .*10 requests per hour → 20 requests per hour \(×2\)/);
  assert.match(quota(100, 3_600_000)[0] ?? '', /^high: .*\(×10\)/);
  assert.match(quota(1, 3_600_000)[0] ?? '', /^high: .*\(÷10\)/);
  assert.match(quota(240, 86_400_000)[1] ?? '', /^medium: .*240 requests per day \(the same rate, in other portions\)/);
});

test('weights that keep their shares move nothing', () => {
  const at = ['models', 'chat', 'targets', 'of', 0, 'node', 'of'];
  const scaled = said(edited([[...at, 0, 'weight'], 75], [[...at, 1, 'weight'], 25]));
  assert.deepEqual(scaled, [
    "low: model 'chat': targets are arranged otherwise, with the same shares of first choices",
  ]);
  assert.deepEqual(said(edited([[...at, 1, 'weight'], 3])), [
    "medium: model 'chat', share of first choices: 'east/large' 75% → 50%, 'west/medium' 25% → 50%",
  ]);
});

const atEast = (model: string) => ({ node: { kind: 'target', provider: 'east', model, timeout: 60_000, retries: 0 } });

test('a condition that changes is told, although no share does', () => {
  const of = [atEast('large'), atEast('small')];
  const under = (options: object) =>
    edited([['models', 'chat', 'targets'], { kind: 'group', balance: 'when', options, of }]);
  assert.deepEqual(said(under({ stream: false }), under({ stream: true })), [
    "medium: model 'chat': the conditions by which its targets are chosen change",
  ]);
  const [change] = planBetween(under({ stream: true }), under({ stream: false })).changes;
  assert.match(
    change?.details.map(plainText).join() ?? '',
    /^when\('\{"stream":true\}', 'east\/large', 'east\/small'\) → when/,
  );
});

test('shares of the cheapest go by prices', () => {
  const priced = (price: string) =>
    edited(
      [['models', 'chat', 'targets'], { kind: 'group', balance: 'cheapest', of: [atEast('small'), atEast('large')] }],
      [['providers', 'east', 'models', 'large', 'prices'], { input: price, output: price }],
      [['providers', 'east', 'models', 'small', 'prices'], { input: '3', output: '3' }],
    );
  assert.ok(
    said(priced('4'), priced('2')).includes(
      "medium: model 'chat', share of first choices: 'east/small' 0% → 100%, 'east/large' 100% → 0%",
    ),
  );
});

test('a secret shows its name only, and a header that it changed', () => {
  const options = ['providers', 'east', 'options'];
  assert.deepEqual(said(edited([[...options, 'apiKey'], { $secret: 'OTHER', optional: true }])), [
    "high: provider 'east': 'apiKey' secret 'EAST_KEY' → secret 'OTHER' (optional)",
  ]);
  const text = JSON.stringify(planBetween(base, edited([[...options, 'headers', 'x-tenant'], 'not to be repeated'])));
  assert.match(text, /x-tenant/);
  assert.doesNotMatch(text, /not to be repeated/);
});

test('a rename is told once, also through everything that refers to it', () => {
  const text = JSON.stringify(base)
    .replaceAll('"free"', '"basic"')
    .replaceAll('"east"', '"orient"')
    .replaceAll('"chat"', '"talk"');
  assert.deepEqual(said(JSON.parse(text) as Snapshot), [
    "high: model 'chat' is now called 'talk' and is otherwise the same",
    "medium: quota 'free' is now called 'basic' and is otherwise the same",
    "info: provider 'east' is now called 'orient' and is otherwise the same",
  ]);
});

test('two objects alike are not taken for renames of each other', () => {
  const quota = base.quotas['free'];
  const head = edited([['quotas', 'one'], quota], [['quotas', 'two'], quota], [['quotas', 'free'], undefined]);
  assert.equal(
    said(head).some((line) => line.includes('is now called')),
    false,
  );
});

test('a prompt is rendered as requests will carry it, on its fixtures, with tokens before and after', () => {
  const [shown, ...others] = planBetween(base, edited([['prompts', 'greeting', 'user'], 'Hello, {{who}}!'])).prompts;
  assert.deepEqual(others, []);
  assert.deepEqual(shown?.diff, ['@@ -2,4 +2,4 @@', ' Greet Ada, dry.', ' ', ' [user]', '-Hello.', '+Hello, Ada!']);
  assert.ok((shown?.tokens.after ?? 0) > (shown?.tokens.before ?? 0));
});

test('a prompt without fixtures shows its variables; a model shows the literals that it binds', () => {
  const bare = edited([['prompts', 'greeting', 'fixtures'], undefined]);
  const [shown] = planBetween(
    bare,
    edited([['prompts', 'greeting', 'fixtures'], undefined], [['prompts', 'greeting', 'system'], '{{tone}} {{who}}']),
  ).prompts;
  assert.ok(shown?.diff.includes('+{{tone}} {{who}}'));
  const [bound] = planBetween(base, edited([['models', 'chat', 'prompt', 'variables', 'tone'], 'warm'])).prompts;
  assert.deepEqual(bound?.diff.slice(2, 4), ['-Greet {{who}}, dry.', '+Greet {{who}}, warm.']);
});

test('costs are exact decimals at the target that gets most requests, and unknown where no price is', () => {
  const facts = ['providers', 'east', 'models', 'large', 'prices'];
  const user: readonly [Path, unknown] = [['prompts', 'greeting', 'user'], 'Hello, {{who}}!'];
  const known = (price: unknown) => {
    const from = edited([facts, { input: price, output: '1' }]);
    return planBetween(from, edited([facts, { input: price, output: '1' }], user)).prompts[0];
  };
  const shown = known('0.1');
  const usd = (tokens = 0): string => `$0.00${String(tokens).padStart(2, '0')}`.replace(/(\.\d\d.*?)0+$/, '$1');
  assert.deepEqual(shown?.costs, [
    { model: 'chat', target: 'east/large', before: usd(shown?.tokens.before), after: usd(shown?.tokens.after) },
  ]);
  assert.equal(known('cheap')?.costs[0]?.after, undefined);
});

test('one target in the place of another is compared by address, window, abilities and price', () => {
  const facts = ['providers', 'west', 'models', 'medium'];
  const head = edited(
    [['models', 'plain', 'targets', 'provider'], 'west'],
    [['models', 'plain', 'targets', 'model'], 'medium'],
    [[...facts, 'prices'], { input: '3', output: '15' }],
    [[...facts, 'capabilities'], ['tools']],
  );
  const from = edited([
    ['providers', 'east', 'models', 'small', 'capabilities'],
    ['tools', 'images'],
  ]);
  const change = planBetween(from, head).changes.find(({ kind }) => kind === 'targets_changed');
  assert.equal(
    change && plainText(change.sentence),
    "model 'plain' switches from 'east/small' to 'west/medium' (first choice)",
  );
  assert.deepEqual(change?.details.map(plainText), [
    "prompts go to 'https://west.example.com' instead of 'https://east.example.com/v1'",
    'context window 100,000 → 200,000 tokens',
    "does not do 'images', which the other did",
    'price of a million tokens: input not known → $3, output not known → $15',
  ]);
});

test('money is counted in decimals, without a float in between', () => {
  assert.equal(costOfThousand(1_234, '1.25'), '$1.5425');
  assert.equal(costOfThousand(31, '0.075'), '$0.002325');
  assert.equal(costOfThousand(100, '15'), '$1.50');
  assert.equal(costOfThousand(3, '0.1'), '$0.0003');
  assert.equal(costOfThousand(9_007_199_254_740_991, '0.1'), '$900719925474.0991');
  assert.equal(costOfThousand(0, '2.5'), '$0.00');
});

test('a smaller window names the model that must fit into it', () => {
  const head = edited([['providers', 'east', 'models', 'small', 'contextWindow'], 4_000]);
  assert.ok(
    said(head).includes(
      "high: model 'plain': the smallest window among its targets shrinks from 100,000 to 4,000 tokens",
    ),
  );
  assert.ok(details(head).some((line) => /^model 'chat': about [\d,]+ → [\d,]+ input tokens are kept$/.test(line)));
});

test('taking a guard off, or terms out of it, is a high risk', () => {
  assert.equal(topRisk(edited([['models', 'chat', 'policies'], undefined])), 'high');
  assert.equal(topRisk(edited([['policies', 'guard', 'options', 'terms'], ['merger']])), 'high');
  assert.equal(
    topRisk(
      edited([
        ['policies', 'guard', 'options', 'terms'],
        ['secret plan', 'merger', 'layoffs'],
      ]),
    ),
    'medium',
  );
});

test('where an object is gone, its place is the one it had', () => {
  const { changes } = planBetween(base, { ...edited([['models', 'chat'], undefined]), sources: {} });
  assert.deepEqual(changes.find(({ object }) => object === 'models.chat')?.place, {
    text: 'gateway.config.ts:7:3',
    side: 'base',
  });
});

test('5,000 routes and 1,000 prompts that all change are planned within seconds', () => {
  const many = (limit: number): SnapshotInput => {
    const fill = <Value>(count: number, value: (index: number) => Value): Record<string, Value> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, value(index)]));
    return {
      ...rich,
      quotas: fill(500, () => ({ unit: 'requests', limit, window: '1h' })),
      upstreams: fill(500, (index) => ({ url: `https://u${index}-${limit}.example.com` })),
      routes: fill(5_000, (index) => ({
        path: `/r${index}${limit > 10 ? '/*' : ''}`,
        upstream: `n${index % 500}`,
        quotas: [`n${index % 500}`],
      })),
      prompts: fill(1_000, (index) => ({
        system: `Prompt ${index} says ${limit}. `.repeat(20),
        fixtures: { usual: {} },
      })),
      models: fill(1_000, (index) => ({ ...rich.models.plain, prompt: { name: `n${index}`, variables: {} } })),
      consumers: fill(500, (index) => ({ keys: [], ...(index % 2 === 0 && { routes: [`n${index}`] }) })),
    } as unknown as SnapshotInput;
  };
  const [before, now] = [snapshotSchema.parse(many(10)), snapshotSchema.parse(many(20))];
  // Not by the clock: other tests share the machine.
  const start = process.cpuUsage();
  const { changes, prompts } = planBetween(before, now);
  const seconds = process.cpuUsage(start).user / 1_000_000;
  assert.ok(changes.length >= 7_000);
  assert.equal(prompts.length, 1_000);
  assert.ok(seconds < 5, `it took ${seconds.toFixed(1)} s`);
});
