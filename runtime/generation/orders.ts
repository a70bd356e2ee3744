/** Every order in which a model's targets may be tried, with its chance: what drawing makes of the groups. */
import type { Asking } from '../balancing/balancer.ts';
import { balancedGroup, balancerOf, groupAmong, isKept, narrowed, targetsBelow } from '../balanced-group.ts';
import type { GroupSnapshot } from '../snapshot.ts';
import type { DrawnOrder } from './live.ts';
import { nameOf, type LiveTree } from './live-order.ts';

/** More than anyone reads. */
const mostOrders = 120;

/** Less is what rounding leaves. */
const negligible = 1e-9;

class TooMany extends Error {}

/** One member after the other, each by its chance among those of `left`, which are indices of `orders`. */
function sequences(
  left: readonly number[],
  orders: readonly (readonly DrawnOrder[])[],
  chancesOf: (left: readonly number[]) => readonly number[],
): DrawnOrder[] {
  if (left.length === 0) return [{ chance: 1, targets: [] }];
  const first = chancesOf(left);
  const found: DrawnOrder[] = [];
  for (const [position, index] of left.entries()) {
    const chance = first[position] ?? 0;
    if (chance === 0) continue;
    const rest = sequences(left.toSpliced(position, 1), orders, chancesOf);
    for (const head of orders[index] ?? [])
      for (const tail of rest)
        found.push({ chance: chance * head.chance * tail.chance, targets: [...head.targets, ...tail.targets] });
    if (found.length > mostOrders) throw new TooMany();
  }
  return found;
}

/** Each by its chance and nobody after it; nobody at all by what is missing to 1. */
function oneOf(orders: readonly (readonly DrawnOrder[])[], chances: readonly number[]): DrawnOrder[] {
  const none: DrawnOrder = { chance: 1, targets: [] };
  const found = orders.flatMap((own, index) =>
    (own.length > 0 ? own : [none]).map((each) => ({ ...each, chance: each.chance * (chances[index] ?? 0) })),
  );
  const nobody = 1 - chances.reduce((sum, chance) => sum + chance, 0);
  return merged([...found, { ...none, chance: nobody }].filter(({ chance }) => chance > negligible));
}

/** Different draws may come to the same order. */
function merged(orders: readonly DrawnOrder[]): DrawnOrder[] {
  const known = new Map<string, DrawnOrder>();
  for (const { chance, targets } of orders) {
    const key = JSON.stringify(targets.map(({ label }) => label));
    known.set(key, { targets, chance: chance + (known.get(key)?.chance ?? 0) });
  }
  return [...known.values()];
}

function ordersOf({ node, name, leaves }: LiveTree, asking: Asking | undefined): DrawnOrder[] {
  if (node.kind === 'target') {
    const target = isKept(node, leaves) ? leaves.targetOf(node) : undefined;
    return target?.provider.live ? [{ chance: 1, targets: [target] }] : [];
  }
  const balancer = balancerOf(node);
  if (!balancer.narrowings) return ordersAmong({ node, name, leaves }, asking);
  const ways = balancer.narrowings(node.options, targetsBelow(node, leaves), asking);
  const orders = ways.map((way) =>
    ordersAmong({ node, name: nameOf(name, way), leaves: narrowed(leaves, way) }, asking),
  );
  if (orders.every((each) => each.length === 0)) return [];
  return oneOf(
    orders,
    ways.map(({ chance }) => chance),
  );
}

function ordersAmong(
  { node, name, leaves }: LiveTree & { readonly node: GroupSnapshot },
  asking: Asking | undefined,
): DrawnOrder[] {
  const balancer = balancerOf(node);
  const group = balancedGroup(node, name, leaves);
  const orders = node.of.map((member, index) =>
    ordersOf({ node: member.node, name: `${name}/${index}`, leaves }, asking),
  );
  if (orders.every((each) => each.length === 0)) return [];
  if (balancer.picksOne) return oneOf(orders, balancer.chances(group, asking));
  // What is out of rotation leaves its share to the others.
  const inRotation = [...orders.keys()].filter((index) => orders[index]?.length);
  const chancesOf = (left: readonly number[]) => balancer.chances(groupAmong(group, left), asking);
  return merged(sequences(inRotation, orders, chancesOf));
}

/** The likeliest first; undefined when there are too many to tell. */
export function allOrders(tree: LiveTree, asking: Asking | undefined): readonly DrawnOrder[] | undefined {
  try {
    return ordersOf(tree, asking).sort((a, b) => b.chance - a.chance);
  } catch (error) {
    if (error instanceof TooMany) return undefined;
    throw error;
  }
}
