/**
 * What a start makes of the marks that the process before it has left. Deliberate ends leave none: SIGTERM, SIGINT and
 * `close` take them away first of all, before requests in flight are waited for, so that a restart continues a trial
 * and never condemns anybody, even when its patience ends in SIGKILL. So a mark means that the process died:
 *
 * - `pending`, it served and was on trial: guilty at once, when there is something else to serve. Traffic meets a
 *   revision all at once, and a second crash would be one that could have been avoided.
 * - `building`, it was being built and never served, or it was pending and there is nothing else to serve: the machine
 *   may have died of something else. Guilty at the third death in a row, which is what ends a crash loop.
 * - A mark on what is kept as proved is left over from a promotion that died in its last step, and means nothing.
 */
import type { Activator } from '../../generation/activator.ts';
import type { Verified } from '../../generation/provision.ts';
import { causeInWords, type Log } from '../../log.ts';
import type { Keep, KeptState } from '../keep.ts';
import type { Open } from './slots.ts';

/** Deaths in a row while one revision was being built. */
const mostDeaths = 3;

export const diedOnTrial = 'the gateway died while this revision was on trial';
const diedBuilding = `the gateway died ${mostDeaths} times while this revision was being built`;

export interface Standing {
  /** The commit that is kept as proved. */
  readonly kept: string | undefined;
  /** Whether something can be served without the suspect. */
  readonly hasFallback: boolean;
}

/** The change to write before anything is tried again; undefined when the last end was a deliberate one. */
export function afterDeath(state: KeptState, { kept, hasFallback }: Standing): Partial<KeptState> | undefined {
  const { pending, building, died } = state;
  if (pending === undefined && building === undefined) return undefined;
  const quarantine = { ...state.quarantine };
  const cleared = { pending: undefined, building: undefined };
  const guilty = hasFallback && pending !== kept ? pending : undefined;
  if (guilty !== undefined) quarantine[guilty] = diedOnTrial;
  const suspect = building ?? (guilty === undefined ? pending : undefined);
  if (suspect === undefined || suspect === kept) return { ...cleared, quarantine };
  const times = (died?.commit === suspect ? died.times : 0) + 1;
  if (times < mostDeaths) return { ...cleared, quarantine, died: { commit: suspect, times } };
  return { ...cleared, quarantine: { ...quarantine, [suspect]: diedBuilding }, died: undefined };
}

/**
 * What to serve before git is asked for anything: what is kept, or `seed`. The marks of the process before this one are
 * judged, and the verdict written before anything is tried again: a death that is not written down is not counted.
 */
export async function firstArtifact(
  { keep, log, open }: { readonly keep: Keep; readonly log: Log; readonly open: Open<Verified> },
  seed: Verified | undefined,
): Promise<{ readonly first: Verified | undefined; readonly isKept: boolean }> {
  const unlessTakenBack: Open<Verified> = (raw) => {
    // A rollback that came after the promotion, in a process that died before it could keep the one before.
    if (Object.hasOwn(keep.state.quarantine, raw.commit)) throw new Error('it was taken back');
    return open(raw);
  };
  const { opened, problems } = await keep.load(unlessTakenBack);
  for (const problem of problems) log.warn({ event: 'state_problem', problem }, problem);
  const first = opened ?? seed;
  const { pending, building } = keep.state;
  const judged = afterDeath(keep.state, { kept: opened?.artifact.commit, hasFallback: first !== undefined });
  if (judged) {
    log.error({ event: 'died_before', pending, building, died: judged.died }, 'the process before this one died');
    await keep.change(judged);
  }
  return { first, isKept: opened !== undefined };
}

/** Makes `first` serve. What cannot be served is told; thrown only when nothing else will come. */
export async function serveFirst(
  first: Verified,
  activator: Activator,
  { log, isAlone, signal }: { readonly log: Log; readonly isAlone: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  const { commit } = first.artifact;
  try {
    await activator.warm(first, { isAllowed: true, signal });
    activator.activate(commit);
    return true;
  } catch (error) {
    const told = { event: 'start_refused', artifact: commit, cause: causeInWords(error) };
    log.error(told, 'what was kept cannot be served');
    if (isAlone) throw error;
    return false;
  }
}

/** Before an end on purpose. */
export async function clearMarks(keep: Keep): Promise<void> {
  const { pending, building } = keep.state;
  if (pending !== undefined || building !== undefined) await keep.change({ pending: undefined, building: undefined });
}
