/** Signs an artifact's manifest as `ssh-keygen -Y sign -n headgate-artifact` would, with what Node brings. */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  artifactNamespace,
  curves,
  Malformed,
  publicKeyOf,
  signatureFile,
  signedBytes,
  writeCurvePair,
  writeSignature,
  type PublicKey,
} from '@headgate/runtime/artifact';
import { EnvironmentFault } from '../findings.ts';
import { encrypted, isOpensshKey, readOpensshKey } from './openssh-key.ts';

export interface SigningKey {
  /** `SHA256:…` of the public half. */
  readonly fingerprint: string;
  /** The public half as a line of `allowed_signers` ends: type and key. */
  readonly publicKey: string;
  /** The content of `manifest.json.sig`. */
  sign(message: Uint8Array): Uint8Array;
}

const hash = 'sha512';
const maxKeyBytes = 64 * 1024;

/** By type of the key: the name of the algorithm, and its signature in the form of SSH. */
function signer(type: string, key: KeyObject): { algorithm: string; over: (data: Buffer) => Buffer } {
  if (type === 'ssh-rsa') return { algorithm: 'rsa-sha2-512', over: (data) => sign('sha512', data, key) };
  if (type === 'ssh-ed25519') return { algorithm: type, over: (data) => sign(undefined, data, key) };
  const curveHash = curves.get(type)?.hash;
  return { algorithm: type, over: (data) => writeCurvePair(sign(curveHash, data, { key, dsaEncoding: 'ieee-p1363' })) };
}

/** Throws `Malformed`; no message holds anything of the key. */
function parseKey(text: string): KeyObject {
  if (isOpensshKey(text)) return readOpensshKey(text);
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) throw new Malformed(encrypted);
  if (/^(ssh|ecdsa)-|-----BEGIN PUBLIC KEY-----/.test(text))
    throw new Malformed('it is the public half; the private one is in the file without .pub');
  try {
    return createPrivateKey(text);
  } catch {
    throw new Malformed('it is neither an OpenSSH private key nor a PEM one');
  }
}

/** What the library says of numbers that do not fit together is kept away: it might show them. */
function keyPair(text: string): { key: KeyObject; half: PublicKey } {
  try {
    const key = parseKey(text.trimStart());
    return { key, half: publicKeyOf(key) };
  } catch (error) {
    throw error instanceof Malformed ? error : new Malformed('its numbers do not fit together');
  }
}

/** Throws `Malformed`. */
export function signingKey(text: string): SigningKey {
  const { key, half } = keyPair(text);
  const { type, blob, fingerprint } = half;
  const { algorithm, over } = signer(type, key);
  return {
    fingerprint,
    publicKey: `${type} ${blob.toString('base64')}`,
    sign: (message) =>
      writeSignature({
        publicKey: blob,
        namespace: artifactNamespace,
        hash,
        algorithm,
        signature: over(signedBytes(artifactNamespace, hash, message)),
      }),
  };
}

/** Throws `EnvironmentFault` that names the file. */
export function readSigningKey(file: string): SigningKey {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new EnvironmentFault(`the signing key ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    if (text.length > maxKeyBytes) throw new Malformed('it is too large to be a key');
    return signingKey(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new EnvironmentFault(`the signing key ${file} cannot be used: ${error.message}`);
  }
}

/** The files, and with a key the signature of the manifest among them. */
export function signArtifact(
  files: ReadonlyMap<string, Uint8Array>,
  key: SigningKey | undefined,
): ReadonlyMap<string, Uint8Array> {
  const manifest = files.get('manifest.json');
  return key && manifest ? new Map([...files, [signatureFile, key.sign(manifest)]]) : files;
}
