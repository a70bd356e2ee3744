/** A group of a snapshot as its strategy sees it, and how likely each target below it is tried first. */
import type { BalancedGroup, Balancer, Member, MemberTarget } from './balancing/balancer.ts';
import { balancerKinds, type GroupSnapshot, type TargetNode, type TargetSnapshot } from './snapshot.ts';

export type TargetOf = (node: TargetSnapshot) => MemberTarget | undefined;

export function balancerOf({ balance }: GroupSnapshot): Balancer {
  const balancer = balancerKinds[balance];
  if (!balancer) throw new TypeError(`unknown balancing ${balance}`);
  return balancer;
}

const leavesOf = (node: TargetNode): readonly TargetSnapshot[] =>
  node.kind === 'target' ? [node] : node.of.flatMap((member) => leavesOf(member.node));

/** `name` tells it from the other groups of all models. */
export function balancedGroup(node: GroupSnapshot, name: string, targetOf: TargetOf): BalancedGroup {
  const seen = new Map<string, number>();
  const members = node.of.map(({ weight = 1, node: member }): Member => {
    const leaves = leavesOf(member);
    // A group goes by its first target: what is added behind that does not make another of it.
    const label = `${leaves[0]?.provider}/${leaves[0]?.model}`;
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    const targets = leaves.flatMap((leaf) => targetOf(leaf) ?? []);
    return { name: before === 0 ? label : `${label} ${before + 1}`, weight, targets };
  });
  return { name, options: node.options, members };
}

export interface FirstChances {
  /** In the order they stand; 0 for what is only ever a fallback. */
  readonly each: readonly { readonly node: TargetSnapshot; readonly chance: number }[];
  /** That no target is tried, because a condition keeps each of them out. */
  readonly nobody: number;
}

/** Less is not followed any further, and no more than rounding. */
const negligible = 1e-6;

/** Of any request, with everything in rotation. */
export function firstChances(node: TargetNode, targetOf: TargetOf): FirstChances {
  if (node.kind === 'target') return { each: [{ node, chance: 1 }], nobody: 0 };
  const balancer = balancerKinds[node.balance];
  const group = balancedGroup(node, '', targetOf);
  const below = node.of.map((member) => firstChances(member.node, targetOf));
  const own = below.map(() => 0);
  let nobody = 0;
  const give = (left: readonly number[], chance: number): void => {
    if (left.length === 0 || chance < negligible) {
      nobody += chance;
      return;
    }
    const members = left.flatMap((index) => group.members[index] ?? []);
    // Of what only another version knows, the first.
    const chances = balancer?.chances({ ...group, members }, undefined) ?? members.map((_, at) => (at === 0 ? 1 : 0));
    const missing = 1 - chances.reduce((sum, each) => sum + each, 0);
    if (missing > negligible) nobody += chance * missing;
    for (const [position, index] of left.entries()) {
      const part = chance * (chances[position] ?? 0);
      const empty = below[index]?.nobody ?? 0;
      own[index] = (own[index] ?? 0) + part * (1 - empty);
      if (part * empty > 0) give(balancer?.picksOne ? [] : left.toSpliced(position, 1), part * empty);
    }
  };
  give([...below.keys()], 1);
  const each = below.flatMap((inner, index) =>
    inner.each.map((leg) => ({
      node: leg.node,
      chance: inner.nobody === 1 ? 0 : ((own[index] ?? 0) * leg.chance) / (1 - inner.nobody),
    })),
  );
  return { each, nobody };
}
