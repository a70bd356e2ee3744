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
  else if (isObject(value))
    for (const [key, member] of Object.entries(value)) yield* handlesIn(member as Json, [...path, key]);
}

/** The declarations that `declaration` refers to. */
export function referencesOf(declaration: LoadedDeclaration, declarations: readonly LoadedDeclaration[]): number[] {
  const found = [...handlesIn(declaration.spec)].map(({ index }) => index);
  const { sort, facts } = declaration;
  const owner =
    sort === 'target'
      ? ['provider', facts['provider']]
      : sort === 'bound-prompt'
        ? ['prompt', facts['prompt']]
        : undefined;
  if (owner)
    found.push(
      ...declarations.flatMap((each, index) => (each.sort === owner[0] && each.id === owner[1] ? [index] : [])),
    );
  return found;
}

export interface Reach {
  readonly listed: ReadonlySet<number>;
  readonly published: ReadonlySet<number>;
}

export function reach(declarations: readonly LoadedDeclaration[], gateway: number): Reach {
  const root = declarations[gateway];
  const listed = new Set(root ? [...handlesIn(root.spec)].map(({ index }) => index) : []);
  const published = new Set([gateway, ...listed]);
  // A set that grows while it is walked: each new member gets its turn.
  for (const index of published) {
    const declaration = declarations[index];
    if (!declaration || index === gateway) continue;
    for (const next of referencesOf(declaration, declarations)) {
      // Permission to use something does not serve it.
      const permission = declaration.sort === 'consumer' && ['model', 'route'].includes(declarations[next]?.sort ?? '');
      if (!permission) published.add(next);
    }
  }
  return { listed, published };
}
