/** Connection pools to upstreams. They live as long as the process: an upstream that a new revision leaves unchanged keeps its warm connections. */
import { Pool } from 'undici';

interface Entry {
  readonly pool: Pool;
  users: number;
}

export class Pools {
  readonly #entries = new Map<string, Entry>();

  /** The pool of `origin`, shared by all who ask. Each `acquire` needs one `release`. */
  acquire(origin: string): Pool {
    let entry = this.#entries.get(origin);
    if (!entry) {
      // No cap on connections: a stream holds one for minutes, and a cap would queue the others behind it.
      // Deadlines are per target and kept by the caller, so undici's own are off.
      const pool = new Pool(origin, {
        pipelining: 1,
        allowH2: false,
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: 10_000, rejectUnauthorized: true },
      });
      entry = { pool, users: 0 };
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
    // Waits for what is still in flight; nobody needs to wait for that.
    entry.pool.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    const pools = [...this.#entries.values()].map(({ pool }) => pool.destroy());
    this.#entries.clear();
    await Promise.allSettled(pools);
  }
}
