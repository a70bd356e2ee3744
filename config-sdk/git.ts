/** The one file that runs git: plumbing only, nothing of the user's hooks, never a question at a prompt. */
import { spawn } from 'node:child_process';
import { inherited } from './cli/environment.ts';
import { EnvironmentFault } from './findings.ts';

const settings = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.autocrlf', 'false'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
  ['push.followTags', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['advice.detachedHead', 'false'],
].flatMap(([key, value]) => ['-c', `${key}=${value}`]);

const always = { LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_NO_REPLACE_OBJECTS: '1' };

/** Set inside hooks and `git rebase --exec`: they would turn every command to another repository. */
const misleading = ['DIR', 'WORK_TREE', 'INDEX_FILE', 'PREFIX', 'OBJECT_DIRECTORY', 'NAMESPACE', 'COMMON_DIR'].map(
  (name) => `GIT_${name}`,
);

export interface GitOptions {
  readonly input?: Uint8Array | string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface GitOutcome {
  readonly code: number;
  readonly output: Buffer;
  readonly errors: string;
}

/** Remote addresses may carry a password. */
const withoutPasswords = (text: string): string => text.replaceAll(/\/\/[^/@\s]+@/g, '//***@');

export function attempt(
  repository: string,
  parameters: readonly string[],
  options: GitOptions = {},
): Promise<GitOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...settings, ...parameters], {
      cwd: repository,
      env: inherited(misleading, { ...always, ...options.environment }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    setTimeout(() => child.kill(), options.timeoutMs ?? 120_000).unref(); // That of `spawn` stays where git never began.
    const output: Buffer[] = [];
    let errors = '';
    child.stdout.on('data', (piece: Buffer) => output.push(piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (errors += piece));
    child.once('error', (cause) => {
      const reason =
        (cause as NodeJS.ErrnoException).code === 'ENOENT'
          ? 'git is not installed, or the directory does not exist'
          : cause.message;
      reject(new EnvironmentFault(`git could not start in ${repository}: ${reason}`, { cause }));
    });
    child.once('close', (code, signal) => {
      resolve({
        code: code ?? 128,
        output: Buffer.concat(output),
        errors: withoutPasswords(signal ? `${errors}\nended by ${signal}` : errors).trim(),
      });
    });
    // A git that ends before it has read everything says why by itself.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

async function git(repository: string, parameters: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const { code, output, errors } = await attempt(repository, parameters, options);
  if (code === 0) return output;
  const [reason] = /^(?:.*\n){0,2}?fatal: .*/m.exec(errors) ?? [errors]; // What follows is general advice.
  const said = reason.split('\n').slice(-3).join(' ');
  throw new EnvironmentFault(`git ${parameters[0]} failed: ${said || `exit code ${code}`}`);
}

export const line = async (repository: string, parameters: readonly string[], options?: GitOptions): Promise<string> =>
  (await git(repository, parameters, options)).toString().trim();

/** The directory that git works in, from any directory inside it. */
export const topLevel = (directory: string): Promise<string> => line(directory, ['rev-parse', '--show-toplevel']);

/** Full id of the commit that `revision` names; undefined when it names none. */
export async function commitOf(repository: string, revision: string): Promise<string | undefined> {
  const { code, output } = await attempt(repository, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ]);
  return code === 0 ? output.toString().trim() : undefined;
}

/** The commit checked out now. */
export async function currentCommit(repository: string): Promise<string> {
  const commit = await commitOf(repository, 'HEAD');
  if (commit) return commit;
  // Says which of the two it is: no repository at all, or one without a commit.
  await git(repository, ['rev-parse', '--git-dir']);
  throw new EnvironmentFault('the repository has no commit yet');
}

export interface CommitWords {
  /** The name alone. */
  readonly author: string;
  readonly subject: string;
}

export async function commitWords(repository: string, commit: string): Promise<CommitWords> {
  const shown = await line(repository, [
    'show',
    '-s',
    '--no-show-signature',
    '--encoding=UTF-8',
    '--format=%an%x00%s',
    commit,
  ]);
  const [author = '', subject = ''] = shown.split('\0');
  return { author: author.slice(0, 200), subject: subject.slice(0, 500) };
}

export const treeOf = (repository: string, commit: string): Promise<string> =>
  line(repository, ['rev-parse', '--verify', `${commit}^{tree}`]);

/** Writes the files of `tree` below `directory`, through an index of its own. */
export async function writeTree(
  repository: string,
  tree: string,
  { directory, index }: { directory: string; index: string },
): Promise<void> {
  const environment = { GIT_INDEX_FILE: index };
  await git(repository, ['read-tree', tree], { environment });
  await git(repository, ['checkout-index', '--all', '--force', `--prefix=${directory}/`], { environment });
}

const fetchObjects = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];

/** The tip of a branch on the remote, its objects fetched; undefined when there is no such branch. No ref is touched here. */
export async function remoteTip(repository: string, remote: string, branch: string): Promise<string | undefined> {
  const ref = `refs/heads/${branch}`;
  const listed = await line(repository, ['ls-remote', '--refs', '--', remote, ref]);
  const tip = listed
    .split('\n')
    .map((each) => each.split('\t'))
    .find(([, name]) => name === ref)?.[0];
  if (!tip) return undefined;
  const present = async (): Promise<boolean> =>
    (await attempt(repository, ['cat-file', '-e', `${tip}^{commit}`])).code === 0;
  if (await present()) return tip;
  await git(repository, [...fetchObjects, '--refmap=', '--', remote, ref]);
  if (await present()) return tip;
  throw new EnvironmentFault(`${branch} was rewritten on ${remote} while it was read`);
}

/** A file of a commit; undefined when it has no such file. */
export async function fileAt(repository: string, commit: string, path: string): Promise<Uint8Array | undefined> {
  const { code, output } = await attempt(repository, ['cat-file', 'blob', `${commit}:${path}`]);
  return code === 0 ? output : undefined;
}

/** Is the commit here, or on a branch of the remote? Its objects are fetched then; no ref is touched. */
export async function obtain(repository: string, commit: string, remote: string): Promise<boolean> {
  if ((await commitOf(repository, commit)) !== undefined) return true;
  const listed = await line(repository, ['ls-remote', '--refs', '--', remote, 'refs/heads/*']);
  const branches = listed.split('\n').flatMap((each) => each.split('\t')[1] ?? []);
  if (branches.length > 0) await git(repository, [...fetchObjects, '--refmap=', '--', remote, ...branches]);
  return (await commitOf(repository, commit)) !== undefined;
}

async function isAncestorHere(repository: string, ancestor: string, commit: string): Promise<boolean> {
  return (await attempt(repository, ['merge-base', '--is-ancestor', ancestor, commit])).code === 0;
}

/** Does `commit` build on `ancestor`? A shallow clone is completed before the answer is no. */
export async function buildsOn(repository: string, ancestor: string, commit: string, remote: string): Promise<boolean> {
  if (await isAncestorHere(repository, ancestor, commit)) return true;
  if ((await line(repository, ['rev-parse', '--is-shallow-repository'])) !== 'true') return false;
  await git(repository, [...fetchObjects, '--unshallow', '--', remote]);
  return isAncestorHere(repository, ancestor, commit);
}

/** Who commits, as git knows it; on a machine that has never been told, we do. */
async function identity(repository: string): Promise<Record<string, string>> {
  if (
    (await attempt(repository, ['var', 'GIT_COMMITTER_IDENT'])).code === 0 &&
    (await attempt(repository, ['var', 'GIT_AUTHOR_IDENT'])).code === 0
  )
    return {};
  const [name, email] = ['Headgate', 'headgate@localhost'];
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}

export interface CommitRequest {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly parent: string | undefined;
  readonly message: string;
}

/** Makes a commit of exactly these files and gives its id. No branch moves. */
export async function commitFiles(repository: string, { files, parent, message }: CommitRequest): Promise<string> {
  const entries: string[] = [];
  for (const [name, bytes] of files) {
    const blob = await line(repository, ['hash-object', '-w', '--no-filters', '--stdin'], { input: bytes });
    entries.push(`100644 blob ${blob}\t${name}\n`);
  }
  const tree = await line(repository, ['mktree'], { input: entries.join('') });
  const parents = parent ? ['-p', parent] : [];
  return line(repository, ['commit-tree', tree, ...parents, '-F', '-'], {
    input: message,
    environment: await identity(repository),
  });
}

export type PushOutcome = { readonly pushed: true } | { readonly pushed: false; readonly reason: string };

/** Another publisher was faster, in the words of the various servers; anything else would fail again. */
const overtaken =
  /non-fast-forward|fetch first|stale info|cannot lock ref|failed to (?:update|lock)|already exists|incorrect old value|reference is not a tree|needs force/i;

/** A plain push, never forced. Not pushed means that the branch has moved. */
export async function push(
  repository: string,
  remote: string,
  { commit, branch }: { commit: string; branch: string },
): Promise<PushOutcome> {
  const ref = `refs/heads/${branch}`;
  const { code, output, errors } = await attempt(repository, [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--recurse-submodules=no',
    '--',
    remote,
    `${commit}:${ref}`,
  ]);
  if (code === 0) return { pushed: true };
  const refusal = /^!\t\S+\t(.*)$/m.exec(output.toString())?.[1];
  const reason = withoutPasswords(refusal ?? (errors.split('\n').at(-1) || `exit code ${code}`));
  if (overtaken.test(`${refusal ?? ''} ${errors}`)) return { pushed: false, reason };
  throw new EnvironmentFault(`pushing to ${branch} on ${withoutPasswords(remote)} was refused: ${reason}`);
}
