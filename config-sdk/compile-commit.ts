/** Compiles what a commit holds, whatever the working tree looks like: the commit's files are written aside and checked there. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactFiles, type ArtifactFiles } from './artifact-files.ts';
import { check, type CheckResult } from './check.ts';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import { commitWords, treeOf, writeTree } from './git.ts';
import { scratchDirectory } from './scratch-directory.ts';

export interface CompileCommitOptions {
  /** Top directory of the checkout. */
  readonly repository: string;
  /** Full id. */
  readonly commit: string;
  /** Where trees are kept; must lie inside the repository so that its `node_modules` is found. Default `.headgate/trees`. */
  readonly cacheDir?: string;
  /** Sequence number in the manifest. Default 0. */
  readonly seq?: number;
  /** See `TypecheckOptions`: for a process that compiles one commit after another. */
  readonly buildInfo?: string;
}

export interface CompiledCommit extends Pick<CheckResult, 'findings' | 'redact' | 'safeguards'> {
  /** Where the commit's files stand, for showing code. */
  readonly directory: string;
  /** `manifest.json` and `snapshot.json`; absent when a finding is an error. */
  readonly artifactFiles?: ArtifactFiles['files'];
  readonly digest?: string;
  readonly snapshot?: SnapshotInput;
}

const kept = 2;
/** Another process may be reading a tree it has only just been given. */
const inUseMs = 10 * 60_000;

async function removeOldTrees(cache: string, current: string): Promise<void> {
  const names = (await readdir(cache)).filter((name) => name !== current);
  const dated = await Promise.all(
    names.map(async (name) => ({
      name,
      at: await stat(join(cache, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(kept - 1);
  for (const { name, at } of old) {
    if (name.includes('.') && Date.now() - at < inUseMs) continue;
    await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** The directory with the files of `tree`; written to one side first, so that it is whole as soon as it exists. */
async function materialise(repository: string, tree: string, cache: string): Promise<string> {
  const directory = join(cache, tree);
  if (!existsSync(directory)) {
    const aside = `${directory}.${randomBytes(6).toString('hex')}`;
    const index = `${aside}.index`;
    try {
      await mkdir(aside, { recursive: true });
      await writeTree(repository, tree, { directory: aside, index });
      await rename(aside, directory).catch((error: unknown) => {
        // Somebody else wrote the same tree meanwhile.
        if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      });
    } finally {
      await rm(aside, { recursive: true, force: true });
      await rm(index, { force: true });
    }
  }
  const now = new Date();
  await utimes(directory, now, now);
  await removeOldTrees(cache, tree);
  return directory;
}

export async function compileCommit({
  repository,
  commit,
  cacheDir,
  seq = 0,
  buildInfo,
}: CompileCommitOptions): Promise<CompiledCommit> {
  const cache = cacheDir ?? join(await scratchDirectory(repository), 'trees');
  await mkdir(cache, { recursive: true });
  const directory = await materialise(repository, await treeOf(repository, commit), cache);
  const { findings, snapshot, redact, safeguards } = await check(directory, { buildInfo });
  if (!snapshot) return { directory, findings, redact };
  const source = { commit, ...(await commitWords(repository, commit)) };
  const { files, digest } = artifactFiles(snapshot, { seq, source });
  return { directory, findings, redact, artifactFiles: files, digest, snapshot, ...(safeguards && { safeguards }) };
}
