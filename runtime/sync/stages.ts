/** The part of the machine that brings a revision on trial to everyone in stages. Pure, as the rest of it. */
import type { Rollout, State, Step } from './states.ts';

/** The share of the consumers that `active` serves; the others are served by `lastKnownGood`. */
export const shareOf = ({ rollout }: Pick<State, 'rollout'>): number => rollout?.stages[rollout.at]?.share ?? 1;

/**
 * Where a revision that is not proved begins: in stages only where something serves already. A replica that has just
 * started, and knows nothing but the branch, would go back on what most of the others may have proved long ago.
 */
export function beginning(stages: Rollout['stages'] | undefined, { active, lastKnownGood }: State): State['rollout'] {
  const hasOthers = active !== undefined && lastKnownGood !== undefined;
  return stages && stages.length > 0 && hasOthers ? { stages, at: 0 } : undefined;
}

/** A stage has lasted its time without a failure. */
export function stageOver(state: State, commit: string, at: number): Step {
  const { rollout, active, work, pause } = state;
  // Nobody else is to meet a revision that is about to be replaced, nor any while an operator holds everything still.
  // Whoever tells that the stage is over tells it again.
  if (!rollout || commit !== active || at !== rollout.at || work || pause) return { state, effects: [] };
  const next = at + 1 < rollout.stages.length ? { stages: rollout.stages, at: at + 1 } : undefined;
  return widened({ ...state, rollout: next }, commit);
}

/** No more stages: an operator wants it to serve. */
export function toEveryone(state: State): Step {
  const { active, rollout } = state;
  if (!rollout || active === undefined) return { state, effects: [] };
  return widened({ ...state, rollout: undefined }, active);
}

function widened(state: State, commit: string): Step {
  return { state, effects: [{ do: 'widen', commit, share: shareOf(state) }] };
}
