/** Asks an upstream in the gateway's own name: only whether and with what status it answers is of interest. */
import type { Pools } from './pools.ts';

export interface Asked {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Of a body nobody reads, so much is let through that its connection can be used again. */
const mostDumped = 64 * 1024;

/** Rejects when no answer came. */
export async function askStatus(pools: Pools, { origin, ...asked }: Asked): Promise<number> {
  const pool = pools.acquire(origin);
  try {
    const { status, body } = await pool.send(asked);
    let size = 0;
    try {
      for await (const piece of body) if ((size += piece.byteLength) > mostDumped) break;
    } catch {
      // The status is known.
    }
    return status;
  } finally {
    pools.release(origin);
  }
}
