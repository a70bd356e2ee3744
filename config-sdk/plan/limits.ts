/** Limits: quotas that change, and quotas that are attached or taken off. */
import type { QuotaSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase, type Risk } from './change.ts';
import { durationInWords } from './duration-words.ts';
import { entryOf, listChange, namesOf, paired, type Pair, type Sides } from './revision.ts';

const whose = { consumer: 'for each consumer', gateway: 'for all consumers together' } as const;

function limitInWords({ limit, unit, window }: QuotaSnapshot): Phrase {
  const words = durationInWords(window);
  return say`${limit} ${[unit]} per ${[words.replace(/^1 /, '')]}`;
}

export const quotaInWords = (quota: QuotaSnapshot): Phrase => say`${limitInWords(quota)} ${[whose[quota.scope]]}`;

/** What limits an object that is new. */
export function attachedQuotas(names: readonly string[] | undefined, snapshot: Snapshot): Phrase {
  const known = (names ?? []).flatMap((name) => {
    const quota = entryOf(snapshot.quotas, name);
    return quota ? [say`${name} (${quotaInWords(quota)})`] : [];
  });
  return known.length === 0 ? say`no quota of its own` : say`quota ${joined(known, ', ')}`;
}

interface Attached {
  readonly quotas?: readonly string[] | undefined;
}

const attachable = ['models', 'routes', 'consumers'] as const;
const sortWord = { models: 'model', routes: 'route', consumers: 'consumer' } as const;

/** What draws from a quota, such as: models `a` and `b`; consumer `c`. */
function drawnBy(name: string, snapshot: Snapshot): Phrase {
  const uses = attachable.flatMap((sort) => {
    const objects: Readonly<Record<string, Attached>> = snapshot[sort];
    const names = namesOf(objects).filter((each) => entryOf(objects, each)?.quotas?.includes(name));
    return names.length === 0 ? [] : [say`${[sortWord[sort] + (names.length === 1 ? '' : 's')]} ${listed(names)}`];
  });
  return uses.length === 0 ? say`nothing draws from it` : say`draws from it: ${joined(uses, '; ')}`;
}

/** Above 1: more is allowed per time than before. */
const growth = (before: QuotaSnapshot, after: QuotaSnapshot): number =>
  after.limit / after.window / (before.limit / before.window);

/** From this factor on it is another order of size, and most likely a slip. */
const steep = 10;

const riskOf = (factor: number): Risk => (factor >= steep || factor * steep <= 1 ? 'high' : 'medium');

function factorInWords(factor: number): Phrase {
  const [sign, size] = factor >= 1 ? ['×', factor] : ['÷', 1 / factor];
  return [`${sign}${Number(size.toPrecision(3))}`];
}

function quotaChanges({ name, before, after }: Pair<QuotaSnapshot>, head: Snapshot): Change[] {
  const object = `quotas.${name}`;
  const users = drawnBy(name, head);
  const changes: Change[] = [];
  if (before.limit !== after.limit || before.window !== after.window || before.unit !== after.unit) {
    const factor = growth(before, after);
    // At the same rate, a longer window lets more through at once.
    const looser = factor > 1 || (factor === 1 && after.window > before.window);
    const rate = factor === 1 ? say`the same rate, in other portions` : factorInWords(factor);
    changes.push({
      kind: looser ? 'limit_loosened' : 'limit_tightened',
      risk: riskOf(factor),
      object,
      sentence: say`quota ${name}: ${limitInWords(before)} → ${limitInWords(after)} (${rate}), ${[whose[after.scope]]}`,
      details: [users],
    });
  }
  if (before.scope !== after.scope) {
    const looser = after.scope === 'consumer';
    changes.push({
      kind: looser ? 'limit_loosened' : 'limit_tightened',
      risk: looser ? 'high' : 'medium',
      object,
      sentence: say`quota ${name} now counts ${[whose[after.scope]]} instead of ${[whose[before.scope]]}`,
      details: looser ? [say`what all had together, each has now: ${limitInWords(after)}`, users] : [users],
    });
  }
  if (before.onStoreDown !== after.onStoreDown) {
    const looser = after.onStoreDown === 'open';
    changes.push({
      kind: looser ? 'limit_loosened' : 'limit_tightened',
      risk: 'medium',
      object,
      sentence: looser
        ? say`quota ${name} no longer holds while its store is down: requests pass uncounted`
        : say`quota ${name} refuses requests (503) while its store is down; they passed uncounted before`,
      details: [users],
    });
  }
  return changes;
}

function attachmentChanges(pair: Pair<Attached>, sort: (typeof attachable)[number], { base, head }: Sides): Change[] {
  const { gone, come } = listChange(pair.before.quotas, pair.after.quotas);
  if (gone.length + come.length === 0) return [];
  const object = `${sort}.${pair.name}`;
  const subject = say`${[sortWord[sort]]} ${pair.name}`;
  const inWords = (names: readonly string[], { quotas }: Snapshot): Phrase =>
    joined(
      names.map((name) => {
        const quota = entryOf(quotas, name);
        return quota ? say`${name} (${quotaInWords(quota)})` : say`${name}`;
      }),
      ', ',
    );
  if (gone.length === 0) {
    const sentence = say`${subject} now draws from quota ${inWords(come, head)}`;
    return [{ kind: 'limit_tightened', risk: 'medium', object, sentence, details: [] }];
  }
  if (come.length > 0) {
    const sentence = say`${subject} draws from quota ${inWords(come, head)} instead of ${inWords(gone, base)}`;
    const [old, now] = [entryOf(base.quotas, gone[0] ?? ''), entryOf(head.quotas, come[0] ?? '')];
    const factor = gone.length === 1 && come.length === 1 && old && now ? growth(old, now) : Infinity;
    const looser = factor > 1 || old?.scope !== now?.scope;
    return [
      { kind: looser ? 'limit_loosened' : 'limit_tightened', risk: riskOf(factor), object, sentence, details: [] },
    ];
  }
  const left = (pair.after.quotas ?? []).length;
  const details = left === 0 ? [say`no quota of its own is left`] : [attachedQuotas(pair.after.quotas, head)];
  const sentence = say`${subject} no longer draws from quota ${inWords(gone, base)}`;
  return [{ kind: 'limit_loosened', risk: 'high', object, sentence, details }];
}

export function limitChanges(sides: Sides): Change[] {
  const { base, head } = sides;
  return [
    ...paired(base.quotas, head.quotas).kept.flatMap((pair) => quotaChanges(pair, head)),
    ...attachable.flatMap((sort) =>
      paired<Attached>(base[sort], head[sort]).kept.flatMap((pair) => attachmentChanges(pair, sort, sides)),
    ),
  ];
}
