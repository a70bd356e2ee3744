/** Turns one commit of an opened object store into the flat list of files an artifact may hold. */
import type { FsClient, TreeEntry } from 'isomorphic-git';
import { SourceError, type RawArtifact } from './source.ts';

export interface ObjectStore {
  readonly fs: FsClient;
  readonly gitdir: string;
}

export interface ArtifactLimits {
  readonly maxFileBytes: number;
  readonly maxFiles: number;
}

/** How far a gateway with nothing to serve looks back. */
export const mostAncestors = 3;

/** Where a branch on this machine stands is found without it. */
const loadGit = () => import('isomorphic-git');

const plainFile = /^100(644|755)$/;
// Letters that mean the same on every file system; a leading dot or dash has meanings of its own somewhere.
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export async function readArtifact(store: ObjectStore, commit: string, limits: ArtifactLimits): Promise<RawArtifact> {
  const where = { ...store, cache: {} };
  const { readBlob, readCommit, readTree } = await loadGit();
  const found = await readCommit({ ...where, oid: commit });
  // The library follows a tag object to its commit; what was listed must itself be the commit.
  if (found.oid !== commit) {
    throw new SourceError('GIT_BAD_OID', `${commit} is not a commit; point the branch at a published artifact.`);
  }
  const { tree } = await readTree({ ...where, oid: found.commit.tree });
  checkEntries(tree, limits);
  const files = new Map<string, Uint8Array>();
  for (const entry of tree) {
    const { blob } = await readBlob({ ...where, oid: entry.oid });
    if (blob.length > limits.maxFileBytes) {
      throw new SourceError(
        'ARTIFACT_LIMIT',
        `${entry.path} in the artifact holds ${blob.length} bytes, more than ${limits.maxFileBytes}; split it or publish less.`,
      );
    }
    // The library's buffers share pooled memory, which cannot be handed to another thread.
    files.set(entry.path, new Uint8Array(blob));
  }
  return { commit, files };
}

/** The artifacts before `commit` along its first parents; those that are no artifacts are left out. */
export async function readAncestors(
  store: ObjectStore,
  commit: string,
  limits: ArtifactLimits,
): Promise<readonly RawArtifact[]> {
  const found: RawArtifact[] = [];
  const { readCommit } = await loadGit();
  let at = commit;
  for (let left = mostAncestors; left > 0; left -= 1) {
    // A shallow copy ends somewhere, and so does every history.
    const parent = await readCommit({ ...store, oid: at }).then(
      ({ commit: { parent: parents } }) => parents[0],
      () => undefined,
    );
    if (parent === undefined) break;
    at = parent;
    const artifact = await readArtifact(store, at, limits).catch(() => undefined);
    if (artifact) found.push(artifact);
  }
  return found;
}

function checkEntries(tree: readonly TreeEntry[], limits: ArtifactLimits): void {
  if (tree.length > limits.maxFiles) {
    throw new SourceError(
      'ARTIFACT_LIMIT',
      `The artifact holds ${tree.length} files, more than ${limits.maxFiles}; follow a branch that holds only the compiled artifact.`,
    );
  }
  const seen = new Map<string, string>();
  for (const { path, mode } of tree) {
    if (!plainName.test(path)) {
      throw new SourceError(
        'ARTIFACT_MODE',
        `The artifact has a file with an unusable name, ${JSON.stringify(path)}; rename it.`,
      );
    }
    if (!plainFile.test(mode)) {
      throw new SourceError(
        'ARTIFACT_MODE',
        `${path} in the artifact is ${describe(mode)}; publish plain files at the top level only.`,
      );
    }
    const twin = seen.get(path.toLowerCase());
    if (twin !== undefined) {
      throw new SourceError(
        'ARTIFACT_MODE',
        `${twin} and ${path} in the artifact differ only in case; rename one of them.`,
      );
    }
    seen.set(path.toLowerCase(), path);
  }
}

function describe(mode: string): string {
  if (mode === '120000') return 'a symbolic link';
  if (mode === '160000') return 'a submodule';
  if (mode === '040000') return 'a directory';
  return `not a plain file (mode ${mode})`;
}
