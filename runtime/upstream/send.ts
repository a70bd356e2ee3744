/** Sends one request to a vendor over HTTP. */
import { Readable } from 'node:stream';
import type { Pool } from 'undici';
import type { Connection, Passage, Transport } from '../providers/provider.ts';

export function httpPassage(pool: Pool, connection: Connection): Passage {
  const { origin, authorize } = connection;
  return async ({ method, path, headers: own, body, signal }) => {
    const headers = { ...own, ...connection.headers };
    const isWhole = typeof body === 'string' || body instanceof Uint8Array;
    const whole = isWhole ? body : '';
    // Where the credential is in the headers already, nobody waits a turn of the loop for it.
    const credential = authorize && (await authorize({ method, origin, path, headers, body: whole }, signal));
    const sent = body === undefined || isWhole ? body : Readable.from(body, { objectMode: false });
    const asked = { method, path, headers: { ...headers, ...credential }, signal };
    const response = await pool.request(sent === undefined ? asked : { ...asked, body: sent });
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

/** The same for model requests. */
export function httpTransport(pass: Passage): Transport {
  return (request) => pass({ method: 'POST', ...request });
}
