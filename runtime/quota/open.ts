/** Turns the `--store` setting into a quota store. */
import { withAlone } from './alone.ts';
import { leasing } from './leasing.ts';
import { memoryStore } from './memory.ts';
import { redisStore } from './redis.ts';
import { settlingLater } from './settling-later.ts';
import { sqliteStore } from './sqlite.ts';
import type { QuotaStore } from './store.ts';

/** `memory`, a directory, or a `redis://` or `rediss://` URL. */
export function openQuotaStore(where: string): QuotaStore {
  if (where === 'memory') return memoryStore();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(where)?.[1]?.toLowerCase();
  if (scheme === 'redis' || scheme === 'rediss') return withAlone(settlingLater(leasing(redisStore(where))));
  if (scheme !== undefined || where.trim() === '') {
    // Only the scheme is named: the rest of a URL may hold a password.
    const given = scheme === undefined ? 'nothing' : `a ${scheme}:// URL`;
    throw new Error(`the store setting is ${given}; give memory, a directory, redis://… or rediss://…`);
  }
  return withAlone(settlingLater(sqliteStore(where)));
}
