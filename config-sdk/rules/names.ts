/** Names: one object of a sort per name, and no object that nothing serves. */
import { referencesAmong } from '../compile/reach.ts';
import { isCollectionSort } from '../compile/places.ts';
import type { Rule } from './rule.ts';

const words = (sort: string): string => sort.replace('-', ' ');

export const duplicateNames: Rule = ({ declarations }) => {
  const first = new Map<string, number>();
  return declarations.flatMap(({ sort, id }, index) => {
    if (!isCollectionSort(sort)) return [];
    const key = `${sort} ${id}`;
    const before = declarations[first.get(key) ?? -1];
    if (!before) {
      first.set(key, index);
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

/** What an unused object refers to is not reported as well: it is used, by that object. */
export const unusedDeclarations: Rule = ({ declarations, published }) => {
  if (!published) return [];
  const unserved = declarations.flatMap((_, index) => (published.has(index) ? [] : [index]));
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
    const message =
      sort === 'gateway'
        ? 'this gateway is not the default export'
        : `${words(sort)} '${id}' is declared, but nothing that is served refers to it`;
    return [{ code: 'unused_declaration', place: { declaration: index, path: [] }, message }];
  });
};
