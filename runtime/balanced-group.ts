/** A group of a snapshot as its strategy sees it, and how likely each target below it is tried first. */
import type { BalancedGroup, Balancer, Given, Member, MemberTarget, Narrowing } from './balancing/balancer.ts';
import { balancerKinds } from './kinds.ts';
import type { GroupSnapshot, Snapshot, TargetNode, TargetSnapshot } from './snapshot.ts';

/** What is known of the targets of a tree, and which of them narrowings above have left. */
export interface Leaves<Target extends MemberTarget = MemberTarget> {
  readonly targetOf: (node: TargetSnapshot) => Target | undefined;
  readonly keeps?: Narrowing['keeps'];
}

export function balancerOf({ balance }: GroupSnapshot): Balancer {
  const balancer = balancerKinds[balance];
  if (!balancer) throw new TypeError(`unknown balancing ${balance}`);
  return balancer;
}

/** Facts of targets, as a snapshot states them. */
export const factsIn =
  ({ providers }: Pick<Snapshot, 'providers'>): Leaves['targetOf'] =>
  ({ provider, model }) => {
    const { tags = [], models = {} } = providers[provider] ?? {};
    const { prices, capabilities } = models[model] ?? {};
    return { upstream: '', prices, tags, capabilities };
  };

const leavesOf = (node: TargetNode): readonly TargetSnapshot[] =>
  node.kind === 'target' ? [node] : node.of.flatMap((member) => leavesOf(member.node));

/** What nothing is known of is not left out. */
export function isKept(leaf: TargetSnapshot, { targetOf, keeps }: Leaves): boolean {
  const target = keeps && targetOf(leaf);
  return keeps === undefined || target === undefined || keeps(target);
}

export const targetsBelow = (node: TargetNode, leaves: Leaves): MemberTarget[] =>
  leavesOf(node).flatMap((leaf) => (isKept(leaf, leaves) ? (leaves.targetOf(leaf) ?? []) : []));

/** The leaves that a narrowing has left, of those that were there. */
export const narrowed = <Target extends MemberTarget>(
  { targetOf, keeps }: Leaves<Target>,
  { keeps: more }: Narrowing,
): Leaves<Target> => ({
  targetOf,
  ...((keeps ?? more) && { keeps: (target) => (keeps?.(target) ?? true) && (more?.(target) ?? true) }),
});

/** Indices of members that are there at all. Of who is picked by position, all are. */
export const openMembers = (node: GroupSnapshot, leaves: Leaves): number[] =>
  [...node.of.keys()].filter((index) => {
    const member = node.of[index]?.node;
    return balancerKinds[node.balance]?.picksOne || (member && leavesOf(member).some((leaf) => isKept(leaf, leaves)));
  });

/** `name` tells it from the other groups of all models. */
export function balancedGroup(node: GroupSnapshot, name: string, leaves: Leaves): BalancedGroup {
  const seen = new Map<string, number>();
  const members = node.of.map(({ weight = 1, node: member }): Member => {
    const [first] = leavesOf(member).filter((leaf) => isKept(leaf, leaves));
    // A group goes by its first target: what is added behind that does not make another of it.
    const label = `${first?.provider}/${first?.model}`;
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return { name: before === 0 ? label : `${label} ${before + 1}`, weight, targets: targetsBelow(member, leaves) };
  });
  return { name, options: node.options, members };
}

/** The group with some of its members only. */
export const groupAmong = (group: BalancedGroup, indices: readonly number[]): BalancedGroup => ({
  ...group,
  members: indices.flatMap((index) => group.members[index] ?? []),
});

interface Chances {
  readonly each: readonly { readonly node: TargetSnapshot; readonly chance: number; readonly isReached: boolean }[];
  readonly nobody: number;
}

export interface FirstChances {
  /** In the order they stand; 0 for what is only ever a fallback. Who is reached by no request is not among them. */
  readonly each: readonly { readonly node: TargetSnapshot; readonly chance: number }[];
  /** That no target is tried, because a condition keeps each of them out. */
  readonly nobody: number;
}

/** Less is not followed any further, and no more than rounding. */
const negligible = 1e-6;

/** Each of the ways by its chance. */
function together(ways: readonly (Chances & { readonly share: number })[]): Chances {
  const [first] = ways;
  const sum = (of: (way: Chances) => number): number => ways.reduce((total, way) => total + way.share * of(way), 0);
  return {
    each: (first?.each ?? []).map(({ node }, index) => ({
      node,
      chance: sum(({ each }) => each[index]?.chance ?? 0),
      isReached: ways.some(({ each }) => each[index]?.isReached),
    })),
    nobody: sum(({ nobody }) => nobody),
  };
}

function chancesBelow(node: TargetNode, leaves: Leaves, given: Given | undefined): Chances {
  if (node.kind === 'target') {
    const isReached = isKept(node, leaves);
    return { each: [{ node, chance: Number(isReached), isReached }], nobody: Number(!isReached) };
  }
  const balancer = balancerKinds[node.balance];
  if (!balancer?.narrowings) return chancesAmong(node, leaves, given);
  const ways = balancer.narrowings(node.options, targetsBelow(node, leaves), undefined, given);
  return together(ways.map((way) => ({ ...chancesAmong(node, narrowed(leaves, way), given), share: way.chance })));
}

function chancesAmong(node: GroupSnapshot, leaves: Leaves, given: Given | undefined): Chances {
  const balancer = balancerKinds[node.balance];
  const group = balancedGroup(node, '', leaves);
  const below = node.of.map((member) => chancesBelow(member.node, leaves, given));
  const open = openMembers(node, leaves);
  // Of what only another version knows, the first.
  const chancesOf = (left: readonly number[]) =>
    balancer?.chances(groupAmong(group, left), undefined, given) ?? left.map((_, at) => (at === 0 ? 1 : 0));
  const own = below.map(() => 0);
  let nobody = 0;
  const give = (left: readonly number[], chance: number): void => {
    if (left.length === 0 || chance < negligible) {
      nobody += chance;
      return;
    }
    const chances = chancesOf(left);
    const missing = 1 - chances.reduce((sum, each) => sum + each, 0);
    if (missing > negligible) nobody += chance * missing;
    for (const [position, index] of left.entries()) {
      const part = chance * (chances[position] ?? 0);
      const empty = below[index]?.nobody ?? 0;
      own[index] = (own[index] ?? 0) + part * (1 - empty);
      if (part * empty > 0) give(balancer?.picksOne ? [] : left.toSpliced(position, 1), part * empty);
    }
  };
  give(open, 1);
  const picked = balancer?.picksOne ? chancesOf(open) : undefined;
  const each = below.flatMap((inner, index) =>
    inner.each.map((leg) => ({
      node: leg.node,
      chance: inner.nobody === 1 ? 0 : ((own[index] ?? 0) * leg.chance) / (1 - inner.nobody),
      isReached: leg.isReached && picked?.[index] !== 0,
    })),
  );
  return { each, nobody };
}

/** Of any request of which `given` holds, with everything in rotation. */
export function firstChances(node: TargetNode, targetOf: Leaves['targetOf'], given?: Given): FirstChances {
  const { each, nobody } = chancesBelow(node, { targetOf }, given);
  return { each: each.flatMap(({ isReached, ...leg }) => (isReached ? [leg] : [])), nobody };
}
