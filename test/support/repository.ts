/** Temporary git repositories made with the real git, untouched by the configuration of whoever runs the tests. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** The same commits have the same ids in every run and on every machine. */
export const gitEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Headgate Test',
  GIT_AUTHOR_EMAIL: 'test@headgate.invalid',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'Headgate Test',
  GIT_COMMITTER_EMAIL: 'test@headgate.invalid',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
};

/** Runs git and answers what it printed, trimmed; a failure carries what git said. */
export async function runGit(
  directory: string,
  words: readonly string[],
  input?: string | Uint8Array,
): Promise<string> {
  const child = spawn('git', words, { cwd: directory, env: gitEnvironment, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const printed: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`git ${words.join(' ')} failed: ${Buffer.concat(complaints).toString()}`);
  return Buffer.concat(printed).toString().trim();
}

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'headgate-test-'));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

export async function initRepository(directory: string, options: { bare?: boolean } = {}): Promise<void> {
  await mkdir(directory, { recursive: true });
  await runGit(directory, ['init', '-q', '-b', 'main', ...(options.bare === true ? ['--bare'] : [])]);
}

/** Writes `files` into the checkout and commits everything that stands there. */
export async function commitFiles(directory: string, files: Files, message = 'change'): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  await runGit(directory, ['add', '-A']);
  await runGit(directory, ['commit', '-q', '--allow-empty', '-m', message]);
  return runGit(directory, ['rev-parse', 'HEAD']);
}

export async function createBranch(directory: string, name: string, start = 'HEAD'): Promise<void> {
  await runGit(directory, ['checkout', '-q', '-B', name, start]);
}

export async function revertCommit(directory: string, commit = 'HEAD'): Promise<string> {
  await runGit(directory, ['revert', '--no-edit', commit]);
  return runGit(directory, ['rev-parse', 'HEAD']);
}

export interface PushOptions {
  readonly url: string;
  /** `main`, or `local:remote`. */
  readonly refspec: string;
  readonly force?: boolean;
}

export async function push(directory: string, { url, refspec, force = false }: PushOptions): Promise<void> {
  await runGit(directory, ['push', '-q', ...(force ? ['--force'] : []), url, refspec]);
}

/** One line of a tree: a mode, the content it stores (or the object it names), and a name. */
export interface TreeLine {
  readonly mode: '100644' | '100755' | '120000' | '160000' | '040000';
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly object?: string;
}

const kinds: Readonly<Record<TreeLine['mode'], string>> = {
  '100644': 'blob',
  '100755': 'blob',
  '120000': 'blob',
  '160000': 'commit',
  '040000': 'tree',
};

export async function writeTree(directory: string, lines: readonly TreeLine[]): Promise<string> {
  const entries: string[] = [];
  for (const { mode, name, content, object } of lines) {
    const id = object ?? (await runGit(directory, ['hash-object', '-w', '--stdin'], content ?? ''));
    entries.push(`${mode} ${kinds[mode]} ${id}\t${name}\0`);
  }
  return runGit(directory, ['mktree', '-z', '--missing'], entries.join(''));
}

export interface CommitOptions {
  readonly branch: string;
  readonly tree: string;
  readonly parents?: readonly string[];
  readonly message?: string;
}

/** Commits a tree without a checkout and points the branch at it, whatever stood there before. */
export async function commitTree(directory: string, options: CommitOptions): Promise<string> {
  const parents = (options.parents ?? []).flatMap((parent) => ['-p', parent]);
  const commit = await runGit(directory, ['commit-tree', options.tree, ...parents], options.message ?? 'publish');
  await runGit(directory, ['update-ref', `refs/heads/${options.branch}`, commit]);
  return commit;
}

/** Publishes `files` as a parentless commit on `branch`; works in bare repositories too. */
export async function publishFiles(directory: string, branch: string, files: Files): Promise<string> {
  const lines = Object.entries(files).map(([name, content]) => ({ mode: '100644' as const, name, content }));
  return commitTree(directory, { branch, tree: await writeTree(directory, lines) });
}
