/** What a stranger with push rights can publish, against a running gateway: refused with its reason, and the old revision goes on. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { canonicalJson } from '../../runtime/canonical-json.ts';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith, type TestGateway } from '../support/gateway.ts';
import { rawArtifact, type Written } from '../support/raw-artifact.ts';
import { initRepository, publishFiles, temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

async function stage(context: TestContext, first: SnapshotInput = versioned(1)) {
  const directory = await temporaryDirectory();
  context.after(() => directory.remove());
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository);
  await branch.publish(first);
  const gateway = await startWith(['--repo', repository, '--poll', '1h', '--bake', '0s']);
  context.after(() => gateway.close());
  /** Publishes any bytes under a manifest that fits them, and looks. */
  const push = async (written: Partial<Written>): Promise<string> => {
    const { files } = rawArtifact({ snapshot: canonicalJson(versioned(9)), seq: 9, ...written });
    const commit = await publishFiles(repository, 'headgate/compiled', Object.fromEntries(files));
    await gateway.poke();
    return commit;
  };
  const publish = async (snapshot: SnapshotInput): Promise<string> => {
    const commit = await branch.publish(snapshot);
    await gateway.poke();
    return commit;
  };
  return { gateway, push, publish, branch, path: directory.path };
}

const heldAt = (gateway: TestGateway, commit: string) =>
  until(`${commit} is judged`, async () => {
    const { held } = await gateway.status();
    return held?.commit === commit && held;
  });

async function which(gateway: TestGateway): Promise<string> {
  const response = await gateway.post('/v1/chat/completions', question());
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? `status ${response.status}`;
}

test('faults 51, 52: hostile files and hostile JSON are refused, and the old revision goes on', async (context) => {
  const { gateway, push, publish } = await stage(context);
  const snapshot = canonicalJson(versioned(9));
  const hostile: [string, Partial<Written>, 'schema' | 'invalid', RegExp][] = [
    [
      'a prototype',
      { snapshot: snapshot.replace('"models":{', '"models":{"__proto__":{},') },
      'schema',
      /'__proto__' is not allowed/,
    ],
    [
      'a key twice',
      { snapshot: snapshot.replace('"name":', '"name":"x","name":') },
      'schema',
      /stands there twice at name/,
    ],
    ['levels', { snapshot: `${'['.repeat(200_000)}${']'.repeat(200_000)}` }, 'schema', /more than 64 levels/],
    ['a NUL', { snapshot: snapshot.replace('version', '\\u0000') }, 'schema', /NUL/],
    ['a byte order mark', { snapshot: `\uFEFF${snapshot}` }, 'schema', /byte order mark/],
    ['a file beside', { unnamed: { 'other.json': '{}' } }, 'invalid', /other\.json, which its manifest does not name/],
    ['a manifest twice', { manifest: (text) => text.replace('"seq":9', '"seq":9,"seq":10') }, 'schema', /twice at seq/],
  ];
  for (const [what, written, reason, words] of hostile) {
    const held = await heldAt(gateway, await push(written));
    assert.equal(held.reason, reason, what);
    assert.match(held.detail, words, what);
    assert.ok(held.detail.length < 400, what);
    assert.equal(await which(gateway), 'version 1', what);
  }
  await publish(versioned(2));
  await until('2 is served', async () => (await which(gateway)) === 'version 2');
});

test('fault 55: a TypeScript file in the artifact is refused and never runs', async (context) => {
  const { gateway, push, path } = await stage(context);
  const canary = join(path, 'canary');
  const code = `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(canary)}, '');\nexport default {};\n`;
  const beside = await heldAt(gateway, await push({ unnamed: { 'gateway.config.ts': code } }));
  assert.match(beside.detail, /gateway\.config\.ts, which its manifest does not name/);
  const named = await heldAt(gateway, await push({ named: { 'gateway.config.ts': code } }));
  assert.match(named.detail, /data only/);
  assert.equal(await which(gateway), 'version 1');
  assert.ok(!existsSync(canary), 'nothing ran');
});

test('faults 67, 68: a candidate that cannot be built or misses a secret is held, and the old one goes on', async (context) => {
  const { gateway, publish } = await stage(context);
  const unfit = { prompts: { p: { system: 'Hi {{name}}', fixtures: { short: {} } } } };
  const probed = await heldAt(gateway, await publish(versioned(2, { parts: unfit })));
  assert.deepEqual([probed.reason, probed.detail.includes("prompts.p with fixture 'short'")], ['invalid', true]);
  const vendor = { kind: 'openai', options: { apiKey: { $secret: 'NOT_SET_ANYWHERE' } }, models: {} };
  const missing = await heldAt(gateway, await publish(versioned(3, { parts: { providers: { vendor } } })));
  assert.match(missing.detail, /providers\.vendor: secret NOT_SET_ANYWHERE is absent/);
  assert.equal(await which(gateway), 'version 1');
  assert.equal((await gateway.status()).generationsLive, 1);
});

test('fault 78: losing most of the models is held as a shrink until the source says why', async (context) => {
  const target = { kind: 'target' as const, provider: 'sandbox', model: 'small' };
  const wide = { models: Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, { targets: target }])) };
  const { gateway, publish, branch } = await stage(context, versioned(1, { parts: wide }));
  const held = await heldAt(gateway, await publish(versioned(2)));
  assert.equal(held.reason, 'shrink');
  assert.match(
    held.detail,
    /^4 of 5 models are gone; if that is meant, .*defineGateway\(\{ allowShrink: '…' \}\), or accept it$/,
  );
  assert.equal(await which(gateway), 'version 1');
  await publish(versioned(3, { parts: { allowShrink: 'the experiment is over' } }));
  await until('3 is served', async () => gateway.revision === sourceOf(branch.seq).slice(0, 12));
  assert.equal(await which(gateway), 'version 3');
});

test('a newer commit that comes while one is being verified or built is the one that serves', async (context) => {
  const { gateway, branch } = await stage(context);
  const routes = Object.fromEntries(
    Array.from({ length: 8_000 }, (_, index) => [`r${index}`, { path: `/${index}`, upstream: 'u' }]),
  );
  const parts = { upstreams: { u: { url: 'http://u.test' } }, routes };
  for (const [n, phase] of [
    [2, 'VERIFYING'],
    [4, 'WARMING'],
  ] as const) {
    await branch.publish(versioned(n, { parts }));
    const looked = gateway.poke();
    // Over in a moment; when it is missed, the newer commit only comes a little later.
    await until(
      phase,
      async () => (await gateway.status()).state === phase || gateway.revision === sourceOf(n).slice(0, 12),
    );
    await branch.publish(versioned(n + 1, { parts }));
    await looked;
    await gateway.poke();
    await until(`${n + 1} is served`, async () => (await which(gateway)) === `version ${n + 1}`, 10_000);
  }
  await until('one generation is left', async () => (await gateway.status()).generationsLive === 1);
  assert.equal((await gateway.status()).held, undefined);
});
