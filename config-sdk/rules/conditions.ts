/** Conditions of targets: each can hold, and what meets none of them is served all the same. */
import { factsIn, firstChances } from '@headgate/runtime/graph';
import {
  balancerKinds,
  type ConsumerSnapshot,
  type GroupSnapshot,
  type ModelSnapshot,
  type ProviderSnapshot,
  type TargetNode,
} from '@headgate/runtime/snapshot';
import { isObject, type Path } from '../compile/places.ts';
import { allSound, byName, problemAt, served, type Problem, type Project, type Rule } from './rule.ts';
import { legsOf, once } from './targets.ts';

interface Placed<Value> {
  readonly value: Value;
  readonly path: Path;
}

function groupsIn(node: TargetNode, path: Path): Placed<GroupSnapshot>[] {
  if (node.kind === 'target') return [];
  const below = node.of.flatMap((member, index) => groupsIn(member.node, [...path, 'of', index, 'node']));
  return [{ value: node, path }, ...below];
}

/** Where conditions may stand. */
function placesOf({ value, path }: Placed<GroupSnapshot>) {
  const options = isObject(value.options) ? value.options : {};
  return [
    { of: options, at: [...path, 'options'] },
    { of: isObject(options['when']) ? options['when'] : {}, at: [...path, 'options', 'when'] },
  ];
}

/** What stands at `options`, or at `when` within it, under a name. */
function listedIn(group: Placed<GroupSnapshot>, name: 'consumers' | 'consumerTags' | 'tags'): Placed<string>[] {
  return placesOf(group).flatMap(({ of, at }) => {
    const listed = of[name];
    return (Array.isArray(listed) ? listed : []).map((each, index) => ({
      value: String(each),
      path: [...at, name, index],
    }));
  });
}

interface Found {
  readonly code: Problem['code'];
  readonly path: Path;
  readonly message: string;
}

type GroupJudge = (group: Placed<GroupSnapshot>, model: string) => readonly Found[];

const inGroups = (project: Project, judge: GroupJudge): Problem[] =>
  once(
    served<ModelSnapshot>(project, 'model').flatMap(({ object, value }) =>
      groupsIn(value.targets, ['targets'])
        .flatMap((group) => judge(group, `model '${object.id}'`))
        .flatMap(({ path, ...found }) => problemAt(project, { object, path }, found)),
    ),
  );

export const unknownConsumers: Rule = (project) => {
  const known = byName(project, 'consumer');
  const tags = new Set([...known.values()].flatMap(({ value }) => (value as ConsumerSnapshot).tags ?? []));
  return inGroups(project, (group, model) => {
    const named = listedIn(group, 'consumers').filter(({ value }) => !known.has(value));
    const tagged = listedIn(group, 'consumerTags').filter(({ value }) => !tags.has(value));
    return [
      ...named.map(({ value, path }): Found => {
        const message = `a condition of ${model} names consumer '${value}', which is not declared`;
        return { code: 'condition_unknown_consumer', path, message };
      }),
      ...tagged.map(({ value, path }): Found => {
        const message = `a condition of ${model} names tag '${value}', which no consumer carries`;
        return { code: 'condition_unknown_tag', path, message };
      }),
    ];
  });
};

/** Claims come with tokens: where nobody takes any, no request meets such a condition. */
export const claimsWithoutTokens: Rule = (project) => {
  if (served<ConsumerSnapshot>(project, 'consumer').some(({ value: { jwt = [] } }) => jwt.length > 0)) return [];
  if (!allSound(project, 'consumer')) return [];
  return inGroups(project, (group, model) =>
    placesOf(group).flatMap(({ of, at }): Found[] => {
      if (of['claims'] === undefined) return [];
      const message = `a condition of ${model} asks for claims, and no consumer takes tokens`;
      return [{ code: 'condition_without_tokens', path: [...at, 'claims'], message }];
    }),
  );
};

const providersOf = (project: Project): Record<string, ProviderSnapshot> =>
  Object.fromEntries([...byName(project, 'provider')].map(([name, { value }]) => [name, value as ProviderSnapshot]));

type Providers = ReturnType<typeof providersOf>;

const carriesAll = (tags: readonly string[], node: TargetNode, providers: Providers): boolean =>
  legsOf(node, []).some(({ node: { provider } }) => tags.every((tag) => providers[provider]?.tags?.includes(tag)));

/** The tags that no provider below a group carries; none where some provider carries them all. */
function missedTags(group: Placed<GroupSnapshot>, providers: Providers): readonly string[] {
  const tags = listedIn(group, 'tags').map(({ value }) => value);
  return carriesAll(tags, group.value, providers) ? [] : tags;
}

/** Policies that keep some calls of a model to tags that none of its targets has. */
function confinedToNothing(project: Project, providers: Providers): Problem[] {
  const policies = byName(project, 'policy');
  return served<ModelSnapshot>(project, 'model').flatMap(({ object, value }) =>
    (value.policies ?? []).flatMap((name, index): Problem[] => {
      const { options } = (policies.get(name)?.value ?? {}) as { readonly options?: unknown };
      const listed = isObject(options) ? options['tags'] : undefined;
      const tags = (Array.isArray(listed) ? listed : []).map(String);
      if (carriesAll(tags, value.targets, providers)) return [];
      const message = `policy '${name}' keeps calls of model '${object.id}' to '${tags.join("', '")}', which no provider of its targets carries`;
      return problemAt(project, { object, path: ['policies', index] }, { code: 'narrowed_to_nothing', message });
    }),
  );
}

export const narrowedToNothing: Rule = (project) => {
  const providers = providersOf(project);
  const confined = confinedToNothing(project, providers);
  const inside = inGroups(project, (group, model) => {
    const tags = missedTags(group, providers);
    if (tags.length === 0) return [];
    const message = `a group of ${model} is narrowed to '${tags.join("', '")}', which no provider below it carries`;
    return [{ code: 'narrowed_to_nothing', path: [...group.path, 'options', 'tags'], message }];
  });
  return [...inside, ...confined];
};

export const unservedRequests: Rule = (project) => {
  const providers = providersOf(project);
  const facts = factsIn({ providers });
  return served<ModelSnapshot>(project, 'model').flatMap(({ object, value }): Problem[] => {
    if (firstChances(value.targets, facts).nobody === 0) return [];
    const groups = groupsIn(value.targets, []);
    // That is said where it stands.
    if (groups.some((group) => missedTags(group, providers).length > 0)) return [];
    const narrows = groups.some((group) => balancerKinds[group.value.balance]?.narrowings !== undefined);
    const which = narrows
      ? 'that its conditions, tags and capabilities leave none for'
      : 'that meet none of its conditions';
    const message = `model '${object.id}' has no target for requests ${which}`;
    return problemAt(project, { object, path: ['targets'] }, { code: 'targets_all_conditional', message });
  });
};
