/** The question asked of a manifest: did somebody who may, sign exactly these bytes as an artifact? */
import { ArtifactRefused } from '../artifact-refused.ts';
import { objection, parseAllowedSigners } from './allowed-signers.ts';
import { fingerprintOf } from './public-key.ts';
import { artifactNamespace, parseSignature, signatureHolds } from './sshsig.ts';

/** Who signed. */
export interface Signer {
  readonly principal: string;
  /** `SHA256:…` of the key. */
  readonly fingerprint: string;
}

export interface SignatureCheck {
  /** Raw bytes, as published. */
  readonly message: Uint8Array;
  readonly signature: Uint8Array | undefined;
  /** Text of an `allowed_signers` file. */
  readonly signers: string;
  /** When keys must be valid, in Unix milliseconds; `any`: their dates are not asked. */
  readonly now: number | 'any';
}

/** Throws `ArtifactRefused`. The key is looked up before any arithmetic is done with it: a stranger's never is. */
export function verifySignature({ message, signature, signers, now }: SignatureCheck): Signer {
  const refuse = (detail: string) => new ArtifactRefused('signature', detail);
  const allowed = parseAllowedSigners(signers);
  if (!signature) throw refuse('the artifact is not signed, and this gateway has --signers: publish with --sign-key');
  const parsed = parseSignature(signature);
  if (parsed.namespace !== artifactNamespace)
    throw refuse(
      `the artifact is signed for namespace '${parsed.namespace}', not '${artifactNamespace}': publish with --sign-key, or \`ssh-keygen -Y sign -n ${artifactNamespace}\``,
    );
  const fingerprint = fingerprintOf(parsed.publicKey);
  const lines = allowed.filter(({ key }) => key.blob.equals(parsed.publicKey));
  if (lines.length === 0)
    throw refuse(
      `the artifact is signed with key ${fingerprint}, which the signers file does not list: publish with a key that it lists, or list this one and publish again`,
    );
  const objections = lines.map((line) => objection(line, artifactNamespace, now));
  const line = lines[objections.indexOf(undefined)];
  if (!line) throw refuse(`the artifact is signed with key ${fingerprint}, which ${objections[0]}`);
  if (!signatureHolds(parsed, line.key, message))
    throw refuse(
      `manifest.json is not what ${line.principal} signed with key ${fingerprint}: it was changed afterwards; publish again`,
    );
  return { principal: line.principal, fingerprint };
}
