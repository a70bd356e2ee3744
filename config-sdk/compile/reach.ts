/** What of the declared is served: everything that defineGateway lists, and whatever that refers to. */
import type { Json, LoadedDeclaration } from '../load/document.ts';
import { handleIndex, isObject } from './places.ts';

/** Every handle inside `value`, with the path to it. */
export function* handlesIn(
  value: Json | undefined,
  path: readonly (string | number)[] = [],
): Generator<{ index: number; path: readonly (string | number)[] }> {
  const index = handleIndex(value);
  if (index !== undefined) yield { index, path };
  else if (Array.isArray(value))
    for (const [position, member] of (value as readonly Json[]).entries())
      yield* handlesIn(member, [...path, position]);
  else if (isObject(value)) for (const [key, member] of Object.entries(value)) yield* handlesIn(member, [...path, key]);
}

export type References = (declaration: LoadedDeclaration) => readonly number[];

/** Tells which declarations one refers to: by value, or as a target to its provider and a bound prompt to its prompt. */
export function referencesAmong(declarations: readonly LoadedDeclaration[]): References {
  const byName = new Map<string, number[]>();
  for (const [index, { sort, id }] of declarations.entries()) {
    const key = `${sort} ${id}`;
    byName.set(key, [...(byName.get(key) ?? []), index]);
  }
  return ({ sort, spec, facts }) => {
    const owner = sort === 'target' ? `provider ${facts['provider']}` : `prompt ${facts['prompt']}`;
    const owners = sort === 'target' || sort === 'bound-prompt' ? byName.get(owner) : undefined;
    return [...[...handlesIn(spec)].map(({ index }) => index), ...(owners ?? [])];
  };
}

export interface Reach {
  readonly listed: ReadonlySet<number>;
  readonly published: ReadonlySet<number>;
}

export function reach(declarations: readonly LoadedDeclaration[], gateway: number): Reach {
  const root = declarations[gateway];
  const { accept: _, ...lists } = isObject(root?.spec) ? root.spec : {};
  // What an exception is about is not served by being named there.
  const listed = new Set([...handlesIn(lists as Json)].map(({ index }) => index));
  const published = new Set([gateway, ...listed]);
  const referencesOf = referencesAmong(declarations);
  // A set that grows while it is walked: each new member gets its turn.
  for (const index of published) {
    const declaration = declarations[index];
    if (!declaration || index === gateway) continue;
    for (const next of referencesOf(declaration)) {
      // Permission to use something does not serve it.
      const permission = declaration.sort === 'consumer' && ['model', 'route'].includes(declarations[next]?.sort ?? '');
      if (!permission) published.add(next);
    }
  }
  return { listed, published };
}
