/** Reading of request fields that a client may leave out but may not get wrong. */
import type { Json, JsonObject } from '../call.ts';
import { CallError } from './dialect.ts';
import { isSet } from './json-fields.ts';

export const isText = (value: Json): value is string => typeof value === 'string';
export const isBoolean = (value: Json): value is boolean => typeof value === 'boolean';
export const isNumber = (value: Json): value is number => typeof value === 'number';

/** Throws `CallError` naming `key` when it is set to what is not `expected`. */
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
