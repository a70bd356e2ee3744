/** Which consumers may use a model or route: because a list names it, or because they have no list. */
import { usableModels, type ConsumerSnapshot, type Snapshot } from '@headgate/runtime/snapshot';
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

/** What a consumer may use of a sort, with what its prompts withhold taken away; undefined where nothing bounds it. */
export const listOf = (
  consumer: ConsumerSnapshot | undefined,
  sort: Served,
  snapshot: Snapshot,
): readonly string[] | undefined =>
  sort === 'models' ? usableModels(consumer ?? {}, snapshot.models) : consumer?.routes;

/** Prepared once for all names. */
export function usersOf(snapshot: Snapshot, sort: Served): (name: string) => Users {
  const consumers = namesOf(snapshot.consumers);
  const lists = new Map(consumers.map((name) => [name, listOf(entryOf(snapshot.consumers, name), sort, snapshot)]));
  const unlisted = consumers.filter((name) => lists.get(name) === undefined);
  const named = new Map<string, string[]>();
  for (const consumer of consumers)
    for (const name of new Set(lists.get(consumer))) named.set(name, [...(named.get(name) ?? []), consumer]);
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
