/** Turns what was declared into plain data: references become marks, and so does whatever has no JSON form. */
import { declared, type Declaration } from '../site.ts';
import { handleMark, notDataMark, unknownMark, type Json, type LoadedDeclaration } from './document.ts';
import type { PolicedFiles } from './policed-files.ts';
import { unknowable } from './purity.ts';

const marks = [handleMark, notDataMark, unknownMark];
const notData = (what: string): Json => ({ [notDataMark]: what });

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

type Indexes = ReadonlyMap<unknown, number>;

/** `above` are the values that this one stands in. */
function objectToJson(value: object, indexes: Indexes, above: Set<unknown>): Json {
  if (above.has(value)) return notData('a value that contains itself');
  above.add(value);
  const json = membersToJson(value, indexes, above);
  above.delete(value);
  return json;
}

function membersToJson(value: object, indexes: Indexes, above: Set<unknown>): Json {
  // A hole in a list cannot be left out as a property can.
  if (Array.isArray(value))
    return value.map((member: unknown) =>
      member === undefined ? notData('undefined') : toJson(member, indexes, above),
    );
  if (!isPlain(value)) return notData(`an instance of ${value.constructor?.name || 'a class'}`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const reserved = members.find(([key]) => marks.includes(key));
  if (reserved) return notData(`an object with the reserved property ${reserved[0]}`);
  for (const member of members) member[1] = toJson(member[1], indexes, above);
  return Object.fromEntries(members);
}

function toJson(value: unknown, indexes: Indexes, above: Set<unknown>): Json {
  if (value === unknowable) return { [unknownMark]: true };
  const index = indexes.get(value);
  if (index !== undefined) return { [handleMark]: index };
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : notData(String(value));
  if (typeof value === 'object') return objectToJson(value, indexes, above);
  return notData(value === undefined ? 'undefined' : `a ${typeof value}`);
}

function texts(handle: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(handle).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** All declarations in order, and the index of each handle. */
export function serialise(files: PolicedFiles): { declarations: LoadedDeclaration[]; indexes: Indexes } {
  const all: readonly Declaration[] = [...declared().values()];
  const indexes = new Map<unknown, number>(all.map(({ handle }, index) => [handle, index]));
  const declarations = all.map(({ sort, id, spec, handle, site }): LoadedDeclaration => {
    const file = files.has(site.file) ? files.name(site.file) : '';
    return {
      sort,
      id: typeof id === 'string' ? id : '',
      spec: toJson(spec, indexes, new Set()),
      facts: texts(handle),
      position: { file, line: site.line, column: site.column },
    };
  });
  return { declarations, indexes };
}
