/** Finds the two revisions of a plan in a repository, compiles both, and tells what cannot be compared. */
import { snapshotSchema, type Snapshot, type SnapshotInput } from '@headgate/runtime/snapshot';
import { check, type CheckResult } from '../check.ts';
import { surroundings } from '../cli/environment.ts';
import { compileCommit } from '../compile-commit.ts';
import { EnvironmentFault, type Finding } from '../findings.ts';
import { branchTip, defaultTip, mergeBase } from '../git-history.ts';
import { commitOf } from '../git.ts';
import { noSafeguards, type Safeguards } from '../safeguards.ts';
import { counted, say, type Phrase } from './change.ts';
import { planBetween, type TitledPlan } from './plan.ts';
import { emptySnapshot } from './revision.ts';
import { replay, requireReadable } from './traffic/replay.ts';

export interface PlanOptions {
  /** Top directory of the checkout. */
  readonly repository: string;
  /** Default: where the head parted from the branch that it will be merged into. */
  readonly base?: string | undefined;
  /** Default: the working tree. */
  readonly head?: string | undefined;
  /** File of recorded requests. */
  readonly traffic?: string | undefined;
}

export interface PlanOutcome {
  /** What `check` says of the head. */
  readonly checked: Pick<CheckResult, 'findings' | 'redact'>;
  /** Where the files of the head stand. */
  readonly directory: string;
  /** Absent when the head has errors. */
  readonly plan?: TitledPlan;
}

async function named(repository: string, revision: string): Promise<string> {
  const commit = await commitOf(repository, revision);
  if (commit) return commit;
  throw new EnvironmentFault(`'${revision}' names no commit in ${repository}; is it fetched?`);
}

/** Undefined for a repository that has no commit yet. */
async function baseFor(repository: string, head: string | undefined): Promise<string | undefined> {
  const from = head ?? (await commitOf(repository, 'HEAD'));
  if (from === undefined) return undefined;
  const { commit, branch } = surroundings().mergeTarget;
  if (commit !== undefined) return named(repository, commit);
  const target = branch === undefined ? await defaultTip(repository) : await branchTip(repository, branch);
  if (target === undefined)
    throw new EnvironmentFault(
      `there is no ${branch === undefined ? 'origin/HEAD, main or master' : `branch ${branch} on origin`} to compare with; name a revision with --base`,
    );
  const base = await mergeBase(repository, from, target);
  if (base) return base;
  throw new EnvironmentFault(
    'this clone does not reach back to where the change began; fetch the whole history (fetch-depth: 0 in actions/checkout), or name a revision with --base',
  );
}

/** Objects as the runtime reads them: with defaults filled in, so that writing one out is no change. */
const read = (snapshot: SnapshotInput): Snapshot => snapshotSchema.parse(snapshot);

interface Compiled extends PlanOutcome {
  readonly safeguards: Safeguards | undefined;
  readonly snapshot: SnapshotInput | undefined;
}

async function compileHead(repository: string, head: string | undefined): Promise<Compiled> {
  if (head === undefined) {
    const { snapshot, safeguards, ...checked } = await check(repository, { noise: 'stderr' });
    return { snapshot, safeguards, checked, directory: repository };
  }
  const { snapshot, safeguards, directory, ...checked } = await compileCommit({ repository, commit: head });
  return { snapshot, safeguards, checked, directory };
}

const commitInWords = (commit: string): Phrase => say`${commit.slice(0, 12)}`;

function brokenBase(commit: string, findings: readonly Finding[]): Phrase {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first?.code === 'no_config') return say`${commitInWords(commit)} has no configuration, so that everything is new`;
  const place = first ? say`: ${`${first.file}:${first.line} ${first.message}`}` : [];
  return say`${commitInWords(commit)} does not pass ${'headgate check'} (${counted(errors.length, 'error')}${place}), so that everything counts as new`;
}

async function compileBase(
  repository: string,
  commit: string | undefined,
): Promise<{ snapshot?: SnapshotInput; safeguards?: Safeguards | undefined; note?: Phrase }> {
  if (commit === undefined) return { note: say`the repository has no commit yet, so that everything is new` };
  const { snapshot, safeguards, findings } = await compileCommit({ repository, commit });
  return snapshot ? { snapshot, safeguards } : { note: brokenBase(commit, findings) };
}

/** Why nothing changes where base and head are one commit, as on the default branch right after a merge. */
async function sameCommit(repository: string, base: string | undefined, head: string | undefined): Promise<Phrase[]> {
  const tip = head ?? 'HEAD';
  if (base === undefined || base !== (await commitOf(repository, tip))) return [];
  if ((await commitOf(repository, `${tip}~1`)) === undefined) return [];
  return [say`base and head are one commit; ${`--base ${tip}~1`} compares with the one before it`];
}

/** Rejects with `NothingToReplay` when no line of the traffic is of use. */
export async function planRevisions({ repository, ...asked }: PlanOptions): Promise<PlanOutcome> {
  // First, so that a wrong name costs no compilation.
  const { traffic } = asked;
  if (traffic !== undefined) await requireReadable(traffic);
  const head = asked.head === undefined ? undefined : await named(repository, asked.head);
  const base = asked.base === undefined ? await baseFor(repository, head) : await named(repository, asked.base);
  // One after the other: each runs a compiler of its own, which is what takes memory.
  const { snapshot, safeguards = noSafeguards, ...outcome } = await compileHead(repository, head);
  if (!snapshot) return outcome;
  const after = read(snapshot);
  const { snapshot: before, safeguards: held = noSafeguards, note } = await compileBase(repository, base);
  const planned = planBetween(before ? read(before) : emptySnapshot(after.name), after, {
    base: held,
    head: safeguards,
  });
  const notes = note ? [note] : [];
  if (planned.changes.length === 0) notes.push(...(await sameCommit(repository, base, asked.head)));
  if (traffic !== undefined && !before) notes.push(['traffic is not replayed: there is nothing to compare with']);
  return {
    ...outcome,
    plan: {
      ...planned,
      base: base === undefined ? ['nothing'] : commitInWords(base),
      head: head === undefined ? ['the working tree'] : commitInWords(head),
      notes,
      ...(traffic !== undefined &&
        before && { traffic: await replay({ base: before, head: snapshot, path: traffic }) }),
    },
  };
}
