/** Reading of fields as the Responses API has them. */
import type { Json, JsonObject } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isSet, reportable, textIn } from '../json-fields.ts';

export const isCount = (value: Json): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

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
