/** The snapshot of what is served. A collection in which nothing has changed is the same object as last time. */
import { snapshotFormat, type SnapshotInput } from '@headgate/runtime/snapshot';
import type { Json, LoadedDeclaration } from '../load/document.ts';
import type { CompiledObject } from '../rules/rule.ts';
import { collections, isObject, type CollectionSort } from './places.ts';

export const optionalProperties = ['allowShrink', 'removed', 'rollout'] as const;

type Member = readonly [name: string, value: unknown];

interface Collected {
  readonly members: readonly Member[];
  readonly collection: Readonly<Record<string, unknown>>;
}

/** By the declaration of the gateway, and by the name of the collection. */
const collected = new WeakMap<LoadedDeclaration, Map<string, Collected>>();

/** The first of two equal names wins, as everywhere. */
function collectionOf(known: Map<string, Collected>, name: string, members: readonly Member[]) {
  const before = known.get(name);
  const isSame =
    before?.members.length === members.length &&
    before.members.every(([key, value], at) => key === members[at]?.[0] && value === members[at]?.[1]);
  if (before && isSame) return before.collection;
  const collection = Object.fromEntries(members.toReversed());
  known.set(name, { members, collection });
  return collection;
}

/** What of the gateway itself goes into the snapshot as it was written. */
function optionalParts(spec: Json | undefined): Readonly<Record<string, unknown>> {
  if (!isObject(spec)) return {};
  return Object.fromEntries(optionalProperties.filter((key) => spec[key] !== undefined).map((key) => [key, spec[key]]));
}

const places = new WeakMap<LoadedDeclaration, Member>();

/** Where an object was declared. */
function sourceOf({ sort, id }: CompiledObject, declaration: LoadedDeclaration): Member {
  const { file, line, column } = declaration.position;
  const place = places.get(declaration) ?? [`${collections[sort]}.${id}`, `${file}:${line}:${column}`];
  places.set(declaration, place);
  return place;
}

/** `served` is in the order of declaration. */
export function snapshotOf(
  declarations: readonly LoadedDeclaration[],
  gateway: number,
  served: readonly CompiledObject[],
): SnapshotInput {
  const root = declarations[gateway];
  const known = (root && collected.get(root)) ?? new Map<string, Collected>();
  if (root) collected.set(root, known);
  const bySort = Map.groupBy(served, ({ sort }) => sort);
  const sorts = Object.keys(collections) as CollectionSort[];
  // A runtime that does not know of them serves what has none.
  const isSaid = (sort: CollectionSort) => bySort.has(sort) || !['issuer', 'team', 'organisation'].includes(sort);
  const named = sorts.filter(isSaid).map((sort): Member => {
    const members = (bySort.get(sort) ?? []).map(({ id, value }): Member => [id, value]);
    return [collections[sort], collectionOf(known, collections[sort], members)];
  });
  const sources = served.flatMap((object): Member[] => {
    const declaration = declarations[object.index];
    return declaration ? [sourceOf(object, declaration)] : [];
  });
  const snapshot = {
    format: snapshotFormat,
    name: isObject(root?.spec) ? root.spec['name'] : undefined,
    ...optionalParts(root?.spec),
    ...Object.fromEntries(named),
    sources: collectionOf(known, 'sources', sources.toReversed()),
  };
  // Every object in it has been through the schema, or its problems are errors that keep it from being published.
  return snapshot as unknown as SnapshotInput;
}
