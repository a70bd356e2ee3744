/** Finds objects that only changed their name, so that a rename is told once and not as a loss, a gain and a dozen new references. */
import { canonicalJson } from '@headgate/runtime/canonical-json';
import type { Snapshot, TargetNode } from '@headgate/runtime/snapshot';
import { say, type Change, type Phrase, type Risk } from './change.ts';
import type { Sides } from './revision.ts';

const leaves = ['providers', 'prompts', 'contextPolicies', 'policies', 'quotas', 'upstreams'] as const;
type Collection = (typeof leaves)[number] | 'models' | 'routes' | 'consumers';
type Names = ReadonlyMap<string, string>;

const words: Readonly<Record<Collection, { sort: string; risk: Risk; effect?: Phrase }>> = {
  providers: { sort: 'provider', risk: 'info' },
  prompts: { sort: 'prompt', risk: 'info' },
  contextPolicies: { sort: 'context policy', risk: 'info' },
  policies: { sort: 'policy', risk: 'info' },
  upstreams: { sort: 'upstream', risk: 'info' },
  quotas: {
    sort: 'quota',
    risk: 'medium',
    effect: say`a count belongs to the name: what was used so far is forgotten`,
  },
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
      ...refer('quotas', consumer.quotas, names('quotas')),
    })),
  };
}

export interface Renamed extends Sides {
  readonly changes: readonly Change[];
}

/** The sides again with the base written in the names of the head, and one change for each rename. */
export function followRenames({ base, head }: Sides): Renamed {
  const found = new Map<Collection, Names>();
  const namesFor = (collection: Collection): Names => found.get(collection) ?? new Map<string, string>();
  let before = base;
  // Objects that refer to others are compared after those have their new names.
  for (const round of [
    leaves,
    ['models', 'routes'],
    ['consumers'],
  ] as const satisfies readonly (readonly Collection[])[]) {
    for (const collection of round) found.set(collection, renamedIn(before[collection], head[collection]));
    const renamed = Object.fromEntries(
      round.map((collection) => [collection, withNames<unknown>(before[collection], namesFor(collection))]),
    );
    // The same objects under other names.
    before = referringTo({ ...before, ...renamed }, namesFor);
  }
  const changes = [...found].flatMap(([collection, names]) =>
    [...names].map(([old, name]): Change => {
      const { sort, risk, effect } = words[collection];
      return {
        kind: 'renamed',
        risk,
        object: `${collection}.${name}`,
        sentence: say`${[sort]} ${old} is now called ${name} and is otherwise the same`,
        details: effect ? [effect] : [],
      };
    }),
  );
  return { base: before, head, changes };
}
