/**
 * The life of revisions as a pure machine: what happened comes in, what to do goes out. It holds names of commits, never
 * their content; the effects around it are thin. What serves is always `active`, whatever is being worked on.
 */

export type Phase = 'COLD' | 'STEADY' | 'FETCHING' | 'VERIFYING' | 'WARMING' | 'BAKING' | 'HELD' | 'PAUSED';
export type HeldReason = 'signature' | 'rewind' | 'schema' | 'invalid' | 'shrink' | 'bad-health' | 'branch-missing';

export interface Held {
  /** The refused commit; undefined when the branch itself is missing. */
  readonly commit: string | undefined;
  readonly reason: HeldReason;
  /** One sentence for people. */
  readonly detail: string;
}

/** An operator's hand on the wheel: what serves stays, whatever the branch does, until it is lifted or runs out. */
export interface Pause {
  /** The commit that is to serve; undefined: whatever serves. */
  readonly pinned: string | undefined;
  /** Unix time in milliseconds. */
  readonly until: number;
  /** Who or why, as the operator said. */
  readonly note: string;
}

export interface State {
  /** The last tip that was acted upon. */
  readonly tip: string | undefined;
  /** The candidate and how far it is. */
  readonly work: { readonly commit: string; readonly step: 'FETCHING' | 'VERIFYING' | 'WARMING' } | undefined;
  /** What serves. */
  readonly active: string | undefined;
  /** The last that proved itself: what a rollback returns to. */
  readonly lastKnownGood: string | undefined;
  readonly held: Held | undefined;
  /** Commits that made the gateway unwell, with the reason. Never served again by themselves. */
  readonly quarantine: Readonly<Record<string, string>>;
  readonly pause: Pause | undefined;
}

export type Event =
  /** A verified artifact was found on disk; `crashed` was being tried out when the process died. */
  | {
      readonly type: 'booted';
      readonly lastKnownGood: string | undefined;
      readonly quarantine: Readonly<Record<string, string>>;
    }
  | { readonly type: 'tip_seen'; readonly commit: string }
  | { readonly type: 'tip_missing' }
  | { readonly type: 'fetched'; readonly commit: string }
  /** Could not be had this time; says nothing about the commit. */
  | { readonly type: 'fetch_failed'; readonly commit: string }
  | { readonly type: 'verified'; readonly commit: string }
  | {
      readonly type: 'refused';
      readonly commit: string;
      readonly reason: Exclude<HeldReason, 'bad-health' | 'branch-missing'>;
      readonly detail: string;
    }
  | { readonly type: 'warmed'; readonly commit: string }
  | { readonly type: 'unhealthy'; readonly commit: string; readonly detail: string }
  | { readonly type: 'baked'; readonly commit: string }
  /** To pin is to pause with `pinned`: an artifact that is at hand, which `warmed` reports ready. */
  | { readonly type: 'paused'; readonly pause: Pause }
  | { readonly type: 'resumed' }
  /** An operator takes a refusal for `rewind` or `shrink` on himself, once, for this commit. */
  | { readonly type: 'accepted'; readonly commit: string }
  /** An operator wants a quarantined commit tried again. */
  | { readonly type: 'retried'; readonly commit: string };

export type Effect =
  | { readonly do: 'fetch' | 'verify' | 'warm' | 'activate' | 'promote'; readonly commit: string }
  /** From here on `verify` lets this commit pass where it would be refused for `rewind` or `shrink`. */
  | { readonly do: 'allow'; readonly commit: string }
  /** Look at the source now. */
  | { readonly do: 'poll' }
  /** Stop working on it; results that still come are ignored. */
  | { readonly do: 'abandon'; readonly commit: string }
  | { readonly do: 'roll_back'; readonly from: string; readonly to: string; readonly detail: string };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export const cold: State = {
  tip: undefined,
  work: undefined,
  active: undefined,
  lastKnownGood: undefined,
  held: undefined,
  quarantine: {},
  pause: undefined,
};

/** The one word for where things stand. Derived, so that it cannot contradict the facts. */
export function phaseOf({ work, held, active, lastKnownGood, pause }: State): Phase {
  if (pause) return 'PAUSED';
  if (work) return work.step;
  if (held) return 'HELD';
  if (active === undefined) return 'COLD';
  return active === lastKnownGood ? 'STEADY' : 'BAKING';
}

/** Whether what serves is still being tried out. */
export const isBaking = ({ active, lastKnownGood }: State): boolean => active !== undefined && active !== lastKnownGood;

const stay = (state: State): Step => ({ state, effects: [] });

function tipSeen(state: State, commit: string): Step {
  // Still seen, for status; acted upon when the pause ends.
  if (state.pause) return stay({ ...state, tip: commit });
  if (commit === state.tip)
    return stay(state.held?.reason === 'branch-missing' ? { ...state, held: undefined } : state);
  const abandoned: Effect[] = state.work ? [{ do: 'abandon', commit: state.work.commit }] : [];
  const moved: State = { ...state, tip: commit, work: undefined, held: undefined };
  const verdict = Object.hasOwn(state.quarantine, commit) ? state.quarantine[commit] : undefined;
  if (verdict !== undefined)
    return { state: { ...moved, held: { commit, reason: 'bad-health', detail: verdict } }, effects: abandoned };
  if (commit === state.active) return { state: moved, effects: abandoned };
  return { state: { ...moved, work: { commit, step: 'FETCHING' } }, effects: [...abandoned, { do: 'fetch', commit }] };
}

function unhealthy(state: State, commit: string, detail: string): Step {
  // The verdict belongs to the commit that earned it: only what serves, and only while it is on trial.
  if (commit !== state.active || !isBaking(state)) return stay(state);
  // An operator who pins a commit knows what he does.
  if (state.pause?.pinned === commit) return stay(state);
  const quarantine = { ...state.quarantine, [commit]: detail };
  const to = state.lastKnownGood;
  // Nothing to return to: an unwell gateway still answers more than none.
  if (to === undefined) return stay({ ...state, quarantine: state.quarantine });
  const held: Held | undefined = state.tip === commit ? { commit, reason: 'bad-health', detail } : state.held;
  return {
    state: { ...state, active: to, held, quarantine },
    effects: [{ do: 'roll_back', from: commit, to, detail }],
  };
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
    return { state: { ...state, pause, work: undefined }, effects: abandoned };
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

export function step(state: State, event: Event): Step {
  switch (event.type) {
    case 'booted': {
      const { lastKnownGood, quarantine } = event;
      return stay({ ...state, active: lastKnownGood, lastKnownGood, quarantine });
    }
    case 'tip_seen':
      return tipSeen(state, event.commit);
    case 'tip_missing':
      return stay(
        state.work || state.pause
          ? state
          : {
              ...state,
              tip: undefined,
              held: { commit: undefined, reason: 'branch-missing', detail: 'the source has no such branch' },
            },
      );
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
      const proved = event.commit === state.lastKnownGood || event.commit === state.pause?.pinned;
      const promote: Effect[] = proved ? [{ do: 'promote', commit: event.commit }] : [];
      const lastKnownGood = proved ? event.commit : state.lastKnownGood;
      return {
        state: { ...state, work: undefined, active: event.commit, lastKnownGood },
        effects: [{ do: 'activate', commit: event.commit }, ...promote],
      };
    }
    case 'unhealthy':
      return unhealthy(state, event.commit, event.detail);
    case 'baked':
      if (event.commit !== state.active || !isBaking(state)) return stay(state);
      return { state: { ...state, lastKnownGood: event.commit }, effects: [{ do: 'promote', commit: event.commit }] };
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
