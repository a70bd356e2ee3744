/** Compiling: what of the declared reaches the snapshot, in which form, and that its bytes are always the same. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openArtifact } from '@headgate/runtime/artifact';
import { snapshotSchema } from '@headgate/runtime/snapshot';
import { artifactFiles } from '../../config-sdk/artifact-files.ts';
import { check } from '../../config-sdk/check.ts';
import { weights } from '../../config-sdk/rules/targets.ts';
import { redact } from '../../config-sdk/rules/secrets.ts';
import {
  headgate,
  installHeadgate,
  readBytes,
  sampleConfig,
  temporaryFolder,
  writeFiles,
} from '../support/sample-repository.ts';

const everything = `import * as sdk from 'headgate';
import { limits } from './limits.ts';
const { from, secret } = sdk;
const sandbox = sdk.provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8192, latency: '40ms' } } });
const openai = sdk.provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY', { optional: true }),
  files: { seal: secret('FILES_SEAL') }, models: { 'ours': { contextWindow: 400_000, maxOutputTokens: 1_000 } },
});
const support = sdk.prompt('support', { system: 'Help {{name}}, {{tone}}', choices: { tone: ['formal', 'casual'] } });
const tidy = sdk.contextPolicy('tidy', { kind: 'quantisedCut', target: 4000 });
const block = sdk.policy('block', { kind: 'blockTerms', terms: ['forbidden', new Date(2026, 0, 1).toISOString()] });
const assistant = sdk.model('assistant', {
  targets: [
    sdk.weighted({ weight: 3, target: sandbox.target('echo') }, { weight: 1, target: openai.target('ours', { timeout: '5s' }) }),
    sdk.ordered(sandbox.target('echo')),
  ],
  prompt: support.with({ name: from.header('x-name', { default: 'you' }), tone: 'formal' }),
  context: tidy,
  policies: [block],
  quotas: [limits.free],
});
const orders = sdk.upstream('orders', { url: 'https://orders.internal', headers: { authorization: secret('ORDERS') } });
const list = sdk.route('list', { path: '/orders/*', upstream: orders, quotas: [limits.free] });
const team = sdk.consumer('team', { keys: ['sha256:${'0'.repeat(63)}1'], models: [assistant], routes: [list], files: [openai] });
sdk.quota('spare', { unit: 'requests', limit: 1, window: '1s' });
export default sdk.defineGateway({ name: 'demo', models: { assistant }, routes: [list], consumers: [team] });
`;
const limits = `import { quota } from 'headgate';
export const limits = { free: quota('free', { unit: 'requests', limit: 100, window: '1h' }) };
`;

test('references become names, options move under `options`, lists become groups, and only what is served is there', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': everything, 'limits.ts': limits });
  const { snapshot, findings } = await check(folder);
  assert.ok(findings.every(({ severity }) => severity === 'warning'));
  assert.equal(findings.filter(({ code }) => code === 'unused_declaration').length, 1);
  assert.ok(snapshot);
  assert.deepEqual(snapshot.providers['openai'], {
    kind: 'openai',
    models: { ours: { contextWindow: 400_000, maxOutputTokens: 1_000, options: {} } },
    options: { apiKey: { $secret: 'OPENAI_API_KEY', optional: true } },
    files: { seal: { $secret: 'FILES_SEAL' } },
  });
  const echo = { kind: 'target', provider: 'sandbox', model: 'echo' };
  assert.deepEqual(snapshot.models['assistant'], {
    targets: {
      kind: 'group',
      balance: 'ordered',
      of: [
        {
          node: {
            kind: 'group',
            balance: 'weighted',
            of: [
              { weight: 3, node: echo },
              { weight: 1, node: { kind: 'target', provider: 'openai', model: 'ours', timeout: '5s' } },
            ],
          },
        },
        { node: { kind: 'group', balance: 'ordered', of: [{ node: echo }] } },
      ],
    },
    prompt: {
      name: 'support',
      variables: { name: { from: 'header', name: 'x-name', default: 'you' }, tone: 'formal' },
    },
    context: 'tidy',
    policies: ['block'],
    quotas: ['free'],
  });
  assert.deepEqual(Object.keys(snapshot.quotas), ['free']);
  assert.deepEqual(snapshot.consumers['team']?.models, ['assistant']);
  assert.deepEqual(snapshot.consumers['team']?.files, ['openai']);
  assert.equal(snapshot.sources['models.assistant'], 'gateway.config.ts:13:23');
  assert.equal(snapshot.sources['quotas.free'], 'limits.ts:2:31');
  assert.equal(snapshotSchema.safeParse(snapshot).success, true);
});

test('a list of one target is that target', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': sampleConfig() });
  const { snapshot } = await check(folder);
  assert.deepEqual(snapshot?.models['echo']?.targets, { kind: 'target', provider: 'sandbox', model: 'echo' });
});

test('two directories, time zones and languages give the same bytes, which the runtime accepts', async (context) => {
  const built: Buffer[][] = [];
  for (const environment of [
    { TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: '/tmp' },
    { TZ: 'America/New_York', LC_ALL: 'de_DE.UTF-8', HOME: '/' },
  ]) {
    const folder = await temporaryFolder(context);
    await writeFiles(folder, { 'gateway.config.ts': everything, 'limits.ts': limits });
    await installHeadgate(folder);
    const { code, stderr } = await headgate(folder, ['build', '--out', 'out'], environment);
    assert.equal(code, 0, stderr);
    assert.deepEqual(readdirSync(join(folder, 'out')).sort(), ['manifest.json', 'snapshot.json']);
    const files = [await readBytes(folder, 'out/manifest.json'), await readBytes(folder, 'out/snapshot.json')];
    assert.doesNotMatch(files.join(''), new RegExp(folder));
    built.push(files);
  }
  assert.deepEqual(built[0], built[1]);
  const [manifest = Buffer.of(), snapshot = Buffer.of()] = built[0] ?? [];
  const artifact = openArtifact({
    commit: '0'.repeat(40),
    files: new Map([
      ['manifest.json', manifest],
      ['snapshot.json', snapshot],
    ]),
  });
  assert.equal(artifact.manifest.seq, 0);
  assert.equal(artifact.manifest.source, undefined);
});

test('the order of declarations and imports does not reach the bytes of an object', async (context) => {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'gateway.config.ts': sampleConfig() });
  const { snapshot } = await check(folder);
  assert.ok(snapshot);
  const turned = Object.fromEntries(Object.entries(snapshot).reverse()) as typeof snapshot;
  assert.equal(artifactFiles(snapshot, { seq: 0 }).digest, artifactFiles(turned, { seq: 0 }).digest);
});

test('a weight in a group without weights is refused wherever groups will come from', () => {
  const value = { targets: { kind: 'group', balance: 'ordered', of: [{ weight: 1, node: { kind: 'target' } }] } };
  const object = { index: 0, sort: 'model' as const, id: 'm', value, sound: true };
  const problems = weights({
    directory: '/',
    declarations: [],
    objects: [object],
    listed: undefined,
    missed: new Set(),
    published: undefined,
    gateway: undefined,
    unusedFiles: [],
    placeOf: (_object, path) => ({ declaration: 0, path }),
  });
  assert.deepEqual(
    problems.map(({ code, place }) => [code, 'path' in place && place.path]),
    [['weight_refused', ['targets', 'of', 0, 'weight']]],
  );
});

test('what looks like a credential is taken out of texts, words and hashes are not', () => {
  const fake = (prefix: string) => prefix + 'a1B2'.repeat(10);
  for (const prefix of ['sk-', 'sk-ant-', 'sk-proj-', 'ghp_', 'github_pat_', 'xoxb-', 'AIza', 'Bearer ', 'glpat-']) {
    assert.equal(redact(`before ${fake(prefix)} after`), 'before *** after', prefix);
  }
  for (const fine of [
    'a-task-list-of-something-long',
    'Bearer of good news and nothing else',
    `sha256:${'0a'.repeat(32)}`,
  ]) {
    assert.equal(redact(fine), fine);
  }
});
