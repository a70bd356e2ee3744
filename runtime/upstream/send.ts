/** Sends one model request over HTTP. */
import type { Pool } from 'undici';
import type { Connection, Transport } from '../providers/provider.ts';

export function httpTransport(pool: Pool, connection: Connection): Transport {
  return async ({ path, headers, body, signal }) => {
    const response = await pool.request({
      method: 'POST',
      path,
      headers: { ...connection.headers, ...headers },
      body,
      signal,
    });
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
