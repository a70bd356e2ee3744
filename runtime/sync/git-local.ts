/** Reads a branch of a repository on this machine, a checkout or a bare one, without ever writing to it. */
import * as files from 'node:fs/promises';
import { join } from 'node:path';
import { explainFailure } from './git-failure.ts';
import type { GitLimits } from './git-source.ts';
import { readAncestors, readArtifact, type ObjectStore } from './git-tree.ts';
import { SourceError, type RevisionSource } from './source.ts';

export interface LocalOptions {
  readonly directory: string;
  readonly ref: string;
  readonly limits: GitLimits;
}

const objectId = /^(?!0{40})[0-9a-f]{40}$/;
const maxControlFileBytes = 32 * 1024 * 1024;

export function openLocal({ directory, ref, limits }: LocalOptions): RevisionSource {
  async function withStore<Result>(ask: (store: ObjectStore) => Promise<Result>): Promise<Result> {
    try {
      // Looked up each time: people move and re-create checkouts under a running process.
      return await ask({ fs: { promises: readOnlyFiles }, gitdir: await findRepository(directory) });
    } catch (error) {
      throw explainFailure(error, undefined);
    }
  }
  return {
    tip: () => withStore((store) => readRef(store.gitdir, ref)),
    fetch: (commit) => withStore((store) => readArtifact(store, commit, limits)),
    before: (commit) => withStore((store) => readAncestors(store, commit, limits)),
    close: async () => {},
  };
}

async function findRepository(directory: string): Promise<string> {
  const nested = join(directory, '.git');
  const kind = await kindOf(nested);
  if (kind === 'file') {
    throw new SourceError('GIT_URL', `${directory} is a linked worktree or submodule; give the main checkout instead.`);
  }
  const gitdir = kind === 'directory' ? nested : directory;
  if ((await kindOf(join(gitdir, 'HEAD'))) !== 'file' || (await kindOf(join(gitdir, 'objects'))) !== 'directory') {
    throw new SourceError(
      'GIT_NOT_FOUND',
      `${directory} is no git repository; give the folder that holds .git, or a bare one.`,
    );
  }
  await refuseUnreadable(directory, gitdir);
  return gitdir;
}

/** Layouts the library would misread as empty or incomplete. */
async function refuseUnreadable(directory: string, gitdir: string): Promise<void> {
  if ((await readControlFile(join(gitdir, 'commondir'))) !== undefined) {
    throw new SourceError('GIT_URL', `${directory} is a linked worktree; give the main checkout instead.`);
  }
  const alternates = await readControlFile(join(gitdir, 'objects', 'info', 'alternates'));
  if (alternates !== undefined && alternates.trim() !== '') {
    throw new SourceError(
      'GIT_URL',
      `${directory} borrows objects from another repository; run git repack -a -d and remove objects/info/alternates.`,
    );
  }
  const config = (await readControlFile(join(gitdir, 'config'))) ?? '';
  if (/^\s*objectformat\s*=\s*"?sha256/im.test(config)) {
    throw new SourceError('GIT_URL', `${directory} names its objects with SHA-256; publish to a SHA-1 repository.`);
  }
  if (/^\s*refstorage\s*=\s*"?reftable/im.test(config)) {
    throw new SourceError(
      'GIT_URL',
      `${directory} keeps its refs in a reftable; run git refs migrate --ref-format=files.`,
    );
  }
}

/** Read by hand: the library would also try tags and other namespaces under the same name. */
async function readRef(gitdir: string, ref: string): Promise<string | undefined> {
  // The loose file goes first and packed-refs after it, as git writes them in the other order.
  const loose = await readControlFile(join(gitdir, ref));
  if (loose !== undefined) return checkObjectId(loose.trim(), ref);
  const packed = (await readControlFile(join(gitdir, 'packed-refs'))) ?? '';
  for (const line of packed.split('\n')) {
    if (line.startsWith('#') || line.slice(41).trimEnd() !== ref) continue;
    return checkObjectId(line.slice(0, 40), ref);
  }
  return undefined;
}

function checkObjectId(candidate: string, ref: string): string {
  if (objectId.test(candidate)) return candidate;
  throw new SourceError('GIT_BAD_OID', `${ref} holds no commit id; make it a plain branch.`);
}

async function kindOf(path: string): Promise<'file' | 'directory' | 'other' | undefined> {
  try {
    const status = await files.stat(path);
    if (status.isDirectory()) return 'directory';
    return status.isFile() ? 'file' : 'other';
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
}

async function readControlFile(path: string): Promise<string | undefined> {
  const status = await files.stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  });
  if (status === undefined || status.isDirectory()) return undefined;
  // Opening a pipe would block a thread that nothing can end.
  if (!status.isFile() || status.size > maxControlFileBytes) {
    throw new SourceError('GIT_CORRUPT', `${path} is not a plain git file; repair the repository.`);
  }
  try {
    return await files.readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function unreadable(path: string, cause: unknown): SourceError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  return new SourceError('GIT_AUTH', `${path} cannot be read (${code}); give this process read access.`, { cause });
}

async function refuseWrite(path?: string): Promise<never> {
  throw Object.assign(new Error(`read only: ${path ?? ''}`), { code: 'EROFS' });
}

const readOnlyFiles = {
  readFile: files.readFile,
  readdir: files.readdir,
  stat: files.stat,
  lstat: files.lstat,
  readlink: files.readlink,
  writeFile: refuseWrite,
  mkdir: refuseWrite,
  rmdir: refuseWrite,
  unlink: refuseWrite,
  symlink: refuseWrite,
  rm: refuseWrite,
};
