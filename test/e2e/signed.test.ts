/** Signed artifacts from the publisher to a running gateway: what it takes, what it refuses, and what it says of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { SigningKey } from '../../config-sdk/signing/sign.ts';
import { canonicalJson } from '../../runtime/canonical-json.ts';
import { artifactNamespace, parseSignature, writeSignature } from '../../runtime/signature/sshsig.ts';
import { snapshotFormat } from '../../runtime/snapshot.ts';
import { SettingsError } from '../../runtime/settings.ts';
import { sourceOf } from '../support/artifact-branch.ts';
import { artifactFiles, startWith, type TestGateway } from '../support/gateway.ts';
import { startProcess } from '../support/gateway-process.ts';
import { startHeadgate } from '../support/process.ts';
import { initRepository, publishFiles } from '../support/repository.ts';
import {
  commitAll,
  git,
  headgate,
  installHeadgate,
  sampleConfig,
  temporaryFolder,
  writeFiles,
} from '../support/sample-repository.ts';
import { allows, makers, newKey, signedFiles } from '../support/signing.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const branch = 'headgate/compiled';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Change {
  readonly seq: number;
  /** Undefined: unsigned. */
  readonly key?: SigningKey;
  /** Before the signature is made. */
  readonly manifest?: (manifest: Record<string, unknown>) => void;
  /** After it was made. */
  readonly files?: (files: Map<string, Uint8Array>) => void;
}

interface Stage {
  readonly repository: string;
  readonly signersFile: string;
  readonly stateDir: string;
  readonly allow: (text: string) => Promise<void>;
  /** Puts version `seq` on the branch. */
  readonly publish: (change: Change) => Promise<string>;
  readonly start: (...flags: string[]) => Promise<TestGateway>;
}

async function stage(context: TestContext): Promise<Stage> {
  const folder = await temporaryFolder(context);
  const [repository, signersFile, stateDir] = [
    join(folder, 'repo.git'),
    join(folder, 'signers'),
    join(folder, 'state'),
  ];
  await initRepository(repository, { bare: true });
  return {
    repository,
    signersFile,
    stateDir,
    allow: (text) => writeFile(signersFile, text),
    publish: ({ seq, key, manifest, files: later }) => {
      const files = new Map<string, Uint8Array>(artifactFiles(versioned(seq), { seq, commit: sourceOf(seq) }));
      if (manifest) {
        const value = JSON.parse(Buffer.from(files.get('manifest.json') ?? []).toString()) as Record<string, unknown>;
        manifest(value);
        files.set('manifest.json', Buffer.from(canonicalJson(value)));
      }
      if (key) files.set('manifest.json.sig', key.sign(files.get('manifest.json') ?? Buffer.alloc(0)));
      later?.(files);
      return publishFiles(repository, branch, Object.fromEntries(files));
    },
    async start(...flags) {
      const gateway = await startWith([
        '--repo',
        repository,
        '--poll',
        '100ms',
        '--bake',
        '0s',
        '--state-dir',
        stateDir,
        ...flags,
      ]);
      context.after(() => gateway.close());
      return gateway;
    },
  };
}

async function which(gateway: TestGateway): Promise<string> {
  const response = await gateway.post('/v1/chat/completions', question());
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? `status ${response.status}`;
}

const serves = (gateway: TestGateway, n: number) =>
  until(`version ${n} is served`, async () => (await which(gateway)) === `version ${n}`);

/** Waits until `commit` is held, and checks that `serving` still answers. */
async function heldAt(gateway: TestGateway, commit: string, serving: number) {
  const held = await until(`${commit} is held`, async () => {
    const { held: found } = await gateway.status();
    return found?.commit === commit && found;
  });
  assert.equal(await which(gateway), `version ${serving}`);
  return held;
}

test('faults 41, 42, 43, 44, 45: with --signers nothing runs but what a listed key signed as an artifact, unchanged', async (context) => {
  const { allow, publish, start, signersFile } = await stage(context);
  const [key, expired, stranger] = [newKey(), newKey('ecdsa-sha2-nistp256'), newKey()];
  await allow(allows(key, `namespaces="${artifactNamespace}"`) + allows(expired, 'valid-before="20250101Z"', 'old'));
  await publish({ seq: 1, key });
  const gateway = await start('--signers', signersFile);
  await serves(gateway, 1);
  const { verify } = await gateway.status();
  assert.deepEqual(verify, { mode: 'signed', signer: 'ci@example.com', fingerprint: key.fingerprint });

  const otherNamespace = (files: Map<string, Uint8Array>) => {
    const parsed = parseSignature(files.get('manifest.json.sig') ?? Buffer.alloc(0));
    files.set('manifest.json.sig', writeSignature({ ...parsed, namespace: 'file' }));
  };
  const otherManifest = (files: Map<string, Uint8Array>) => {
    const text = Buffer.from(files.get('manifest.json') ?? []).toString();
    files.set('manifest.json', Buffer.from(text.replace('"author":"Ada"', '"author":"Eve"')));
  };
  const refused: [Change, RegExp][] = [
    [{ seq: 2 }, /is not signed, and this gateway has --signers: publish with --sign-key/],
    [
      { seq: 3, key: stranger },
      new RegExp(`key ${stranger.fingerprint.replaceAll(/[+/]/g, '\\$&')}, which the signers`),
    ],
    [{ seq: 4, key: expired }, /expired at 2025-01-01T00:00:00Z; publish with a key that is valid/],
    [{ seq: 5, key, files: otherNamespace }, /signed for namespace 'file', not 'headgate-artifact'/],
    [{ seq: 6, key, files: otherManifest }, /not what ci@example\.com signed with key .*; publish again/],
    [{ seq: 7, key, files: (files) => files.set('manifest.json.sig', Buffer.from('{}')) }, /is no SSH signature/],
  ];
  for (const [change, told] of refused) {
    const held = await heldAt(gateway, await publish(change), 1);
    assert.equal(held.reason, 'signature');
    assert.match(held.detail, told);
  }
  await publish({ seq: 2, key });
  await serves(gateway, 2);
});

test('what was held for its signature is looked at again when the signers file says something else', async (context) => {
  const { allow, publish, start, signersFile } = await stage(context);
  const [key, next] = [newKey(), newKey()];
  await allow(allows(key));
  await publish({ seq: 1, key });
  const gateway = await start('--signers', signersFile);
  await serves(gateway, 1);
  const commit = await publish({ seq: 2, key: next });
  assert.equal((await heldAt(gateway, commit, 1)).reason, 'signature');
  await allow(allows(key) + allows(next));
  await serves(gateway, 2);
});

test('faults 46, 47: a good signature does not excuse files that are other, missing or too many', async (context) => {
  const { allow, publish, start, signersFile } = await stage(context);
  const key = newKey('ssh-rsa');
  await allow(allows(key));
  await publish({ seq: 1, key });
  const gateway = await start('--signers', signersFile);
  const other = Buffer.from(canonicalJson(versioned(9)));
  const refused: [Change['files'], RegExp][] = [
    [(files) => files.set('snapshot.json', other), /snapshot\.json is not the file that the manifest names/],
    [(files) => files.delete('snapshot.json'), /snapshot\.json is named in the manifest and missing/],
    [(files) => files.set('more.json', other), /holds more\.json, which its manifest does not name/],
  ];
  for (const [index, [files, told]] of refused.entries()) {
    const held = await heldAt(gateway, await publish({ seq: index + 2, key, files }), 1);
    assert.equal(held.reason, 'invalid');
    assert.match(held.detail, told);
  }
});

test('fault 48: an older artifact with a good signature is refused, also after a restart, and so is a signed one without a number', async (context) => {
  const { allow, publish, start, signersFile } = await stage(context);
  const key = newKey();
  await allow(allows(key));
  const first = await publish({ seq: 1, key });
  const gateway = await start('--signers', signersFile);
  await serves(gateway, 1);
  await publish({ seq: 3, key });
  await serves(gateway, 3);
  for (const [seq, told] of [
    [1, /sequence 1 is not above 3/],
    [2, /sequence 2 is not above 3/],
    [3, /sequence 3 is not above 3/],
    [0, /built and never published/],
  ] as const) {
    const subject = (manifest: Record<string, unknown>) => void (manifest['source'] = undefined);
    const again = await publish({ seq, key, ...(seq === 1 ? {} : { manifest: subject }) });
    if (seq === 1) assert.equal(again, first, 'the very commit that was served once');
    const held = await heldAt(gateway, again, 3);
    assert.equal(held.reason, 'rewind');
    assert.match(held.detail, told);
  }
  await publish({ seq: 1, key });
  await gateway.close();
  const restarted = await start('--signers', signersFile);
  assert.equal((await heldAt(restarted, first, 3)).reason, 'rewind');
});

test('fault 49: an artifact of another audience is refused, by the flag or by what was accepted first', async (context) => {
  const { allow, publish, start, signersFile, stateDir } = await stage(context);
  const key = newKey();
  await allow(allows(key));
  const audience = (name: string) => (manifest: Record<string, unknown>) => void (manifest['audience'] = name);
  await publish({ seq: 1, key });
  const gateway = await start('--signers', signersFile);
  await serves(gateway, 1);
  assert.equal((await gateway.status()).audience, 'test');
  const foreign = await publish({ seq: 2, key, manifest: audience('other') });
  const held = await heldAt(gateway, foreign, 1);
  assert.equal(held.reason, 'invalid');
  assert.match(held.detail, /is for audience 'other', and this gateway serves 'test': publish it elsewhere, or start/);
  await gateway.close();

  const restarted = await start('--signers', signersFile);
  await heldAt(restarted, foreign, 1);
  await restarted.close();

  // What is kept is judged anew, too: it is not what this gateway is for any more.
  const moved = await start('--signers', signersFile, '--audience', 'other');
  await serves(moved, 2);
  assert.equal((await moved.status()).audience, 'other');
  await moved.close();
  const state = JSON.parse(await readFile(join(stateDir, 'state.json'), 'utf8')) as Record<string, unknown>;
  assert.equal(state['audience'], 'other');

  // A state that an older version wrote knows no audience, and learns it from what it kept.
  delete state['audience'];
  await writeFile(join(stateDir, 'state.json'), JSON.stringify(state));
  const older = await start('--signers', signersFile);
  assert.equal((await older.status()).audience, 'other');
  await publish({ seq: 3, key });
  await until('held', async () => (await older.status()).held?.reason === 'invalid');
  assert.equal(await which(older), 'version 2');
});

test('fault 50: a format, a field or a feature of a later version is refused, naming the runtime that is needed', async (context) => {
  const { allow, publish, start, signersFile } = await stage(context);
  const key = newKey();
  await allow(allows(key));
  await publish({ seq: 1, key });
  const gateway = await start('--signers', signersFile);
  const later: [(manifest: Record<string, unknown>) => void, RegExp][] = [
    [(manifest) => (manifest['format'] = 'headgate/artifact.v2'), /has format 'headgate\/artifact\.v2'/],
    [(manifest) => (manifest['rollout'] = { stages: [] }), /has fields that this runtime does not know .*rollout/],
    [(manifest) => (manifest['requires'] = { snapshot: snapshotFormat, features: ['x'] }), /does not know .*features/],
    [(manifest) => (manifest['requires'] = { snapshot: 'headgate/snapshot.v9' }), /'headgate\/snapshot\.v9'/],
  ];
  for (const [index, [change, told]] of later.entries()) {
    const manifest = (value: Record<string, unknown>) => {
      value['compiler'] = 'headgate/2.7.0';
      change(value);
    };
    const held = await heldAt(gateway, await publish({ seq: index + 2, key, manifest }), 1);
    assert.equal(held.reason, 'schema');
    assert.match(held.detail, told);
    assert.match(held.detail, /it needs a runtime 2\.7\.0 or newer/);
  }
});

test('fault 53: keys change over without a restart: both for a while, then the new one alone', async (context) => {
  const { allow, publish, start, signersFile } = await stage(context);
  const [old, next] = [newKey(), newKey('ecdsa-sha2-nistp384')];
  await allow(allows(old, '', 'old'));
  await publish({ seq: 1, key: old });
  const gateway = await start('--signers', signersFile);
  const signer = async () => ((verify) => 'signer' in verify && verify.signer)((await gateway.status()).verify);
  assert.equal(await signer(), 'old');
  await allow(allows(old, '', 'old') + allows(next, '', 'new'));
  await publish({ seq: 2, key: next });
  await serves(gateway, 2);
  assert.equal(await signer(), 'new');
  await publish({ seq: 3, key: old });
  await serves(gateway, 3);
  await allow(allows(next, '', 'new'));
  assert.match((await heldAt(gateway, await publish({ seq: 4, key: old }), 3)).detail, /does not list/);
  await publish({ seq: 5, key: next });
  await serves(gateway, 5);

  for (const [seq, text, told] of [
    [6, 'new ssh-ed25519 nonsense\n', /the signers file is wrong in line 1: /],
    [7, '', /names no key/],
    [8, undefined, /the signers file cannot be read \(ENOENT\): put it back/],
  ] as const) {
    if (text === undefined) await rm(signersFile);
    else await allow(text);
    const held = await heldAt(gateway, await publish({ seq, key: next }), 5);
    assert.equal(held.reason, 'signature');
    assert.match(held.detail, told);
  }
});

test('fault 54: artifacts signed with ed25519, ecdsa and rsa are served', async (context) => {
  const { allow, publish, start, signersFile } = await stage(context);
  const keys = (Object.keys(makers) as (keyof typeof makers)[]).map((type) => newKey(type));
  await allow(keys.map((key, index) => allows(key, '', `signer-${index}`)).join(''));
  await publish({ seq: 1, key: newKey() });
  const gateway = await start('--signers', signersFile);
  assert.equal(
    (await fetch(`${gateway.adminUrl}/readyz`)).status,
    503,
    'nothing is served for want of something signed',
  );
  for (const [index, key] of keys.entries()) {
    await publish({ seq: index + 2, key });
    await serves(gateway, index + 2);
    const { fingerprint } = key;
    assert.deepEqual((await gateway.status()).verify, { mode: 'signed', signer: `signer-${index}`, fingerprint });
  }
});

test('what is kept and the seed are verified again at each start', async (context) => {
  const { allow, publish, start, signersFile, stateDir, repository } = await stage(context);
  const key = newKey();
  await allow(allows(key));
  await publish({ seq: 1, key });
  const first = await start('--signers', signersFile);
  await serves(first, 1);
  await publish({ seq: 2, key });
  await serves(first, 2);
  await until('both are kept', async () => (await readdir(stateDir)).includes('previous'));
  await first.close();
  await git(repository, 'update-ref', '-d', `refs/heads/${branch}`);

  // Somebody with access to the disk: a whole artifact that nobody signed.
  const forged = signedFiles(versioned(66), { seq: 66, commit: sourceOf(66) }, undefined);
  for (const [name, bytes] of forged) await writeFile(join(stateDir, 'current', name), bytes);
  const restarted = await start('--signers', signersFile);
  assert.equal(await which(restarted), 'version 1', 'the one before it, whose signature is good');
  await restarted.close();

  // A key that ran out after it signed does not take a running gateway's restart away; one that was struck off does.
  await allow(allows(key, 'valid-before="20250101Z"'));
  const later = await start('--signers', signersFile);
  assert.equal(await which(later), 'version 1');
  await later.close();
  await allow(allows(newKey()));
  const bare = await start('--signers', signersFile);
  assert.equal(await which(bare), 'status 503');
  await bare.close();

  const seed = join(stateDir, '..', 'seed');
  await mkdir(seed);
  for (const [name, bytes] of forged) await writeFile(join(seed, name), bytes);
  await assert.rejects(startWith(['--seed', seed, '--signers', signersFile]), /is not signed, and this gateway has/);
  for (const [name, bytes] of signedFiles(versioned(3), { seq: 3, commit: sourceOf(3) }, key))
    await writeFile(join(seed, name), bytes);
  await allow(allows(key));
  const seeded = await startWith(['--seed', seed, '--signers', signersFile]);
  context.after(() => seeded.close());
  assert.equal(await which(seeded), 'version 3');
  const { verify, highestSeq } = await seeded.status();
  assert.deepEqual(verify, { mode: 'signed', signer: 'ci@example.com', fingerprint: key.fingerprint });
  assert.equal(highestSeq, 2, 'the branch may stand where the seed was taken, and not below');
});

test('what was accepted last is taken from the branch again when its copy is lost', async (context) => {
  const { publish, start, stateDir } = await stage(context);
  await publish({ seq: 1 });
  const gateway = await start();
  await serves(gateway, 1);
  await publish({ seq: 2 });
  await serves(gateway, 2);
  await until('it is kept', async () => (await readdir(stateDir)).includes('previous'));
  await gateway.close();
  await rm(join(stateDir, 'current', 'snapshot.json'));
  const restarted = await start();
  await serves(restarted, 2);
});

test('a signers file that says nothing of use ends the start, and the line is named', async (context) => {
  const { allow, start, signersFile } = await stage(context);
  const told = async (pattern: RegExp) =>
    assert.rejects(start('--signers', signersFile), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, pattern);
      assert.ok(error.message.startsWith('--signers (or HEADGATE_SIGNERS) '));
      return true;
    });
  await told(/cannot be read \(ENOENT\)/);
  await allow('\n# nobody\n');
  await told(/names no key/);
  await allow(`${allows(newKey())}\nci cert-authority ${newKey().publicKey}\n`);
  await told(/wrong in line 3: cert-authority is not taken/);
});

test('without --signers everything runs, and the gateway says so once in its log and always in its status', async (context) => {
  const { publish, start } = await stage(context);
  await publish({ seq: 1, key: newKey(), files: (files) => files.set('manifest.json.sig', Buffer.from('not read')) });
  const gateway = await start();
  await serves(gateway, 1);
  const { verify } = await gateway.status();
  assert.ok(verify.mode === 'unsigned' && verify.note.startsWith('UNSIGNED: '));

  const aside = await startProcess(versioned(1));
  const warnings = aside.output().match(/"level":"warn".*"event":"unsigned"/g);
  assert.equal(warnings?.length, 1);
  const shown = await headgate('.', ['status', aside.adminUrl]);
  assert.match(shown.stdout, /^verify {5}UNSIGNED: whoever can push/m);
  await aside.kill();
});

test(
  'fault 95: publish signs with the key of the environment or the flag, and an unchanged output still advances',
  { skip: skipWithout(tools.sshKeygen), timeout: 120_000 },
  async (context) => {
    const folder = await temporaryFolder(context);
    const [remote, team] = [join(folder, 'remote.git'), join(folder, 'team')];
    await git(folder, 'init', '--quiet', '--bare', remote);
    await git(folder, 'clone', '--quiet', remote, team);
    await installHeadgate(team);
    await writeFiles(team, { 'gateway.config.ts': sampleConfig(), '.gitignore': 'node_modules\n.headgate\n' });
    await commitAll(team, 'Start');

    // The lines of the README.
    const shell = (line: string) => execFileSync('sh', ['-c', line], { cwd: folder, encoding: 'utf8' });
    shell(`ssh-keygen -q -t ed25519 -N '' -C '' -f signing-key`);
    shell(`echo "ci@example.com namespaces=\\"headgate-artifact\\" $(cat signing-key.pub)" > signers`);
    const fingerprint = shell('ssh-keygen -lf signing-key').split(' ')[1] ?? '';
    const [signers, key] = [join(folder, 'signers'), join(folder, 'signing-key')];

    const first = await headgate(team, ['publish', '--sign-key', key]);
    assert.equal(first.code, 0, first.stderr);
    assert.ok(first.stdout.includes(`, signed with ${fingerprint}`), first.stdout);
    await commitAll(team, 'Nothing that is served');
    const second = await headgate(team, ['publish', '--json'], { HEADGATE_SIGN_KEY_FILE: key });
    const told = JSON.parse(second.stdout) as Record<string, unknown>;
    assert.deepEqual([told['seq'], told['changed'], told['signedBy']], [2, false, fingerprint]);
    const show = (name: string) => git(remote, 'cat-file', 'blob', `${branch}:${name}`);
    await writeFiles(folder, { 'tip.sig': `${await show('manifest.json.sig')}\n`, tip: await show('manifest.json') });
    shell(`ssh-keygen -Y verify -n headgate-artifact -I ci@example.com -f signers -s tip.sig < tip`);

    const gateway = startHeadgate(['serve', '--repo', remote, '--signers', signers, '--audience', 'demo'], {
      env: { HEADGATE_LISTEN: '127.0.0.1:0', HEADGATE_ADMIN: '127.0.0.1:0' },
    });
    context.after(() => gateway.end('SIGKILL'));
    const [, adminUrl = ''] = await gateway.printed(/"event":"listening".*"adminUrl":"([^"]+)"/);
    const status = await until('it is served', async () => {
      const { stdout } = await headgate(team, ['status', adminUrl]);
      return stdout.includes('seq 2') && stdout;
    });
    assert.ok(status.includes(`verify     signed by ci@example.com, ${fingerprint}`), status);
    assert.doesNotMatch(gateway.output, /"event":"unsigned"/);

    // Building signs as well; a signature from before does not outlive a build without one.
    const out = join(folder, 'built');
    const built = await headgate(team, ['build', '--out', out, '--sign-key', key]);
    assert.equal(built.code, 0, built.stderr);
    shell(
      `ssh-keygen -Y verify -n headgate-artifact -I ci@example.com -f signers -s built/manifest.json.sig < built/manifest.json`,
    );
    const before = sha256(await readFile(join(out, 'manifest.json')));
    await headgate(team, ['build', '--out', out]);
    assert.deepEqual((await readdir(out)).toSorted(), ['manifest.json', 'snapshot.json']);
    assert.equal(sha256(await readFile(join(out, 'manifest.json'))), before);

    // What cannot sign says why, before anything is published, and shows nothing of the key.
    shell(`ssh-keygen -q -t ed25519 -N 'open sesame' -C '' -f locked-key`);
    await commitAll(team, 'More');
    const secret = (await readFile(key, 'utf8')).split('\n')[3] ?? '';
    for (const [file, pattern] of [
      ['locked-key', /has a passphrase.*make a key of its own/],
      ['signing-key.pub', /it is the public half/],
      ['absent', /cannot be read \(ENOENT\)/],
    ] as const) {
      const { code, stdout, stderr } = await headgate(team, ['publish', '--sign-key', join(folder, file)]);
      assert.equal(code, 3);
      assert.match(stderr, pattern);
      assert.equal(stdout, '');
    }
    assert.equal(await git(remote, 'rev-list', '--count', branch), '2');
    for (const { stdout, stderr } of [first, second, built]) assert.ok(!`${stdout}${stderr}`.includes(secret));
  },
);
