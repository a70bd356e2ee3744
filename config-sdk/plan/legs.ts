/** The targets of a model as a flat list: in the order they stand, each with its share of first choices. */
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

export function legsOf(node: TargetNode, share = 1): Leg[] {
  if (node.kind === 'target') {
    const { kind: _, ...rest } = node;
    const { firstTokenTimeout, maxConcurrency } = node;
    return [{ ...rest, label: `${node.provider}/${node.model}`, share, firstTokenTimeout, maxConcurrency }];
  }
  const weights = node.of.map(({ weight }) => weight);
  const sum = weights.reduce<number>((total, weight) => total + (weight ?? 0), 0);
  // Where no member has a weight, the order decides, and the first is the first choice.
  return node.of.flatMap((member, index) =>
    legsOf(member.node, sum > 0 ? (share * (member.weight ?? 0)) / sum : index === 0 ? share : 0),
  );
}

/** Legs by label; one target that stands in several places counts once, where it stands first. */
export function mergedLegs(node: TargetNode): Map<string, Leg> {
  const merged = new Map<string, Leg>();
  for (const leg of legsOf(node)) {
    const known = merged.get(leg.label);
    merged.set(leg.label, known ? { ...known, share: known.share + leg.share } : leg);
  }
  return merged;
}

/** The target that most requests are sent to first. */
export function mainLeg(node: TargetNode): Leg | undefined {
  return [...mergedLegs(node).values()].reduce<Leg | undefined>(
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

export const targetsInWords = (node: TargetNode): Phrase =>
  joined(
    [...mergedLegs(node).values()].map((leg) => say`${leg.label} (${[roleInWords(leg)]})`),
    ', ',
  );

/** The whole tree, for arrangements whose shares alone do not tell them apart. */
export function treeInWords(node: TargetNode): Phrase {
  if (node.kind === 'target') return say`${`${node.provider}/${node.model}`}`;
  const members = node.of.map(({ weight, node: member }) =>
    weight === undefined ? treeInWords(member) : say`${weight}: ${treeInWords(member)}`,
  );
  return say`${[node.balance]}(${joined(members, ', ')})`;
}

export function windowOf({ provider, model }: Pick<Leg, 'provider' | 'model'>, snapshot: Snapshot): number {
  const models = entryOf(snapshot.providers, provider)?.models;
  return (models && entryOf(models, model)?.contextWindow) ?? Infinity;
}

/** The smallest window among the targets: what conversations must fit into. */
export function smallestWindow(node: TargetNode, snapshot: Snapshot): number {
  const windows = legsOf(node).map((leg) => windowOf(leg, snapshot));
  return windows.reduce((least, window) => Math.min(least, window), Infinity);
}
