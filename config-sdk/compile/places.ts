/** The words of compilation: places in authored values, collections of a snapshot, and the marks that stand in for values. */
import { handleMark, unknownMark, type Json } from '../load/document.ts';
import type { Sort } from '../site.ts';

export type Path = readonly (string | number)[];

/** A value inside the arguments of a `define` call. */
export interface Place {
  /** Index of the declaration. */
  readonly declaration: number;
  /** Below the spec; empty for the whole call. */
  readonly path: Path;
  /** Point at the property's name and not at its value. */
  readonly name?: boolean;
  /** Point at a name that stands in the call and not at what it stands for elsewhere, as the compiler does. */
  readonly inCall?: boolean;
}

/** The collections of a snapshot, by the sort of object they hold. */
export const collections = {
  provider: 'providers',
  model: 'models',
  prompt: 'prompts',
  'context-policy': 'contextPolicies',
  policy: 'policies',
  quota: 'quotas',
  consumer: 'consumers',
  issuer: 'issuers',
  team: 'teams',
  organisation: 'organisations',
  upstream: 'upstreams',
  route: 'routes',
} as const satisfies Partial<Record<Sort, string>>;

export type CollectionSort = keyof typeof collections;
export const isCollectionSort = (sort: Sort): sort is CollectionSort => Object.hasOwn(collections, sort);

export type JsonObject = { readonly [key: string]: Json };

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isUnknown = (value: unknown): boolean => isObject(value) && Object.hasOwn(value, unknownMark);
/** What stands for a value that was refused elsewhere. */
export const unknown: JsonObject = { [unknownMark]: true };

/** The declaration a value stands for. */
export function handleIndex(value: unknown): number | undefined {
  const index = isObject(value) ? value[handleMark] : undefined;
  return typeof index === 'number' ? index : undefined;
}

/** A value in words, where something else should stand. */
export function describe(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Splits the properties that every kind shares from the kind's own. */
export function split(spec: JsonObject, shared: readonly string[]): { common: JsonObject; options: JsonObject } {
  const entries = Object.entries(spec);
  return {
    common: Object.fromEntries(entries.filter(([key]) => shared.includes(key))),
    options: Object.fromEntries(entries.filter(([key]) => !shared.includes(key))),
  };
}

export interface ReferenceProblem {
  readonly place: Place;
  readonly message: string;
  /** What should stand there. */
  readonly wanted: readonly Sort[];
}
