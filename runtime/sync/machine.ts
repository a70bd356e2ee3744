/**
 * The life of revisions as a pure machine: what happened comes in, what to do goes out. It holds names of commits, never
 * their content; the effects around it are thin. What serves is always `active`, whatever is being worked on.
 */

import {
  isBaking,
  isWatched,
  type Effect,
  type Event,
  type Held,
  type HeldReason,
  type Pause,
  type State,
  type Step,
} from './states.ts';
import { beginning, shareOf, stageOver, toEveryone } from './stages.ts';

const stay = (state: State): Step => ({ state, effects: [] });

function tipSeen(state: State, commit: string): Step {
  // Still seen, for status; acted upon when the pause ends.
  if (state.pause) return stay({ ...state, tip: commit });
  if (commit === state.tip)
    return stay(state.held?.reason === 'branch-missing' ? { ...state, held: undefined } : state);
  const abandoned: Effect[] = state.work ? [{ do: 'abandon', commit: state.work.commit }] : [];
  // A first revision has to have a way back too.
  if (state.active === undefined && state.lastKnownGood === undefined) abandoned.push({ do: 'look_back', commit });
  const moved: State = { ...state, tip: commit, work: undefined, held: undefined };
  const verdict = Object.hasOwn(state.quarantine, commit) ? state.quarantine[commit] : undefined;
  if (verdict !== undefined)
    return { state: { ...moved, held: { commit, reason: 'bad-health', detail: verdict } }, effects: abandoned };
  if (commit === state.active) return { state: moved, effects: abandoned };
  return { state: { ...moved, work: { commit, step: 'FETCHING' } }, effects: [...abandoned, { do: 'fetch', commit }] };
}

function tipMissing(state: State): Step {
  // Said once: each poll finds it missing again, and that is no news.
  if (state.work || state.pause || state.held?.reason === 'branch-missing') return stay(state);
  const held: Held = { commit: undefined, reason: 'branch-missing', detail: 'the source has no such branch' };
  return stay({ ...state, tip: undefined, held });
}

function unhealthy(state: State, commit: string, detail: string): Step {
  const to = state.fallback;
  // The verdict belongs to the commit that earned it: only what serves, and only as long as there is a way back. With
  // nothing to return to, an unwell gateway still answers more than none.
  if (commit !== state.active || to === undefined) return stay(state);
  // An operator who pins a commit knows what he does.
  if (state.pause?.pinned === commit) return stay(state);
  const quarantine = { ...state.quarantine, [commit]: detail };
  const held: Held | undefined = state.tip === commit ? { commit, reason: 'bad-health', detail } : state.held;
  return {
    // What proved itself before is what has proved itself; one step back and no further.
    state: { ...state, active: to, lastKnownGood: to, fallback: undefined, rollout: undefined, held, quarantine },
    effects: [{ do: 'roll_back', from: commit, to, detail }],
  };
}

/** Bad news from elsewhere: on trial here it is taken back, on the way it is given up, proved here it stays. */
function condemned(state: State, commit: string, detail: string): Step {
  if (commit === state.active) return unhealthy(state, commit, detail);
  const isProvedHere = state.active !== undefined && (commit === state.lastKnownGood || commit === state.fallback);
  if (isProvedHere) return stay(state);
  const quarantine = { ...state.quarantine, [commit]: detail };
  const lastKnownGood = commit === state.lastKnownGood ? undefined : state.lastKnownGood;
  if (state.work?.commit !== commit) return stay({ ...state, quarantine, lastKnownGood });
  const held: Held = { commit, reason: 'bad-health', detail };
  return {
    state: { ...state, quarantine, lastKnownGood, work: undefined, held },
    effects: [{ do: 'abandon', commit }],
  };
}

/** Kept as what to start from. What too few requests have proved keeps its way back open. */
function baked(state: State, commit: string, proved: boolean): Step {
  const promote: Effect = { do: 'promote', commit };
  const kept: State = { ...state, lastKnownGood: commit };
  if (!proved && state.fallback !== undefined) return { state: kept, effects: [promote] };
  return { state: { ...kept, fallback: undefined }, effects: [promote, { do: 'close_way_back', commit }] };
}

/** Refusals that are a question of judgement, which an operator may take on himself. */
const acceptable: ReadonlySet<HeldReason> = new Set(['rewind', 'shrink']);

/** Works on the tip anew. While paused it waits like everything else. */
function again(state: State, commit: string, first: readonly Effect[]): Step {
  if (state.pause) return { state: { ...state, held: undefined }, effects: first };
  return {
    state: { ...state, held: undefined, work: { commit, step: 'FETCHING' } },
    effects: [...first, { do: 'fetch', commit }],
  };
}

function paused(state: State, pause: Pause): Step {
  const abandoned: Effect[] = state.work ? [{ do: 'abandon', commit: state.work.commit }] : [];
  const { pinned } = pause;
  // What made the gateway unwell is retried or it is not; pinning is for what is good.
  if (pinned !== undefined && Object.hasOwn(state.quarantine, pinned)) return stay(state);
  if (pinned === undefined || pinned === state.active) {
    const still: State = { ...state, pause, work: undefined };
    const { state: after, effects } = pinned === undefined ? stay(still) : toEveryone(still);
    return { state: after, effects: [...abandoned, ...effects] };
  }
  // The pinned artifact is at hand, so it needs no fetch; it is verified and warmed like any other.
  return {
    state: { ...state, pause, held: undefined, work: { commit: pinned, step: 'VERIFYING' } },
    effects: [...abandoned, { do: 'allow', commit: pinned }, { do: 'verify', commit: pinned }],
  };
}

/** A result counts only for the candidate at hand, at the step it is at. */
function isCurrent(state: State, commit: string, step: 'FETCHING' | 'VERIFYING' | 'WARMING'): boolean {
  return state.work?.commit === commit && state.work.step === step;
}

/** Where nothing serves and nothing is on its way, what was found before the tip does. */
function fallBack({ state, effects }: Step): Step {
  const { active, lastKnownGood, work, pause } = state;
  if (active !== undefined || work || pause || lastKnownGood === undefined) return { state, effects };
  if (Object.hasOwn(state.quarantine, lastKnownGood)) return { state, effects };
  return {
    state: { ...state, active: lastKnownGood },
    effects: [...effects, { do: 'fall_back', commit: lastKnownGood }],
  };
}

export const step = (state: State, event: Event): Step => fallBack(advance(state, event));

function advance(state: State, event: Event): Step {
  switch (event.type) {
    case 'booted': {
      const { lastKnownGood, quarantine } = event;
      return stay({ ...state, active: lastKnownGood, lastKnownGood, quarantine });
    }
    case 'tip_seen':
      return tipSeen(state, event.commit);
    case 'tip_missing':
      return tipMissing(state);
    case 'fetched':
      if (!isCurrent(state, event.commit, 'FETCHING')) return stay(state);
      return {
        state: { ...state, work: { commit: event.commit, step: 'VERIFYING' } },
        effects: [{ do: 'verify', commit: event.commit }],
      };
    case 'fetch_failed':
      // Forgetting the tip makes the next poll try again.
      return stay(isCurrent(state, event.commit, 'FETCHING') ? { ...state, tip: undefined, work: undefined } : state);
    case 'verified':
      if (!isCurrent(state, event.commit, 'VERIFYING')) return stay(state);
      return {
        state: { ...state, work: { commit: event.commit, step: 'WARMING' } },
        effects: [{ do: 'warm', commit: event.commit }],
      };
    case 'refused':
      if (state.work?.commit !== event.commit) return stay(state);
      return stay({
        ...state,
        work: undefined,
        held: { commit: event.commit, reason: event.reason, detail: event.detail },
      });
    case 'warmed': {
      if (!isCurrent(state, event.commit, 'WARMING')) return stay(state);
      // No trial for what is known to be good (the branch came back to it), nor for what an operator pinned.
      const { commit } = event;
      const moved = { ...state, work: undefined, active: commit };
      if (commit !== state.lastKnownGood && commit !== state.pause?.pinned) {
        const rollout = beginning(event.stages, state);
        return {
          state: { ...moved, rollout, fallback: state.lastKnownGood },
          effects: [{ do: 'activate', commit, share: shareOf({ rollout }) }],
        };
      }
      return {
        state: { ...moved, rollout: undefined, lastKnownGood: commit, fallback: undefined },
        effects: [
          { do: 'activate', commit, share: 1 },
          { do: 'promote', commit },
          { do: 'close_way_back', commit },
        ],
      };
    }
    case 'unhealthy':
      return unhealthy(state, event.commit, event.detail);
    case 'condemned':
      return condemned(state, event.commit, event.detail);
    case 'baked':
      if (event.commit !== state.active || !isBaking(state) || state.rollout) return stay(state);
      return baked(state, event.commit, event.proved);
    case 'watched':
      if (event.commit !== state.active || !isWatched(state)) return stay(state);
      return { state: { ...state, fallback: undefined }, effects: [{ do: 'close_way_back', commit: event.commit }] };
    case 'looked_back':
      // Only as long as it is needed, and never what is known to be bad.
      if (state.active !== undefined || state.lastKnownGood !== undefined) return stay(state);
      if (Object.hasOwn(state.quarantine, event.commit)) return stay(state);
      return stay({ ...state, lastKnownGood: event.commit });
    case 'signers_changed':
      if (state.held?.commit !== event.commit || state.held.reason !== 'signature') return stay(state);
      return again(state, event.commit, []);
    case 'stage_over':
      return stageOver(state, event.commit, event.at);
    case 'paused':
      return paused(state, event.pause);
    case 'resumed':
      // Forgetting the tip makes the poll act on it, whatever came meanwhile.
      return state.pause
        ? { state: { ...state, pause: undefined, tip: undefined }, effects: [{ do: 'poll' }] }
        : stay(state);
    case 'accepted':
      if (state.held?.commit !== event.commit || !acceptable.has(state.held.reason)) return stay(state);
      return again(state, event.commit, [{ do: 'allow', commit: event.commit }]);
    case 'retried': {
      if (!Object.hasOwn(state.quarantine, event.commit) || state.tip !== event.commit) return stay(state);
      const { [event.commit]: _forgiven, ...quarantine } = state.quarantine;
      return again({ ...state, quarantine }, event.commit, []);
    }
  }
}
