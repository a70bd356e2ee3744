/** Reading of JSON whose shape nobody vouches for: each function answers `undefined` or nothing instead of throwing. */
import type { Json, JsonObject } from '../call.ts';
import { parseExact } from './exact-json.ts';

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** Vendors and clients send `null` for a field they leave unset. */
export function isSet<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

export function objectIn(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object?.[key];
  return isObject(value) ? value : undefined;
}

export function textIn(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key];
  return typeof value === 'string' ? value : undefined;
}

export function listIn(object: JsonObject | undefined, key: string): readonly Json[] {
  const value = object?.[key];
  return isList(value) ? value : [];
}

/** A token count or the like: a whole number from 0. */
export function countIn(object: JsonObject | undefined, key: string): number | undefined {
  const value = object?.[key];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The same where zero says no more than nothing does. */
export const someIn = (object: JsonObject | undefined, key: string): number | undefined =>
  countIn(object, key) || undefined;

/** Field names come from the client and end up in reports: odd ones are not repeated. */
export function reportable(key: string): string {
  return /^[\w.-]{1,64}$/.test(key) ? key : 'unnamed field';
}

export function parseObject(text: string): JsonObject | undefined {
  try {
    const value = parseExact(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The same object without its undefined members, so that absent stays absent in JSON and in comparisons. */
export function withoutUndefined<T extends object>(object: T): T {
  const made: Partial<T> = {};
  for (const key in object) if (object[key] !== undefined && Object.hasOwn(object, key)) made[key] = object[key];
  return made as T;
}

/**
 * The longest part of a vendor's field path (`messages.[0].role`, `messages.0.content.0.tool_use.id`) that the request
 * really has, as `messages[0].role`. Built from the request's own keys, so nothing of the vendor's text is echoed.
 */
export function existingPath(
  request: JsonObject,
  path: string,
): { readonly path: string; readonly complete: boolean } | undefined {
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  let place: Json | undefined = request;
  let found = '';
  let taken = 0;
  for (const step of steps.slice(0, 32)) {
    if (isList(place)) {
      if (!/^\d{1,6}$/.test(step) || Number(step) >= place.length) break;
      place = place[Number(step)];
      found += `[${Number(step)}]`;
    } else if (isObject(place) && Object.hasOwn(place, step)) {
      place = place[step];
      found += found === '' ? step : `.${step}`;
    } else break;
    taken += 1;
  }
  return found === '' ? undefined : { path: found, complete: taken === steps.length };
}
