/** What draws from each quota, and which consumers feel it. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { counted, joined, listed, say, type Phrase } from './change.ts';
import { referrers } from './revision.ts';
import { usersOf } from './users.ts';

export const attachable = ['models', 'routes', 'consumers'] as const;
export const sortWord = { models: 'model', routes: 'route', consumers: 'consumer' } as const;

export interface Attached {
  readonly quotas?: readonly string[] | undefined;
}

export type QuotaUses = (quota: string) => readonly Phrase[];

/** Prepared once for all quotas: such as `draws from it: models …; consumer …`, and who is behind models and routes. */
export function quotaUses(snapshot: Snapshot): QuotaUses {
  const drawers = attachable.map((sort) => ({
    sort,
    by: referrers<Attached>(snapshot[sort], ({ quotas = [] }) => quotas),
  }));
  const users = { models: usersOf(snapshot, 'models'), routes: usersOf(snapshot, 'routes') };
  return (quota) => {
    const drawing = drawers.flatMap(({ sort, by }) => {
      const names = by(quota);
      return names.length === 0 ? [] : [{ sort, names }];
    });
    if (drawing.length === 0) return [say`nothing draws from it`];
    const words = drawing.map(
      ({ sort, names }) => say`${[sortWord[sort] + (names.length === 1 ? '' : 's')]} ${listed(names)}`,
    );
    const behind = drawing.flatMap(({ sort, names }) => (sort === 'consumers' ? [] : names.map(users[sort])));
    const felt = new Set(behind.flatMap(({ named, unlisted }) => [...named, ...unlisted]));
    const drawn = say`draws from it: ${joined(words, '; ')}`;
    return felt.size === 0
      ? [drawn]
      : [drawn, say`felt by ${counted(felt.size, 'consumer')}: ${listed([...felt].toSorted())}`];
  };
}
