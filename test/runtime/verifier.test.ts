/** The thread that verifies: whatever a stranger writes ends as a verdict, in time, and the next artifact finds it well. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ArtifactRefused } from '../../runtime/artifact.ts';
import { canonicalJson } from '../../runtime/canonical-json.ts';
import { openParcel, Packed, packSnapshot } from '../../runtime/packed.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import type { RawArtifact } from '../../runtime/sync/source.ts';
import { createVerifier, type Verifier, type VerifierLimits } from '../../runtime/sync/verifier.ts';
import { startVerifyThread } from '../../runtime/sync/verify-thread.ts';
import { snapshotOf } from '../support/gateway.ts';
import { rawArtifact, type Written } from '../support/raw-artifact.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const good = (snapshot: SnapshotInput = versioned(1), more: Partial<Written> = {}): RawArtifact =>
  rawArtifact({ snapshot: canonicalJson(snapshot), ...more });

function verifierFor(context: TestContext, limits: Partial<VerifierLimits> = {}): Verifier {
  const verifier = createVerifier(limits);
  context.after(() => verifier.close());
  return verifier;
}

const demands = { now: 'any' } as const;

/** How many threads this process has beside its main one. */
const threads = (): number => (process.report.getReport() as unknown as { workers: unknown[] }).workers.length;

async function refusal(verifier: Verifier, raw: RawArtifact): Promise<ArtifactRefused> {
  try {
    await verifier.verify(raw, demands);
  } catch (error) {
    assert.ok(error instanceof ArtifactRefused, String(error));
    return error;
  }
  assert.fail('it was accepted');
}

test('hands over what the schema made of the snapshot, and the files as they were published', async (context) => {
  const verifier = verifierFor(context);
  const routes = Object.fromEntries(
    Array.from({ length: 500 }, (_, index) => [`r${index}`, { path: `/${index}`, upstream: 'u' }]),
  );
  const rollout = { stages: [{ share: 0.5, for: '1m' as const }] };
  const given = snapshotOf({ ...versioned(1), upstreams: { u: { url: 'http://u.test' } }, routes, rollout });
  const raw = good(given, { seq: 3 });
  const { artifact, snapshot } = await verifier.verify(raw, demands);
  const expected = snapshotSchema.parse(JSON.parse(canonicalJson(given)));
  for (const [field, value] of Object.entries(snapshot)) {
    const wanted = expected[field as keyof typeof expected];
    if (!(value instanceof Packed)) assert.deepEqual(value, wanted);
    else {
      assert.deepEqual(Object.fromEntries(value), wanted, field);
      assert.deepEqual(value.names(), Object.keys(wanted as object));
    }
  }
  assert.equal(artifact.manifest.seq, 3);
  assert.equal(artifact.files, raw.files);
  assert.match(artifact.digest, /^sha256:[0-9a-f]{64}$/);
  assert.ok(
    [...raw.files.values()].every(({ byteLength }) => byteLength > 0),
    'nobody took the bytes away',
  );
});

test('what is packed comes out as it went in, in any order', () => {
  const odd = { é: { text: '\u{1F600}\u2028"\\' }, 'a b': [], '': null, 0: 0 };
  const packed = openParcel(packSnapshot({ routes: odd } as never)).routes;
  assert.deepEqual(Object.fromEntries(packed), odd);
  for (const position of [3, 0, 2, 1]) assert.deepEqual(packed.at(position), Object.entries(odd)[position]);
});

test('a refusal keeps its reason and its words over the thread border', async (context) => {
  const verifier = verifierFor(context);
  const cases: [Partial<Written> & { snapshot: string }, string, RegExp][] = [
    [
      { snapshot: '{' },
      'schema',
      /^snapshot\.json is not JSON that is taken here: the document ends too early, offset 1$/,
    ],
    [{ snapshot: '{"format":"headgate/snapshot.v2"}' }, 'schema', /^snapshot\.json: format: /],
    [
      { snapshot: canonicalJson(versioned(1)), unnamed: { 'x.txt': '' } },
      'invalid',
      /x\.txt, which its manifest does not name/,
    ],
    [{ snapshot: '{}', manifest: (text) => text.replace('"seq":0', '"seq":-1') }, 'schema', /^manifest\.json: seq: /],
  ];
  for (const [written, reason, words] of cases) {
    const { reason: said, message } = await refusal(verifier, rawArtifact(written));
    assert.equal(said, reason, message);
    assert.match(message, words);
  }
  assert.ok(await verifier.verify(good(), demands), 'the next one is judged on its own');
});

test('fault 51: names that lead out of the artifact, collide or hide are refused', async (context) => {
  const verifier = verifierFor(context);
  const snapshot = canonicalJson(versioned(1));
  for (const name of [
    '../snapshot.json',
    'a/b.json',
    '/etc/passwd.json',
    '.hidden.json',
    'Snapshot.json',
    'a\\b.json',
    'a\0.json',
  ])
    assert.match(
      (await refusal(verifier, rawArtifact({ snapshot, named: { [name]: '{}' } }))).message,
      /files(\.1|\[1\])\.path/,
    );
  const colliding = await refusal(verifier, rawArtifact({ snapshot, unnamed: { 'Snapshot.json': '{}' } }));
  assert.match(colliding.message, /Snapshot\.json, which its manifest does not name/);
});

test('fault 52: hostile JSON in the snapshot and in the manifest is refused with its place', async (context) => {
  const verifier = verifierFor(context);
  const whole = canonicalJson(versioned(1));
  const hostile: [string | Uint8Array, RegExp][] = [
    [
      whole.replace('"models":{', '"models":{"__proto__":{},'),
      /'__proto__' is not allowed at models\.__proto__, offset \d+/,
    ],
    [whole.replace('"models":{', '"models":{"constructor":{},'), /'constructor' is not allowed at models\.constructor/],
    [whole.replace('"name":"test"', '"name":"test","name":"other"'), /the same key stands there twice at name/],
    [whole.replace('"test"', `${'['.repeat(100)}${']'.repeat(100)}`), /more than 64 levels/],
    [whole.replace('version 1', 'version \\u0000'), /a NUL character at providers\.sandbox\.models\.small/],
    [`\uFEFF${whole}`, /a byte order mark/],
    [Buffer.from(whole, 'utf16le'), /is not JSON/],
  ];
  for (const [snapshot, words] of hostile) {
    const { reason, message } = await refusal(verifier, rawArtifact({ snapshot }));
    assert.equal(reason, 'schema');
    assert.match(message, words);
  }
  const inManifest: [(text: string) => string, RegExp][] = [
    [(text) => text.replace('{', '{"__proto__":{"seq":9},'), /^manifest\.json is not JSON.*'__proto__'/],
    [(text) => text.replace('"seq":0', '"seq":0,"seq":9'), /^manifest\.json is not JSON.*twice at seq/],
    [(text) => `\uFEFF${text}`, /^manifest\.json is not JSON.*byte order mark/],
    [(text) => text + ' '.repeat(70_000), /^manifest\.json has \d+ bytes; 65536 are allowed/],
  ];
  for (const [manifest, words] of inManifest)
    assert.match((await refusal(verifier, rawArtifact({ snapshot: whole, manifest }))).message, words);
  assert.equal(({} as { seq?: number }).seq, undefined);
});

test('fault 52: line ends that something changed on the way are noticed in the snapshot', async (context) => {
  const verifier = verifierFor(context);
  const spaced = JSON.stringify(JSON.parse(canonicalJson(versioned(1))), undefined, 1);
  const { files } = rawArtifact({ snapshot: spaced });
  const changed = new Map(files).set('snapshot.json', new Uint8Array(Buffer.from(spaced.replaceAll('\n', '\r\n'))));
  const { message } = await refusal(verifier, { commit: 'x', files: changed });
  assert.match(message, /snapshot\.json is not the file that the manifest names/);
  assert.ok(
    await verifier.verify(rawArtifact({ snapshot: spaced.replaceAll('\n', '\r\n') }), demands),
    'CRLF as published is JSON',
  );
});

test('faults 16, 17: an artifact or a snapshot above its size is refused before it is read', async (context) => {
  const verifier = verifierFor(context);
  const huge = new Uint8Array(10 * 1024 * 1024);
  const tooLarge = await refusal(verifier, { commit: 'x', files: new Map([['manifest.json', huge]]) });
  assert.match(tooLarge.message, /the artifact has \d+ bytes; \d+ are allowed/);
  const snapshot = Buffer.alloc(8 * 1024 * 1024 + 1, ' ');
  assert.match(
    (await refusal(verifier, rawArtifact({ snapshot }))).message,
    /snapshot\.json has \d+ bytes; \d+ are allowed/,
  );
});

test('fault 18: documents of as many objects as their size allows are refused in bounded memory', async (context) => {
  const verifier = verifierFor(context);
  const whole = canonicalJson(versioned(1));
  const fill = (count: number, make: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => make(index)).join();
  const into = (collection: string, members: string) =>
    whole.replace(`"${collection}":{}`, `"${collection}":{${members}}`);
  const bombs: [string, string, RegExp][] = [
    [
      'empty objects',
      `{"models":[${'{},'.repeat(2_500_000)}{}]}`,
      /more than 300000 values at models\[\d+\], offset \d+/,
    ],
    [
      'wrong routes',
      into(
        'routes',
        fill(290_000, (index) => `"r${index}":{}`),
      ),
      /^snapshot\.json: routes\.r0\.path: .*; and \d+ more$/,
    ],
    [
      'odd keys',
      into(
        'routes',
        fill(140_000, (index) => `"r${index}":{"k${index}":1}`),
      ),
      /^snapshot\.json: routes\.r0/,
    ],
    [
      'wrong names in one list',
      whole.replace('"consumers":{', `"consumers":{"c":{"keys":[],"models":[${fill(290_000, () => '""')}]},`),
      /consumers\.c\.models\.0/,
    ],
    [
      'wrong models in one provider',
      whole.replace('"small":', `${fill(290_000, (index) => `"m${index}":0`)},"small":`),
      /providers\.sandbox\.models\.m0/,
    ],
    [
      'unknown fields',
      whole.replace('"name"', `${fill(290_000, (index) => `"x${index}":0`)},"name"`),
      /Unrecognized keys/,
    ],
  ];
  for (const [what, snapshot, words] of bombs) {
    assert.notEqual(snapshot, whole, what);
    const { reason, message } = await refusal(verifier, rawArtifact({ snapshot }));
    assert.equal(reason, 'schema', what);
    assert.match(message, words, what);
    assert.ok(message.length < 5_000, what);
  }
  assert.ok(await verifier.verify(good(), demands));
});

test('a thread that throws, exits or hangs is a refusal with a clear word, never a stuck gateway', async (context) => {
  await using directory = await temporaryDirectory();
  const on = "import { parentPort } from 'node:worker_threads';\nparentPort.on('message', () => {";
  const programs: [string, RegExp][] = [
    [`${on} throw new TypeError('odd'); });`, /^the thread that verifies it crashed \(TypeError\)$/],
    [`${on} process.exit(7); });`, /^the thread that verifies it crashed \(exit\)$/],
    [`${on} for (;;); });`, /^verifying took longer than 500 ms and was ended$/],
    ['throw new RangeError();', /^the thread that verifies it crashed \(RangeError\)$/],
  ];
  for (const [index, [program, words]] of programs.entries()) {
    const path = join(directory.path, `program-${index}.mjs`);
    await writeFile(path, program);
    const verifier = verifierFor(context, { deadlineMs: 500, program: pathToFileURL(path) });
    for (let turn = 0; turn < 2; turn += 1) {
      const { reason, message } = await refusal(verifier, good());
      assert.equal(reason, 'invalid');
      assert.match(message, words);
    }
  }
});

test('fault 55: code in an artifact is refused, named or not, and nothing of it ever runs', async (context) => {
  const verifier = verifierFor(context);
  await using directory = await temporaryDirectory();
  const canary = join(directory.path, 'canary');
  const code = `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(canary)}, 'sang');\n`;
  await writeFile(join(directory.path, 'code.mjs'), code);
  await import(pathToFileURL(join(directory.path, 'code.mjs')).href);
  assert.ok(existsSync(canary), 'the canary can sing');
  await rm(canary);
  const snapshot = canonicalJson(versioned(1));
  for (const name of ['gateway.config.ts', 'policy.js', 'x.mjs', 'y.cts', 'z.node', 'w.wasm']) {
    const unnamed = await refusal(verifier, rawArtifact({ snapshot, unnamed: { [name]: code } }));
    assert.match(unnamed.message, /which its manifest does not name/);
    const named = await refusal(verifier, rawArtifact({ snapshot, named: { [name]: code } }));
    assert.match(named.message, /files\.1\.path: an artifact holds data only/);
  }
  // As data it may stand there; it is still only data.
  await verifier.verify(rawArtifact({ snapshot, named: { 'code.txt': code } }), demands);
  assert.ok(!existsSync(canary), 'it never sang');
});

test('what takes too long is ended and refused, and the next one is judged as ever', async (context) => {
  const many = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, index) => [`r${index}`, { path: `/${index}`, upstream: 'u' }]),
  );
  const slow = good(snapshotOf({ upstreams: { u: { url: 'http://u.test' } }, routes: many }));
  const hasty = verifierFor(context, { deadlineMs: 60 });
  const { reason, message } = await refusal(hasty, slow);
  assert.equal(reason, 'invalid');
  assert.match(message, /verifying took longer than 60 ms and was ended/);
  const patient = verifierFor(context);
  assert.ok(await patient.verify(slow, demands));
});

test('giving up ends the work at once with the reason, and others get their turn', async (context) => {
  const verifier = verifierFor(context);
  const stop = new AbortController();
  const reason = new Error('a newer commit came');
  const given = verifier.verify(good(), demands, stop.signal);
  const next = verifier.verify(good(versioned(2)), demands);
  const never = verifier.verify(good(versioned(3)), demands, AbortSignal.abort(reason));
  stop.abort(reason);
  await assert.rejects(given, (error) => error === reason);
  await assert.rejects(never, (error) => error === reason);
  assert.equal((await next).snapshot.name, 'test');
});

test('closing ends what is under way, and an idle thread is given back and started again', async () => {
  const verifier = createVerifier({ idleMs: 1 });
  assert.ok(await verifier.verify(good(), demands));
  await until('the thread is gone', async () => threads() === 0);
  assert.ok(await verifier.verify(good(), demands));
  const cut = verifier.verify(good(), demands);
  await Promise.all([verifier.close(), assert.rejects(cut, /the gateway is stopping/)]);
  await assert.rejects(verifier.verify(good(), demands), /the gateway is stopping/);
  assert.equal(threads(), 0);
});

test('a thread that was started ahead answers the first question, and one that died before is no loss', async () => {
  const verifier = createVerifier({}, startVerifyThread());
  assert.ok(await verifier.verify(good(), demands));
  assert.equal(threads(), 1);
  await verifier.close();
  const dead = startVerifyThread();
  await dead.terminate();
  const other = createVerifier({}, dead);
  assert.ok(await other.verify(good(), demands));
  await other.close();
  await createVerifier({}, startVerifyThread()).close();
  assert.equal(threads(), 0);
});
