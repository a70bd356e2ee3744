/**
 * Reading of Google's JSON. Names come in camelCase or in snake_case, as the samples of the API say in their README
 * (github.com/google-gemini/deprecated-generative-ai-python, samples/rest), and its own curl examples put a lone object
 * where a list belongs (`"system_instruction": {"parts": {"text": …}}`, ai.google.dev/gemini-api/docs/text-generation).
 */
import type { Json, JsonObject } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, isSet } from '../json-fields.ts';

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const camelCase = (name: string): string =>
  name.replaceAll(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The spelling that `object` uses for `name`. */
export function spelling(object: JsonObject, name: string): string {
  const other = snakeCase(name);
  return !isSet(object[name]) && isSet(object[other]) ? other : name;
}

export function field(object: JsonObject | undefined, name: string): Json | undefined {
  return object?.[spelling(object, name)] ?? undefined;
}

export function textField(object: JsonObject | undefined, name: string): string | undefined {
  const value = field(object, name);
  return typeof value === 'string' ? value : undefined;
}

export function objectField(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = field(object, name);
  return isObject(value) ? value : undefined;
}

/** A lone object is a list of one. */
export function listField(object: JsonObject | undefined, name: string): readonly Json[] {
  const value = field(object, name);
  if (isList(value)) return value;
  return isObject(value) ? [value] : [];
}

/** The same for what a client sent, where anything else is a mistake. */
export function demandObject(object: JsonObject, name: string, place: string): JsonObject | undefined {
  const value = field(object, name);
  if (isSet(value) && !isObject(value)) throw new CallError(`${place} must be an object.`, place);
  return value ?? undefined;
}

export function demandList(object: JsonObject | undefined, name: string, place: string): readonly Json[] {
  const value = field(object, name);
  if (isSet(value) && !isList(value) && !isObject(value)) throw new CallError(`${place} must be an array.`, place);
  return listField(object, name);
}

/** Names come from the client and end up in reports: odd ones are not repeated. */
export function reportable(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? camelCase(name) : 'unnamed field';
}

/** Reports the members of `object` that are set and not among `carried`. */
export function reportOthers(
  object: JsonObject,
  carried: ReadonlySet<string>,
  report: (name: string, value: Json) => void,
): void {
  for (const [name, value] of Object.entries(object)) {
    if (isSet(value) && !carried.has(camelCase(name))) report(reportable(name), value);
  }
}
