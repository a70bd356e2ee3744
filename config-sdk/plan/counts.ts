/** Counts of quotas that go on, begin anew or end: what was used is still known, or can be used again. */
import { formerOf, windowOf, type QuotaSnapshot, type QuotaWindowSnapshot } from '@headgate/runtime/snapshot';
import { joined, say, type Change, type Phrase } from './change.ts';
import { durationInWords, durationText } from './duration-words.ts';
import { muchInWords, unitInWords, whose } from './limit-words.ts';
import { attachable, type Attached } from './quota-uses.ts';
import { entryOf, paired, type Sides } from './revision.ts';

type Window = QuotaWindowSnapshot | undefined;
type Former = NonNullable<ReturnType<typeof formerOf<QuotaWindowSnapshot>>>;

const isSameWindow = (one: Window, other: Window): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether a count of the one means something to the other. */
const countsAlike = (one: QuotaSnapshot, other: QuotaSnapshot): boolean =>
  one.unit === other.unit && whose(one) === whose(other);

/** Whether `after` takes over what `before` has counted, which it says it was. */
export const carriesCount = (before: QuotaSnapshot, after: QuotaSnapshot, former: Former): boolean =>
  countsAlike(before, after) && isSameWindow(windowOf(before), former.window);

const withoutOne = (ms: number): string => durationInWords(ms).replace(/^1 /, '');

function windowInWords(window: Window): Phrase {
  if (window === undefined) return ['as long as a request lasts'];
  if (typeof window === 'number') return [`each ${withoutOne(window)}`];
  if ('sliding' in window) return [`the last ${withoutOne(window.sliding)}`];
  return say`each calendar ${[window.calendar]} (${window.zone})`;
}

/** Until when the limit is there once more. */
function untilWhen(window: Window): Phrase {
  if (window === undefined) return ['beside what is in flight'];
  if (typeof window === 'number') return [`before its first ${withoutOne(window)} ends`];
  if ('sliding' in window) return [`within the next ${withoutOne(window.sliding)}`];
  return say`before the ${[window.calendar]} ends (${window.zone})`;
}

function windowAsWritten(window: QuotaWindowSnapshot): string {
  if (typeof window === 'number') return `'${durationText(window)}'`;
  if ('sliding' in window) return `{ sliding: '${durationText(window.sliding)}' }`;
  return `{ calendar: '${window.calendar}', zone: '${window.zone}' }`;
}

/** How to keep the count of `before`, which was called `old`; nothing where it cannot be kept. */
export function keepingInWords(name: string, after: QuotaSnapshot, [old, before]: [string, QuotaSnapshot]): Phrase[] {
  if (after.unit === 'concurrency') return [];
  if (before.unit !== after.unit) return [say`what was counted in another unit cannot go on`];
  if (whose(before) !== whose(after)) return [say`what was counted ${[whose(before)]} cannot go on`];
  const window = windowOf(before);
  const isMoved = window !== undefined && !isSameWindow(window, windowOf(after));
  const other = old === name ? '' : `name: '${old}', `;
  const was = isMoved ? `was: { ${other}window: ${windowAsWritten(window)} }` : `was: '${old}'`;
  return [say`to keep what was counted, write into the quota: ${was}`];
}

function begins(name: string, after: QuotaSnapshot, [old, before]: [string, QuotaSnapshot]): Change {
  const [was, is] = [windowOf(before), windowOf(after)];
  const former = formerOf(name, after);
  const reasons: Phrase[] = [
    ...(isSameWindow(was, is) ? [] : [say`its window was ${windowInWords(was)}, is ${windowInWords(is)}`]),
    ...(before.unit === after.unit ? [] : [[`it counted ${unitInWords(before)}, counts ${unitInWords(after)}`]]),
    ...(whose(before) === whose(after) ? [] : [say`it counted ${[whose(before)]}, counts ${[whose(after)]}`]),
    ...(former && former.name === old && !isSameWindow(former.window, was)
      ? [say`its ${'was'} names a window that ${old} did not have: ${windowInWords(former.window)}`]
      : []),
  ];
  const again = say`up to ${[muchInWords(after)]} ${[whose(after)]} can be used again ${untilWhen(is)}`;
  return {
    kind: 'limit_loosened',
    risk: 'medium',
    object: `quotas.${name}`,
    sentence: say`quota ${name} begins a new count: ${joined(reasons, '; ')}; ${again}`,
    details: keepingInWords(name, after, [old, before]),
  };
}

const aside = (name: string, sentence: Phrase, details: readonly Phrase[] = []): Change => ({
  kind: 'other_changed',
  risk: 'low',
  object: `quotas.${name}`,
  sentence,
  details,
});

/** What a count out of another window has too much, and what it lacks. */
const aboutCarried: readonly Phrase[] = [
  say`all of it counts as if it were used with the first request from now on`,
  say`what was used before that window began is not in it`,
];

function carried(name: string, [old, before]: [string, QuotaSnapshot]): Change {
  const from = old === name ? say`in its former window` : say`as ${old}`;
  const window = windowInWords(windowOf(before));
  return aside(name, say`quota ${name} goes on from what it has counted ${from}: ${window}`, aboutCarried);
}

/** It has a count of its own, so that what it was matters only to those who have none in it. */
function keptBeside(name: string, sides: Sides): Change[] {
  const [before, after] = [entryOf(sides.base.quotas, name), entryOf(sides.head.quotas, name)];
  if (!before || !after || JSON.stringify(before.was) === JSON.stringify(after.was)) return [];
  const [earlier, former] = [formerOf(name, before), formerOf(name, after)];
  if (!former) {
    const details = [say`counts that were not drawn from since then begin at nothing`];
    return [aside(name, say`quota ${name} no longer goes on from what ${earlier?.name ?? name} has counted`, details)];
  }
  const source = entryOf(sides.base.quotas, former.name);
  const goesOn = say`quota ${name} goes on from what ${former.name} has counted`;
  if (source && carriesCount(source, after, former))
    return [aside(name, say`${goesOn}, where it has nothing of its own`)];
  return [aside(name, say`${goesOn}, and nothing was counted so before: its own count stays`)];
}

function countChange(name: string, after: QuotaSnapshot, sides: Sides, isRenamed: boolean): Change[] {
  const { quotas } = sides.base;
  const [own, former] = [entryOf(quotas, name), formerOf(name, after)];
  if (own && countsAlike(own, after) && isSameWindow(windowOf(own), windowOf(after))) return keptBeside(name, sides);
  if (!former) return own ? [begins(name, after, [name, own])] : [];
  const source = entryOf(quotas, former.name);
  if (!source) {
    const sentence = say`quota ${name} goes on from what ${former.name} has counted, which is not there before either: it begins at nothing`;
    return [aside(name, sentence)];
  }
  if (!carriesCount(source, after, former)) return [begins(name, after, [former.name, source])];
  if (!isSameWindow(former.window, windowOf(after))) return [carried(name, [former.name, source])];
  return isRenamed ? [] : [aside(name, say`quota ${name} goes on from what ${former.name} has counted`)];
}

/** Where something that drew from it stays, that is told already. */
function ended({ base, head }: Sides): Change[] {
  const followed = new Set(Object.entries(head.quotas).map(([name, quota]) => formerOf(name, quota)?.name));
  return paired(base.quotas, head.quotas).removed.flatMap(({ name, before }): Change[] => {
    const isTold = attachable.some((sort) =>
      paired<Attached>(base[sort], head[sort]).kept.some((each) => each.before.quotas?.includes(name)),
    );
    if (isTold || followed.has(name)) return [];
    const sentence = say`quota ${name} is gone, and nothing goes on from what it has counted ${[whose(before)]}`;
    return [aside(name, sentence)];
  });
}

/** `sides` as they are, and again with the base in the names of the head: a rename is told elsewhere. */
export function countChanges(sides: Sides, renamed: Sides): Change[] {
  const isRenamed = (name: string): boolean =>
    !Object.hasOwn(sides.base.quotas, name) && Object.hasOwn(renamed.base.quotas, name);
  return [
    ...Object.entries(sides.head.quotas).flatMap(([name, after]) => countChange(name, after, sides, isRenamed(name))),
    ...ended(renamed),
  ];
}
