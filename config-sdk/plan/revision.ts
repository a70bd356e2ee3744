/** The two sides of a plan, and how their objects are laid beside each other. */
import { snapshotFormat, type Snapshot } from '@headgate/runtime/snapshot';
import { byText } from './change.ts';

export interface Sides {
  readonly base: Snapshot;
  readonly head: Snapshot;
}

/** What is planned against where there is nothing to compare with. */
export const emptySnapshot = (name: string): Snapshot => ({
  format: snapshotFormat,
  name,
  providers: {},
  models: {},
  prompts: {},
  contextPolicies: {},
  policies: {},
  quotas: {},
  consumers: {},
  issuers: {},
  teams: {},
  organisations: {},
  upstreams: {},
  routes: {},
  sources: {},
  removed: {},
});

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The entry of a record by name; nothing inherited is ever one. */
export const entryOf = <Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

export const namesOf = (record: object): string[] => Object.keys(record).toSorted(byText);

/** Names of objects by what they refer to, each list in order; built once where many are asked for. */
export function referrers<Value>(
  objects: Readonly<Record<string, Value>>,
  references: (object: Value) => readonly string[],
): (reference: string) => readonly string[] {
  const found = new Map<string, string[]>();
  for (const [name, object] of Object.entries(objects).toSorted(([a], [b]) => byText(a, b)))
    for (const reference of new Set(references(object))) {
      const names = found.get(reference);
      if (names) names.push(name);
      else found.set(reference, [name]);
    }
  return (reference) => found.get(reference) ?? [];
}

export interface Pair<Value> {
  readonly name: string;
  readonly before: Value;
  readonly after: Value;
}

export interface Paired<Value> {
  readonly added: readonly { readonly name: string; readonly after: Value }[];
  readonly removed: readonly { readonly name: string; readonly before: Value }[];
  readonly kept: readonly Pair<Value>[];
}

/** Objects of one sort on both sides, each list in order of names. */
export function paired<Value>(
  before: Readonly<Record<string, Value>>,
  after: Readonly<Record<string, Value>>,
): Paired<Value> {
  const inOrder = (record: Readonly<Record<string, Value>>): [string, Value][] =>
    Object.entries(record).toSorted(([a], [b]) => byText(a, b));
  return {
    added: inOrder(after).flatMap(([name, value]) => (Object.hasOwn(before, name) ? [] : [{ name, after: value }])),
    removed: inOrder(before).flatMap(([name, value]) => (Object.hasOwn(after, name) ? [] : [{ name, before: value }])),
    kept: inOrder(after).flatMap(([name, value]) => {
      const old = entryOf(before, name);
      return old === undefined ? [] : [{ name, before: old, after: value }];
    }),
  };
}

export interface ListChange {
  readonly gone: readonly string[];
  readonly come: readonly string[];
}

/** Which members of a list of names go and which come. */
export function listChange(before: readonly string[] = [], after: readonly string[] = []): ListChange {
  const [old, now] = [new Set(before), new Set(after)];
  return { gone: [...old].filter((name) => !now.has(name)), come: [...now].filter((name) => !old.has(name)) };
}
