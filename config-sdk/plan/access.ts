/** Who may use what: objects that come and go, lists of consumers that grow and shrink, all told as effective access. */
import type { ConsumerSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { counted, joined, listed, say, type Change, type Phrase } from './change.ts';
import { attachedQuotas } from './limits.ts';
import { entryOf, listChange, namesOf, paired, type Pair, type Sides } from './revision.ts';
import { describeModel, describeRoute } from './served-words.ts';

const served = ['models', 'routes'] as const;
type Served = (typeof served)[number];
const sortWord = { models: 'model', routes: 'route' } as const;

/** Consumers that may use one model or route: because a list names it, or because they have no list. */
function usersOf(snapshot: Snapshot, sort: Served): (name: string) => { named: string[]; unlisted: readonly string[] } {
  const consumers = namesOf(snapshot.consumers);
  const unlisted = consumers.filter((name) => entryOf(snapshot.consumers, name)?.[sort] === undefined);
  const named = new Map<string, string[]>();
  for (const consumer of consumers)
    for (const name of new Set(entryOf(snapshot.consumers, consumer)?.[sort]))
      named.set(name, [...(named.get(name) ?? []), consumer]);
  return (name) => ({ named: named.get(name) ?? [], unlisted });
}

function whoGains(
  { named, unlisted }: { named: readonly string[]; unlisted: readonly string[] },
  sort: Served,
): Phrase {
  const ways: Phrase[] = [];
  if (unlisted.length > 0)
    ways.push(
      say`${counted(unlisted.length, 'consumer')} without a list of ${[sort]} may use it (${listed(unlisted)})`,
    );
  if (named.length > 0) ways.push(say`${counted(named.length, 'consumer')} by name (${listed(named)})`);
  return ways.length === 0 ? say`no consumer may use it` : joined(ways, ', and ');
}

/** Models and routes that are new or gone. */
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
        sentence: say`${word} ${name} is new: ${whoGains(users, sort)}`,
        details: sort === 'models' ? describeModel(head, name) : describeRoute(head, name),
      };
    }),
    ...removed.map(({ name }): Change => {
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

/** What a kept consumer gains or loses of what both sides serve; the rest is told where it comes and goes. */
function listChanges({ name, before, after }: Pair<ConsumerSnapshot>, sort: Served, { base, head }: Sides): Change[] {
  const [old, now] = [before[sort], after[sort]];
  if (old === undefined && now === undefined) return [];
  const everywhere = namesOf(head[sort]).filter((each) => Object.hasOwn(base[sort], each));
  const { gone, come } = listChange(old ?? everywhere, now ?? everywhere);
  const here = new Set(everywhere);
  const [lost, gained] = [gone.filter((each) => here.has(each)), come.filter((each) => here.has(each))];
  const object = `consumers.${name}`;
  if (now === undefined) {
    const details = gained.length === 0 ? [] : [say`gains ${listed(gained)}`];
    const sentence = say`consumer ${name} may use every ${[sortWord[sort]]} from now on, and any that is added later`;
    return [{ kind: 'access_gained', risk: 'high', object, sentence, details }];
  }
  const changes: Change[] = [];
  if (gained.length > 0) {
    const sentence = say`consumer ${name} gains ${counted(gained.length, sortWord[sort])}: ${listed(gained)}`;
    changes.push({ kind: 'access_gained', risk: 'medium', object, sentence, details: [] });
  }
  const details =
    old === undefined ? [say`it could use every ${[sortWord[sort]]}; now only those that its list names`] : [];
  if (lost.length > 0) {
    const sentence = say`consumer ${name} loses ${counted(lost.length, sortWord[sort])}: ${listed(lost)}`;
    changes.push({ kind: 'access_lost', risk: 'high', object, sentence, details });
  } else if (old === undefined) {
    const sentence = say`consumer ${name} no longer gets the ${[sort]} that are added later`;
    changes.push({ kind: 'access_lost', risk: 'low', object, sentence, details });
  }
  return changes;
}

function reachInWords(consumer: ConsumerSnapshot, sort: Served, snapshot: Snapshot): Phrase {
  const list = consumer[sort];
  const all = Object.keys(snapshot[sort]).length;
  if (list === undefined) return say`every ${[sortWord[sort]]} (${all} now, and any that is added later)`;
  return list.length === 0
    ? say`no ${[sortWord[sort]]}`
    : say`${counted(list.length, sortWord[sort])} (${listed(list)})`;
}

const reachOf = (consumer: ConsumerSnapshot, snapshot: Snapshot): Phrase =>
  joined(
    served
      .filter((sort) => Object.keys(snapshot[sort]).length > 0)
      .map((sort) => reachInWords(consumer, sort, snapshot)),
    ' and ',
  );

function consumerComes(name: string, consumer: ConsumerSnapshot, head: Snapshot): Change {
  const open = served.some((sort) => consumer[sort] === undefined && Object.keys(head[sort]).length > 0);
  return {
    kind: 'access_gained',
    risk: open ? 'high' : 'medium',
    object: `consumers.${name}`,
    sentence: say`consumer ${name} is new and may use ${reachOf(consumer, head)}`,
    details: [
      consumer.keys.length === 0 ? say`has no key yet, and cannot call` : counted(consumer.keys.length, 'key'),
      attachedQuotas(consumer.quotas, head),
    ],
  };
}

function consumerGoes(name: string, consumer: ConsumerSnapshot, base: Snapshot): Change {
  const keys = counted(consumer.keys.length, 'key');
  return {
    kind: 'access_lost',
    risk: consumer.keys.length === 0 ? 'low' : 'high',
    object: `consumers.${name}`,
    sentence: say`consumer ${name} is gone: its ${keys} no longer open${[consumer.keys.length === 1 ? 's' : '']} anything`,
    details: [say`could use ${reachOf(consumer, base)}`],
  };
}

export function accessChanges(sides: Sides): Change[] {
  const { base, head } = sides;
  const { added, removed, kept } = paired(base.consumers, head.consumers);
  return [
    ...served.flatMap((sort) => servedChanges(sides, sort)),
    ...added.map(({ name, after }) => consumerComes(name, after, head)),
    ...removed.map(({ name, before }) => consumerGoes(name, before, base)),
    ...kept.flatMap((pair) => served.flatMap((sort) => listChanges(pair, sort, sides))),
  ];
}
