/**
 * Refuses a revision that takes most of what is served away: a glob that matched nothing and a merge that lost a folder
 * compile well, and look like any other change until clients call.
 */
import { ArtifactRefused } from '../artifact.ts';
import type { Snapshot } from '../snapshot.ts';

/** Of a handful, losing half is daily work. */
const fewest = 4;
const sorts = ['models', 'routes', 'providers', 'consumers'] as const;

/** Names of what a revision serves, by sort. */
export type ServedNames = Readonly<Record<(typeof sorts)[number], ReadonlySet<string>>>;

export function servedNames(snapshot: Snapshot): ServedNames {
  const names = (sort: (typeof sorts)[number]) => new Set(Object.keys(snapshot[sort]));
  return {
    models: names('models'),
    routes: names('routes'),
    providers: names('providers'),
    consumers: names('consumers'),
  };
}

/** Throws `ArtifactRefused` with the reason `shrink`. `active` is undefined while nothing serves. */
export function refuseShrink(active: ServedNames | undefined, candidate: Snapshot): void {
  if (candidate.allowShrink !== undefined) return;
  const after = servedNames(candidate);
  const losses: string[] = [];
  if (active && after.models.size === 0 && after.routes.size === 0) losses.push('it has no models and no routes');
  for (const sort of active ? sorts : []) {
    const before = [...(active?.[sort] ?? [])];
    const gone = before.filter((name) => !after[sort].has(name)).length;
    if (before.length >= fewest && gone * 2 > before.length)
      losses.push(`${gone} of ${before.length} ${sort} are gone`);
  }
  if (losses.length === 0) return;
  const cure = "if that is meant, say why in the configuration: defineGateway({ allowShrink: '…' }), or accept it";
  throw new ArtifactRefused('shrink', `${losses.join(', ')}; ${cure}`);
}
