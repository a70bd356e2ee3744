/** Targets and groups: models exist and can do what is asked, weights stand where they count, conversations fit every leg. */
import {
  schemaOf,
  apisFor,
  balancerKinds,
  conversationKinds,
  strategyKinds,
  type ModelFacts,
  type ModelKind,
  type ModelSnapshot,
  type ProviderSnapshot,
  type TargetNode,
  type TargetSnapshot,
} from '@headgate/runtime/snapshot';
import { isObject, isUnknown } from '../compile/places.ts';
import { connectionOf } from './connections.ts';
import { byName, ofSort, problemAt, soundOf, writtenIn } from './rule.ts';
import type { CompiledObject, Problem, Project, Rule } from './rule.ts';

type Path = readonly (string | number)[];

export interface Leg {
  readonly node: TargetSnapshot;
  readonly path: Path;
}

/** Every target below a node, in nested groups too. */
export function legsOf(node: TargetNode, path: Path): Leg[] {
  if (node.kind === 'target') return [{ node, path }];
  return node.of.flatMap((member, index) => legsOf(member.node, [...path, 'of', index, 'node']));
}

const models = (project: Project): readonly CompiledObject[] => soundOf(project, 'model');
export const once = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.map((each) => [JSON.stringify([each.code, each.place]), each])).values(),
];

export const unknownModels: Rule = (project) => {
  const providers = byName(project, 'provider');
  const problems = models(project).flatMap((object) =>
    legsOf((object.value as ModelSnapshot).targets, ['targets']).flatMap(({ node, path }): Problem[] => {
      const provider = providers.get(node.provider)?.value as ProviderSnapshot | undefined;
      if (!provider || Object.hasOwn(provider.models, node.model)) return [];
      const message = `provider '${node.provider}' declares no model '${node.model}'`;
      return problemAt(project, { object, path: [...path, 'model'] }, { code: 'unknown_model', message });
    }),
  );
  return once(problems);
};

interface Asked {
  readonly needs: readonly string[];
  readonly purposes: readonly ModelKind[];
}

const factsOf = (providers: ReadonlyMap<string, CompiledObject>, { node }: Leg): ModelFacts | undefined =>
  (providers.get(node.provider)?.value as ProviderSnapshot | undefined)?.models[node.model];

/** What a model of a kind is asked for; nothing where no path asks for it. */
function purposeOf(kind: ModelKind): ModelKind | undefined {
  if (conversationKinds.includes(kind)) return 'chat';
  return kind === 'realtime' ? undefined : kind;
}

/** What a model is for is what its first leg is for: one kind, where there is no mistake. */
function purposesOf(project: Project, object: CompiledObject): readonly ModelKind[] {
  const providers = byName(project, 'provider');
  const [first] = listedNodes(project, object);
  const kinds = first ? legsOf(first, []).map((leg) => factsOf(providers, leg)?.kind ?? 'chat') : [];
  const purposes = new Set(kinds.flatMap((kind) => purposeOf(kind) ?? []).filter((purpose) => purpose !== 'chat'));
  return purposes.size > 0 ? [...purposes] : ['chat'];
}

/** In the words of the types that say the same in the editor (`fitting.ts`). */
function unfit({ kind = 'chat', capabilities = [] }: ModelFacts, asked: Asked): string | undefined {
  const { needs, purposes } = asked;
  if (purposes.some((purpose) => purpose !== purposeOf(kind))) return `is no model for ${purposes.join(' and ')}`;
  const lacking = needs.filter((need) => !capabilities.some((each) => each === need));
  return lacking.length > 0 ? `lacks ${lacking.join(', ')}` : undefined;
}

/** The runtime would refuse the whole revision for it. */
function unserved(account: ProviderSnapshot, { kind = 'chat' }: ModelFacts): string | undefined {
  const connection = connectionOf(account);
  if (!connection || !conversationKinds.includes(kind) || apisFor(connection, kind).length > 0) return undefined;
  return `is of kind '${kind}', and its provider has no API for those`;
}

/** Targets and groups as the list of a model holds them; a list of one is compiled to what it holds. */
function listedNodes(project: Project, object: CompiledObject): readonly TargetNode[] {
  const { targets } = object.value as ModelSnapshot;
  const { spec } = writtenIn(project, object);
  const written = isObject(spec) ? spec['targets'] : undefined;
  const single = targets.kind === 'target' || (Array.isArray(written) && written.length === 1);
  return single ? [targets] : targets.of.map(({ node }) => node);
}

/** For configurations that give their types up. It points where the compiler would, so that both together are one finding. */
export const unmetNeeds: Rule = (project) => {
  const providers = byName(project, 'provider');
  return models(project).flatMap((object) => {
    const asked = { needs: (object.value as ModelSnapshot).needs ?? [], purposes: purposesOf(project, object) };
    return listedNodes(project, object).flatMap((listed, position) =>
      legsOf(listed, []).flatMap((leg): Problem[] => {
        const { provider, model } = leg.node;
        const account = providers.get(provider)?.value as ProviderSnapshot | undefined;
        const facts = factsOf(providers, leg);
        const why = account && facts && (unfit(facts, asked) ?? unserved(account, facts));
        const place = { declaration: object.index, path: ['targets', position], inCall: true };
        return why ? [{ code: 'target_unfit', place, message: `${provider}/${model} ${why}` }] : [];
      }),
    );
  });
};

/** What only conversations have, in the words of the types. */
const chatOptions = { prompt: 'prompt', context: 'context policy', probe: 'probe' } as const;

export const chatOnlyOptions: Rule = (project) =>
  models(project).flatMap((object) => {
    const purpose = purposesOf(project, object).join(' and ');
    const written = purpose === 'chat' ? [] : Object.entries(chatOptions);
    return written.flatMap(([option, name]): Problem[] => {
      if ((object.value as Record<string, unknown>)[option] === undefined) return [];
      const place = { declaration: object.index, path: [option], inCall: true };
      return [{ code: 'target_unfit', place, message: `a ${name} means nothing in a model for ${purpose}` }];
    });
  });

function weightProblems(object: CompiledObject, node: unknown, path: Path, placeOf: Project['placeOf']): Problem[] {
  const of: unknown[] = isObject(node) && node['kind'] === 'group' && Array.isArray(node['of']) ? node['of'] : [];
  const balancer = isObject(node) ? balancerKinds[String(node['balance'])] : undefined;
  return of.flatMap((member, index): Problem[] => {
    if (!isObject(member) || isUnknown(member)) return [];
    const at = [...path, 'of', index];
    const below = weightProblems(object, member['node'], [...at, 'node'], placeOf);
    const weighed = Object.hasOwn(member, 'weight');
    if (!balancer || weighed === (balancer.weights === 'required')) return below;
    const place = placeOf(object, weighed ? [...at, 'weight'] : at);
    if (!place) return below;
    const balance = String((node as Record<string, unknown>)['balance']);
    if (weighed)
      return [
        ...below,
        { code: 'weight_refused', place, message: `a weight means nothing in a group that is ${balance}` },
      ];
    return [
      ...below,
      { code: 'weight_missing', place, message: `a member of a group that is ${balance} has no weight` },
    ];
  });
}

export const weights: Rule = (project) =>
  once(
    ofSort(project, 'model').flatMap((object) => {
      if (!isObject(object.value)) return [];
      return weightProblems(object, object.value['targets'], ['targets'], project.placeOf);
    }),
  );

/** Strategies that name a target and a reserve are held to their sum: a smaller budget than the one asked for is a surprise. */
function overflow(options: unknown, window: number): string | undefined {
  if (!isObject(options) || typeof options['target'] !== 'number' || typeof options['reserveOutput'] !== 'number')
    return undefined;
  const sum = options['target'] + options['reserveOutput'];
  return sum > window
    ? `${options['target']} input and ${options['reserveOutput']} reserved output tokens are more than`
    : undefined;
}

export const contextFits: Rule = (project) => {
  const providers = byName(project, 'provider');
  const policies = byName(project, 'context-policy');
  return models(project).flatMap((object) => {
    const { context, targets } = object.value as ModelSnapshot;
    const policy = context === undefined ? undefined : policies.get(context);
    if (!policy) return [];
    const { kind, options: written } = policy.value as { kind: string; options: unknown };
    const strategy = strategyKinds[kind];
    const options = (strategy && schemaOf(strategy.options))?.parse(written);
    const legs = new Map(legsOf(targets, ['targets']).map(({ node }) => [`${node.provider}/${node.model}`, node]));
    const misfits = [...legs].flatMap(([name, { provider, model }]): string[] => {
      const window = (providers.get(provider)?.value as ProviderSnapshot | undefined)?.models[model]?.contextWindow;
      if (!strategy || window === undefined) return [];
      const why =
        overflow(options, window) ??
        (strategy.budget(options, window) <= 0 ? 'what it holds back leaves nothing of' : undefined);
      return why ? [`${name}: ${why} its window of ${window}`] : [];
    });
    if (misfits.length === 0) return [];
    // One policy, one cure, however many targets it does not fit.
    const message = `model '${object.id}': context policy '${context}' does not fit ${misfits.join('; nor ')}`;
    return problemAt(project, { object, path: ['context'] }, { code: 'context_does_not_fit', message });
  });
};
