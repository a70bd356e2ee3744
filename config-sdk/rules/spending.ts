/** Quotas of tokens and money: everything they count has a price, something does spend, and one call fits into them. */
import {
  countedLimit,
  everyPrice,
  isSpentByModels,
  isZone,
  mostItCosts,
  nanoUsd,
  unstatedOutputTokens,
  usableModels,
  windowOf,
  type ConsumerSnapshot,
  type ModelFacts,
  type ModelSnapshot,
  type ProviderSnapshot,
  type QuotaSnapshot,
} from '@headgate/runtime/snapshot';
import { near } from '../explain/near.ts';
import { limitsOf } from './quotas.ts';
import { allSound, byName, oncePerProject, problemAt, served, servedModels } from './rule.ts';
import type { CompiledObject, Problem, Project, Rule } from './rule.ts';
import { legsOf } from './targets.ts';

interface Leg {
  readonly name: string;
  readonly facts: ModelFacts;
}

interface Spender {
  readonly object: CompiledObject;
  readonly value: ModelSnapshot;
  /** Each target once. */
  readonly legs: readonly Leg[];
}

const spenders = oncePerProject((project): ReadonlyMap<string, Spender> => {
  const providers = byName(project, 'provider');
  const found = served<ModelSnapshot>(project, 'model').map(({ object, value }): [string, Spender] => {
    const legs = legsOf(value.targets, []).flatMap(({ node }): [string, Leg][] => {
      const account = providers.get(node.provider)?.value as ProviderSnapshot | undefined;
      const facts = account && Object.hasOwn(account.models, node.model) ? account.models[node.model] : undefined;
      const name = `${node.provider}/${node.model}`;
      return facts ? [[name, { name, facts }]] : [];
    });
    return [object.id, { object, value, legs: [...new Map(legs).values()] }];
  });
  return new Map(found);
});

const unpriced = ({ legs }: Spender): string[] => legs.flatMap(({ name, facts }) => (facts.prices ? [] : [name]));

const moneyQuotas = (project: Project): ReadonlySet<string> =>
  new Set(limitsOf(project).flatMap(({ object, value }) => (value.unit === 'usd' ? [object.id] : [])));

const cure = "write prices beside its contextWindow, with '0' where nothing is billed";

/** In the words of the types that say the same in the editor (`fitting.ts`), and where they point. */
export const unpricedLegs: Rule = (project) => {
  const money = moneyQuotas(project);
  return [...spenders(project).values()].flatMap((spender): Problem[] => {
    const [name] = unpriced(spender);
    if (name === undefined) return [];
    return (spender.value.quotas ?? []).flatMap((quota, position): Problem[] => {
      if (!money.has(quota)) return [];
      const place = { declaration: spender.object.index, path: ['quotas', position], inCall: true };
      return [{ code: 'target_unfit', place, message: `${name} has no price for a quota in usd`, hint: cure }];
    });
  });
};

const mostNames = 3;

function several(names: readonly string[]): string {
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return names.slice(0, mostNames).join(', ') + more;
}

/** What a consumer may use, no list meaning everything. */
function usableBy(consumer: ConsumerSnapshot, project: Project): Spender[] {
  const all = spenders(project);
  return (usableModels(consumer, servedModels(project)) ?? [...all.keys()]).flatMap((name) => all.get(name) ?? []);
}

export const unpricedUse: Rule = (project) => {
  const money = moneyQuotas(project);
  if (money.size === 0) return [];
  return served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value }): Problem[] => {
    const position = (value.quotas ?? []).findIndex((name) => money.has(name));
    if (position === -1) return [];
    // A model that has such a quota itself has its finding.
    const models = usableBy(value, project).filter(({ value: each }) => !each.quotas?.some((name) => money.has(name)));
    const names = [...new Set(models.flatMap(unpriced))];
    if (names.length === 0) return [];
    const message = `consumer '${object.id}' has quota '${value.quotas?.[position]}' in usd and reaches ${several(names)}, of unknown price`;
    return problemAt(project, { object, path: ['quotas', position] }, { code: 'quota_price_unknown', message });
  });
};

/** For each quota, the models whose calls draw from it. */
const countedBy = oncePerProject((project): ReadonlyMap<string, ReadonlySet<Spender>> => {
  const found = new Map<string, Set<Spender>>();
  const add = (names: readonly string[] | undefined, models: readonly Spender[]) => {
    for (const name of names ?? []) {
      const drawing = found.get(name) ?? new Set();
      for (const model of models) drawing.add(model);
      found.set(name, drawing);
    }
  };
  for (const each of spenders(project).values()) add(each.value.quotas, [each]);
  for (const { value } of served<{ quotas?: readonly string[] }>(project, 'route')) add(value.quotas, []);
  for (const { value } of served<ConsumerSnapshot>(project, 'consumer')) add(value.quotas, usableBy(value, project));
  return found;
});

export const idleCounts: Rule = (project) => {
  if (!allSound(project, 'model', 'route', 'consumer')) return [];
  return limitsOf(project).flatMap(({ object, value }): Problem[] => {
    const drawing = countedBy(project).get(object.id);
    if (!drawing || drawing.size > 0 || !isSpentByModels(value.unit)) return [];
    const message = `quota '${object.id}' counts ${value.unit}, and no model draws from it`;
    return problemAt(project, { object, path: ['unit'] }, { code: 'quota_counts_nothing', message });
  });
};

/** Only conversations and completions answer with tokens whose number a client can limit. */
const answering: readonly unknown[] = [undefined, 'chat', 'responses', 'completion'];

/** Of one unlimited answer, in what the quota counts; a question of one token. */
function heldFor({ unit }: QuotaSnapshot, { maxOutputTokens = unstatedOutputTokens, prices }: ModelFacts): number {
  const asked = { inputTokens: 1, outputTokens: maxOutputTokens };
  // No clock says which of them holds when somebody asks.
  if (unit === 'usd')
    return Math.max(0, ...(prices ? everyPrice(prices) : []).map((each) => nanoUsd(mostItCosts(asked, each))));
  return unit === 'tokens' || unit === 'outputTokens' ? maxOutputTokens : 0;
}

export const smallQuotas: Rule = (project) =>
  limitsOf(project).flatMap(({ object, value }): Problem[] => {
    const limit = countedLimit(value);
    const leg = [...(countedBy(project).get(object.id) ?? [])]
      .flatMap(({ legs }) => legs)
      .find(({ facts }) => answering.includes(facts.kind) && heldFor(value, facts) > limit);
    if (!leg || value.mode === 'soft') return [];
    const { maxOutputTokens } = leg.facts;
    const answer =
      maxOutputTokens === undefined
        ? `as long as is assumed where nothing is said (${unstatedOutputTokens} tokens)`
        : `of up to ${maxOutputTokens} tokens`;
    const message = `quota '${object.id}': an answer of ${leg.name} ${answer} does not fit into its ${value.unit === 'usd' ? '$' : ''}${value.limit}`;
    return problemAt(project, { object, path: ['limit'] }, { code: 'quota_needs_small_answers', message });
  });

export const unknownZones: Rule = (project) =>
  limitsOf(project).flatMap(({ object, value }): Problem[] => {
    const former = typeof value.was === 'object' ? value.was.window : undefined;
    const places = [
      [windowOf(value), ['window', 'zone']],
      [former, ['was', 'window', 'zone']],
    ] as const;
    return places.flatMap(([window, path]): Problem[] => {
      if (typeof window !== 'object' || !('zone' in window) || isZone(window.zone)) return [];
      const [meant] = near(window.zone, Intl.supportedValuesOf('timeZone'));
      const message = `quota '${object.id}': no time zone is called '${window.zone}'`;
      const hint = meant === undefined ? {} : { hint: `did you mean '${meant}'?` };
      return problemAt(project, { object, path }, { code: 'quota_zone_unknown', message, ...hint });
    });
  });
