/** Who may use what: objects that come and go, lists of consumers that grow and shrink, all told as effective access. */
import type { ConsumerSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { counted, joined, listed, say, type Change, type Phrase } from './change.ts';
import { waysIn } from './certificates.ts';
import { attachedQuotas, unlimited } from './limits.ts';
import { listChange, namesOf, paired, type Pair, type Sides } from './revision.ts';
import { describeModel, describeRoute } from './served-words.ts';
import { listOf, served, sortWord, usersInWords, usersOf, type Served } from './users.ts';

/** Models and routes that are new, and models that are gone; what becomes of requests for a lost route is told elsewhere. */
function servedChanges({ base, head }: Sides, sort: Served): Change[] {
  const { added, removed } = paired<object>(base[sort], head[sort]);
  const [before, after] = [usersOf(base, sort), usersOf(head, sort)];
  const word: Phrase = [sortWord[sort]];
  return [
    ...added.map(({ name }): Change => {
      const users = after(name);
      return {
        kind: 'access_gained',
        risk: users.named.length + users.unlisted.length === 0 ? 'info' : 'medium',
        object: `${sort}.${name}`,
        sentence: say`${word} ${name} is new: ${usersInWords(users, sort)}`,
        details: sort === 'models' ? describeModel(head, name) : describeRoute(head, name),
      };
    }),
    ...(sort === 'routes' ? [] : removed).map(({ name }): Change => {
      const { named, unlisted } = before(name);
      const users = [...named, ...unlisted];
      return {
        kind: 'access_lost',
        risk: users.length === 0 ? 'low' : 'high',
        object: `${sort}.${name}`,
        sentence: say`${word} ${name} is gone: whoever asks for it gets 404`,
        details: users.length === 0 ? [] : [say`${counted(users.length, 'consumer')} could use it: ${listed(users)}`],
      };
    }),
  ];
}

interface Common {
  readonly sort: Served;
  /** What both sides serve. */
  readonly everywhere: ReadonlySet<string>;
  readonly sides: Sides;
}

/** What a kept consumer gains or loses of what both sides serve; the rest is told where it comes and goes. */
function listChanges({ name, before, after }: Pair<ConsumerSnapshot>, { sort, everywhere, sides }: Common): Change[] {
  const { base, head } = sides;
  const [old, now] = [listOf(before, sort, base), listOf(after, sort, head)];
  if (old === undefined && now === undefined) return [];
  const { gone, come } = listChange(old ?? [...everywhere], now ?? [...everywhere]);
  const inBoth = (names: readonly string[]): string[] => names.filter((each) => everywhere.has(each));
  const [lost, gained] = [inBoth(gone), inBoth(come)];
  const object = `consumers.${name}`;
  if (now === undefined) {
    const details =
      gained.length === 0 ? [] : [say`gains ${listed(gained)}`, ...unlimited(after, { [sort]: gained }, head)];
    const sentence = say`consumer ${name} may use every ${[sortWord[sort]]} from now on, and any that is added later`;
    return [{ kind: 'access_gained', risk: 'high', object, sentence, details }];
  }
  const changes: Change[] = [];
  if (gained.length > 0) {
    const sentence = say`consumer ${name} gains ${counted(gained.length, sortWord[sort])}: ${listed(gained)}`;
    const details = unlimited(after, { [sort]: gained }, head);
    changes.push({ kind: 'access_gained', risk: 'medium', object, sentence, details });
  }
  // That it is bound to certain prompts is told as such.
  const isListed = after[sort] !== undefined;
  const details =
    old === undefined && isListed
      ? [say`it could use every ${[sortWord[sort]]}; now only those that its list names`]
      : [];
  if (lost.length > 0) {
    const sentence = say`consumer ${name} loses ${counted(lost.length, sortWord[sort])}: ${listed(lost)}`;
    changes.push({ kind: 'access_lost', risk: 'high', object, sentence, details });
  } else if (old === undefined && isListed) {
    const sentence = say`consumer ${name} no longer gets the ${[sort]} that are added later`;
    changes.push({ kind: 'access_lost', risk: 'low', object, sentence, details });
  }
  return changes;
}

function reachInWords(consumer: ConsumerSnapshot, sort: Served, snapshot: Snapshot): Phrase {
  const list = listOf(consumer, sort, snapshot);
  const all = Object.keys(snapshot[sort]).length;
  if (list === undefined) return say`every ${[sortWord[sort]]} (${all} now, and any that is added later)`;
  return list.length === 0
    ? say`no ${[sortWord[sort]]}`
    : say`${counted(list.length, sortWord[sort])} (${listed(list)})`;
}

function reachOf(consumer: ConsumerSnapshot, snapshot: Snapshot): Phrase {
  const sorts = served.filter((sort) => Object.keys(snapshot[sort]).length > 0);
  const reaches = sorts.map((sort) => reachInWords(consumer, sort, snapshot));
  return reaches.length === 0 ? ['nothing, since nothing is served'] : joined(reaches, ' and ');
}

const reachedBy = (consumer: ConsumerSnapshot, snapshot: Snapshot): Record<Served, readonly string[]> => ({
  models: listOf(consumer, 'models', snapshot) ?? namesOf(snapshot.models),
  routes: consumer.routes ?? namesOf(snapshot.routes),
});

function consumerComes(name: string, consumer: ConsumerSnapshot, head: Snapshot): Change {
  const ways = waysIn(consumer);
  const open = served.some((sort) => listOf(consumer, sort, head) === undefined && Object.keys(head[sort]).length > 0);
  return {
    kind: 'access_gained',
    risk: open ? 'high' : 'medium',
    object: `consumers.${name}`,
    sentence: say`consumer ${name} is new and may use ${reachOf(consumer, head)}`,
    details: [
      ways.length === 0 ? say`has no key yet, and cannot call` : joined(ways, ', '),
      attachedQuotas(consumer.quotas, head),
      ...unlimited(consumer, reachedBy(consumer, head), head),
    ],
  };
}

function consumerGoes(name: string, consumer: ConsumerSnapshot, base: Snapshot): Change {
  const ways = waysIn(consumer);
  const own = ways.length === 0 ? counted(0, 'key') : joined(ways, ' and ');
  const { keys, certificates = [], jwt = [] } = consumer;
  const isOne = keys.length + certificates.length + jwt.length === 1;
  return {
    kind: 'access_lost',
    risk: ways.length === 0 ? 'low' : 'high',
    object: `consumers.${name}`,
    sentence: say`consumer ${name} is gone: its ${own} no longer open${[isOne ? 's' : '']} anything`,
    details: [say`could use ${reachOf(consumer, base)}`],
  };
}

export function accessChanges(sides: Sides): Change[] {
  const { base, head } = sides;
  const { added, removed, kept } = paired(base.consumers, head.consumers);
  const common = served.map((sort): Common => {
    const names = namesOf(head[sort]).filter((each) => Object.hasOwn(base[sort], each));
    return { sort, everywhere: new Set(names), sides };
  });
  return [
    ...served.flatMap((sort) => servedChanges(sides, sort)),
    ...added.map(({ name, after }) => consumerComes(name, after, head)),
    ...removed.map(({ name, before }) => consumerGoes(name, before, base)),
    ...common.flatMap((one) => kept.flatMap((pair) => listChanges(pair, one))),
  ];
}
