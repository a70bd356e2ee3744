/** Canonical JSON of compiled objects, which are mostly those of the compilation before. */
import { canonicalJson } from '@headgate/runtime/canonical-json';
import { isObject } from './places.ts';

const written = new WeakMap<object, string>();

export function writtenJson(value: unknown): string {
  if (!isObject(value)) return canonicalJson(value);
  const text = written.get(value) ?? canonicalJson(value);
  written.set(value, text);
  return text;
}
