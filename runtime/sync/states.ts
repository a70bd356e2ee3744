/** The words of the life of revisions: where things can stand, what can happen, what can be done about it. */
import type { Stage } from '../rollout.ts';

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

/** A revision on trial on its way to everyone: the stages it declared, and which of them it is at. */
export interface Rollout {
  readonly stages: readonly Stage[];
  readonly at: number;
}

export interface State {
  /** The last tip that was acted upon. */
  readonly tip: string | undefined;
  /** The candidate and how far it is. */
  readonly work: { readonly commit: string; readonly step: 'FETCHING' | 'VERIFYING' | 'WARMING' } | undefined;
  /** What serves; during a rollout, only the share of its stage: the others are served by `lastKnownGood`. */
  readonly active: string | undefined;
  readonly rollout: Rollout | undefined;
  /** The last that passed its trial: what a start begins with. */
  readonly lastKnownGood: string | undefined;
  /**
   * What a rollback returns to, as long as the rules are armed: during the trial, and after it for as long as a revision is
   * watched that too few requests had proved. Undefined when the way back is closed.
   */
  readonly fallback: string | undefined;
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
  /** `stages`: as the revision itself declares them. */
  | { readonly type: 'warmed'; readonly commit: string; readonly stages?: readonly Stage[] | undefined }
  /** The stage `at` of its rollout has lasted its time. */
  | { readonly type: 'stage_over'; readonly commit: string; readonly at: number }
  | { readonly type: 'unhealthy'; readonly commit: string; readonly detail: string }
  /** The trial is over. `proved`: enough requests went well; without them it is kept, and watched on. */
  | { readonly type: 'baked'; readonly commit: string; readonly proved: boolean }
  /** What was watched after its trial went well for long enough. */
  | { readonly type: 'watched'; readonly commit: string }
  /** `commit`, which stood at the ref before the tip, is built and can be served should nothing newer be fit to. */
  | { readonly type: 'looked_back'; readonly commit: string }
  /** Whom signatures are believed of has changed since this commit was refused. */
  | { readonly type: 'signers_changed'; readonly commit: string }
  /** Another replica found it bad. */
  | { readonly type: 'condemned'; readonly commit: string; readonly detail: string }
  /** To pin is to pause with `pinned`: an artifact that is at hand, which `warmed` reports ready. */
  | { readonly type: 'paused'; readonly pause: Pause }
  | { readonly type: 'resumed' }
  /** An operator takes a refusal for `rewind` or `shrink` on himself, once, for this commit. */
  | { readonly type: 'accepted'; readonly commit: string }
  /** An operator wants a quarantined commit tried again. */
  | { readonly type: 'retried'; readonly commit: string };

export type Effect =
  | { readonly do: 'fetch' | 'verify' | 'warm'; readonly commit: string }
  /** From here on it serves this share of the consumers; 1: everyone. */
  | { readonly do: 'activate' | 'widen'; readonly commit: string; readonly share: number }
  /** It is what a start begins with from now on. */
  | { readonly do: 'promote'; readonly commit: string }
  /** It needs no way back any more. */
  | { readonly do: 'close_way_back'; readonly commit: string }
  /** There is nothing to return to: look for what stood at the ref before `commit`. */
  | { readonly do: 'look_back'; readonly commit: string }
  /** Serve what `look_back` found. */
  | { readonly do: 'fall_back'; readonly commit: string }
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
  rollout: undefined,
  lastKnownGood: undefined,
  fallback: undefined,
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

/** Whether what serves has passed its trial with too few requests to prove it, and can still be taken back. */
export const isWatched = (state: State): boolean => state.fallback !== undefined && !isBaking(state);

/** Whether `commit` is worked on or on trial; also a while after it was found bad, until everybody can know. */
export const isTried = (state: State, commit: string): boolean =>
  state.work?.commit === commit ||
  (state.active === commit && isBaking(state)) ||
  Object.hasOwn(state.quarantine, commit);

/** Whether `tip` would be tried out beside something that serves well. */
export const isUntried = (state: State, tip: string): boolean =>
  tip !== state.tip &&
  tip !== state.active &&
  tip !== state.lastKnownGood &&
  state.active !== undefined &&
  !state.pause &&
  !Object.hasOwn(state.quarantine, tip);
