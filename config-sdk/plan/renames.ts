/** Finds objects that changed their name, so that a rename is told once and not as a loss, a gain and a dozen new references. */
import { canonicalJson } from '@headgate/runtime/canonical-json';
import { formerOf, type Snapshot, type TargetNode } from '@headgate/runtime/snapshot';
import { carriesCount, keepingInWords } from './counts.ts';
import { listed, say, type Change, type Phrase, type Risk } from './change.ts';
import { likenessInWords, likePairs } from './likeness.ts';
import { entryOf, namesOf, type Sides } from './revision.ts';
import { leaves, type Collection } from './traits.ts';

type Names = ReadonlyMap<string, string>;

const words: Readonly<Record<Collection, { sort: string; risk: Risk; effect?: Phrase }>> = {
  providers: { sort: 'provider', risk: 'info' },
  prompts: { sort: 'prompt', risk: 'info' },
  contextPolicies: { sort: 'context policy', risk: 'info' },
  policies: { sort: 'policy', risk: 'info' },
  upstreams: { sort: 'upstream', risk: 'info' },
  quotas: { sort: 'quota', risk: 'medium' },
  models: { sort: 'model', risk: 'high', effect: say`clients that ask for the old name get 404` },
  routes: { sort: 'route', risk: 'info' },
  consumers: {
    sort: 'consumer',
    risk: 'low',
    effect: say`its keys stay; its counts under quotas per consumer begin anew`,
  },
};

/** Names in `before` that became others in `after`: the same content, and no doubt about which. */
function renamedIn(before: object, after: object): Map<string, string> {
  const byContent = (from: object, other: object): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const [name, value] of Object.entries(from)) {
      if (Object.hasOwn(other, name)) continue;
      const content = canonicalJson(value);
      found.set(content, [...(found.get(content) ?? []), name]);
    }
    return found;
  };
  const come = byContent(after, before);
  return new Map(
    [...byContent(before, after)].flatMap(([content, names]): [string, string][] => {
      const [[old, ...others], [name, ...more]] = [names, come.get(content) ?? []];
      return old !== undefined && name !== undefined && others.length + more.length === 0 ? [[old, name]] : [];
    }),
  );
}

/** Quotas that say what they were called. One that was split in several has no one new name. */
function declaredIn({ base, head }: Sides): Map<string, string> {
  const found = namesOf(head.quotas).flatMap((name): [string, string][] => {
    const quota = entryOf(head.quotas, name);
    const was = quota && formerOf(name, quota)?.name;
    const isMove = was !== undefined && Object.hasOwn(base.quotas, was) && !Object.hasOwn(head.quotas, was);
    return isMove && !Object.hasOwn(base.quotas, name) ? [[was, name]] : [];
  });
  return new Map(found.filter(([was]) => found.filter(([other]) => other === was).length === 1));
}

const withNames = <Value>(record: Readonly<Record<string, Value>>, names: Names): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [names.get(name) ?? name, value]));

function nodeWith(node: TargetNode, providers: Names): TargetNode {
  return node.kind === 'target'
    ? { ...node, provider: providers.get(node.provider) ?? node.provider }
    : { ...node, of: node.of.map((member) => ({ ...member, node: nodeWith(member.node, providers) })) };
}

/** References in a property, if the object has it. */
const refer = <Key extends string>(key: Key, value: readonly string[] | undefined, names: Names) =>
  value === undefined ? {} : ({ [key]: value.map((name) => names.get(name) ?? name) } as Record<Key, string[]>);

function referringTo(snapshot: Snapshot, names: (collection: Collection) => Names): Snapshot {
  const each = <Value>(record: Readonly<Record<string, Value>>, change: (value: Value) => Value) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
  const one = (collection: Collection, name: string): string => names(collection).get(name) ?? name;
  return {
    ...snapshot,
    models: each(snapshot.models, (model) => ({
      ...model,
      targets: nodeWith(model.targets, names('providers')),
      ...(model.prompt && { prompt: { ...model.prompt, name: one('prompts', model.prompt.name) } }),
      ...(model.context !== undefined && { context: one('contextPolicies', model.context) }),
      ...refer('policies', model.policies, names('policies')),
      ...refer('quotas', model.quotas, names('quotas')),
    })),
    routes: each(snapshot.routes, (route) => ({
      ...route,
      upstream: one('upstreams', route.upstream),
      ...refer('quotas', route.quotas, names('quotas')),
    })),
    consumers: each(snapshot.consumers, (consumer) => ({
      ...consumer,
      ...refer('models', consumer.models, names('models')),
      ...refer('routes', consumer.routes, names('routes')),
      ...refer('prompts', consumer.prompts, names('prompts')),
      ...refer('quotas', consumer.quotas, names('quotas')),
    })),
  };
}

export interface Renamed extends Sides {
  readonly changes: readonly Change[];
}

/** Objects that refer to others are compared after those have their new names. */
const rounds: readonly (readonly Collection[])[] = [leaves, ['models', 'routes'], ['consumers']];

function withRenames(base: Snapshot, found: ReadonlyMap<Collection, Names>): Snapshot {
  const namesFor = (collection: Collection): Names => found.get(collection) ?? new Map<string, string>();
  const renamed = Object.fromEntries(
    [...found].map(([collection, names]) => [collection, withNames<unknown>(base[collection], names)]),
  );
  // The same objects under other names.
  return referringTo({ ...base, ...renamed }, namesFor);
}

/** Properties of an object that differ beside its name, in the order of the alphabet. */
function editsOf({ base, head }: Sides, collection: Collection, name: string): string[] {
  const [old, now] = [entryOf<object>(base[collection], name), entryOf<object>(head[collection], name)];
  const texts = [old, now].map(
    (object) => new Map(Object.entries(object ?? {}).map(([key, value]) => [key, canonicalJson(value ?? null)])),
  );
  return namesOf({ ...old, ...now }).filter((key) => texts[0]?.get(key) !== texts[1]?.get(key));
}

interface Rename {
  readonly collection: Collection;
  readonly old: string;
  readonly name: string;
}

/** What becomes of the count of a quota that has another name; other windows are told with the counts. */
function countInWords(old: string, name: string, { base, head }: Sides): readonly Phrase[] {
  const [before, after] = [entryOf(base.quotas, name), entryOf(head.quotas, name)];
  const former = after && formerOf(name, after);
  if (!before || !after) return [];
  if (former?.name === old)
    return carriesCount(before, after, former) ? [say`it goes on from what ${old} has counted`] : [];
  const forgotten = say`a count belongs to the name: what was used so far is forgotten`;
  return [forgotten, ...keepingInWords(name, after, [old, before])];
}

const isDeclared = ({ collection, old, name }: Rename, { head }: Sides): boolean => {
  const quota = collection === 'quotas' ? entryOf(head.quotas, name) : undefined;
  return quota !== undefined && formerOf(name, quota)?.name === old;
};

function inWords(rename: Rename, sides: Sides, why: (name: string) => Phrase): Change {
  const { collection, old, name } = rename;
  const { sort, risk, effect } = words[collection];
  const effects = collection === 'quotas' ? countInWords(old, name, sides) : effect ? [effect] : [];
  const isSaid = isDeclared(rename, sides);
  const edits = editsOf(sides, collection, name).filter((key) => !(isSaid && key === 'was'));
  const rest: Phrase = [edits.length === 0 ? 'is otherwise the same' : 'is edited besides'];
  return {
    kind: 'renamed',
    risk,
    object: `${collection}.${name}`,
    sentence: say`${[sort]} ${old} is now called ${name} and ${rest}`,
    details: [
      ...effects,
      ...(edits.length > 0
        ? [say`what else changed is told on its own: ${listed(edits)}`, ...(isSaid ? [] : [why(name)])]
        : []),
    ],
  };
}

/** The sides again with the base written in the names of the head, and one change for each rename. */
export function followRenames({ base, head }: Sides): Renamed {
  const renames: Rename[] = [];
  let before = base;
  const follow = (find: (sides: Sides, collection: Collection) => Names): void => {
    for (const round of rounds) {
      const found = new Map(round.map((collection) => [collection, find({ base: before, head }, collection)]));
      for (const [collection, names] of found) for (const [old, name] of names) renames.push({ collection, old, name });
      if ([...found.values()].some(({ size }) => size > 0)) before = withRenames(before, found);
    }
  };
  follow((sides, collection) => (collection === 'quotas' ? declaredIn(sides) : new Map<string, string>()));
  follow((sides, collection) => renamedIn(sides.base[collection], sides.head[collection]));
  // What is like what may show only once other names are known: again until nothing is found any more.
  for (let known = -1; known < renames.length;) {
    known = renames.length;
    follow(likePairs);
  }
  const sides = { base: before, head };
  const changes = [...Map.groupBy(renames, ({ collection }) => collection)].flatMap(([collection, found]) => {
    const why = likenessInWords(sides, collection);
    return found.map((each) => inWords(each, sides, why));
  });
  return { ...sides, changes };
}
