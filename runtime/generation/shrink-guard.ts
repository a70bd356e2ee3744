/**
 * Refuses a revision that takes most of what is served away: a glob that matched nothing and a merge that lost a folder
 * compile well, and look like any other change until clients call.
 */
import { ArtifactRefused } from '../artifact-refused.ts';
import type { Pace } from '../pace.ts';
import type { PackedSnapshot } from '../packed.ts';
import type { Tables } from './generation.ts';

/** Of a handful, losing half is daily work. */
const fewest = 4;
const sorts = ['models', 'routes', 'providers', 'consumers'] as const;

/** Rejects with `ArtifactRefused` and the reason `shrink`. `active` is undefined while nothing serves. */
export async function refuseShrink(active: Tables | undefined, candidate: PackedSnapshot, pace: Pace): Promise<void> {
  if (candidate.allowShrink !== undefined) return;
  const losses: string[] = [];
  const meant = new Set(candidate.removed.names());
  if (candidate.models.size === 0 && candidate.routes.size === 0) losses.push('it has no models and no routes');
  for (const sort of active ? sorts : []) {
    const before = active?.namesOf(sort) ?? [];
    if (before.length < fewest) continue;
    const after = new Set<string>();
    await pace.each(candidate[sort].names(), (name) => after.add(name));
    let gone = 0;
    await pace.each(before, (name) => (gone += Number(!after.has(name) && !meant.has(`${sort}.${name}`))));
    if (gone * 2 > before.length) losses.push(`${gone} of ${before.length} ${sort} are gone`);
  }
  if (losses.length === 0) return;
  const cure = "if that is meant, say why in the configuration: defineGateway({ allowShrink: '…' }), or accept it";
  throw new ArtifactRefused('shrink', `${losses.join(', ')}; ${cure}`);
}
