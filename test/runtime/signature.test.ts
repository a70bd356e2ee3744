/** SSH signatures over manifests: what ssh-keygen signs is taken, what we sign ssh-keygen takes, and nothing else passes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { signingKey, type SigningKey } from '../../config-sdk/signing/sign.ts';
import { ArtifactRefused } from '../../runtime/artifact.ts';
import { parseAllowedSigners } from '../../runtime/signature/allowed-signers.ts';
import { matchesPatternList } from '../../runtime/signature/pattern-list.ts';
import { publicKeyOf } from '../../runtime/signature/public-key.ts';
import { artifactNamespace, parseSignature, signedBytes, writeSignature } from '../../runtime/signature/sshsig.ts';
import { timestampOf } from '../../runtime/signature/timestamp.ts';
import { verifySignature } from '../../runtime/signature/verify.ts';
import { SshReader, sshString } from '../../runtime/signature/wire.ts';
import { temporaryFolder } from '../support/sample-repository.ts';
import { allows, makers, newKey, pem } from '../support/signing.ts';
import { skipWithout, tools } from '../support/tools.ts';

type KeyType = keyof typeof makers;
const types = Object.keys(makers) as KeyType[];
const oracle = { skip: skipWithout(tools.sshKeygen) };
const message = Buffer.from('{"format":"headgate/artifact.v1"}');
const now = Date.UTC(2026, 0, 1);

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ArtifactRefused, `an ArtifactRefused and not ${String(error)}`);
    assert.equal(error.reason, 'signature');
    return error.message;
  }
  return assert.fail('nothing was refused');
}

const check = (signature: Uint8Array | undefined, signers: string, at: number | 'any' = now, content = message) =>
  verifySignature({ message: content, signature, signers, now: at });

function sshKeygen(parameters: readonly string[], input?: Uint8Array | string) {
  // The time zone counts in an allowed_signers file: both sides must live in the same one.
  const { status, stdout, stderr } = spawnSync('ssh-keygen', parameters, { input: input ?? '', encoding: 'utf8' });
  return { fine: status === 0, said: `${stdout}${stderr}` };
}

/** A key that ssh-keygen made, by the words of `-t` and `-b`. */
function made(folder: string, name: string, ...words: string[]): { file: string; publicLine: string } {
  const file = join(folder, name);
  const { fine, said } = sshKeygen(['-q', '-N', '', '-C', 'a comment', '-f', file, '-t', ...words]);
  assert.ok(fine, said);
  return { file, publicLine: readFileSync(`${file}.pub`, 'utf8').trim() };
}

function signedByOracle(file: string, content: Uint8Array, namespace = artifactNamespace, ...words: string[]): Buffer {
  const { fine, said } = sshKeygen(['-Y', 'sign', '-q', '-n', namespace, '-f', file, ...words], content);
  assert.ok(fine, said);
  return Buffer.from(said.slice(said.indexOf('-----BEGIN')));
}

/** Whether ssh-keygen accepts the signature for `ci@example.com`. */
function oracleAccepts(folder: string, signature: Uint8Array, signers: string, content: Uint8Array = message) {
  const [signatureFile, signersFile] = [join(folder, 'checked.sig'), join(folder, 'checked.signers')];
  writeFileSync(signatureFile, signature);
  writeFileSync(signersFile, signers);
  const words = ['-n', artifactNamespace, '-I', 'ci@example.com', '-f', signersFile, '-s', signatureFile];
  return sshKeygen(['-Y', 'verify', ...words], content);
}

const kinds: [name: string, ...words: string[]][] = [
  ['ed25519', 'ed25519'],
  ['ecdsa256', 'ecdsa', '-b', '256'],
  ['ecdsa384', 'ecdsa', '-b', '384'],
  ['ecdsa521', 'ecdsa', '-b', '521'],
  ['rsa', 'rsa', '-b', '2048'],
  ['rsa-in-pem', 'rsa', '-b', '3072', '-m', 'PEM'],
  ['ecdsa-in-pkcs8', 'ecdsa', '-b', '384', '-m', 'PKCS8'],
];

describe('fault 54: with ssh-keygen as the other side', oracle, () => {
  for (const [name, ...words] of kinds)
    test(`a key of kind ${name} that it made signs on both sides, and both accept both`, async (context) => {
      const folder = await temporaryFolder(context);
      const { file, publicLine } = made(folder, name, ...words);
      const signers = `ci@example.com namespaces="${artifactNamespace}" ${publicLine}\n`;
      const ours = signingKey(readFileSync(file, 'utf8'));
      assert.equal(publicLine.split(' ').slice(0, 2).join(' '), ours.publicKey);
      const fingerprint = sshKeygen(['-l', '-f', `${file}.pub`]).said.split(' ')[1];
      for (const signature of [
        ours.sign(message),
        signedByOracle(file, message),
        signedByOracle(file, message, artifactNamespace, '-O', 'hashalg=sha256'),
      ]) {
        assert.deepEqual(check(signature, signers), { principal: 'ci@example.com', fingerprint });
        const { fine, said } = oracleAccepts(folder, signature, signers);
        assert.ok(fine, said);
      }
      // Enough signatures that numbers with leading zeros and high bits are among them.
      for (let round = 0; round < 40; round += 1) {
        const content = Buffer.from(`round ${round}`);
        const signature = ours.sign(content);
        assert.equal(check(signature, signers, now, content).fingerprint, fingerprint);
        if (round % 8 === 0) assert.ok(oracleAccepts(folder, signature, signers, content).fine);
      }
    });

  test('a line of allowed_signers means the same to both', async (context) => {
    const folder = await temporaryFolder(context);
    const { file, publicLine } = made(folder, 'key', 'ed25519');
    const key = publicLine.split(' ').slice(0, 2).join(' ');
    const signature = signedByOracle(file, message);
    const lines: [line: string, accepted: boolean][] = [
      [`ci@example.com ${publicLine}`, true],
      [`"ci@example.com" ${key} comment with words "and a quote`, true],
      [`# ${key}\n\n  \t\nci@example.com\t${key}`, true],
      [`ci@example.com ${key}\r`, true],
      [`ada@example.com,ci@example.com ${key}`, true],
      [`ci@example.com NAMESPACES="file,headgate-*" ${key}`, true],
      [`ci@example.com namespaces="!headgate-artifact,*" ${key}`, false],
      [`ci@example.com namespaces="file" ${key}`, false],
      [`ci@example.com namespaces="a\\"b,headgate-artifac?" ${key}`, true],
      [`ci@example.com valid-after="20200101",valid-before="20990101" ${key}`, true],
      [`ci@example.com valid-after="202001010000Z",valid-before="20990101123059" ${key}`, true],
      [`ci@example.com valid-before="20200101Z" ${key}`, false],
      [`ci@example.com valid-after="20990101" ${key}`, false],
      [`ci@example.com valid-after=20200101 ${key}`, false],
      [`ci@example.com valid-after="2020010112" ${key}`, false],
      [`ci@example.com valid-after="20200101250000" ${key}`, false],
      [`ci@example.com valid-after="20300101",valid-before="20200101" ${key}`, false],
      [`ci@example.com namespaces="file",namespaces="headgate-artifact" ${key}`, false],
      [`ci@example.com namespaces="headgate-artifact", ${key}`, false],
      [`ci@example.com namespaces="headgate-artifact ${key}`, false],
      [`ci@example.com bogus ${key}`, false],
      [`ci@example.com cert-authority ${key}`, false],
      [`ci@example.com ssh-rsa ${key.split(' ')[1]}`, false],
      ['ci@example.com ssh-ed25519', false],
      ['', false],
    ];
    for (const [line, accepted] of lines) {
      const said = oracleAccepts(folder, signature, `${line}\n`);
      assert.equal(said.fine, accepted, `ssh-keygen on ${line}: ${said.said}`);
      if (accepted) assert.equal(check(signature, `${line}\n`, Date.now()).principal.includes('@example.com'), true);
      else refusalOf(() => check(signature, `${line}\n`, Date.now()));
    }
  });

  test('what it refuses is refused', async (context) => {
    const folder = await temporaryFolder(context);
    const { file, publicLine } = made(folder, 'key', 'ed25519');
    const signers = `ci@example.com ${publicLine}\n`;
    const other = signedByOracle(file, message, 'file');
    assert.ok(!oracleAccepts(folder, other, signers).fine);
    assert.match(
      refusalOf(() => check(other, signers)),
      /namespace 'file', not 'headgate-artifact'/,
    );
    const changed = Buffer.from(message.toString().replace('v1', 'v2'));
    const signature = signedByOracle(file, message);
    assert.ok(!oracleAccepts(folder, signature, signers, changed).fine);
    assert.match(
      refusalOf(() => check(signature, signers, now, changed)),
      /changed afterwards/,
    );
  });

  test('a key with a passphrase, a public key and one of another kind are told apart', async (context) => {
    const folder = await temporaryFolder(context);
    const locked = join(folder, 'locked');
    assert.ok(sshKeygen(['-q', '-N', 'open sesame', '-t', 'ed25519', '-f', locked]).fine);
    const pkcs8 = makers['ssh-ed25519']().export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open sesame',
    });
    for (const text of [readFileSync(locked, 'utf8'), pkcs8.toString()])
      assert.throws(() => signingKey(text), /it has a passphrase/);
    assert.throws(() => signingKey(readFileSync(`${locked}.pub`, 'utf8')), /public half/);
    assert.throws(() => signingKey(pem(generateKeyPairSync('x25519').privateKey)), /neither ed25519/);
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    assert.throws(() => signingKey(pem(weak)), /1024 bits is too weak/);
    assert.throws(() => signingKey('-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n'), /armor is damaged/);
    assert.throws(() => signingKey('something'), /neither an OpenSSH private key nor a PEM one/);
  });
});

describe('who may sign', () => {
  const key = newKey();
  const signature = key.sign(message);
  const passes = (signers: string, at: number | 'any' = now) => check(signature, signers, at).principal;

  test('faults 41, 42: no signature, and the signature of a stranger', () => {
    assert.match(
      refusalOf(() => check(undefined, allows(key))),
      /is not signed, and this gateway has --signers: publish with --sign-key/,
    );
    const told = refusalOf(() => check(newKey().sign(message), allows(key)));
    assert.match(told, /signed with key SHA256:\S{43}, which the signers file does not list/);
  });

  test('fault 43: a key counts from valid-after to valid-before, both included, and not beside them', () => {
    const line = allows(key, 'valid-after="20260101Z",valid-before="20260201120000Z"');
    const [from, to] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1, 12)];
    assert.equal(passes(line, from), 'ci@example.com');
    assert.equal(passes(line, to), 'ci@example.com');
    assert.match(
      refusalOf(() => passes(line, from - 1)),
      /is valid from 2026-01-01T00:00:00Z only/,
    );
    assert.match(
      refusalOf(() => passes(line, to + 1)),
      /expired at 2026-02-01T12:00:00Z; publish with a key that is valid/,
    );
    assert.equal(passes(line, 'any'), 'ci@example.com');
  });

  test('fault 53: several keys, and several lines for one key, of which one must fit', () => {
    const next = newKey('ecdsa-sha2-nistp256');
    const both = allows(key, 'valid-before="20260201Z"', 'old@example.com') + allows(next, '', 'new@example.com');
    assert.equal(passes(both), 'old@example.com');
    assert.equal(check(next.sign(message), both).principal, 'new@example.com');
    const twice = allows(key, 'namespaces="file"', 'a') + allows(key, '', 'b');
    assert.equal(passes(twice), 'b');
  });

  test('fault 44: a key that is allowed for other namespaces only', () => {
    const told = refusalOf(() => passes(allows(key, 'namespaces="git,file"')));
    assert.match(told, /allowed for namespaces "git,file" only; add headgate-artifact to them/);
  });

  test('a file that is wrong anywhere is refused as a whole, and the line is named', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const weakBlob = Buffer.concat(
      [
        'ssh-rsa',
        Buffer.from([1, 0, 1]),
        Buffer.from(`00${Buffer.from(weak.n ?? '', 'base64url').toString('hex')}`, 'hex'),
      ].map((part) => sshString(part)),
    ).toString('base64');
    const wrong: [line: string, told: RegExp][] = [
      [`ci cert-authority ${key.publicKey}`, /cert-authority is not taken/],
      [`ci no-such-option ${key.publicKey}`, /'no-such-option' is no option here/],
      [`ci valid-after="20260230" ${key.publicKey}`, /"20260230" is no time/],
      [`ci valid-before="2026" ${key.publicKey}`, /write YYYYMMDD or YYYYMMDDHHMM\[SS\]/],
      [`ci ssh-rsa ${weakBlob}`, /1024 bits is too weak/],
      ['ci ssh-dss AAAAB3NzaC1kc3M=', /keys of type ssh-dss are not taken/],
      ['ci ssh-ed25519-cert-v01@openssh.com AAAA', /certificates are not taken/],
      ['ci ssh-ed25519 AAAA', /ends inside the key type/],
      [`ci ssh-ed25519 ${key.publicKey.split(' ')[1]}AAAA`, /3 byte\(s\) follow the key/],
      ['ci ssh-ed25519 %%%%', /is not base64/],
      ['ci', /no key stands behind/],
      [`!ci ${key.publicKey}`, /name nobody/],
      [`"ci ${key.publicKey}`, /quote is not closed/],
    ];
    for (const [line, told] of wrong) {
      const text = `# comment\n${allows(key)}${line}\n`;
      const said = refusalOf(() => parseAllowedSigners(text));
      assert.match(said, told, line);
      assert.match(said, /^the signers file is wrong in line 3: /);
    }
    for (const empty of ['', '\n', '# nobody yet\n'])
      assert.match(
        refusalOf(() => parseAllowedSigners(empty)),
        /names no key/,
      );
    assert.match(
      refusalOf(() => parseAllowedSigners('#'.repeat(300_000))),
      /larger than/,
    );
  });

  test('times are read in UTC with a Z and in local time without', () => {
    assert.equal(timestampOf('20260102Z', 'x'), Date.UTC(2026, 0, 2));
    assert.equal(timestampOf('202601020304Z', 'x'), Date.UTC(2026, 0, 2, 3, 4));
    assert.equal(timestampOf('20260102030405', 'x'), new Date(2026, 0, 2, 3, 4, 5).getTime());
    for (const wrong of ['20261301', '20260132Z', '202601022400', '202601020360', '20260102z', '00000101', ' 20260102'])
      assert.throws(() => timestampOf(wrong, 'x'), /is no time/, wrong);
  });

  test('patterns match as in ssh_config, and a hostile one costs no more than its length', () => {
    for (const [list, expected] of [
      ['headgate-artifact', true],
      ['*', true],
      ['head*art?fact', true],
      ['h*a*t*x', false],
      ['!head*,*', false],
      ['*,!headgate-artifact', false],
      ['!file', false],
      ['', false],
    ] as const)
      assert.equal(matchesPatternList('headgate-artifact', list), expected, list);
    assert.equal(matchesPatternList('a'.repeat(2_000), `${'*a'.repeat(1_000)}b`), false);
  });
});

/** The parts of a signature with some of them changed, written as a signature again. */
function rewritten(signature: Uint8Array, change: Partial<ReturnType<typeof parseSignature>>): Buffer {
  return writeSignature({ ...parseSignature(signature), ...change });
}

describe('what is not exactly one good signature', () => {
  const rsa = createPrivateKey(pem(makers['ssh-rsa']()));
  const rsaKey = signingKey(pem(rsa));
  const key = newKey();

  test('an RSA signature over SHA-1 is refused, whatever it calls itself', () => {
    const data = signedBytes(artifactNamespace, 'sha512', message);
    const signature = rewritten(rsaKey.sign(message), { algorithm: 'ssh-rsa', signature: sign('sha1', data, rsa) });
    assert.match(
      refusalOf(() => check(signature, allows(rsaKey))),
      /made with ssh-rsa; sign with rsa-sha2-512/,
    );
    const renamed = rewritten(signature, { algorithm: 'rsa-sha2-256' });
    assert.match(
      refusalOf(() => check(renamed, allows(rsaKey))),
      /changed afterwards/,
    );
    const sha256 = rewritten(signature, { algorithm: 'rsa-sha2-256', signature: sign('sha256', data, rsa) });
    assert.equal(check(sha256, allows(rsaKey)).fingerprint, rsaKey.fingerprint);
  });

  test('a signature under the key or the algorithm of another is refused', () => {
    const mine = key.sign(message);
    const other = newKey('ecdsa-sha2-nistp256');
    const allowed = allows(key) + allows(other) + allows(rsaKey);
    const borrowed = rewritten(mine, { publicKey: parseSignature(other.sign(message)).publicKey });
    refusalOf(() => check(borrowed, allowed));
    refusalOf(() => check(rewritten(mine, { algorithm: 'rsa-sha2-512' }), allowed));
    refusalOf(() => check(rewritten(mine, { publicKey: publicKeyOf(rsa).blob }), allowed));
    refusalOf(() => check(rewritten(mine, { hash: 'sha256' }), allowed));
    refusalOf(() => check(rewritten(mine, { hash: 'md5' as 'sha256' }), allowed));
    refusalOf(() => check(rewritten(mine, { namespace: 'file' }), allowed));
    refusalOf(() => check(rewritten(mine, { signature: Buffer.alloc(0) }), allowed));
  });

  test('other versions, a used reserved field, left-over bytes and loose armor are refused', () => {
    const good = key.sign(message);
    const text = Buffer.from(good).toString();
    const blob = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
    const armor = (bytes: Buffer) =>
      Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${bytes.toString('base64')}\n-----END SSH SIGNATURE-----\n`);
    assert.ok(check(armor(blob), allows(key)));
    const { publicKey } = parseSignature(good);
    const head = Buffer.concat([blob.subarray(0, 10), sshString(publicKey), sshString(artifactNamespace)]);
    const withReserved = Buffer.concat([head, sshString('x'), blob.subarray(head.length + 4)]);
    const { algorithm, signature } = parseSignature(good);
    const inner = Buffer.concat([sshString(algorithm), sshString(signature)]);
    const toSignature = blob.subarray(0, blob.length - inner.length - 4);
    const version = (number: number) => Buffer.concat([blob.subarray(0, 9), Buffer.from([number]), blob.subarray(10)]);
    const wrong: [Buffer, RegExp][] = [
      [armor(version(0)), /has version 0/],
      [armor(version(2)), /has version 2, and only 1 is known/],
      [armor(Buffer.concat([Buffer.from('SSHSIQ'), blob.subarray(6)])), /has not the magic/],
      [armor(withReserved), /reserved field is in use/],
      [armor(Buffer.concat([blob, Buffer.from([0])])), /1 byte\(s\) follow the signature/],
      [armor(Buffer.concat([toSignature, sshString(Buffer.concat([inner, Buffer.from([0])]))])), /1 byte\(s\) follow/],
      [Buffer.from(` ${text}`), /is not what `ssh-keygen -Y sign` writes/],
      [Buffer.from(`${text}\n`), /is not what/],
      [Buffer.from(text + text), /is not what/],
      [Buffer.from(text.replaceAll('\n', '\r\n')), /is not what/],
      [Buffer.from(text.replace('==\n', '=\n')), /canonical|is not what|ends inside|follow/],
      [Buffer.alloc(0), /is not what/],
      [Buffer.alloc(20_000, 65), /has 20000 bytes, and 16384 are allowed/],
    ];
    for (const [bytes, told] of wrong) {
      if (bytes.equals(Buffer.from(good))) continue;
      const said = refusalOf(() => check(bytes, allows(key)));
      assert.match(said, told);
      assert.match(said, /publish again/);
    }
  });

  for (const type of types)
    test(`any changed byte of a signature by ${type} or of the manifest is refused`, () => {
      const own = newKey(type);
      const signers = allows(own);
      const signature = Buffer.from(own.sign(message));
      const flip = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) });
      const flipped = (bytes: Buffer, { at, mask }: { at: number; mask: number }) => {
        const copy = Buffer.from(bytes);
        const index = at % copy.length;
        copy[index] = (copy[index] ?? 0) ^ mask;
        return copy;
      };
      fc.assert(
        fc.property(flip, (change) => {
          refusalOf(() => check(flipped(signature, change), signers));
          refusalOf(() => check(signature, signers, now, flipped(message, change)));
        }),
        { numRuns: 150 },
      );
      // The armor shows six bits a letter: beneath it every single bit counts too.
      const parsed = parseSignature(signature);
      fc.assert(
        fc.property(flip, (change) => {
          refusalOf(() => check(rewritten(signature, { signature: flipped(parsed.signature, change) }), signers));
        }),
        { numRuns: 100 },
      );
    });

  test('nothing that is fed to the parsers throws anything but ArtifactRefused', () => {
    const good = Buffer.from(key.sign(message)).toString('latin1');
    const line = allows(key, 'namespaces="x",valid-after="20200101Z"');
    const quietly = (act: () => unknown) => {
      try {
        act();
      } catch (error) {
        assert.ok(error instanceof ArtifactRefused, String(error));
        assert.ok(error.message.length < 1_000, 'the message stays short');
      }
    };
    const spliced = (text: string) =>
      fc
        .tuple(fc.nat(text.length), fc.nat(20), fc.oneof(fc.string(), fc.string({ unit: 'binary' })))
        .map(([at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone));
    const field = fc.uint8Array({ maxLength: 40 }).map((bytes) => sshString(bytes));
    const blob = fc
      .tuple(fc.constantFrom(Buffer.from('SSHSIG\0\0\0\x01'), Buffer.alloc(0)), fc.array(field, { maxLength: 7 }))
      .map(([head, fields]) => {
        const body = Buffer.concat([head, ...fields]).toString('base64');
        return `-----BEGIN SSH SIGNATURE-----\n${body}\n-----END SSH SIGNATURE-----\n`;
      });
    const keyLine = fc
      .tuple(fc.constantFrom(...types), fc.array(field, { maxLength: 4 }))
      .map(([type, fields]) => `ci ${type} ${Buffer.concat([sshString(type), ...fields]).toString('base64')}\n`);
    fc.assert(
      fc.property(fc.oneof(spliced(good), blob, fc.string()), (text) =>
        quietly(() => check(Buffer.from(text, 'latin1'), allows(key))),
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.oneof(spliced(line), keyLine, fc.string()), (text) => quietly(() => parseAllowedSigners(text))),
      { numRuns: 500 },
    );
  });

  test('hostile quoting and huge lengths cost next to nothing', () => {
    const began = performance.now();
    for (const text of ['\\"'.repeat(50_000), `ci ${'"\\"'.repeat(50_000)}`, `ci namespaces="${'\\'.repeat(100_000)}`])
      refusalOf(() => parseAllowedSigners(text));
    const huge = Buffer.concat([Buffer.from('SSHSIG\0\0\0\x01'), Buffer.from([255, 255, 255, 255])]).toString('base64');
    const told = refusalOf(() =>
      check(Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${huge}\n-----END SSH SIGNATURE-----\n`), allows(key)),
    );
    assert.match(told, /ends inside the public key/);
    refusalOf(() => check(Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${'A\n'.repeat(8_000)}`), allows(key)));
    assert.ok(performance.now() - began < 2_000);
  });

  test('numbers have one spelling', () => {
    const read = (bytes: number[]) => new SshReader(sshString(Buffer.from(bytes))).positive('number');
    assert.deepEqual([...read([0, 0x80])], [0x80]);
    assert.deepEqual([...read([0x7f, 1])], [0x7f, 1]);
    for (const wrong of [[], [0], [0, 1], [0x80], [0, 0, 0x80]]) assert.throws(() => read(wrong), /shortest form/);
  });
});

test('no message and no printed part of a signing key holds anything of its private half', () => {
  const text = pem(makers['ssh-ed25519']());
  const secret = createPrivateKey(text).export({ format: 'jwk' }).d ?? '';
  const key: SigningKey = signingKey(text);
  for (const shown of [JSON.stringify(key), key.publicKey, key.fingerprint])
    assert.ok(!shown.includes(secret.slice(0, 20)));
  for (let cut = 30; cut < text.length; cut += 7)
    try {
      signingKey(text.slice(0, cut));
    } catch (error) {
      assert.match((error as Error).message, /neither an OpenSSH private key nor a PEM one|numbers/);
    }
});
