/** Sends one request to a vendor over HTTP. */
import type { Connection, Passage, Transport } from '../providers/provider.ts';
import type { OriginPool } from './origin-pool.ts';

type Passed = Parameters<Passage>[0];

export function httpPassage(pool: OriginPool, connection: Connection): Passage {
  const { origin, authorize } = connection;
  /** Of headers that are the same for many requests. */
  const known = new WeakMap<Passed['headers'], Passed['headers']>();
  const withOurs = (own: Passed['headers']): Passed['headers'] => {
    const before = known.get(own);
    if (before) return before;
    const all = { ...own, ...connection.headers };
    if (Object.isFrozen(own)) known.set(own, Object.freeze(all));
    return all;
  };
  return async ({ method, path, headers: own, body, signal }) => {
    const headers = withOurs(own);
    const isWhole = typeof body === 'string' || body instanceof Uint8Array;
    if (!authorize) return pool.send({ method, path, headers, body, signal });
    // Where the credential is in the headers already, nobody waits a turn of the loop for it.
    const credential = await authorize({ method, origin, path, headers, body: isWhole ? body : '' }, signal);
    return pool.send({ method, path, headers: { ...headers, ...credential }, body, signal });
  };
}

/** The same for model requests. */
export function httpTransport(pass: Passage): Transport {
  return (request) => pass({ method: 'POST', ...request });
}
