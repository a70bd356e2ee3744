/** Targets that are left out for some requests, by the tags of their providers and by what they can do: shares, refusals, and what is said of it beforehand. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { staysWithin } from '../../config-sdk/invariant.ts';
import { openDecider, type AskedRequest } from '../../runtime/decide.ts';
import { decisionGraph, type Asked, type Paths } from '../../runtime/graph.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { keyHash, snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { answerWell, deadUrl, startScripted, type ScriptedUpstream } from '../support/scripted-upstream.ts';

type Node = NonNullable<SnapshotInput['models'][string]['targets']>;
const target = (provider: string, model = 'm'): Node => ({ kind: 'target', provider, model, timeout: '60s' });
const group = (balance: string, of: readonly Node[], options?: object): Node => ({
  kind: 'group',
  balance,
  ...(options && { options }),
  of: of.map((node) => ({ node })),
});
const weighted = (...of: readonly (readonly [number, Node])[]): Node => ({
  kind: 'group',
  balance: 'weighted',
  of: of.map(([weight, node]) => ({ weight, node })),
});
const only = (tags: readonly string[], of: readonly Node[], when?: object) =>
  group('only', of, { tags, ...(when && { when }) });

const facts = { contextWindow: 100_000, options: {} };
const place = (tags: readonly string[]) => ({ kind: 'sandbox', options: {}, tags: [...tags], models: { m: facts } });
const isPrivate = { headers: { 'x-data': ['private'] } };
const marked = { metadata: { private: ['true'] } };
const pool = [target('home'), target('east'), target('west')];
const able = (...capabilities: ('tools' | 'images' | 'structuredOutput')[]) => ({ ...facts, capabilities });

let vendor: ScriptedUpstream;
let gateway: TestGateway;
let snapshot: SnapshotInput;

const made = (dead: string, living: string): SnapshotInput =>
  snapshotOf({
    providers: {
      home: place(['private', 'eu']),
      west: place(['eu']),
      east: place(['us']),
      vault: {
        kind: 'openai',
        options: { baseUrl: `${dead}/v1` },
        tags: ['private'],
        models: { m: { contextWindow: 8_192 } },
      },
      open: { kind: 'openai', options: { baseUrl: `${living}/v1` }, models: { m: { contextWindow: 8_192 } } },
      absent: {
        kind: 'openai',
        options: { apiKey: { $secret: 'NARROWED_ABSENT_KEY', optional: true } },
        tags: ['private'],
        models: { m: { contextWindow: 8_192 } },
      },
      skills: {
        kind: 'sandbox',
        options: {},
        models: {
          words: able(),
          one: able('tools'),
          two: able('tools'),
          eyes: able('images', 'tools'),
          unknown: facts,
        },
      },
    },
    models: {
      europe: { targets: only(['eu'], [group('roundRobin', pool)]) },
      both: { targets: only(['eu', 'private'], [group('roundRobin', pool)]) },
      private: { targets: only(['private'], [group('roundRobin', pool)], isPrivate) },
      marked: { targets: only(['private'], [group('ordered', [target('east'), target('home')])], marked) },
      clinic: { targets: only(['private'], [group('ordered', pool.toReversed())], { consumerTags: ['clinic'] }) },
      regions: {
        targets: only(['eu'], [only(['us'], [group('roundRobin', pool)], { headers: { 'x-region': ['us'] } })], {
          headers: { 'x-region': ['eu'] },
        }),
      },
      shares: {
        targets: only(['eu'], [weighted([8, target('east')], [1, target('west')], [3, target('home')])], isPrivate),
      },
      failing: { targets: only(['private'], [target('vault'), target('open')], isPrivate) },
      waiting: { targets: only(['private'], [target('absent'), target('open')], isPrivate) },
      choice: {
        targets: only(['private'], [group('when', [target('east'), target('home')], { stream: true })], isPrivate),
      },
      worded: { targets: group('roundRobin', pool), policies: ['names'] },
      wordedAway: { targets: target('east'), policies: ['names'] },
      wordedMarked: {
        targets: group('when', [target('east'), target('home')], { stream: true }),
        policies: ['names'],
      },
      capable: {
        targets: group('capable', [
          weighted([8, target('skills', 'words')], [1, target('skills', 'one')], [1, target('skills', 'two')]),
          target('skills', 'eyes'),
        ]),
      },
      unknown: { targets: group('capable', [target('skills', 'words'), target('skills', 'unknown')]) },
      blind: { targets: group('capable', [target('skills', 'words'), target('skills', 'one')]) },
    },
    policies: { names: { kind: 'confineTerms', options: { terms: ['patient name'], tags: ['private'] } } },
    consumers: { ward: { keys: [keyHash('hg_ward_key')], tags: ['clinic'] } },
  });

before(async () => {
  vendor = await startScripted((received) => answerWell(received));
  snapshot = made(await deadUrl(), vendor.url);
  gateway = await startGateway(snapshot);
});
after(async () => {
  await gateway.close();
  await vendor.close();
});

const tool = { type: 'function', function: { name: 'find', parameters: {} } };
const image = { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } };
const needing = {
  tools: { tools: [tool] },
  images: { messages: [{ role: 'user', content: [image] }] },
  both: { tools: [tool], messages: [{ role: 'user', content: [image] }] },
  schema: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } },
};

async function ask(model: string, more: object = {}, headers: Record<string, string> = {}, key = testKey) {
  const body = { model, messages: [{ role: 'user', content: 'Hello' }], ...more };
  const authorization = `Bearer ${key}`;
  const response = await gateway.post('/v1/chat/completions', body, { headers: { authorization, ...headers } });
  const text = await response.text();
  const { error } = response.ok ? {} : (JSON.parse(text) as { error?: { code: string; message: string } });
  return { status: response.status, error, target: response.headers.get('headgate-target') };
}

/** How often each target was the one that answered. */
async function shares(times: number, request: () => ReturnType<typeof ask>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let time = 0; time < times; time += 1) {
    const { target: label } = await request();
    counts[label ?? 'none'] = (counts[label ?? 'none'] ?? 0) + 1;
  }
  return counts;
}

const secret = { 'x-data': 'private' };

describe('tags of providers', () => {
  test('narrow a group to those who carry them all, who then take turns as if they were alone', async () => {
    assert.deepEqual(await shares(12, () => ask('europe')), { 'home/m': 6, 'west/m': 6 });
    assert.deepEqual(await shares(4, () => ask('both')), { 'home/m': 4 });
  });

  test('narrow it for the requests that meet a condition, each sort taking turns of its own', async () => {
    const seen: Record<string, number> = {};
    for (let turn = 0; turn < 9; turn += 1) {
      assert.equal((await ask('private', {}, secret)).target, 'home/m');
      const { target: label } = await ask('private');
      seen[label ?? ''] = (seen[label ?? ''] ?? 0) + 1;
    }
    assert.deepEqual(seen, { 'home/m': 3, 'east/m': 3, 'west/m': 3 });
  });

  test('are demanded by a mark in the metadata, as a text or as true', async () => {
    assert.equal((await ask('marked')).target, 'east/m');
    assert.equal((await ask('marked', { metadata: { private: 'false' } })).target, 'east/m');
    for (const mark of ['true', true])
      assert.equal((await ask('marked', { metadata: { private: mark } })).target, 'home/m');
  });

  test('are demanded of consumers by their own tags', async () => {
    assert.equal((await ask('clinic')).target, 'west/m');
    assert.equal((await ask('clinic', {}, {}, 'hg_ward_key')).target, 'home/m');
  });

  test('lead each region to its own, and both at once to nobody', async () => {
    assert.deepEqual(await shares(4, () => ask('regions', {}, { 'x-region': 'eu' })), { 'home/m': 2, 'west/m': 2 });
    assert.deepEqual(await shares(3, () => ask('regions', {}, { 'x-region': 'us' })), { 'east/m': 3 });
    assert.equal(Object.keys(await shares(6, () => ask('regions'))).length, 3);
  });

  test('let each sort of requests take its own turns, however they alternate', async () => {
    const seen: (string | null)[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      seen.push((await ask('regions', {}, { 'x-region': 'eu' })).target);
      await ask('regions');
    }
    assert.equal(seen.filter((label) => label === 'home/m').length, 3, seen.join());
  });

  test('leave the shares of those who stay as they were among themselves', async () => {
    const held = await shares(200, () => ask('shares', {}, secret));
    assert.equal(held['east/m'], undefined);
    const home = held['home/m'] ?? 0;
    assert.ok(home > 130 && home < 170, `${home} instead of about 150`);
    const all = await shares(120, () => ask('shares'));
    assert.ok((all['east/m'] ?? 0) > 60, `${all['east/m']} instead of about 80`);
  });
});

describe('private calls', () => {
  test('never come to another target when theirs fails', async () => {
    const { status, error } = await ask('failing', {}, secret);
    assert.deepEqual([status, error?.code], [502, 'upstream_failed']);
    assert.equal(vendor.received.length, 0);
    assert.equal((await ask('failing')).target, 'open/m', 'which is a fallback of all others');
  });

  test('are refused where no target is left, whether for a secret that is absent or a condition', async () => {
    for (const [model, more] of [
      ['waiting', {}],
      ['choice', { stream: true }],
    ] as const) {
      const { status, error } = await ask(model, more, secret);
      assert.deepEqual([status, error?.code], [503, 'no_target_available'], model);
    }
    assert.equal((await ask('waiting')).target, 'open/m');
    assert.equal((await ask('choice', {}, secret)).target, 'home/m');
  });

  test('are decided offline as they are live', async () => {
    const decider = await openDecider(snapshot);
    const asked = (headers: Record<string, string>): AskedRequest => ({
      path: '/v1/chat/completions',
      consumer: 'tester',
      headers,
      body: { model: 'private', messages: [{ role: 'user', content: 'Hello' }] },
    });
    const orders = async (headers: Record<string, string>) =>
      decider.explain(await decider.decide(asked(headers))).orders;
    assert.deepEqual(await orders(secret), [{ chance: 1, targets: ['home/m'] }]);
    const any = (await orders({})) ?? [];
    assert.equal(any.length, 6);
    assert.ok(any.every(({ targets }) => targets.length === 3));
  });
});

describe('a policy that keeps words to some providers', () => {
  const says = (content: string) => ({ messages: [{ role: 'user', content }] });

  test('leads calls with such words there alone, and no others', async () => {
    assert.deepEqual(await shares(6, () => ask('worded', says('The Patient Name is Ada'))), { 'home/m': 6 });
    assert.equal(Object.keys(await shares(9, () => ask('worded'))).length, 3);
    const { status } = await ask('wordedAway', says('Hello'));
    assert.equal(status, 200);
  });

  test('refuses them where no target is left, and names itself', async () => {
    const { status, error } = await ask('wordedAway', says('the patient name'));
    assert.deepEqual([status, error?.code], [503, 'no_target_available']);
    assert.match(error?.message ?? '', /^Policy 'names' keeps this request/);
    // A condition and a policy hold both.
    const both = await ask('wordedMarked', { ...says('the patient name'), stream: true });
    assert.deepEqual([both.status, both.error?.code], [503, 'no_target_available']);
  });

  test('is told with the targets that it leaves', async () => {
    const decider = await openDecider(snapshot);
    const body = { model: 'worded', ...says('a patient name') };
    const decision = await decider.decide({ path: '/v1/chat/completions', consumer: 'tester', body });
    assert.deepEqual(decision.outcome.order, ['home/m']);
    const { steps } = decider.explain(decision);
    assert.ok(steps.some(({ said }) => said === 'names keeps it to providers with its tags'));
  });
});

describe('what a call needs', () => {
  test('passes over those who cannot do it, and shares it among those who can', async () => {
    const seen = await shares(60, () => ask('capable', needing.tools));
    assert.equal(seen['skills/words'], undefined);
    assert.ok((seen['skills/one'] ?? 0) > 15 && (seen['skills/two'] ?? 0) > 15, JSON.stringify(seen));
    assert.ok(((await shares(40, () => ask('capable')))['skills/words'] ?? 0) > 20);
  });

  test('is all that it needs at once', async () => {
    for (const need of [needing.images, needing.both])
      assert.deepEqual(await shares(5, () => ask('capable', need)), { 'skills/eyes': 5 });
  });

  test('goes to a model of which nothing is known', async () => {
    assert.equal((await ask('unknown', needing.schema)).target, 'skills/unknown');
    assert.equal((await ask('unknown')).target, 'skills/words');
  });

  test('is refused where nobody can', async () => {
    const { status, error } = await ask('blind', needing.images);
    assert.deepEqual([status, error?.code], [503, 'no_target_available']);
    assert.match(error?.message ?? '', /cannot do what is asked for/);
    assert.equal((await ask('blind', needing.tools)).target, 'skills/one');
  });
});

describe('the decision graph', () => {
  const graph = () => decisionGraph(snapshotSchema.parse(snapshot));
  const ends = (paths: Paths, model: string, consumer = 'tester') =>
    paths
      .filter((path) => path.consumer.name === consumer && path.entry.name === model)
      .map(({ end, chance }) => [end.model === 'm' ? end.name : (end.model ?? ''), Math.round(chance * 1e3) / 1e3]);

  test('has no path to what is always left out', () => {
    assert.deepEqual(ends(graph().paths, 'europe'), [
      ['home', 0.5],
      ['west', 0.5],
    ]);
    assert.deepEqual(ends(graph().paths, 'both'), [['home', 1]]);
  });

  test('takes a condition for met by half of the requests, and needs for equally likely', () => {
    assert.deepEqual(ends(graph().paths, 'marked'), [
      ['east', 0.5],
      ['home', 0.5],
    ]);
    assert.deepEqual(ends(graph().paths, 'shares'), [
      ['east', 0.333],
      ['west', 0.167],
      ['home', 0.5],
    ]);
    assert.deepEqual(ends(graph().paths, 'blind'), [
      ['words', 0.5],
      ['one', 0.5],
    ]);
  });

  test('knows who asks', () => {
    assert.deepEqual(ends(graph().paths, 'clinic', 'ward'), [['home', 1]]);
    assert.deepEqual(ends(graph().paths, 'clinic'), [
      ['west', 1],
      ['east', 0],
      ['home', 0],
    ]);
  });

  test('tells the paths of requests of which something is known, and a promise about them holds', () => {
    const given: Asked = { headers: { 'x-data': 'private' } };
    assert.deepEqual(ends(graph().given(given), 'private'), [['home', 1]]);
    assert.deepEqual(ends(graph().given({ tools: true, images: false }), 'blind'), [['one', 1]]);
    assert.deepEqual(ends(graph().given({ stream: false }), 'choice'), [['home', 1]]);
    assert.deepEqual(ends(graph().given({ metadata: { private: 'true' } }), 'marked'), [['home', 1]]);
    const kept = (...names: string[]) => {
      const models = Object.fromEntries(Object.entries(snapshot.models).filter(([name]) => names.includes(name)));
      const promise = staysWithin({ given, tags: ['private'] });
      const found = promise(decisionGraph(snapshotSchema.parse({ ...snapshot, models })));
      return Array.isArray(found) ? found.map(({ end }) => end.name) : found;
    };
    assert.deepEqual(kept('private', 'failing', 'waiting', 'choice', 'both'), []);
    assert.deepEqual([...new Set(kept('private', 'marked') as string[])], ['east', 'home'].slice(0, 1));
  });

  test('remembers the path at which a promise about known requests broke', () => {
    const opened = graph();
    assert.ok(!opened.given({ metadata: { private: 'true' } }).every(({ end }) => end.tags.includes('private')));
    assert.ok(opened.counterexample && !opened.counterexample.end.tags.includes('private'));
  });
});

test('tags must be named, and conditions of a narrowing are those of any other', () => {
  const refused = (options: object) => {
    const models = { one: { targets: group('only', pool, options) } };
    return !snapshotSchema.safeParse({ ...snapshot, models }).success;
  };
  assert.ok(!refused({ tags: ['eu'] }));
  assert.ok(!refused({ tags: ['eu'], when: { consumerTags: ['clinic'], metadata: { a: ['b'] } } }));
  for (const bad of [{}, { tags: [] }, { tags: ['eu'], when: {} }, { tags: ['eu'], when: { tag: 'x' } }])
    assert.ok(refused(bad), JSON.stringify(bad));
});
