/** Tries its members in order, and of all targets below them only those that can do what the call asks for. What is not known of a model counts as something it can do. */
import type { Capability } from '../capability.ts';
import { asWritten, type Asking, type Balancer, type Given, type MemberTarget, type Narrowing } from './balancer.ts';
import { hasImages } from './condition.ts';

type Needed = readonly (readonly [Capability, needed: boolean | undefined])[];

const neededBy = ({ call, ...asking }: Asking): Needed => [
  ['tools', call.tools.length > 0],
  ['images', hasImages({ ...asking, call })],
  ['structuredOutput', call.answerFormat?.type === 'json_schema'],
];

const neededOf = ({ tools, images }: Given): Needed => [
  ['tools', tools],
  ['images', images],
  ['structuredOutput', undefined],
];

const can = ({ capabilities }: MemberTarget, need: Capability): boolean => capabilities?.includes(need) ?? true;

const forNeeds = (needs: readonly Capability[], chance: number): Narrowing => ({
  name: needs.join(),
  chance,
  ...(needs.length > 0 && { keeps: (target) => needs.every((need) => can(target, need)) }),
});

export const capable = {
  ...asWritten,
  narrowings(_, targets, asking, given = {}) {
    const needed = asking ? neededBy(asking) : neededOf(given);
    // What all of them can do, or none, makes no two sorts of requests.
    const open = needed.flatMap(([need, is]) =>
      is === undefined && new Set(targets.map((target) => can(target, need))).size > 1 ? [need] : [],
    );
    const certain = needed.flatMap(([need, is]) => (is === true ? [need] : []));
    const ways = open.reduce<readonly (readonly Capability[])[]>(
      (all, need) => all.flatMap((way) => [way, [...way, need]]),
      [certain],
    );
    return ways.map((way) => forNeeds(way, 1 / ways.length));
  },
} satisfies Balancer;
