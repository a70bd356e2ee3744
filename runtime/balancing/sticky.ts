/**
 * Sends what belongs together to the same member, so that it finds its prompt cache warm: by rendezvous hashing, where a member
 * that is taken away moves only what it had.
 */
import { hash } from 'node:crypto';
import type { Zod } from '../zod.ts';
import { evenly, shuffled, type Asking, type Balancer, type Member } from './balancer.ts';

const options = (z: Zod) =>
  z.strictObject({
    /** What belongs together: requests of one consumer, of one `user` as the call names it, or with one value of a header. */
    by: z.union([
      z.enum(['consumer', 'user']),
      z
        .string()
        .regex(
          /^header:[a-z0-9-]{1,128}$/,
          "write 'consumer', 'user', or 'header:' and the name of a header in lower case",
        ),
    ]),
  });

const headerMark = 'header:';

/** Each consumer's users are its own. What names no user or has no such header goes by its consumer. */
function keyOf(by: string, { consumer, call, header }: Asking): string {
  const own = by.startsWith(headerMark) ? header(by.slice(headerMark.length)) : by === 'user' ? call.user : undefined;
  return JSON.stringify(own === undefined ? [consumer] : [consumer, own]);
}

function ranked(key: string, members: readonly Member[]): number[] {
  return members
    .map(({ name }, index) => ({ index, score: hash('sha256', `${key} ${name}`) }))
    .toSorted((a, b) => (a.score < b.score ? -1 : 1))
    .map(({ index }) => index);
}

export const sticky = {
  options,
  weights: 'refused',
  chances(group, asking) {
    if (!asking) return evenly(group);
    const [first] = ranked(keyOf(group.options.by, asking), group.members);
    return group.members.map((_, index) => (index === first ? 1 : 0));
  },
  prepare:
    ({ members, options: { by } }) =>
    ({ asking, random }) =>
      asking ? ranked(keyOf(by, asking), members) : shuffled(members.length, random),
} satisfies Balancer<typeof options>;
