/** Questions about the history of a local clone, asked through `git.ts`. */
import { attempt, commitOf, remoteTip } from './git.ts';

const defaultBranches = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master'];

/** The tip of the branch that changes are merged into, as far as this clone knows it. */
export async function defaultTip(repository: string): Promise<string | undefined> {
  for (const name of defaultBranches) {
    const ref = name.startsWith('origin/') ? `refs/remotes/${name}` : `refs/heads/${name}`;
    const commit = await commitOf(repository, ref);
    if (commit) return commit;
  }
  return undefined;
}

/** The tip of a branch of origin; fetched when this clone does not know it. */
export async function branchTip(repository: string, branch: string): Promise<string | undefined> {
  return (
    (await commitOf(repository, `refs/remotes/origin/${branch}`)) ?? (await remoteTip(repository, 'origin', branch))
  );
}

/** Where two lines of history part; undefined when this clone does not reach back that far. */
export async function mergeBase(repository: string, one: string, other: string): Promise<string | undefined> {
  const { code, output } = await attempt(repository, ['merge-base', one, other]);
  return code === 0 ? output.toString().trim().split('\n')[0] : undefined;
}
