/** Reading of request fields that a client may leave out but may not get wrong. */
import type { Json, JsonObject } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isSet, reportable, textIn } from '../json-fields.ts';

export const isText = (value: Json): value is string => typeof value === 'string';
export const isBoolean = (value: Json): value is boolean => typeof value === 'boolean';
export const isNumber = (value: Json): value is number => typeof value === 'number';
export const isCount = (value: Json): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

export function optional<T extends Json>(
  body: JsonObject,
  key: string,
  accepts: (value: Json) => value is T,
  expected: string,
): T | undefined {
  const value = body[key];
  if (!isSet(value)) return undefined;
  if (!accepts(value)) throw new CallError(`${key} must be ${expected}.`, key);
  return value;
}

/** A field that has to be there, and not empty. */
export function requiredText(object: JsonObject, key: string, place: string): string {
  const text = textIn(object, key);
  if (text === undefined || text === '')
    throw new CallError(`${place}.${key} must be a non-empty string.`, `${place}.${key}`);
  return text;
}

/** Notes each field that is set and has no neutral meaning, as `prefix.field`. An empty list says nothing. */
export function noteOthers(
  object: JsonObject,
  carried: ReadonlySet<string>,
  into: { readonly prefix: string; readonly untranslated: Set<string> },
): void {
  for (const [key, value] of Object.entries(object)) {
    const isEmpty = !isSet(value) || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty && !carried.has(key)) into.untranslated.add(`${into.prefix}.${reportable(key)}`);
  }
}
