/** The tree of a model's groups as one function that draws an order. */
import {
  balancedGroup,
  balancerOf,
  groupAmong,
  isKept,
  narrowed,
  openMembers,
  targetsBelow,
  type Leaves,
} from '../balanced-group.ts';
import type { Circumstances, Narrowing } from '../balancing/balancer.ts';
import type { GroupSnapshot, TargetNode } from '../snapshot.ts';
import type { LiveModel, LiveTarget } from './live.ts';

export interface LiveTree {
  readonly node: TargetNode;
  /** Of the model, and where in it the node stands. */
  readonly name: string;
  readonly leaves: Leaves<LiveTarget>;
}

type Order = LiveModel['order'];

export function liveOrder({ node, name, leaves }: LiveTree): Order {
  if (node.kind === 'target') {
    const target = isKept(node, leaves) ? leaves.targetOf(node) : undefined;
    const fixed = target ? [target] : [];
    return () => fixed;
  }
  const balancer = balancerOf(node);
  if (!balancer.narrowings) return among(node, name, leaves);
  const targets = targetsBelow(node, leaves);
  const known = new Map<string, Order>();
  return (circumstances) => {
    const ways = balancer.narrowings?.(node.options, targets, circumstances.asking) ?? [];
    const way = drawn(ways, circumstances.random);
    let order = known.get(way.name);
    if (!order) known.set(way.name, (order = among(node, nameOf(name, way), narrowed(leaves, way))));
    return order(circumstances);
  };
}

function among(node: GroupSnapshot, name: string, leaves: Leaves<LiveTarget>): Order {
  const open = openMembers(node, leaves);
  const members = open.flatMap((index) => {
    const member = node.of[index];
    return member ? [liveOrder({ node: member.node, name: `${name}/${index}`, leaves })] : [];
  });
  const draw = balancerOf(node).prepare(groupAmong(balancedGroup(node, name, leaves), open));
  return (circumstances) => draw(circumstances).flatMap((index) => members[index]?.(circumstances) ?? []);
}

/** Whoever takes turns among fewer takes turns of his own. */
export const nameOf = (name: string, way: Narrowing): string => (way.name === '' ? name : `${name}~${way.name}`);

/** Of a request that is known there is one way. */
function drawn(ways: readonly Narrowing[], random: () => number): Narrowing {
  const [first = { name: '', chance: 1 }, ...others] = ways;
  if (others.length === 0) return first;
  let left = random();
  return ways.find(({ chance }) => (left -= chance) < 0) ?? first;
}

/** Where there is no request, and nothing is known of upstreams. */
export const inTheDark = (random: () => number): Circumstances => ({
  at: Date.now(),
  random,
  asking: undefined,
  load: () => 0,
  latencyMs: () => undefined,
  turn: () => Math.floor(random() * 2 ** 31),
});
