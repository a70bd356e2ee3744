/** Sends one model request over HTTP. */
import type { Pool } from 'undici';
import type { Connection, Transport } from '../providers/provider.ts';

export function httpTransport(pool: Pool, connection: Connection): Transport {
  const { origin, authorize } = connection;
  return async ({ path, headers: own, body, signal }) => {
    const method = 'POST';
    const headers = { ...own, ...connection.headers };
    // Where the credential is in the headers already, nobody waits a turn of the loop for it.
    const credential = authorize && (await authorize({ method, origin, path, headers, body }, signal));
    const response = await pool.request({ method, path, headers: { ...headers, ...credential }, body, signal });
    // An abandoned body fails with our own abort; nobody reads that error.
    response.body.on('error', () => undefined);
    return {
      status: response.statusCode,
      headers: response.headers,
      body: response.body,
      discard: () => response.body.destroy(),
    };
  };
}
