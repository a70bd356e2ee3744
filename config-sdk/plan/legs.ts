/** The targets of a model as a flat list: in the order they stand, each with its share of first choices. */
import { factsIn, firstChances } from '@headgate/runtime/graph';
import type { Snapshot, TargetNode } from '@headgate/runtime/snapshot';
import { joined, say, type Phrase } from './change.ts';
import { entryOf } from './revision.ts';

export interface Leg {
  /** `provider/model`. */
  readonly label: string;
  readonly provider: string;
  readonly model: string;
  /** Part of all requests that is sent here first, from 0 to 1; 0 is a fallback only. */
  readonly share: number;
  readonly timeout: number;
  readonly firstTokenTimeout: number | undefined;
  readonly retries: number;
  readonly maxConcurrency: number | undefined;
}

/** With the snapshot, prices, tags and capabilities count for the shares where they decide. */
export function legsOf(root: TargetNode, snapshot?: Snapshot): Leg[] {
  const { each } = firstChances(root, snapshot ? factsIn(snapshot) : () => undefined);
  return each.map(({ node, chance }) => {
    const { kind: _, ...rest } = node;
    const { firstTokenTimeout, maxConcurrency } = node;
    return { ...rest, label: `${node.provider}/${node.model}`, share: chance, firstTokenTimeout, maxConcurrency };
  });
}

/** All of them, also those that no request comes to. */
export function* targetsOf(node: TargetNode): Generator<Pick<Leg, 'provider' | 'model'>> {
  if (node.kind === 'target') yield node;
  else for (const { node: child } of node.of) yield* targetsOf(child);
}

/** Legs by label; one target that stands in several places counts once, where it stands first. */
export function mergedLegs(node: TargetNode, snapshot?: Snapshot): Map<string, Leg> {
  const merged = new Map<string, Leg>();
  for (const leg of legsOf(node, snapshot)) {
    const known = merged.get(leg.label);
    merged.set(leg.label, known ? { ...known, share: known.share + leg.share } : leg);
  }
  return merged;
}

/** The target that most requests are sent to first. */
export function mainLeg(node: TargetNode, snapshot: Snapshot): Leg | undefined {
  return [...mergedLegs(node, snapshot).values()].reduce<Leg | undefined>(
    (most, leg) => (most === undefined || leg.share > most.share ? leg : most),
    undefined,
  );
}

export function percent(share: number): string {
  const rounded = Math.round(share * 1_000) / 10;
  return rounded === 0 && share > 0 ? 'under 0.1%' : `${rounded}%`;
}

export function roleInWords({ share }: Leg): string {
  if (share === 0) return 'fallback';
  return share > 1 - 1e-9 ? 'first choice' : `first choice for ${percent(share)}`;
}

export const targetsInWords = (node: TargetNode, snapshot: Snapshot): Phrase =>
  joined(
    [...mergedLegs(node, snapshot).values()].map((leg) => say`${leg.label} (${[roleInWords(leg)]})`),
    ', ',
  );

/** The whole tree, for arrangements whose shares alone do not tell them apart. */
export function treeInWords(node: TargetNode): Phrase {
  if (node.kind === 'target') return say`${`${node.provider}/${node.model}`}`;
  const members = node.of.map(({ weight, node: member }) =>
    weight === undefined ? treeInWords(member) : say`${weight}: ${treeInWords(member)}`,
  );
  const options = node.options === undefined ? [] : [say`${JSON.stringify(node.options)}`];
  return say`${[node.balance]}(${joined([...options, ...members], ', ')})`;
}

export function windowOf({ provider, model }: Pick<Leg, 'provider' | 'model'>, snapshot: Snapshot): number {
  const models = entryOf(snapshot.providers, provider)?.models;
  return (models && entryOf(models, model)?.contextWindow) ?? Infinity;
}

/** The smallest window among the targets: what conversations must fit into. */
export function smallestWindow(node: TargetNode, snapshot: Snapshot): number {
  const windows = legsOf(node, snapshot).map((leg) => windowOf(leg, snapshot));
  return windows.reduce((least, window) => Math.min(least, window), Infinity);
}
