/** What a plan says of prices and lengths of time: in words, with units, and of the models that are concerned. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotSchema, type SnapshotInput } from '@headgate/runtime/snapshot';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';

const target = (model: string) => ({ kind: 'target' as const, provider: 'east', model });

function gateway(more: { readonly big?: object; readonly mini?: object } & Partial<SnapshotInput> = {}) {
  const { big = {}, mini = {}, ...others } = more;
  const models = { big: { contextWindow: 8_192, ...big }, mini: { contextWindow: 8_192, ...mini } };
  return snapshotSchema.parse({
    format: 'headgate/snapshot.v1',
    name: 'acme',
    providers: { east: { kind: 'sandbox', options: {}, models } },
    models: {
      chat: { targets: target('big') },
      desk: { targets: { kind: 'group', balance: 'ordered', of: [{ node: target('mini') }, { node: target('big') }] } },
      small: { targets: target('mini') },
    },
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: {},
    consumers: {},
    upstreams: {},
    routes: {},
    sources: {},
    ...others,
  });
}

const said = (before: ReturnType<typeof gateway>, after: ReturnType<typeof gateway>): string[] =>
  planBetween(before, after).changes.flatMap(({ risk, sentence, details }) => [
    `${risk}: ${plainText(sentence)}`,
    ...details.map((each) => `  ${plainText(each)}`),
  ]);

const prices = (before: unknown, after: unknown): string[] =>
  said(gateway({ mini: { prices: before } }), gateway({ mini: { prices: after } }));

const base = { input: '1.25', output: '10' };

test('a price that changes concerns the models with that target, and is told with its unit', () => {
  assert.deepEqual(prices(base, { ...base, input: '2', cachedInput: '0.5', request: '0.01' }), [
    "medium: prices of 'east/mini': input $1.25 → $2.00, cached input no price of its own → $0.50 per million tokens; each call none → $0.01",
    "  used by models 'desk' and 'small'",
  ]);
  assert.deepEqual(prices(undefined, base), [
    "medium: prices of 'east/mini': input none → $1.25, output none → $10.00 per million tokens",
    "  used by models 'desk' and 'small'",
  ]);
  assert.deepEqual(
    prices({ ...base, search: '0.01' }, { ...base, search: { low: '0.01', medium: '0.02', high: '0.03' } }),
    [
      "medium: prices of 'east/mini': each search $0.01 → none, each search of low depth none → $0.01, each search of medium depth none → $0.02, each search of high depth none → $0.03",
      "  used by models 'desk' and 'small'",
    ],
  );
});

test('prices of long calls are told by their length, and what costs the same is not told', () => {
  const long = (above: number, input: string) => ({ ...base, long: [{ above, input }] });
  assert.deepEqual(prices(long(200_000, '2.5'), long(200_000, '3')).slice(0, 1), [
    "medium: prices of 'east/mini': input $2.50 → $3.00 per million tokens of calls with more than 200,000 of input",
  ]);
  assert.deepEqual(prices(base, [{ input: '1.250', output: '10.0' }]), []);
});

test('prices with dates are told for the times at which other ones hold', () => {
  const [now, dearer, cheaper] = [base, { ...base, input: '2' }, { ...base, input: '1' }];
  const from = (day: string, list: object) => ({ from: day, ...list });
  const mini = (words: string) => `medium: prices of 'east/mini': ${words}`;
  assert.deepEqual(
    prices(now, [now, from('2027-01-01', dearer)])[0],
    mini('from 2027-01-01 on: input $1.25 → $2.00 per million tokens'),
  );
  assert.deepEqual(
    prices([now, from('2027-01-01', dearer)], [now, from('2027-06-01', dearer), from('2028-01-01', cheaper)])[0],
    mini(
      'from 2027-01-01 until 2027-06-01: input $2.00 → $1.25 per million tokens; from 2028-01-01 on: input $2.00 → $1.00 per million tokens',
    ),
  );
  assert.deepEqual(
    prices([now, from('2027-01-01', dearer)], dearer)[0],
    mini('before 2027-01-01: input $1.25 → $2.00 per million tokens'),
  );
});

test('lengths of time have a unit wherever they stand', () => {
  const issuers = (clockSkew: '30s' | '2m') => ({
    issuers: { corp: { url: 'https://corp.example', audience: ['us'], clockSkew } },
  });
  assert.deepEqual(said(gateway(issuers('30s')), gateway(issuers('2m'))), [
    "high: which tokens of issuer 'corp' are believed changes: 'clockSkew' 30 seconds → 2 minutes",
  ]);
  assert.deepEqual(
    said(gateway({ mini: { options: { latency: '1s' } } }), gateway({ mini: { options: { latency: '1500ms' } } }))[0],
    "low: what is known of 'east/mini': 'options.latency' 1 second → 1500 milliseconds",
  );
  assert.deepEqual(said(gateway(), gateway({ rollout: { stages: [{ share: 0.1, for: '1h' }] } })), [
    'low: the gateway: a revision reaches everyone → 10% of consumers for 1 hour, then everyone',
  ]);
});
