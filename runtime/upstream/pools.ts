/** Connection pools to upstreams. They live as long as the process: an upstream that a new revision leaves unchanged keeps its warm connections. */
import type { UpstreamClient } from '../settings.ts';
import { OriginPool } from './origin-pool.ts';

interface Entry {
  readonly pool: OriginPool;
  users: number;
}

export class Pools {
  readonly #client: UpstreamClient;
  readonly #entries = new Map<string, Entry>();

  constructor(client: UpstreamClient = 'own') {
    this.#client = client;
  }

  /** The pool of `origin`, shared by all who ask. Each `acquire` needs one `release`. */
  acquire(origin: string): OriginPool {
    let entry = this.#entries.get(origin);
    if (!entry) {
      entry = { pool: new OriginPool(origin, this.#client), users: 0 };
      this.#entries.set(origin, entry);
    }
    entry.users += 1;
    return entry.pool;
  }

  release(origin: string): void {
    const entry = this.#entries.get(origin);
    if (!entry) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#entries.delete(origin);
    entry.pool.close();
  }

  async close(): Promise<void> {
    const pools = [...this.#entries.values()].map(({ pool }) => pool.destroy());
    this.#entries.clear();
    await Promise.allSettled(pools);
  }
}
