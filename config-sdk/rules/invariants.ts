/** Invariants that hold because they speak of nothing. */
import { isObject } from '../compile/places.ts';
import type { Rule } from './rule.ts';

const carriers = ['model', 'route', 'consumer'];

export const uncarriedTags: Rule = ({ declarations, published, missed }) => {
  // What stands where an object was meant may be what carries it.
  if (!published || missed.size > 0 || !declarations.some(({ sort }) => sort === 'invariant')) return [];
  const carried = new Set(
    declarations.flatMap(({ sort, spec }, index): unknown[] =>
      published.has(index) && carriers.includes(sort) && isObject(spec) && Array.isArray(spec['tags'])
        ? spec['tags']
        : [],
    ),
  );
  return declarations.flatMap(({ sort, id, spec }, declaration) => {
    const tag = sort === 'invariant' && isObject(spec) ? spec['tag'] : undefined;
    if (typeof tag !== 'string' || carried.has(tag)) return [];
    const message = `invariant '${id}' holds whatever happens: no model, route or consumer carries the tag '${tag}'`;
    return [{ code: 'invariant_about_nothing', place: { declaration, path: [] }, message }];
  });
};
