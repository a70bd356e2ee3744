/** The replay of recorded requests: what a line may be, what differs, how quotas follow the recorded time, what it costs. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import { EnvironmentFault } from '../../config-sdk/findings.ts';
import { costOf } from '../../config-sdk/plan/cost.ts';
import { plainText } from '../../config-sdk/plan/change.ts';
import { readLine } from '../../config-sdk/plan/traffic/recording.ts';
import { NothingToReplay, replay, type Replay } from '../../config-sdk/plan/traffic/replay.ts';
import { trafficInWords } from '../../config-sdk/plan/traffic/words.ts';
import { keyHash, snapshotOf } from '../support/gateway.ts';
import {
  commitAll,
  git,
  headgate,
  installHeadgate,
  sampleConfig,
  temporaryFolder,
  writeFiles,
} from '../support/sample-repository.ts';

const target = (model: string) => ({ kind: 'target' as const, provider: 'box', model });
const ordered = (...models: readonly string[]) => ({
  kind: 'group' as const,
  balance: 'ordered',
  of: models.map((model) => ({ node: target(model) })),
});

/** A gateway of two models, one of them with a price, and a consumer `web`. */
function sample(parts: Partial<SnapshotInput> = {}): SnapshotInput {
  return snapshotOf({
    providers: {
      box: {
        kind: 'sandbox',
        options: {},
        models: {
          dear: { contextWindow: 8_000, prices: { input: '10', output: '30' } },
          cheap: { contextWindow: 8_000, prices: { input: '0.1', output: '0.3' } },
          free: { contextWindow: 8_000 },
        },
      },
    },
    models: { chat: { targets: ordered('dear') } },
    consumers: { web: { keys: [keyHash('web')] } },
    ...parts,
  });
}

const own = (fields: object) =>
  JSON.stringify({
    format: 'headgate/traffic.v1',
    at: '2026-01-01T00:00:00Z',
    path: '/v1/chat/completions',
    consumer: 'web',
    model: 'chat',
    ...fields,
  });

const logged = (fields: object) =>
  JSON.stringify({
    level: 'info',
    time: '2026-01-01T00:00:01Z',
    event: 'request',
    method: 'POST',
    path: '/v1/chat/completions',
    matched: 'model:chat',
    consumer: 'web',
    ...fields,
  });

async function replayed(
  context: TestContext,
  lines: readonly string[],
  { base = sample(), head = sample() }: { base?: SnapshotInput; head?: SnapshotInput },
): Promise<Replay> {
  const path = join(await temporaryFolder(context), 'traffic.jsonl');
  await writeFile(path, lines.join('\n'));
  return replay({ base, head, path });
}

const kinds = ({ groups }: Replay) => groups.map(({ kind, count, to }) => [kind, count, to]);
const problemOf = (line: string) => {
  const read = readLine(line);
  return 'problem' in read ? read.problem : undefined;
};

test('a line that cannot be read says what is wrong, and never what it holds', () => {
  for (const [line, problem] of [
    ['{"SECRET', /^it is not JSON$/],
    ['[]', /^it is no JSON object$/],
    ['{"a":"SECRET"}', /^it is neither a line/],
    [own({ at: 'SECRET' }), /^"at" must be a time/],
    [own({ path: 'SECRET' }), /^"path" must be/],
    [own({ model: undefined }), /^"model" is missing/],
    [own({ tokens: -1 }), /^"tokens" must be a whole number/],
    [own({ tokens: 1e12 }), /^"tokens" must be a whole number/],
    [own({ messages: [] }), /^"messages" must be a count/],
    [own({ messages: [{ role: 'SECRET', tokens: 1 }] }), /^"messages" must be a count/],
    [own({ headers: { Authorization: 'SECRET' } }), /^"headers" hold a credential/],
    [logged({ time: 'SECRET' }), /^"time" is no time$/],
  ] as const) {
    const said = problemOf(line) ?? '';
    assert.match(said, problem);
    assert.doesNotMatch(said, /SECRET/);
  }
});

test('other lines of a log are passed over, and requests that hold too little are counted by reason', async (context) => {
  const result = await replayed(
    context,
    [
      '{"level":"info","event":"listening"}',
      '{"level":"warn","msg":"something beside it"}',
      '',
      logged({}),
      logged({ code: 'blocked_by_policy' }),
      logged({ matched: 'none', code: 'model_not_found' }),
      logged({ matched: 'none', path: undefined, code: 'invalid_request' }),
      logged({ path: '/v1/embeddings' }),
      'half a li',
    ],
    {},
  );
  assert.equal(result.requests, 1);
  assert.deepEqual(result.skipped, {
    no_request: 2,
    not_decided: 1,
    model_unknown: 1,
    content_unknown: 1,
    no_conversation: 1,
  });
  assert.deepEqual([result.bad, result.problems], [1, [{ line: 9, problem: 'it is not JSON' }]]);
  assert.equal(result.differ, 0);
});

test('a file without any request is refused with the reason, and one that cannot be read is the environment', async (context) => {
  await assert.rejects(replayed(context, ['nothing'], {}), (error) => {
    assert.ok(error instanceof NothingToReplay);
    assert.match(error.message, /^traffic\.jsonl holds no request .* line 1: it is not JSON; give the log/);
    return true;
  });
  await assert.rejects(replay({ base: sample(), head: sample(), path: '/nowhere/at-all' }), EnvironmentFault);
  await assert.rejects(replay({ base: sample(), head: sample(), path: '/' }), /EISDIR/);
});

test('quotas follow the recorded time, on each side for itself', async (context) => {
  const limited = (limit: number) =>
    sample({
      quotas: { few: { unit: 'requests', limit, window: '1m' } },
      models: { chat: { targets: ordered('dear'), quotas: ['few'] } },
    });
  const at = ['00:00:01', '00:00:02', '00:00:03', '00:01:00', '00:01:01', '00:02:00'];
  const lines = at.map((time) => own({ at: `2026-01-01T${time}Z` }));
  const result = await replayed(context, lines, { base: limited(2), head: limited(1) });
  const [group, ...others] = result.groups;
  assert.deepEqual(others, []);
  assert.deepEqual([group?.kind, group?.object, group?.lines], ['refused_now', 'quotas.few', [2, 5]]);
  assert.deepEqual(group?.refusals, { before: 1, after: 3 });
  assert.deepEqual(result.admitted, { before: 5, after: 3 });
  assert.equal(result.unordered, 0);
  const mixed = await replayed(context, lines.toReversed(), { base: limited(2), head: limited(2) });
  assert.equal(mixed.unordered, 3);
});

test('equal weights draw the same target on both sides, and other weights move only their part', async (context) => {
  const split = (dear: number) =>
    sample({
      models: {
        chat: {
          targets: {
            kind: 'group',
            balance: 'weighted',
            of: [
              { weight: dear, node: target('dear') },
              { weight: 100 - dear, node: target('cheap') },
            ],
          },
        },
      },
    });
  const lines = Array.from({ length: 400 }, () => own({ tokens: 100 }));
  assert.equal((await replayed(context, lines, { base: split(70), head: split(70) })).differ, 0);
  const moved = await replayed(context, lines, { base: split(80), head: split(40) });
  assert.deepEqual(
    moved.groups.map(({ kind, from, to }) => [kind, from, to]),
    [['other_target', 'box/dear', 'box/cheap']],
  );
  const { count = 0, of = 0 } = moved.groups[0] ?? {};
  assert.ok(of > 280 && of < 360 && count > 120 && count < 200, `${count} of ${of}`);
});

test('whoever is renamed is the same client, whoever is gone is refused, and access goes both ways', async (context) => {
  const consumers = (web: object) =>
    sample({
      models: { chat: { targets: ordered('dear') }, other: { targets: ordered('free') } },
      consumers: web as never,
    });
  const keys = [keyHash('web')];
  const lines = [own({}), own({ model: 'other' }), own({ consumer: undefined }), own({ model: 'never-there' })];
  const base = consumers({ web: { keys, models: ['chat'] } });
  assert.equal(
    (await replayed(context, lines, { base, head: consumers({ shop: { keys, models: ['chat'] } }) })).differ,
    0,
  );
  const gone = await replayed(context, lines, { base, head: consumers({}) });
  assert.deepEqual(kinds(gone).slice(0, 1), [['refused_now', 1, 'invalid_api_key']]);
  const swapped = await replayed(context, lines, { base, head: consumers({ web: { keys, models: ['other'] } }) });
  assert.deepEqual(kinds(swapped), [
    ['refused_now', 1, 'model_not_allowed'],
    ['admitted_now', 1, undefined],
  ]);
});

test('a log has no headers: what the prompt was given stands in, what it newly asks for is refused', async (context) => {
  const prompted = (variables: object, system: string) =>
    sample({
      prompts: { hello: { system, choices: { tone: ['kind', 'plain'] } } },
      models: { chat: { targets: ordered('dear'), prompt: { name: 'hello', variables: variables as never } } },
    });
  const tone = { from: 'header', name: 'x-tone' };
  const base = prompted({ tone }, 'Be {{tone}}.');
  const lines = [logged({}), logged({ code: 'prompt_variable_missing' }), own({ headers: { 'x-tone': 'plain' } })];
  assert.deepEqual((await replayed(context, lines, { base, head: base })).admitted, { before: 2, after: 2 });
  const head = prompted({ tone, who: { from: 'metadata', name: 'who' } }, 'Be {{tone}} to {{who}}.');
  const result = await replayed(context, lines, { base, head });
  assert.deepEqual(kinds(result), [['refused_now', 2, 'prompt_variable_missing']]);
  const other = await replayed(context, lines, { base, head: prompted({ tone }, 'Please be {{tone}}.') });
  assert.deepEqual(kinds(other), [['other_prompt', 2, undefined]]);
});

test('conversations have their recorded size: exactly that many tokens, cut where the policy cuts', async (context) => {
  const cut = (size: number) =>
    sample({
      contextPolicies: { recent: { kind: 'quantisedCut', options: { target: size, reserveOutput: 0, margin: '0%' } } },
      models: { chat: { targets: ordered('dear'), context: 'recent' } },
    });
  const turns = [
    { role: 'system', content: 'Short.' },
    { role: 'user', tokens: 900 },
    { role: 'tool', tokens: 50 },
    { role: 'user', tokens: 60 },
  ];
  const lines = [own({ messages: 9, tokens: 1_000 }), own({ messages: turns, outputTokens: 7 }), own({})];
  const result = await replayed(context, lines, { base: cut(4_000), head: cut(600) });
  const { calls, unsized, inputTokens } = result.spent;
  assert.deepEqual([calls, unsized, inputTokens.before], [3, 1, 1_000 + 900 + 50 + 60 + 7]);
  assert.ok(inputTokens.after < 1_000, String(inputTokens.after));
  assert.deepEqual(kinds(result), [['cut_more', 2, undefined]]);
  assert.deepEqual(kinds(await replayed(context, lines, { base: cut(600), head: cut(4_000) })), [
    ['cut_less', 2, undefined],
  ]);
  const tight = await replayed(context, [own({ tokens: 5_000 })], { base: sample(), head: cut(600) });
  assert.deepEqual(kinds(tight), [['refused_now', 1, 'context_length_exceeded']]);
});

test('cost is an exact decimal of what has a price on both sides, and says what has none', async (context) => {
  assert.equal(
    costOf([
      { tokens: 3, price: '0.1' },
      { tokens: 1, price: '12.000000000001' },
    ]),
    '$0.000012300000000001',
  );
  assert.equal(costOf([]), '$0.00');
  const to = (...models: readonly string[]) => sample({ models: { chat: { targets: ordered(...models) } } });
  const lines = [own({ tokens: 1_000, outputTokens: 100 }), logged({ input_tokens: 1_000 })];
  const cheaper = await replayed(context, lines, { base: to('dear'), head: to('cheap', 'dear') });
  assert.deepEqual(cheaper.spent.cost, { before: '$0.023', after: '$0.00023' });
  assert.deepEqual([cheaper.spent.priced, cheaper.spent.withoutOutput], [2, 1]);
  const unknown = await replayed(context, lines, { base: to('dear'), head: to('free') });
  assert.deepEqual([unknown.spent.priced, unknown.spent.cost.before], [0, '$0.00']);
  assert.ok(trafficInWords(unknown).sums.map(plainText).includes('no price is known on both sides for 2 calls (100%)'));
  const fallback = await replayed(context, lines, { base: to('dear'), head: to('dear', 'free') });
  assert.deepEqual(kinds(fallback), [['other_fallbacks', 2, undefined]]);
});

test('routes are replayed by host, method and path', async (context) => {
  const routes = (upstream: string, path: string) =>
    sample({
      upstreams: { one: { url: 'http://127.0.0.1:1' }, two: { url: 'http://127.0.0.1:2' } },
      routes: { items: { path, host: 'api.example', upstream } },
    });
  const route = { matched: 'route:items', path: '/items', host: 'api.example', method: 'GET' };
  const lines = [logged(route), logged({ ...route, host: 'other.example', matched: 'none', code: 'route_not_found' })];
  assert.deepEqual(
    kinds(await replayed(context, lines, { base: routes('one', '/items'), head: routes('two', '/items') })),
    [['other_upstream', 1, 'two']],
  );
  assert.deepEqual(
    kinds(await replayed(context, lines, { base: routes('one', '/items'), head: routes('one', '/other') })),
    [['refused_now', 1, 'route_not_found']],
  );
});

test('the command shows it in each form; an unreadable file is exit code 3, one without requests 1', async (context) => {
  const folder = await temporaryFolder(context);
  await git(folder, 'init', '--quiet');
  await installHeadgate(folder);
  await writeFiles(folder, { 'gateway.config.ts': sampleConfig(3), '.gitignore': 'node_modules\n*.log\n' });
  await commitAll(folder, 'Start');
  const lines = Array.from({ length: 3 }, () => own({ consumer: 'team', model: 'echo', tokens: 50 }));
  await writeFiles(folder, {
    'gateway.config.ts': sampleConfig(1),
    'some.log': lines.join('\n'),
    'empty.log': '{"level":"info"}\n',
  });
  const plan = (...parameters: readonly string[]) => headgate(folder, ['plan', '--base', 'HEAD', ...parameters]);
  const pretty = await plan('--traffic', 'some.log');
  assert.equal(pretty.code, 0, pretty.stderr);
  assert.match(
    pretty.stdout,
    /^replayed: 3 requests of 'some\.log', .*: 2 requests \(66\.7%\) would be decided differently$/m,
  );
  assert.match(
    pretty.stdout,
    /^high {4}2 requests \(66\.7%\) would now be refused with 'quota_exceeded' by quota 'free' {2}lines 2, 3$/m,
  );
  const json = JSON.parse((await plan('--traffic', 'some.log', '--json')).stdout) as { traffic: Replay };
  assert.deepEqual([json.traffic.file, json.traffic.requests, json.traffic.differ], ['some.log', 3, 2]);
  const none = await plan('--traffic', 'none.log');
  assert.deepEqual([none.code, /none\.log cannot be read \(ENOENT\)/.test(none.stderr)], [3, true], none.stderr);
  const empty = await plan('--traffic', 'empty.log');
  assert.deepEqual([empty.code, empty.stdout], [1, '']);
  assert.match(empty.stderr, /^headgate: empty\.log holds no request that can be replayed/);
  assert.equal((await plan('--traffic')).code, 2);
});
