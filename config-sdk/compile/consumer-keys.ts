/** The keys of a consumer as a snapshot has them: their hashes in one list, and what is said of some of them beside it. */
import { isPlaintextKey } from '../rules/consumers.ts';
import { isObject, isUnknown, type JsonObject, type Path, type Place } from './places.ts';

export interface Tools {
  /** Remembers where a compiled value was written. */
  readonly from: <Value extends object>(place: Place, value: Value, moved?: Readonly<Record<string, Path>>) => Value;
  /** The names of the models, routes and issuers that are referred to. */
  readonly names: (spec: JsonObject, place: Place) => Readonly<Record<string, unknown>>;
}

function tokenUses({ jwt }: JsonObject, place: Place, { from, names }: Tools): Record<string, unknown> {
  if (!Array.isArray(jwt)) return {};
  const uses = jwt.map((use: unknown, index): unknown => {
    if (!isObject(use) || isUnknown(use)) return use;
    const at = { ...place, path: [...place.path, index] };
    return from(at, { ...use, ...names(use as JsonObject, at) });
  });
  return { jwt: from(place, uses) };
}

/** What of `spec` becomes other than it was written. */
export function consumerKeys(
  spec: JsonObject,
  { declaration }: Place,
  { from, names }: Tools,
): Record<string, unknown> {
  const keys: unknown = spec['keys'];
  const tokens = tokenUses(spec, { declaration, path: ['jwt'] }, { from, names });
  if (keys === undefined) return { keys: [], ...tokens };
  if (!Array.isArray(keys) || keys.every((key) => !isObject(key) || isUnknown(key))) return tokens;
  const place: Place = { declaration, path: ['keys'] };
  const moved: Record<string, Path> = {};
  const terms: [hash: string, terms: object][] = [];
  const hashes = keys.map((key: unknown, index): unknown => {
    if (!isObject(key) || isUnknown(key) || !Object.hasOwn(key, 'hash')) return key;
    moved[index] = [index, 'hash'];
    const { hash, ...rest } = key as JsonObject;
    const at = { declaration, path: ['keys', index] };
    // A key in the clear is told as such, and is the name of nothing.
    if (typeof hash === 'string' && !isPlaintextKey(hash) && Object.keys(rest).length > 0)
      terms.push([hash, from(at, { ...rest, ...names(rest, at) })]);
    return hash;
  });
  return {
    ...tokens,
    keys: from(place, hashes, moved),
    ...(terms.length > 0 && { keyTerms: from(place, Object.fromEntries(terms)) }),
  };
}
