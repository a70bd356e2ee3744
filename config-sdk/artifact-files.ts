/** The files of an artifact: exact bytes that depend on nothing but the configuration and what is passed in. */
import { createHash } from 'node:crypto';
import { artifactFormat, manifestFrom, type Manifest } from '@headgate/runtime/artifact';
import { canonicalJson, canonicalObject } from '@headgate/runtime/canonical-json';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import { writtenJson } from './compile/written-json.ts';
import { version } from './own-packages.ts';

export interface Publication {
  /** 0 for what is only built. */
  readonly seq: number;
  readonly source?: NonNullable<Manifest['source']>;
}

export interface ArtifactFiles {
  /** `manifest.json` and `snapshot.json`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** `sha256:` of `snapshot.json`. */
  readonly digest: string;
}

const encoder = new TextEncoder();
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const writtenCollections = new WeakMap<object, string>();

/** Of a collection, which may be that of the snapshot before, or else has most members of it. */
function collectionJson(value: unknown): string {
  if (!isObject(value)) return canonicalJson(value);
  const text = writtenCollections.get(value) ?? canonicalObject(value, writtenJson);
  writtenCollections.set(value, text);
  return text;
}

/** Canonical JSON throughout, without a newline at the end: the digest is that of the value. */
export function artifactFiles(snapshot: SnapshotInput, { seq, source }: Publication): ArtifactFiles {
  const body = encoder.encode(canonicalObject(snapshot, collectionJson));
  const sha256 = createHash('sha256').update(body).digest('hex');
  const manifest: Manifest = manifestFrom({
    format: artifactFormat,
    audience: snapshot.name,
    seq,
    ...(source && { source }),
    compiler: `headgate/${version}`,
    requires: { snapshot: snapshot.format },
    files: [{ path: 'snapshot.json', sha256, size: body.byteLength }],
  });
  const files = new Map([
    ['manifest.json', encoder.encode(canonicalJson(manifest))],
    ['snapshot.json', body],
  ]);
  return { files, digest: `sha256:${sha256}` };
}
