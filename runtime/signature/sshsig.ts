/**
 * Detached SSH signatures as `ssh-keygen -Y sign` writes them, after PROTOCOL.sshsig of OpenSSH: an armored blob that names
 * the key, the namespace and the hash, and a signature over those and the hash of the message. Read more strictly than the
 * paper asks, so that one signature has one spelling: canonical base64, an empty `reserved`, nothing before or after.
 */
import { createHash, verify } from 'node:crypto';
import { ArtifactRefused } from '../artifact-refused.ts';
import { curves, type PublicKey } from './public-key.ts';
import { Malformed, SshReader, sshPositive, sshString } from './wire.ts';

/** A signature made for anything else is worth nothing here, whoever made it. */
export const artifactNamespace = 'headgate-artifact';

/** An RSA signature of 16384 bits with its key takes 6 KiB. */
const maxArmoredBytes = 16 * 1024;
const magic = 'SSHSIG';
const version = 1;
const armored = /^-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END SSH SIGNATURE-----\n?$/;

export interface SshSignature {
  /** The key as SSH writes it. Only a claim: whether it may sign is for the reader to know. */
  readonly publicKey: Buffer;
  readonly namespace: string;
  readonly hash: 'sha256' | 'sha512';
  readonly algorithm: string;
  readonly signature: Buffer;
}

function dearmor(bytes: Uint8Array): Buffer {
  if (bytes.byteLength > maxArmoredBytes)
    throw new Malformed(`it has ${bytes.byteLength} bytes, and ${maxArmoredBytes} are allowed`);
  const body = armored.exec(Buffer.from(bytes).toString('latin1'))?.[1]?.replaceAll('\n', '');
  if (body === undefined) throw new Malformed('it is not what `ssh-keygen -Y sign` writes');
  const blob = Buffer.from(body, 'base64');
  if (blob.toString('base64') !== body) throw new Malformed('its base64 is not in canonical form');
  return blob;
}

function readBlob(blob: Buffer): SshSignature {
  const reader = new SshReader(blob);
  if (reader.take(magic.length, 'magic').toString('latin1') !== magic)
    throw new Malformed('it has not the magic SSHSIG');
  const found = reader.uint32('version');
  if (found !== version) throw new Malformed(`it has version ${found}, and only ${version} is known`);
  const publicKey = reader.string('public key');
  const namespace = reader.name('namespace');
  if (reader.string('reserved field').length > 0) throw new Malformed('its reserved field is in use');
  const hash = reader.name('hash algorithm');
  if (hash !== 'sha256' && hash !== 'sha512') throw new Malformed(`its hash is ${hash}; take sha256 or sha512`);
  const inner = new SshReader(reader.string('signature'));
  reader.end('signature');
  const algorithm = inner.name('signature algorithm');
  const signature = inner.string('signature');
  inner.end('signature');
  return { publicKey, namespace, hash, algorithm, signature };
}

/** Throws `ArtifactRefused` for whatever is not exactly one signature. */
export function parseSignature(bytes: Uint8Array): SshSignature {
  try {
    return readBlob(dearmor(bytes));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new ArtifactRefused(
      'signature',
      `manifest.json.sig is no SSH signature: ${error.message}; publish again with --sign-key`,
    );
  }
}

/** What is signed in place of the message (PROTOCOL.sshsig, section 3). */
export function signedBytes(namespace: string, hash: SshSignature['hash'], message: Uint8Array): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([Buffer.from(magic), ...[namespace, '', hash, digest].map(sshString)]);
}

/** The file that goes beside the signed one. */
export function writeSignature({ publicKey, namespace, hash, algorithm, signature }: SshSignature): Buffer {
  const inner = Buffer.concat([sshString(algorithm), sshString(signature)]);
  const fields = [publicKey, namespace, '', hash, inner].map(sshString);
  const blob = Buffer.concat([Buffer.from(magic), Buffer.from([0, 0, 0, version]), ...fields]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return Buffer.from(['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n'));
}

/** Two numbers (RFC 5656, section 3.1.2) as the fixed-width pair that Node takes. */
function curvePair(signature: Buffer, width: number): Buffer {
  const reader = new SshReader(signature);
  const pair = ['r', 's'].map((what) => {
    const number = reader.positive(what);
    if (number.length > width) throw new Malformed(`${what} is larger than the curve`);
    return Buffer.concat([Buffer.alloc(width - number.length), number]);
  });
  reader.end('signature');
  return Buffer.concat(pair);
}

/** The pair that Node makes, as SSH writes it. */
export function writeCurvePair(pair: Uint8Array): Buffer {
  const width = pair.length / 2;
  return Buffer.concat([sshPositive(pair.subarray(0, width)), sshPositive(pair.subarray(width))]);
}

/** By algorithm of the signature (RFC 8332): `ssh-rsa` is SHA-1 and has no place here. */
export const rsaHashes: ReadonlyMap<string, string> = new Map([
  ['rsa-sha2-256', 'sha256'],
  ['rsa-sha2-512', 'sha512'],
]);

function holds({ algorithm, signature }: SshSignature, { type, key }: PublicKey, data: Buffer): boolean {
  if (type === 'ssh-rsa') {
    const hash = rsaHashes.get(algorithm);
    if (hash === undefined)
      throw new Malformed(`it is made with ${algorithm}; sign with rsa-sha2-512, as ssh-keygen does`);
    return verify(hash, data, key, signature);
  }
  if (algorithm !== type) throw new Malformed(`it is made with ${algorithm} by a key of type ${type}`);
  const curve = curves.get(type);
  if (!curve) return verify(undefined, data, key, signature);
  return verify(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' }, curvePair(signature, curve.bytes));
}

/** Whether `key` made this signature over `message`. Throws `ArtifactRefused` for one that cannot be asked. */
export function signatureHolds(signature: SshSignature, key: PublicKey, message: Uint8Array): boolean {
  try {
    return holds(signature, key, signedBytes(signature.namespace, signature.hash, message));
  } catch (error) {
    const problem = error instanceof Malformed ? error.message : 'it is not one that its key can have made';
    throw new ArtifactRefused('signature', `manifest.json.sig cannot be checked: ${problem}; publish again`);
  }
}
