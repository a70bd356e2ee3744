/** Artifacts as a stranger might write them: any bytes, under a manifest that fits them. */
import { createHash } from 'node:crypto';
import { artifactFormat } from '../../runtime/artifact.ts';
import { snapshotFormat } from '../../runtime/snapshot.ts';
import type { RawArtifact } from '../../runtime/sync/source.ts';

export interface Written {
  /** `snapshot.json` as it is written. */
  readonly snapshot: string | Uint8Array;
  /** Further files that the manifest names. */
  readonly named?: Readonly<Record<string, string>>;
  /** Further files that it does not. */
  readonly unnamed?: Readonly<Record<string, string>>;
  /** Changes the text of the manifest. */
  readonly manifest?: (text: string) => string | Uint8Array;
  readonly seq?: number;
}

export function rawArtifact({ snapshot, named = {}, unnamed = {}, manifest, seq = 0 }: Written): RawArtifact {
  const listed = { 'snapshot.json': snapshot, ...named };
  const files = Object.entries(listed).map(([path, content]) => {
    const bytes = Buffer.from(content);
    return { path, sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.byteLength };
  });
  const requires = { snapshot: snapshotFormat };
  const text = JSON.stringify({
    format: artifactFormat,
    audience: 'test',
    seq,
    ...(seq > 0 ? { source: { commit: 'c'.repeat(40), author: 'Ada', subject: 'A change' } } : {}),
    compiler: 'headgate/0.1.0',
    requires,
    files,
  });
  const contents = { 'manifest.json': manifest?.(text) ?? text, ...listed, ...unnamed };
  return {
    commit: 'a'.repeat(40),
    files: new Map(Object.entries(contents).map(([name, content]) => [name, new Uint8Array(Buffer.from(content))])),
  };
}
