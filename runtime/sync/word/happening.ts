/** What became of revisions, read off two states of the machine: what there is to tell to the world. */
import { isBaking, type HeldReason, type State } from '../states.ts';

export type Happening =
  | {
      readonly kind: 'accepted';
      readonly commit: string;
      readonly isPinned: boolean;
      readonly previous: string | undefined;
    }
  | { readonly kind: 'rolled_back'; readonly commit: string; readonly detail: string }
  | {
      readonly kind: 'held';
      readonly commit: string | undefined;
      readonly reason: HeldReason;
      readonly detail: string;
    }
  /** It serves, and may still be taken back. */
  | { readonly kind: 'on_trial'; readonly commit: string }
  /** Another took its place before its trial was over. */
  | { readonly kind: 'superseded'; readonly commit: string; readonly byPin: boolean };

const isQuarantined = ({ quarantine }: State, commit: string): boolean => Object.hasOwn(quarantine, commit);

function rolledBack(before: State, after: State): (Happening & { kind: 'rolled_back' }) | undefined {
  const { active } = before;
  if (active === undefined || active === after.active || isQuarantined(before, active)) return undefined;
  const detail = after.quarantine[active];
  return isQuarantined(after, active) && detail !== undefined
    ? { kind: 'rolled_back', commit: active, detail }
    : undefined;
}

function served(before: State, after: State): Happening[] {
  const { active, lastKnownGood, pause } = after;
  const told: Happening[] = [];
  if (active === undefined) return told;
  if (active !== before.active) {
    if (before.active !== undefined && isBaking(before))
      told.push({ kind: 'superseded', commit: before.active, byPin: pause?.pinned === active });
    // Without a way back there is no trial: it is accepted in the next moment.
    if (isBaking(after) && lastKnownGood !== undefined) told.push({ kind: 'on_trial', commit: active });
  }
  if (active === lastKnownGood && lastKnownGood !== before.lastKnownGood)
    told.push({
      kind: 'accepted',
      commit: active,
      isPinned: pause?.pinned === active,
      previous: before.lastKnownGood,
    });
  return told;
}

/** In the order to be told. */
export function happeningsOf(before: State, after: State): readonly Happening[] {
  // What a start finds on disk was accepted, and told, in its time.
  const isStart = before.active === undefined && before.work === undefined;
  const back = rolledBack(before, after);
  const told = isStart ? [] : back ? [back] : served(before, after);
  const { held } = after;
  const isNew =
    held !== undefined &&
    (before.held?.commit !== held.commit || before.held?.reason !== held.reason || before.held.detail !== held.detail);
  // That what was taken back is held as well is the same news.
  if (isNew && (back === undefined || back.commit !== held.commit)) told.push({ kind: 'held', ...held });
  return told;
}
