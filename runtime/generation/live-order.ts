/** The tree of a model's groups as one function that draws an order. */
import { balancedGroup, balancerOf } from '../balanced-group.ts';
import type { Circumstances } from '../balancing/balancer.ts';
import type { TargetNode, TargetSnapshot } from '../snapshot.ts';
import type { LiveModel, LiveTarget } from './generation.ts';

export interface LiveTree {
  readonly node: TargetNode;
  /** Of the model, and where in it the node stands. */
  readonly name: string;
  readonly targetOf: (node: TargetSnapshot) => LiveTarget | undefined;
}

export function liveOrder({ node, name, targetOf }: LiveTree): LiveModel['order'] {
  if (node.kind === 'target') {
    const target = targetOf(node);
    const fixed = target ? [target] : [];
    return () => fixed;
  }
  const members = node.of.map((member, index) => liveOrder({ node: member.node, name: `${name}/${index}`, targetOf }));
  const draw = balancerOf(node).prepare(balancedGroup(node, name, targetOf));
  return (circumstances) => draw(circumstances).flatMap((index) => members[index]?.(circumstances) ?? []);
}

/** Where there is no request, and nothing is known of upstreams. */
export const inTheDark = (random: () => number): Circumstances => ({
  random,
  asking: undefined,
  load: () => 0,
  latencyMs: () => undefined,
  turn: () => Math.floor(random() * 2 ** 31),
});
