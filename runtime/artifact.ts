/** The published artifact: what its manifest says, and the proof that the files are the ones it names. */
import { createHash } from 'node:crypto';
import { ArtifactRefused, maxSnapshotBytes } from './artifact-refused.ts';
import { artifactFormat, flawsOf, type Manifest } from './manifest.ts';
import { inWords, shortened } from './shape.ts';
import { verifySignature, type Signer } from './signature/verify.ts';
import { snapshotFormat } from './snapshot-format.ts';
import { parseStrictJson, StrictJsonError } from './strict-json.ts';
import type { JsonMemory } from './strict-json-memory.ts';
import type { RawArtifact } from './sync/source.ts';

export { artifactFormat, manifestFrom, type Manifest } from './manifest.ts';
export { ArtifactRefused, maxArtifactBytes, maxSnapshotBytes } from './artifact-refused.ts';
/** For whoever signs. */
export { curves, publicKeyOf, type Curve, type PublicKey } from './signature/public-key.ts';
export { artifactNamespace, signedBytes, writeCurvePair, writeSignature } from './signature/sshsig.ts';
export { Malformed, SshReader } from './signature/wire.ts';

export const signatureFile = 'manifest.json.sig';
/** Of 16 files at most, with the author's words: what is larger was not written by `publish`. */
const maxManifestBytes = 64 * 1024;

/** An artifact whose files are proved to be those its manifest names. */
export interface Artifact {
  /** The artifact commit, or the digest where there is no commit. */
  readonly commit: string;
  readonly manifest: Manifest;
  /** Raw bytes of `snapshot.json`. */
  readonly snapshot: Uint8Array;
  /** `sha256:` of `snapshot.json`. */
  readonly digest: string;
  /** Who vouches for it; undefined where signatures are not demanded. */
  readonly signer: Signer | undefined;
  /** Every file as published, for keeping. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** JSON with one meaning or none. Throws `ArtifactRefused`. */
export function parseJsonBytes(bytes: Uint8Array, name: string, memory?: JsonMemory): unknown {
  try {
    return parseStrictJson(bytes, { maxBytes: maxSnapshotBytes }, memory);
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new ArtifactRefused('schema', `${name} is not JSON that is taken here: ${error.message}`);
  }
}

/** What an artifact must prove besides being whole. Plain data, so that it can be asked in another thread. */
export interface Demands {
  /** Text of an `allowed_signers` file; undefined: signatures are not looked at. */
  readonly signers?: string | undefined;
  /** When keys must be valid, in Unix milliseconds; `any` for what was accepted in its time. */
  readonly now: number | 'any';
  /** Undefined: whatever comes first decides. */
  readonly audience?: string | undefined;
  /** The sequence number must be above this one; undefined: it is not asked. */
  readonly highestSeq?: number | undefined;
  /** It is the commit that was accepted last, whose number may be the highest itself. */
  readonly again?: boolean | undefined;
}

/** Says which runtime is needed, for what another version wrote. */
function tooNew(problem: string, written: unknown): ArtifactRefused {
  const version = typeof written === 'string' ? /^headgate\/(\d+\.\d+\.\d+(-[\w.]+)?)$/.exec(written)?.[1] : undefined;
  const needed = version === undefined ? 'of the version that wrote it' : `${version} or newer, which wrote it`;
  return new ArtifactRefused('schema', `manifest.json ${problem}: it needs a runtime ${needed}`);
}

function readManifest(bytes: Uint8Array, audience: string | undefined): Manifest {
  const value = parseJsonBytes(bytes, 'manifest.json');
  const told: Partial<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  if (audience !== undefined && typeof told['audience'] === 'string' && told['audience'] !== audience)
    throw new ArtifactRefused(
      'invalid',
      `the artifact is for audience '${told['audience'].slice(0, 64)}', and this gateway serves '${audience}': publish it elsewhere, or start with another --audience`,
    );
  if (typeof told['format'] === 'string' && told['format'] !== artifactFormat)
    throw tooNew(`has format '${told['format'].slice(0, 64)}', not ${artifactFormat}`, told['compiler']);
  const flaws = flawsOf(value);
  if (flaws.length > 0) {
    const words = inWords(flaws);
    throw flaws.some(({ isUnknown }) => isUnknown)
      ? tooNew(`has fields that this runtime does not know (${words})`, told['compiler'])
      : new ArtifactRefused('schema', `manifest.json: ${words}`);
  }
  // Each of its fields was looked at.
  const manifest = value as Manifest;
  const { requires, compiler } = manifest;
  if (requires.snapshot !== snapshotFormat)
    throw tooNew(`requires snapshot format '${requires.snapshot.slice(0, 64)}', not ${snapshotFormat}`, compiler);
  return manifest;
}

function checkOrder(seq: number, { highestSeq, again = false, signers }: Demands): void {
  if (highestSeq === undefined) return;
  // 0 is what was built and not published. It has no place in the order, so a signed one could be replayed for ever.
  if (seq === 0 && (highestSeq > 0 || signers !== undefined))
    throw new ArtifactRefused('rewind', 'sequence 0 is an artifact that was built and never published: publish it');
  if (seq > 0 && (again ? seq < highestSeq : seq <= highestSeq))
    throw new ArtifactRefused(
      'rewind',
      `sequence ${seq} is not above ${highestSeq}, the highest seen: the branch was rewound or replayed`,
    );
}

function checkFiles({ files }: RawArtifact, manifest: Manifest): Uint8Array {
  const named = new Set(['manifest.json', signatureFile, ...manifest.files.map(({ path }) => path)]);
  const extra = [...files.keys()].filter((path) => !named.has(path));
  if (extra.length > 0)
    throw new ArtifactRefused(
      'invalid',
      `the artifact holds ${shortened(extra.join(', '))}, which its manifest does not name`,
    );
  for (const { path, sha256: expected, size } of manifest.files) {
    const bytes = files.get(path);
    if (!bytes) throw new ArtifactRefused('invalid', `${path} is named in the manifest and missing`);
    if (bytes.byteLength !== size || sha256(bytes) !== expected)
      throw new ArtifactRefused('invalid', `${path} is not the file that the manifest names`);
  }
  const snapshot = files.get('snapshot.json');
  if (!snapshot || !named.has('snapshot.json'))
    throw new ArtifactRefused('schema', 'the artifact has no snapshot.json');
  return snapshot;
}

/**
 * Checks an artifact, cheap questions first: sizes, the signature over the manifest's raw bytes, what the manifest says, for
 * whom, in which format, in which order, and each file against it. Throws `ArtifactRefused`.
 */
export function openArtifact(raw: RawArtifact, demands: Demands = { now: 'any' }): Artifact {
  const message = raw.files.get('manifest.json');
  if (!message) throw new ArtifactRefused('schema', 'the artifact has no manifest.json');
  const sizes = { 'manifest.json': maxManifestBytes, 'snapshot.json': maxSnapshotBytes };
  for (const [name, most] of Object.entries(sizes)) {
    const size = raw.files.get(name)?.byteLength ?? 0;
    if (size > most) throw new ArtifactRefused('invalid', `${name} has ${size} bytes; ${most} are allowed`);
  }
  const { signers, now, audience } = demands;
  const signature = raw.files.get(signatureFile);
  const signer = signers === undefined ? undefined : verifySignature({ message, signature, signers, now });
  const manifest = readManifest(message, audience);
  checkOrder(manifest.seq, demands);
  const snapshot = checkFiles(raw, manifest);
  return { commit: raw.commit, manifest, snapshot, digest: `sha256:${sha256(snapshot)}`, signer, files: raw.files };
}
