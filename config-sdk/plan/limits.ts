/** Limits: quotas that change, and quotas that are attached or taken off. */
import type { QuotaSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase } from './change.ts';
import { countsApart, growth, limitInWords, quotaInWords, sameLimit, whose } from './limit-words.ts';
import { worthInWords } from './limit-worth.ts';
import { attachable, quotaUses, sortWord, type Attached, type QuotaUses } from './quota-uses.ts';
import { entryOf, listChange, paired, type Pair, type Sides } from './revision.ts';

/** What limits an object that is new. */
export function attachedQuotas(names: readonly string[] | undefined, snapshot: Snapshot): Phrase {
  const known = (names ?? []).flatMap((name) => {
    const quota = entryOf(snapshot.quotas, name);
    return quota ? [say`${name} (${quotaInWords(quota)})`] : [];
  });
  return known.length === 0 ? say`no quota of its own` : say`quota ${joined(known, ', ')}`;
}

/** Models and routes that a consumer may call as often as it likes. */
export function unlimited(
  consumer: Attached,
  names: Partial<Record<'models' | 'routes', readonly string[]>>,
  snapshot: Snapshot,
): Phrase[] {
  if ((consumer.quotas ?? []).length > 0) return [];
  const free = (['models', 'routes'] as const).flatMap((sort) => {
    const objects: Readonly<Record<string, Attached>> = snapshot[sort];
    return (names[sort] ?? []).filter((name) => (entryOf(objects, name)?.quotas ?? []).length === 0);
  });
  return free.length === 0 ? [] : [say`no quota limits it at ${listed(free)}`];
}

const percent = (share: number): string => String(Number((share * 100).toFixed(6)));

/** Beyond which a warning is given, and whether the limit refuses at all. */
function manner(before: QuotaSnapshot, after: QuotaSnapshot, subject: Pick<Change, 'object' | 'details'>): Change[] {
  const changes: Change[] = [];
  const name = [{ code: subject.object.slice('quotas.'.length) }];
  if (before.mode !== after.mode) {
    const looser = after.mode === 'soft';
    changes.push({
      ...subject,
      kind: looser ? 'limit_loosened' : 'limit_tightened',
      risk: looser ? 'high' : 'medium',
      sentence: looser
        ? say`quota ${name} refuses nothing any more: it only warns`
        : say`quota ${name} refuses what is above its limit; it only warned before`,
    });
  }
  if (before.warnAt !== after.warnAt) {
    const words = ({ warnAt }: QuotaSnapshot) => (warnAt === undefined ? 'never' : `from ${percent(warnAt)} % on`);
    changes.push({
      kind: 'other_changed',
      risk: 'low',
      object: subject.object,
      sentence: say`quota ${name} warns ${[words(after)]} (before: ${[words(before)]})`,
      details: [],
    });
  }
  if (before.slack !== after.slack) {
    const looser = (after.slack ?? 0) > (before.slack ?? 0);
    const by = ({ slack }: QuotaSnapshot) =>
      slack === undefined ? 'may not exceed it by anything' : `may exceed it by ${percent(slack)} %`;
    changes.push({
      ...subject,
      kind: looser ? 'limit_loosened' : 'limit_tightened',
      risk: 'medium',
      sentence: say`replicas that share quota ${name} ${[by(after)]} together (before: ${[by(before)]})`,
    });
  }
  return [...changes, ...downgradeChanges(before, after, subject)];
}

const downgradeInWords = ({ downgrade }: QuotaSnapshot): Phrase =>
  downgrade === undefined
    ? ['goes where it is meant to go, however much is used']
    : say`goes to model ${downgrade.to} from ${[percent(downgrade.at)]} % of the limit on`;

function downgradeChanges(
  before: QuotaSnapshot,
  after: QuotaSnapshot,
  { object }: Pick<Change, 'object'>,
): readonly Change[] {
  if (JSON.stringify(before.downgrade) === JSON.stringify(after.downgrade)) return [];
  const name = [{ code: object.slice('quotas.'.length) }];
  const sentence = say`what draws from quota ${name} ${downgradeInWords(after)}`;
  return [
    { kind: 'other_changed', risk: 'medium', object, sentence, details: [say`before, it ${downgradeInWords(before)}`] },
  ];
}

/** What else comes with a quota that was not there before. */
function besideLimit(name: string, quota: QuotaSnapshot | undefined): readonly Phrase[] {
  if (!quota) return [];
  const { downgrade, onStoreDown } = quota;
  const outage = {
    closed: undefined,
    open: say`while the store of quota ${name} is down, requests pass uncounted`,
    local: say`while the store of quota ${name} is down, each replica counts by itself`,
  }[outageOf({ onStoreDown })];
  return [
    ...(downgrade ? [say`what draws from quota ${name} ${downgradeInWords(quota)}`] : []),
    ...(outage ? [outage] : []),
  ];
}

/** From what refuses everything to what refuses nothing. */
const outageRanks = { closed: 0, local: 1, open: 2 } as const;

const outageOf = ({ onStoreDown }: Pick<QuotaSnapshot, 'onStoreDown'>): keyof typeof outageRanks =>
  typeof onStoreDown === 'string' ? onStoreDown : 'local';

/** What is let through while the store is down. */
function outageChanges(
  before: QuotaSnapshot,
  after: QuotaSnapshot,
  subject: Pick<Change, 'object' | 'details'>,
): readonly Change[] {
  if (JSON.stringify(before.onStoreDown) === JSON.stringify(after.onStoreDown)) return [];
  const name = [{ code: subject.object.slice('quotas.'.length) }];
  const [was, is] = [outageOf(before), outageOf(after)];
  const share = ({ onStoreDown }: QuotaSnapshot) => (typeof onStoreDown === 'object' ? onStoreDown.local.replicas : 1);
  const looser =
    outageRanks[is] === outageRanks[was] ? share(after) < share(before) : outageRanks[is] > outageRanks[was];
  const upTo = (quota: QuotaSnapshot) => (share(quota) === 1 ? 'the whole limit' : `1/${share(quota)} of the limit`);
  const past = { closed: 'were refused', local: 'were counted by each replica', open: 'passed uncounted' }[was];
  const pastShare = was === 'local' ? `, up to ${upTo(before)}` : '';
  const sentences: Readonly<Record<keyof typeof outageRanks, Phrase>> = {
    open: say`quota ${name} no longer holds while its store is down: requests pass uncounted`,
    local: say`each replica counts quota ${name} by itself, up to ${[upTo(after)]}, while its store is down (before: requests ${[`${past}${pastShare}`]})`,
    closed: say`quota ${name} refuses requests (503) while its store is down; they ${[past]} before`,
  };
  const kind = looser ? 'limit_loosened' : 'limit_tightened';
  return [{ ...subject, kind, risk: 'medium', sentence: sentences[is] }];
}

function quotaChanges(pair: Pair<QuotaSnapshot>, uses: QuotaUses, { base, head }: Sides): Change[] {
  const { name, before, after } = pair;
  const object = `quotas.${name}`;
  const users = uses(name);
  const changes: Change[] = [];
  if (!sameLimit(before, after)) {
    const { looser, risk, words } = growth(before, after);
    changes.push({
      kind: looser ? 'limit_loosened' : 'limit_tightened',
      risk,
      object,
      sentence: say`quota ${name}: ${limitInWords(before)} → ${limitInWords(after)} (${words}), ${[whose(after)]}`,
      details: [...worthInWords(pair, base, head), ...users],
    });
  }
  if (whose(before) !== whose(after)) {
    const looser = countsApart(before, after);
    changes.push({
      kind: looser ? 'limit_loosened' : 'limit_tightened',
      risk: looser ? 'high' : 'medium',
      object,
      sentence: say`quota ${name} now counts ${[whose(after)]} instead of ${[whose(before)]}`,
      details: looser
        ? [say`each of these counts may come to the whole limit: ${limitInWords(after)}`, ...users]
        : users,
    });
  }
  return [
    ...changes,
    ...outageChanges(before, after, { object, details: users }),
    ...manner(before, after, { object, details: users }),
  ];
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
    const details = come.flatMap((name) => besideLimit(name, entryOf(head.quotas, name)));
    return [{ kind: 'limit_tightened', risk: 'medium', object, sentence, details }];
  }
  if (come.length > 0) {
    const sentence = say`${subject} draws from quota ${inWords(come, head)} instead of ${inWords(gone, base)}`;
    const [old, now] = [entryOf(base.quotas, gone[0] ?? ''), entryOf(head.quotas, come[0] ?? '')];
    const single = gone.length === 1 && come.length === 1 && old && now ? growth(old, now) : undefined;
    const looser =
      single?.looser !== false ||
      (old !== undefined && now !== undefined && countsApart(old, now)) ||
      (old?.mode === 'hard' && now?.mode === 'soft');
    const kind = looser ? 'limit_loosened' : 'limit_tightened';
    return [{ kind, risk: single?.risk ?? 'high', object, sentence, details: [] }];
  }
  const left = (pair.after.quotas ?? []).length;
  const details = left === 0 ? [say`no quota of its own is left`] : [attachedQuotas(pair.after.quotas, head)];
  const sentence = say`${subject} no longer draws from quota ${inWords(gone, base)}`;
  return [{ kind: 'limit_loosened', risk: 'high', object, sentence, details }];
}

export function limitChanges(sides: Sides): Change[] {
  const { base, head } = sides;
  const uses = quotaUses(head);
  return [
    ...paired(base.quotas, head.quotas).kept.flatMap((pair) => quotaChanges(pair, uses, sides)),
    ...attachable.flatMap((sort) =>
      paired<Attached>(base[sort], head[sort]).kept.flatMap((pair) => attachmentChanges(pair, sort, sides)),
    ),
  ];
}
