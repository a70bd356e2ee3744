/** Names: one object of a sort per name, and no object that nothing serves. */
import { referencesAmong } from '../compile/reach.ts';
import { handleIndex, isCollectionSort, isObject } from '../compile/places.ts';
import type { LoadedDeclaration } from '../load/document.ts';
import type { Sort } from '../site.ts';
import type { Rule } from './rule.ts';

const words = (sort: string): string => sort.replace('-', ' ');

export const duplicateNames: Rule = ({ declarations }) => {
  const firstBySort = new Map<Sort, Map<string, number>>();
  return declarations.flatMap(({ sort, id }, index) => {
    if (!isCollectionSort(sort) && sort !== 'invariant') return [];
    const first = firstBySort.get(sort) ?? new Map<string, number>();
    firstBySort.set(sort, first);
    const before = declarations[first.get(id) ?? -1];
    if (!before) {
      first.set(id, index);
      return [];
    }
    const { file, line, column } = before.position;
    return [
      {
        code: 'duplicate_name',
        place: { declaration: index, path: ['$id'] },
        message: `${words(sort)} '${id}' is already declared at ${file}:${line}:${column}`,
      },
    ];
  });
};

/** The list of defineGateway in which an object of a sort is served. */
const listOf: Partial<Record<Sort, string>> = { model: 'models', route: 'routes', consumer: 'consumers' };

/** What is referred to by something that it makes. */
const madeBy: Partial<Record<Sort, Sort>> = { provider: 'target', prompt: 'bound-prompt' };

/** A list in which something else stands than objects of its sort, such as a name. */
const holdsElse = (list: unknown, sort: Sort, declarations: readonly LoadedDeclaration[]): boolean =>
  Object.values(isObject(list) || Array.isArray(list) ? list : {}).some(
    (each) => declarations[handleIndex(each) ?? -1]?.sort !== sort,
  );

/** What an unused object refers to is not reported as well: it is used, by that object. */
export const unusedDeclarations: Rule = ({ declarations, published, missed, gateway }) => {
  if (!published) return [];
  const lists = declarations[gateway?.declaration ?? -1]?.spec;
  const unserved = declarations.flatMap((_, index) => (published.has(index) ? [] : [index]));
  if (unserved.length === 0) return [];
  const referencesOf = referencesAmong(declarations);
  const used = new Set(
    unserved.flatMap((index) => {
      const declaration = declarations[index];
      return declaration ? referencesOf(declaration) : [];
    }),
  );
  return unserved.flatMap((index) => {
    const { sort, id } = declarations[index] ?? { sort: 'target', id: '' };
    if (used.has(index) || !(isCollectionSort(sort) || sort === 'gateway')) return [];
    const list = listOf[sort];
    // It may be what was meant at a place that has its finding.
    if (
      missed.has(sort) ||
      missed.has(madeBy[sort] ?? sort) ||
      (list && isObject(lists) && holdsElse(lists[list], sort, declarations))
    )
      return [];
    const message =
      sort === 'gateway'
        ? 'this gateway is not the default export'
        : `${words(sort)} '${id}' is declared, but nothing that is served refers to it`;
    return [
      {
        code: 'unused_declaration',
        place: { declaration: index, path: [] },
        message,
        ...(list && { hint: `list it in \`${list}\` of defineGateway, or remove it` }),
      },
    ];
  });
};
