/** What is known of the vendors' models in use: whether they exist, are still served, and what they cost. */
import type { ModelSnapshot, ProviderSnapshot } from '@headgate/runtime/snapshot';
import { catalogue, knownModel, nearModels } from '../catalogue/catalogue.ts';
import { isAtHome, isAtVendor } from './providers.ts';
import { served, type CompiledObject, type Problem, type Project, type Rule } from './rule.ts';
import { legsOf } from './targets.ts';

interface UsedModel {
  readonly object: CompiledObject;
  readonly provider: ProviderSnapshot;
  readonly name: string;
}

/** What no target uses has its finding already. */
function usedModels(project: Project): UsedModel[] {
  const used = new Set(
    served<ModelSnapshot>(project, 'model').flatMap(({ value }) =>
      legsOf(value.targets, []).map(({ node }) => `${node.provider}/${node.model}`),
    ),
  );
  return served<ProviderSnapshot>(project, 'provider').flatMap(({ object, value }) =>
    Object.keys(value.models)
      .filter((name) => used.has(`${object.id}/${name}`))
      .map((name) => ({ object, provider: value, name })),
  );
}

/** One problem at the name of a model: it is said once, however many targets use it. */
function atName(project: Project, { object, name }: UsedModel, said: Omit<Problem, 'place'>): Problem[] {
  const place = project.placeOf(object, ['models', name]);
  return place ? [{ ...said, place: { ...place, name: true } }] : [];
}

export const endingModels: Rule = (project) =>
  usedModels(project).flatMap((used): Problem[] => {
    const day = knownModel(used.provider.kind, used.name)?.deprecation;
    // Somebody else may serve a model of that name for ever.
    if (day === undefined || !isAtVendor(used.provider)) return [];
    const subject = `model '${used.name}' of provider '${used.object.id}'`;
    // Held against the day of the catalogue and never the clock: a tree that passed must pass again.
    return day <= catalogue.taken
      ? atName(project, used, { code: 'model_retired', message: `${subject} was retired by its vendor on ${day}` })
      : atName(project, used, {
          code: 'model_deprecated',
          message: `${subject} will be retired by its vendor on ${day}`,
        });
  });

/** The vendor has models that the catalogue does not: new ones, and those that were made for one account. */
const isUnknownAtVendor = ({ provider, name }: UsedModel): boolean =>
  Object.hasOwn(catalogue.vendors, provider.kind) &&
  isAtVendor(provider) &&
  knownModel(provider.kind, name) === undefined;

export const unlistedModels: Rule = (project) =>
  usedModels(project)
    .filter(isUnknownAtVendor)
    .flatMap((used): Problem[] => {
      const message = `model '${used.name}' of provider '${used.object.id}' is not in the catalogue as of ${catalogue.taken}`;
      const meant = nearModels(used.name, used.provider.kind).map((each) => `'${each}'`);
      const hint = meant.length > 0 ? { hint: `did you mean ${meant.join(' or ')}?` } : {};
      return atName(project, used, { code: 'model_unknown', message, ...hint });
    });

export const unpricedModels: Rule = (project) =>
  usedModels(project).flatMap((used): Problem[] => {
    const { object, provider, name } = used;
    // What may not exist has its finding, and no price.
    if (isAtHome(provider) || provider.models[name]?.prices || isUnknownAtVendor(used)) return [];
    const message = `neither the configuration nor the catalogue has a price of model '${name}' of provider '${object.id}'`;
    return atName(project, used, { code: 'model_without_price', message });
  });
