/** Keys made for a test, the lines that allow them, and artifacts signed with them. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { signArtifact, signingKey, type SigningKey } from '../../config-sdk/signing/sign.ts';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { artifactFiles } from './gateway.ts';

export const makers = {
  'ssh-ed25519': () => generateKeyPairSync('ed25519').privateKey,
  'ecdsa-sha2-nistp256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'ecdsa-sha2-nistp384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'ecdsa-sha2-nistp521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  'ssh-rsa': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
} satisfies Record<string, () => KeyObject>;

export const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

export function newKey(type: keyof typeof makers = 'ssh-ed25519'): SigningKey {
  return signingKey(pem(makers[type]()));
}

/** A line of `allowed_signers`. */
export function allows(key: SigningKey, options = '', principal = 'ci@example.com'): string {
  return [principal, options, key.publicKey].filter((part) => part !== '').join(' ') + '\n';
}

/** The files of an artifact as `publish --sign-key` writes them. */
export function signedFiles(
  snapshot: SnapshotInput,
  source: { readonly seq: number; readonly commit: string },
  key: SigningKey | undefined,
): Map<string, Uint8Array> {
  return new Map(signArtifact(artifactFiles(snapshot, source), key));
}
