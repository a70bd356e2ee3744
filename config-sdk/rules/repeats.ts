/** What stands there twice: entries of a list, whole objects, and names that only look different. */
import type { ModelSnapshot, ProviderSnapshot } from '@headgate/runtime/snapshot';
import { collections, handleIndex, isObject, type CollectionSort, type Path } from '../compile/places.ts';
import { writtenJson } from '../compile/written-json.ts';
import { isInProcess } from './providers.ts';
import { eachServed, problemAt, served, type Problem, type Rule } from './rule.ts';
import { legsOf } from './targets.ts';

const sorts = Object.keys(collections) as CollectionSort[];
const words = (sort: string): string => sort.replace('-', ' ');

interface Repeated {
  readonly path: Path;
  readonly text: string;
}

/** Elements of lists of texts that stood in their list before. */
function repeatedIn(value: unknown, path: string[] = [], found: Repeated[] = []): readonly Repeated[] {
  if (Array.isArray(value)) {
    if (value.length < 2) return found;
    const seen = new Set<unknown>();
    for (const [index, member] of value.entries()) {
      if (typeof member === 'string' && seen.has(member)) found.push({ path: [...path, index], text: member });
      seen.add(member);
    }
  } else if (isObject(value))
    for (const key of Object.keys(value)) {
      path.push(key);
      repeatedIn(value[key], path, found);
      path.pop();
    }
  return found;
}

const listOf = (path: Path): string => path.filter((key) => typeof key === 'string' && key !== 'options').join('.');

const repeatedWithin = sorts.map((sort) =>
  eachServed<object>(sort, ({ object, value }, beside) =>
    repeatedIn(value).flatMap(({ path, text }): Problem[] => {
      // Keys have a finding of their own.
      if (sort === 'consumer' && path[0] === 'keys') return [];
      // A term that is blocked is worth guarding.
      const what = sort === 'policy' ? 'the same text' : `'${text}'`;
      const message = `${words(sort)} '${object.id}': ${listOf(path)} names ${what} twice`;
      return problemAt(beside, { object, path }, { code: 'listed_twice', message });
    }),
  ),
);

const repeatedInGateway: Rule = ({ gateway, declarations }) => {
  const spec = declarations[gateway?.declaration ?? -1]?.spec;
  return ['models', 'routes', 'consumers'].flatMap((key) => {
    const list = isObject(spec) ? spec[key] : undefined;
    const seen = new Set<number>();
    return (Array.isArray(list) ? list : []).flatMap((member, position): Problem[] => {
      const index = handleIndex(member);
      if (!gateway || index === undefined) return [];
      if (!seen.has(index)) {
        seen.add(index);
        return [];
      }
      const message = `defineGateway: ${key} names '${declarations[index]?.id}' twice`;
      return [{ code: 'listed_twice', place: { ...gateway, path: [key, position] }, message }];
    });
  });
};

export const repeatedEntries: readonly Rule[] = [...repeatedWithin, repeatedInGateway];

/** Equal quotas count apart, equal models are aliases, equal consumers are other people: those may be alike. */
const alikeIsOne: readonly CollectionSort[] = ['upstream', 'policy', 'context-policy', 'prompt'];

export const repeatedDeclarations: readonly Rule[] = alikeIsOne.map((sort): Rule => (project) => {
  const first = new Map<string, string>();
  return served<object>(project, sort).flatMap(({ object, value }): Problem[] => {
    const key = writtenJson(value);
    const other = first.get(key);
    if (other === undefined) first.set(key, object.id);
    // Two of one name have a finding already.
    if (other === undefined || other === object.id) return [];
    const message = `${words(sort)} '${object.id}' says the same as ${words(sort)} '${other}'`;
    return problemAt(project, { object, path: [] }, { code: 'repeated_declaration', message });
  });
});

export const similarNames: readonly Rule[] = sorts.map((sort): Rule => (project) => {
  const first = new Map<string, string>();
  return served(project, sort).flatMap(({ object }): Problem[] => {
    const key = object.id.toLowerCase().replaceAll(/[-_]/g, '');
    const other = first.get(key);
    if (other === undefined) first.set(key, object.id);
    if (other === undefined || other === object.id) return [];
    const message = `${words(sort)} '${object.id}' is easily taken for ${words(sort)} '${other}'`;
    const place = { declaration: object.index, path: ['$id'] };
    return [{ code: 'near_duplicate_name', place, message }];
  });
});

export const misleadingNames: Rule = (project) => {
  const vendors = new Set(
    served<ProviderSnapshot>(project, 'provider').flatMap(({ value }) =>
      isInProcess(value.kind) ? [] : Object.keys(value.models),
    ),
  );
  return served<ModelSnapshot>(project, 'model').flatMap(({ object, value }): Problem[] => {
    const targets = legsOf(value.targets, []).map(({ node }) => node.model);
    if (!vendors.has(object.id) || targets.includes(object.id)) return [];
    const message = `model '${object.id}' is served by ${[...new Set(targets)].join(', ')}`;
    return [{ code: 'model_name_misleads', place: { declaration: object.index, path: ['$id'] }, message }];
  });
};
