/** The published artifact: what its manifest says, and the proof that the files are the ones it names. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseStrictJson, StrictJsonError } from './strict-json.ts';
import type { RawArtifact } from './sync/source.ts';

export const artifactFormat = 'headgate/artifact.v1';
/** Larger snapshots are refused before they are read. */
export const maxSnapshotBytes = 8 * 1024 * 1024;
const maxManifestBytes = 64 * 1024;
/** All files together: a snapshot, its manifest and a signature, with room to spare. */
export const maxArtifactBytes = maxSnapshotBytes + 1024 * 1024;

const oid = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);

export const manifestSchema = z.strictObject({
  format: z.literal(artifactFormat),
  /** Whose artifact it is: the `name` given to `defineGateway`. */
  audience: z.string().min(1).max(64),
  /** Grows by one with every publication to a branch; 0 for an artifact that was only built. */
  seq: z.int().min(0),
  /** The commit that was compiled; absent in an artifact that was only built. */
  source: z
    .strictObject({
      commit: oid,
      author: z.string().max(200),
      subject: z.string().max(500),
    })
    .optional(),
  compiler: z.string().regex(/^headgate\/\d+\.\d+\.\d+(-[\w.]+)?$/),
  requires: z.strictObject({
    /** The snapshot format the runtime must understand. */
    snapshot: z.string(),
  }),
  files: z
    .array(
      z.strictObject({
        path: z
          .string()
          .regex(/^[a-z0-9][a-z0-9.-]*\.(json|txt|md)$/, 'an artifact holds data only: .json, .txt or .md'),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        size: z.int().min(0),
      }),
    )
    .min(1)
    .max(16),
});

export type Manifest = z.output<typeof manifestSchema>;

/** An artifact whose files are proved to be those its manifest names. */
export interface Artifact {
  /** The artifact commit, or the digest where there is no commit. */
  readonly commit: string;
  readonly manifest: Manifest;
  /** Raw bytes of `snapshot.json`. */
  readonly snapshot: Uint8Array;
  /** `sha256:` of `snapshot.json`. */
  readonly digest: string;
  /** Every file as published, for keeping. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Why an artifact is refused. `reason` is one of the words that `held` may show. */
export class ArtifactRefused extends Error {
  readonly reason: 'signature' | 'rewind' | 'schema' | 'invalid' | 'shrink';

  constructor(reason: ArtifactRefused['reason'], message: string) {
    super(message);
    this.name = 'ArtifactRefused';
    this.reason = reason;
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function parseFile(bytes: Uint8Array, name: string, maxBytes: number): unknown {
  try {
    return parseStrictJson(bytes, { maxBytes });
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new ArtifactRefused('schema', `${name} is not JSON that is taken here: ${error.message}`);
  }
}

/** The snapshot as data, before its schema is asked. Throws `ArtifactRefused`. */
export const parseSnapshotBytes = (bytes: Uint8Array): unknown => parseFile(bytes, 'snapshot.json', maxSnapshotBytes);

const shortened = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

export function issuesInWords(error: z.ZodError, most = 10): string {
  const lines = error.issues
    .slice(0, most)
    .map((issue) => shortened(`${issue.path.join('.') || '(top)'}: ${issue.message}`));
  const more = error.issues.length - lines.length;
  return lines.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** What the operator demands of an artifact. Plain data: it crosses a thread border. */
export interface OpenOptions {}

/** Checks the manifest and each file against it. Cheap questions first; throws `ArtifactRefused`. */
export function openArtifact(raw: RawArtifact, _options: OpenOptions = {}): Artifact {
  const manifestBytes = raw.files.get('manifest.json');
  if (!manifestBytes) throw new ArtifactRefused('schema', 'the artifact has no manifest.json');
  const parsed = manifestSchema.safeParse(parseFile(manifestBytes, 'manifest.json', maxManifestBytes));
  if (!parsed.success) throw new ArtifactRefused('schema', `manifest.json: ${issuesInWords(parsed.error)}`);
  const manifest = parsed.data;

  const named = new Set(['manifest.json', 'manifest.json.sig', ...manifest.files.map(({ path }) => path)]);
  const extra = [...raw.files.keys()].filter((path) => !named.has(path));
  if (extra.length > 0)
    throw new ArtifactRefused(
      'invalid',
      `the artifact holds ${shortened(extra.join(', '))}, which its manifest does not name`,
    );
  for (const { path, sha256: expected, size } of manifest.files) {
    const bytes = raw.files.get(path);
    if (!bytes) throw new ArtifactRefused('invalid', `${path} is named in the manifest and missing`);
    if (bytes.byteLength !== size || sha256(bytes) !== expected)
      throw new ArtifactRefused('invalid', `${path} is not the file that the manifest names`);
  }
  const snapshot = raw.files.get('snapshot.json');
  if (!snapshot || !named.has('snapshot.json'))
    throw new ArtifactRefused('schema', 'the artifact has no snapshot.json');
  if (snapshot.byteLength > maxSnapshotBytes)
    throw new ArtifactRefused(
      'invalid',
      `snapshot.json has ${snapshot.byteLength} bytes; ${maxSnapshotBytes} are allowed`,
    );
  return { commit: raw.commit, manifest, snapshot, digest: `sha256:${sha256(snapshot)}`, files: raw.files };
}
