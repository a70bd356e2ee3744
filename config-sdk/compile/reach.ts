/** What of the declared is served: everything that defineGateway lists, and whatever that refers to. */
import type { Json, LoadedDeclaration } from '../load/document.ts';
import { handleIndex, isObject, type Path } from './places.ts';

interface FoundHandle {
  readonly index: number;
  readonly path: Path;
}

const knownHandles = new WeakMap<object, readonly FoundHandle[]>();

/** Every handle inside `value`, with the path to it. */
export function handlesIn(value: Json | undefined): readonly FoundHandle[] {
  if (typeof value !== 'object' || value === null) return [];
  const known = knownHandles.get(value);
  if (known) return known;
  const found: FoundHandle[] = [];
  collectHandles(value, [], found);
  knownHandles.set(value, found);
  return found;
}

function collectHandles(value: Json | undefined, trail: (string | number)[], found: FoundHandle[]): void {
  if (typeof value !== 'object' || value === null) return;
  const index = handleIndex(value);
  if (index !== undefined) {
    found.push({ index, path: [...trail] });
    return;
  }
  const isList = Array.isArray(value);
  const members = value as Readonly<Record<string, Json>>;
  for (const key of Object.keys(members)) {
    trail.push(isList ? Number(key) : key);
    collectHandles(members[key], trail, found);
    trail.pop();
  }
}

export type References = (declaration: LoadedDeclaration) => readonly number[];

/** Tells which declarations one refers to: by value, or as a target to its provider and a bound prompt to its prompt. */
export function referencesAmong(declarations: readonly LoadedDeclaration[]): References {
  const owners = { provider: new Map<string, number[]>(), prompt: new Map<string, number[]>() };
  for (const [index, { sort, id }] of declarations.entries()) {
    if (sort !== 'provider' && sort !== 'prompt') continue;
    const alike = owners[sort].get(id);
    if (alike) alike.push(index);
    else owners[sort].set(id, [index]);
  }
  return ({ sort, spec, facts }) => {
    const named = handlesIn(spec).map(({ index }) => index);
    if (sort === 'target') return [...named, ...(owners.provider.get(facts['provider'] ?? '') ?? [])];
    if (sort === 'bound-prompt') return [...named, ...(owners.prompt.get(facts['prompt'] ?? '') ?? [])];
    return named;
  };
}

/** Who may use something. */
const callers: readonly string[] = ['consumer', 'team', 'organisation'];

export interface Reach {
  readonly listed: ReadonlySet<number>;
  readonly published: ReadonlySet<number>;
}

interface Reached {
  readonly declarations: readonly LoadedDeclaration[];
  readonly reach: Reach;
}

/** By the declaration of the gateway. */
const reached = new WeakMap<LoadedDeclaration, Reached>();

/** Whether two declarations refer to the same others. */
function refersAlike(one: LoadedDeclaration, other: LoadedDeclaration | undefined): boolean {
  if (one === other) return true;
  if (one.sort !== other?.sort || one.id !== other.id) return false;
  if (one.facts['provider'] !== other.facts['provider'] || one.facts['prompt'] !== other.facts['prompt']) return false;
  const [these, those] = [handlesIn(one.spec), handlesIn(other.spec)];
  return these.length === those.length && these.every(({ index }, at) => index === those[at]?.index);
}

/** The same object as last time where all refer to the same. */
export function reach(declarations: readonly LoadedDeclaration[], gateway: number): Reach {
  const root = declarations[gateway];
  const before = root && reached.get(root);
  const isSame =
    before?.declarations.length === declarations.length &&
    declarations.every((each, index) => refersAlike(each, before.declarations[index]));
  const found = before && isSame ? before.reach : reachFrom(declarations, gateway);
  if (root) reached.set(root, { declarations, reach: found });
  return found;
}

function reachFrom(declarations: readonly LoadedDeclaration[], gateway: number): Reach {
  const root = declarations[gateway];
  const { accept: _, ...lists } = isObject(root?.spec) ? root.spec : {};
  // What an exception is about is not served by being named there.
  const listed = new Set(handlesIn(lists as Json).map(({ index }) => index));
  const published = new Set([gateway, ...listed]);
  const referencesOf = referencesAmong(declarations);
  // A set that grows while it is walked: each new member gets its turn.
  for (const index of published) {
    const declaration = declarations[index];
    if (!declaration || index === gateway) continue;
    for (const next of referencesOf(declaration)) {
      // Permission to use something does not serve it.
      const permission =
        callers.includes(declaration.sort) && ['model', 'route', 'prompt'].includes(declarations[next]?.sort ?? '');
      if (!permission) published.add(next);
    }
  }
  return { listed, published };
}
