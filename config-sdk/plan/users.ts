/** Which consumers may use a model or route: because a list names it, or because they have no list. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { counted, joined, listed, say, type Phrase } from './change.ts';
import { entryOf, namesOf } from './revision.ts';

export const served = ['models', 'routes'] as const;
export type Served = (typeof served)[number];
export const sortWord = { models: 'model', routes: 'route' } as const;

export interface Users {
  readonly named: readonly string[];
  /** Consumers without a list of this sort. */
  readonly unlisted: readonly string[];
}

/** Prepared once for all names. */
export function usersOf(snapshot: Snapshot, sort: Served): (name: string) => Users {
  const consumers = namesOf(snapshot.consumers);
  const unlisted = consumers.filter((name) => entryOf(snapshot.consumers, name)?.[sort] === undefined);
  const named = new Map<string, string[]>();
  for (const consumer of consumers)
    for (const name of new Set(entryOf(snapshot.consumers, consumer)?.[sort]))
      named.set(name, [...(named.get(name) ?? []), consumer]);
  return (name) => ({ named: named.get(name) ?? [], unlisted });
}

export function usersInWords({ named, unlisted }: Users, sort: Served): Phrase {
  const ways: Phrase[] = [];
  if (unlisted.length > 0)
    ways.push(
      say`${counted(unlisted.length, 'consumer')} without a list of ${[sort]} may use it (${listed(unlisted)})`,
    );
  if (named.length > 0) ways.push(say`${counted(named.length, 'consumer')} by name (${listed(named)})`);
  return ways.length === 0 ? say`no consumer may use it` : joined(ways, ', and ');
}
