/** Teams and organisations: what applications have from them in a snapshot, on its paths, and in the words of a plan. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { decisionGraph } from '@headgate/runtime/graph';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import { judge } from '../../config-sdk/check.ts';
import { load } from '../../config-sdk/load/load.ts';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';
import { installHeadgate, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const key = (digit: number): string => `sha256:${'0123456789abcdef'.repeat(4).slice(0, 63)}${digit}`;

interface Parts {
  readonly organisation?: string;
  readonly team?: string;
  readonly web?: string;
  readonly webKey?: string;
  readonly gateway?: string;
  /** Audience of the issuer, and what its claims must say to stand for `web`. */
  readonly tokens?: readonly [audience: string, where: string];
}

const config = ({
  organisation = '',
  team = '',
  web = '',
  webKey = `'${key(1)}'`,
  gateway = '',
  tokens,
}: Parts): string => `
import * as sdk from 'headgate';
const sandbox = sdk.provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8192 } } });
const small = sdk.model('small', { targets: [sandbox.target('echo')] });
const large = sdk.model('large', { targets: [sandbox.target('echo')] });
const desk = sdk.prompt('desk', { system: 'You help.' });
const store = sdk.prompt('store', { system: 'You sell {{what}}.' });
const huge = sdk.model('huge', { targets: [sandbox.target('echo')] });
const spoken = sdk.model('spoken', { targets: [sandbox.target('echo')], prompt: desk });
const sold = sdk.model('sold', { targets: [sandbox.target('echo')], prompt: store.with({ what: 'shoes' }) });
const shared = sdk.quota('shared', { unit: 'requests', limit: 100, window: '1h' });
const whole = sdk.quota('whole', { unit: 'requests', limit: 1000, window: '1h' });
const own = sdk.quota('own', { unit: 'requests', limit: 10, window: '1h' });
${tokens ? `const corp = sdk.issuer('corp', { url: 'https://login.example', audience: ['${tokens[0]}'] });` : ''}
const acme = sdk.organisation('acme', { quotas: [whole], tags: ['paying'], owner: 'ceo@acme.example', ${organisation} });
const shop = sdk.team('shop', { organisation: acme, quotas: [shared], tags: ['gold'], ${team} });
export default sdk.defineGateway({
  name: 'demo', models: [small, large, huge, spoken, sold], ${gateway}
  consumers: [
    sdk.consumer('web', { keys: [${webKey}], team: shop, quotas: [own], ${tokens ? `jwt: [{ issuer: corp, where: [${tokens[1]}] }],` : ''} ${web} }),
    sdk.consumer('lone', { keys: ['${key(2)}'] }),
  ],
});
`;

async function compiled(context: TestContext, parts: Parts): Promise<Snapshot> {
  const folder = await temporaryFolder(context);
  await installHeadgate(folder);
  await writeFiles(folder, { 'gateway.config.ts': config(parts) });
  const { snapshot, findings } = await judge(folder, [], await load(folder));
  assert.deepEqual(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  );
  return snapshotSchema.parse(snapshot);
}

test('an application may use what it, its team and its organisation allow, and draws from the quotas of all three', async (context) => {
  const { consumers, quotas, teams, organisations } = await compiled(context, {
    organisation: 'models: [small, large], prompts: [desk, store]',
    team: 'models: [large, huge], prompts: [store]',
  });
  const { keys: _, ...web } = consumers['web'] ?? assert.fail();
  assert.deepEqual(web, {
    team: 'shop',
    organisation: 'acme',
    owner: 'ceo@acme.example',
    models: ['large'],
    prompts: ['store'],
    quotas: ['own', 'shared', 'whole'],
    tags: ['gold', 'paying'],
  });
  assert.equal(consumers['lone']?.models, undefined);
  assert.equal(consumers['lone']?.prompts, undefined);
  assert.deepEqual(
    [quotas['own']?.scope, quotas['shared']?.scope, quotas['whole']?.scope],
    ['consumer', 'team', 'organisation'],
  );
  assert.deepEqual([Object.keys(teams), Object.keys(organisations)], [['shop'], ['acme']]);
});

test('where only what is declared may be used, who declares nothing may use nothing', async (context) => {
  const { consumers } = await compiled(context, { gateway: "access: 'declared',", team: 'models: [small]' });
  assert.deepEqual([consumers['web']?.models, consumers['web']?.routes], [['small'], []]);
  assert.deepEqual([consumers['lone']?.models, consumers['lone']?.routes], [[], []]);
  assert.equal(consumers['web']?.prompts, undefined, 'a prompt goes with the model that was declared');
});

test('paths tell whose application asks', async (context) => {
  const { paths } = decisionGraph(await compiled(context, {}));
  const path = paths.find(({ consumer }) => consumer.name === 'web') ?? assert.fail();
  assert.deepEqual(path.consumer, { name: 'web', tags: ['gold', 'paying'], team: 'shop', organisation: 'acme' });
  assert.deepEqual(
    path.quotas.map(({ name, scope }) => [name, scope].flat().join(' ')),
    ['own consumer', 'shared team', 'whole organisation'],
  );
});

const said = (before: Snapshot, after: Snapshot): string[] =>
  planBetween(before, after).changes.map(({ risk, sentence }) => `${risk}: ${plainText(sentence)}`);

test('a plan says who gains and who loses through a team', async (context) => {
  const [narrow, wide] = [
    await compiled(context, { team: 'models: [small]' }),
    await compiled(context, { team: 'models: [small, large]' }),
  ];
  assert.deepEqual(said(narrow, wide), ["medium: consumer 'web' gains 1 model: 'large'"]);
  assert.deepEqual(said(wide, narrow), ["high: consumer 'web' loses 1 model: 'large'"]);
});

test('a plan says what changes with the prompts that a team may use', async (context) => {
  const [open, narrow] = [await compiled(context, {}), await compiled(context, { team: 'prompts: [desk]' })];
  assert.deepEqual(said(open, narrow), [
    "high: consumer 'web' is bound to these prompts from now on: 'desk'",
    "high: consumer 'web' loses 1 model: 'sold'",
  ]);
  assert.deepEqual(said(narrow, open), [
    "high: consumer 'web' is no longer bound to certain prompts",
    "high: consumer 'web' may use every model from now on, and any that is added later",
  ]);
  const entries = (snapshot: Snapshot, name: string) =>
    new Set(
      [...decisionGraph(snapshot).paths].flatMap(({ consumer, entry }) => (consumer.name === name ? entry.name : [])),
    );
  assert.deepEqual([...entries(narrow, 'web')].toSorted(), ['huge', 'large', 'small', 'spoken']);
  assert.equal(entries(narrow, 'lone').size, 5);
});

test('a plan says what a key is bound to, and when that is loosened', async (context) => {
  const bound = (terms: string) => compiled(context, { webKey: `{ hash: '${key(1)}', ${terms} }` });
  const [before, after] = [
    await bound("expires: '2027-01-31', addresses: ['10.0.0.0/8']"),
    await bound("expires: '2028-01-31'"),
  ];
  const name = "'sha256:01234567…'";
  assert.deepEqual(said(before, after), [
    `high: key ${name} of consumer 'web' expires '2028-01-31' (before: '2027-01-31')`,
    `high: key ${name} of consumer 'web' is no longer bound to certain addresses`,
  ]);
  const kinds = planBetween(after, before).changes.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['access_lost', 'access_lost']);
});

test('a plan says whose tokens are believed, and when other ones stand for a consumer', async (context) => {
  const before = await compiled(context, {});
  const shop = await compiled(context, { tokens: ['headgate', "sdk.claim('groups').includes('shop')"] });
  const sub = await compiled(context, { tokens: ['other', "sdk.claim('realm', 'sub').is('ada')"] });
  assert.deepEqual(sub.consumers['web']?.jwt, [{ issuer: 'corp', where: [{ claim: ['realm', 'sub'], is: ['ada'] }] }]);
  assert.deepEqual(said(before, shop), [
    "high: other tokens stand for consumer 'web' than before",
    "high: tokens of issuer 'corp' ('https://login.example') are believed from now on",
  ]);
  assert.deepEqual(said(shop, sub), [
    "high: other tokens stand for consumer 'web' than before",
    "high: which tokens of issuer 'corp' are believed changes: 'audience' loses 1 entry ('headgate') and gains 1 entry ('other')",
  ]);
  assert.deepEqual(said(sub, before), [
    "high: no token stands for consumer 'web' any more",
    "high: tokens of issuer 'corp' are not believed any more: who calls with them gets 401",
  ]);
});
