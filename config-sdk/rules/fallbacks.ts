/** Groups of targets: shares that mean something, and fallbacks that fall on something else. */
import {
  balancerKinds,
  type GroupSnapshot,
  type ModelSnapshot,
  type ProviderSnapshot,
  type TargetNode,
} from '@headgate/runtime/snapshot';
import { isObject, type Path } from '../compile/places.ts';
import { isInProcess } from './providers.ts';
import { byName, problemAt, served, type CompiledObject, type Problem, type Project, type Rule } from './rule.ts';
import { legsOf, once } from './targets.ts';

interface Group {
  readonly node: GroupSnapshot;
  readonly path: Path;
  /** The group it stands in. */
  readonly within: GroupSnapshot | undefined;
}

function groupsOf(node: TargetNode, path: Path, within?: GroupSnapshot): Group[] {
  if (node.kind === 'target') return [];
  const below = node.of.flatMap((member, index) => groupsOf(member.node, [...path, 'of', index, 'node'], node));
  return [{ node, path, within }, ...below];
}

const nameOf = (node: TargetNode): string => (node.kind === 'target' ? `${node.provider}/${node.model}` : 'a group');

type GroupJudge = (group: Group, object: CompiledObject, project: Project) => Problem[];

/** Groups are values that several models may share: what is wrong with one is said once. */
const eachGroup =
  (judge: GroupJudge): Rule =>
  (project) =>
    once(
      served<ModelSnapshot>(project, 'model').flatMap(({ object, value }) =>
        groupsOf(value.targets, ['targets']).flatMap((group) => judge(group, object, project)),
      ),
    );

/** One of these inside one of its kind tries the same in the same order as if its members stood there. */
const flattens: ReadonlySet<string> = new Set(['ordered', 'cheapest']);

export const needlessGroups: Rule = eachGroup(({ node, path, within }, object, project) => {
  const balancer = balancerKinds[node.balance];
  if (balancer?.picksOne || balancer?.narrowings) return [];
  const same = within !== undefined && within.balance === node.balance && flattens.has(node.balance);
  if (node.of.length > 1 && !same) return [];
  const what =
    node.of.length === 1
      ? `has ${nameOf(node.of[0]?.node ?? node)} as its only member`
      : `stands in a group that is ${node.balance} too`;
  const message = `a group of model '${object.id}' that is ${node.balance} ${what}`;
  return problemAt(project, { object, path }, { code: 'group_without_effect', message });
});

const smallestShare = 0.001;

export const negligibleWeights: Rule = eachGroup(({ node, path }, object, project) => {
  const total = node.of.reduce((sum, { weight = 0 }) => sum + weight, 0);
  return node.of.flatMap(({ weight, node: member }, index): Problem[] => {
    if (weight === undefined || weight / total >= smallestShare) return [];
    const share = `1 in ${Math.round(total / weight)}`;
    const message = `${nameOf(member)} gets ${share} of the requests for model '${object.id}'`;
    return problemAt(
      project,
      { object, path: [...path, 'of', index, 'weight'] },
      { code: 'weight_negligible', message },
    );
  });
});

export const conflictingWeights: Rule = eachGroup(({ node, path }, object, project) => {
  const first = new Map<string, number>();
  return node.of.flatMap(({ weight, node: member }, index): Problem[] => {
    if (member.kind !== 'target' || weight === undefined) return [];
    const other = first.get(nameOf(member));
    if (other === undefined) first.set(nameOf(member), weight);
    if (other === undefined) return [];
    const message = `${nameOf(member)} has the weights ${other} and ${weight} in one group of model '${object.id}'`;
    return problemAt(
      project,
      { object, path: [...path, 'of', index, 'weight'] },
      { code: 'weights_conflict', message },
    );
  });
});

export const repeatedTargets: Rule = (project) =>
  served<ModelSnapshot>(project, 'model').flatMap(({ object, value }) => {
    const first = new Map<string, Path>();
    return legsOf(value.targets, ['targets']).flatMap(({ node, path }): Problem[] => {
      // What is picked by a condition stands there for some requests only.
      if (groupsAbove(value.targets, path).some(({ balance }) => balancerKinds[balance]?.picksOne)) return [];
      const before = first.get(nameOf(node));
      if (!before) first.set(nameOf(node), path);
      // Twice in one weighted group is a matter of weights, and said as such.
      const parent = path.slice(0, -2).join();
      const weighed = groupsAbove(value.targets, path).at(-1)?.balance === 'weighted';
      if (!before || (weighed && before.slice(0, -2).join() === parent)) return [];
      const message = `model '${object.id}' has the target ${nameOf(node)} twice`;
      return problemAt(project, { object, path: path.slice(0, -1) }, { code: 'target_repeated', message });
    });
  });

/** The groups that a leg stands in, outermost first. */
function groupsAbove(root: TargetNode, path: Path): GroupSnapshot[] {
  let node: TargetNode = root;
  const groups: GroupSnapshot[] = [];
  for (const key of path) {
    if (typeof key !== 'number' || node.kind !== 'group') continue;
    groups.push(node);
    node = node.of[key]?.node ?? node;
  }
  return groups;
}

interface Legs {
  readonly object: CompiledObject;
  /** Providers by name; the legs of a model whose providers are all known. */
  readonly providers: ReadonlyMap<string, ProviderSnapshot>;
  readonly count: number;
}

function legsWithProviders(project: Project): Legs[] {
  const known = byName(project, 'provider');
  return served<ModelSnapshot>(project, 'model').flatMap(({ object, value }): Legs[] => {
    const legs = legsOf(value.targets, ['targets']);
    const providers = new Map(
      legs.flatMap(({ node }): [string, ProviderSnapshot][] => {
        const found = known.get(node.provider);
        return found ? [[node.provider, found.value as ProviderSnapshot]] : [];
      }),
    );
    // What is wrong with a provider has its finding.
    if (legs.some(({ node }) => !providers.has(node.provider))) return [];
    return [{ object, providers, count: new Set(legs.map(({ node }) => nameOf(node))).size }];
  });
}

export const sameProvider: Rule = (project) =>
  legsWithProviders(project).flatMap(({ object, providers, count }): Problem[] => {
    const [[name, provider] = []] = providers;
    if (count < 2 || providers.size !== 1 || !provider || isInProcess(provider.kind)) return [];
    const message = `all ${count} targets of model '${object.id}' are at provider '${name}'`;
    return problemAt(project, { object, path: ['targets'] }, { code: 'fallback_same_provider', message });
  });

export const standIns: Rule = (project) =>
  legsWithProviders(project).flatMap(({ object, providers }): Problem[] => {
    const inside = [...providers].filter(([, { kind }]) => isInProcess(kind)).map(([name]) => name);
    if (inside.length === 0 || inside.length === providers.size) return [];
    const message = `model '${object.id}' has targets at vendors and at '${inside.join("', '")}', which makes its answers up`;
    return problemAt(project, { object, path: ['targets'] }, { code: 'stand_in_target', message });
  });

export const optionalTargets: Rule = (project) =>
  legsWithProviders(project).flatMap(({ object, providers }): Problem[] => {
    const waiting = [...providers.values()].flatMap(({ options }) => {
      const { apiKey, apiKeys } = isObject(options) ? options : {};
      const keys: unknown[] = Array.isArray(apiKeys) ? apiKeys : [apiKey];
      const names = keys.flatMap((key) => (isObject(key) && key['optional'] === true ? [String(key['$secret'])] : []));
      return names.length > 0 && names.length === keys.length ? [names.join(' and ')] : [];
    });
    if (providers.size === 0 || waiting.length < providers.size) return [];
    const message = `model '${object.id}' has no target where ${waiting.join(' and ')} ${waiting.join(' and ').includes(' and ') ? 'are' : 'is'} absent`;
    return problemAt(project, { object, path: ['targets'] }, { code: 'targets_all_optional', message });
  });
