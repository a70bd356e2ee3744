/** What changes between two snapshots, in the words of whoever reviews it; a pure function. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { noSafeguards, placesOf } from '../safeguards.ts';
import { accessChanges } from './access.ts';
import { callerChanges } from './callers.ts';
import { certificateChanges } from './certificates.ts';
import { inRiskOrder, type Change, type Phrase } from './change.ts';
import { contextChanges } from './context.ts';
import { countChanges } from './counts.ts';
import { filesChanges } from './files.ts';
import { destinationChanges } from './destinations.ts';
import { gatewayChanges } from './gateway.ts';
import { guardChanges } from './guards.ts';
import { keyChanges } from './keys.ts';
import { limitChanges } from './limits.ts';
import { promptPlan, type PromptCase } from './prompts.ts';
import { followRenames } from './renames.ts';
import { entryOf, type Sides } from './revision.ts';
import { reroutedChanges } from './rerouted.ts';
import { routeChanges } from './routes.ts';
import { safeguardChanges, type SafeguardSides } from './safeguards.ts';
import { targetChanges } from './targets.ts';
import type { Replay } from './traffic/replay.ts';

export interface PlannedChange extends Change {
  /** Where the object is declared, and on which side: in the head, unless it is gone there. */
  readonly place: { readonly text: string; readonly side: 'base' | 'head' } | undefined;
}

export interface Plan {
  /** Name of the gateway. */
  readonly gateway: string;
  /** Highest risk first. */
  readonly changes: readonly PlannedChange[];
  readonly prompts: readonly PromptCase[];
}

/** A plan with what it lies between. */
export interface TitledPlan extends Plan {
  readonly base: Phrase;
  readonly head: Phrase;
  /** What the reader must know before anything else. */
  readonly notes: readonly Phrase[];
  /** What recorded requests become of, when some were given. */
  readonly traffic?: Replay | undefined;
}

type Sources = Snapshot['sources'];

function placeOf(object: string, base: Sources, head: Sources): PlannedChange['place'] {
  const now = entryOf(head, object);
  if (now !== undefined) return { text: now, side: 'head' };
  const before = entryOf(base, object);
  return before === undefined ? undefined : { text: before, side: 'base' };
}

const none: SafeguardSides = { base: noSafeguards, head: noSafeguards };

/** The safeguards are what a snapshot does not hold: without them, a plan says nothing of them. */
export function planBetween(base: Snapshot, head: Snapshot, safeguards = none): Plan {
  const { changes: renames, ...sides }: Sides & { readonly changes: readonly Change[] } = followRenames({ base, head });
  const prompts = promptPlan(sides);
  const changes = [
    ...renames,
    ...accessChanges(sides),
    ...filesChanges(sides),
    ...keyChanges(sides),
    ...certificateChanges(sides),
    ...callerChanges(sides),
    ...limitChanges(sides),
    ...countChanges({ base, head }, sides),
    ...destinationChanges(sides),
    ...targetChanges(sides),
    ...contextChanges(sides),
    ...guardChanges(sides),
    ...prompts.changes,
    ...routeChanges(sides),
    ...reroutedChanges(sides),
    ...safeguardChanges(safeguards),
    ...gatewayChanges(sides, safeguards),
  ];
  const before = { ...base.sources, ...placesOf(safeguards.base) };
  const after = { ...head.sources, ...placesOf(safeguards.head) };
  return {
    gateway: head.name,
    changes: inRiskOrder(changes).map((change) => ({ ...change, place: placeOf(change.object, before, after) })),
    prompts: prompts.cases,
  };
}
