/** Every order in which a model's targets may be tried, with its chance: what drawing one of them makes of the weights. */
import { balancerKinds, type TargetNode } from '../snapshot.ts';
import type { DrawnOrder, LiveTarget } from './generation.ts';

/** More than anyone reads. */
const mostOrders = 120;

type TargetOf = (node: Extract<TargetNode, { kind: 'target' }>) => LiveTarget | undefined;

interface Member {
  readonly weight: number;
  readonly orders: readonly DrawnOrder[];
}

class TooMany extends Error {}

/** One member after the other, each by its chance among those that are left. */
function sequences(
  members: readonly Member[],
  chances: (weights: readonly number[]) => readonly number[],
): DrawnOrder[] {
  if (members.length === 0) return [{ chance: 1, targets: [] }];
  const first = chances(members.map(({ weight }) => weight));
  const found: DrawnOrder[] = [];
  for (const [index, { orders }] of members.entries()) {
    const chance = first[index] ?? 0;
    if (chance === 0) continue;
    const rest = sequences(members.toSpliced(index, 1), chances);
    for (const head of orders)
      for (const tail of rest)
        found.push({ chance: chance * head.chance * tail.chance, targets: [...head.targets, ...tail.targets] });
    if (found.length > mostOrders) throw new TooMany();
  }
  return found;
}

function ordersOf(node: TargetNode, targetOf: TargetOf): DrawnOrder[] {
  if (node.kind === 'target') {
    const target = targetOf(node);
    return target?.provider.live ? [{ chance: 1, targets: [target] }] : [];
  }
  const balancer = balancerKinds[node.balance];
  if (!balancer) throw new TypeError(`unknown balancing ${node.balance}`);
  const members = node.of
    .map((child) => ({ weight: child.weight ?? 1, orders: ordersOf(child.node, targetOf) }))
    // What is out of rotation leaves its share to the others.
    .filter(({ orders }) => orders.length > 0);
  return members.length === 0 ? [] : sequences(members, (weights) => balancer.chances(weights));
}

/** The likeliest first; undefined when there are too many to tell. */
export function allOrders(node: TargetNode, targetOf: TargetOf): readonly DrawnOrder[] | undefined {
  try {
    return ordersOf(node, targetOf).sort((a, b) => b.chance - a.chance);
  } catch (error) {
    if (error instanceof TooMany) return undefined;
    throw error;
  }
}
