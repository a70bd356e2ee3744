/** Where in the configuration each object was declared. Holds nothing else of a generation, so that it may outlive one. */
import type { Packed } from '../packed.ts';

/** Asked for in explanations only, so the index is made when the first one is due. */
export function lookUpSources(sources: Packed<string>): (object: string) => string | undefined {
  let positions: ReadonlyMap<string, number> | undefined;
  return (object) => {
    positions ??= new Map(sources.names().map((name, position) => [name, position]));
    const position = positions.get(object);
    return position === undefined ? undefined : sources.at(position)[1];
  };
}
