/** What holds the configuration itself: promises that are no longer kept, and findings that nobody is told of any more. */
import type { Safeguards } from '../safeguards.ts';
import { say, type Change, type Phrase } from './change.ts';
import { paired } from './revision.ts';

export interface SafeguardSides {
  readonly base: Safeguards;
  readonly head: Safeguards;
}

function invariantChanges({ base, head }: SafeguardSides): Change[] {
  const { added, removed, kept } = paired(base.invariants, head.invariants);
  const change = (name: string, rest: Pick<Change, 'kind' | 'risk' | 'sentence'>): Change => ({
    ...rest,
    object: `invariants.${name}`,
    details: [],
  });
  return [
    ...removed.map(({ name }) => {
      const sentence = say`invariant ${name} is gone: nothing holds this gateway to it any more`;
      return change(name, { kind: 'guard_removed', risk: 'high', sentence });
    }),
    ...kept.flatMap(({ name, before, after }) => {
      if (before.digest === after.digest) return [];
      const sentence = say`invariant ${name} reads differently, and may promise less`;
      return [change(name, { kind: 'guard_changed', risk: 'medium', sentence })];
    }),
    ...added.map(({ name }) =>
      change(name, { kind: 'guard_added', risk: 'low', sentence: say`invariant ${name} is new` }),
    ),
  ];
}

type Accepted = Safeguards['accepted'][number];

const subject = ({ code, within }: Accepted): Phrase =>
  say`finding ${code} ${within === undefined ? ['everywhere'] : say`in ${within}`}`;

/** By what each is about; the reasons of several about the same are one text. */
const byPlace = ({ accepted }: Safeguards): Record<string, Accepted> =>
  Object.fromEntries(
    [...Map.groupBy(accepted, ({ code, within = '' }) => `${code} ${within}`)].flatMap(([place, entries]) => {
      const reasons = entries.map(({ reason }) => reason).toSorted();
      return entries.slice(0, 1).map((entry) => [place, { ...entry, reason: reasons.join('; ') }] as const);
    }),
  );

function acceptedChanges({ base, head }: SafeguardSides): Change[] {
  const { added, removed, kept } = paired(byPlace(base), byPlace(head));
  const change = (rest: Pick<Change, 'kind' | 'risk' | 'sentence'>, reason: string): Change => ({
    ...rest,
    object: 'gateway',
    details: [say`the reason given: ${reason}`],
  });
  return [
    ...added.map(({ after }) => {
      const sentence = say`${subject(after)} is accepted from now on`;
      return change({ kind: 'guard_removed', risk: 'medium', sentence }, after.reason);
    }),
    ...kept.flatMap(({ before, after }) => {
      if (before.reason === after.reason) return [];
      const sentence = say`${subject(after)} is accepted for another reason`;
      return [change({ kind: 'guard_changed', risk: 'low', sentence }, after.reason)];
    }),
    ...removed.map(({ before }) => {
      const sentence = say`${subject(before)} is no longer accepted`;
      return { ...change({ kind: 'guard_added', risk: 'low', sentence }, ''), details: [] };
    }),
  ];
}

export const safeguardChanges = (sides: SafeguardSides): Change[] => [
  ...invariantChanges(sides),
  ...acceptedChanges(sides),
];
