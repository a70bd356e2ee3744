/** Remembers which authored value each compiled one came from. */
import { isUnknown, type Path, type Place } from './places.ts';

export interface Origin {
  readonly place: Place;
  /** Snapshot properties that are written elsewhere than under the same name. */
  readonly moved?: Readonly<Record<string, Path>>;
}

// Of the process, like what is compiled (`compiled-before.ts`).
const origins = new WeakMap<object, Origin>();

export function writtenAt<Value extends object>(value: Value, origin: Origin): Value {
  origins.set(value, origin);
  return value;
}

/** A value that was made of another one after compiling stands where that does. */
export function standsFor(made: object, original: object): void {
  const origin = origins.get(original);
  if (origin) origins.set(made, origin);
}

/** Where the value at `path` below a compiled object was written. Undefined when it came from something impure. */
export function placeIn(compiled: unknown, path: Path, fallback: Place): Place | undefined {
  let place = fallback;
  let value: unknown = compiled;
  let rest: Path = path;
  for (const [depth, key] of path.entries()) {
    if (isUnknown(value)) return undefined;
    const origin = typeof value === 'object' && value !== null ? origins.get(value) : undefined;
    if (origin) {
      const moved = origin.moved?.[String(key)];
      place = moved ? { ...origin.place, path: [...origin.place.path, ...moved] } : origin.place;
      rest = path.slice(moved ? depth + 1 : depth);
    }
    value =
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[key as string]
        : undefined;
  }
  if (isUnknown(value)) return undefined;
  const own = typeof value === 'object' && value !== null ? origins.get(value) : undefined;
  return own ? own.place : { ...place, path: [...place.path, ...rest] };
}
