/** All connections to one origin, whichever client carries a request: plain ones go by our own, anything unusual by undici. */
import { Readable } from 'node:stream';
import type { Pool } from 'undici';
import type { UpstreamResponse } from '../providers/provider.ts';
import type { UpstreamClient } from '../settings.ts';
import { connectTimeoutMs, originOf } from './http1/connect.ts';
import { PlainPool } from './http1/plain-pool.ts';
import { plainRequest, type Asked } from './http1/request-head.ts';
import { loadUndici } from './undici.ts';

export class OriginPool {
  readonly #origin: string;
  readonly #authority: string;
  readonly #plain: PlainPool | undefined;
  #undici: Pool | undefined;

  constructor(origin: string, client: UpstreamClient) {
    const known = client === 'own' ? originOf(origin) : undefined;
    this.#origin = origin;
    this.#authority = known?.authority ?? '';
    this.#plain = known && new PlainPool(known);
  }

  /** Connections that nobody uses now. */
  get idle(): number {
    return (this.#plain?.idle ?? 0) + (this.#undici?.stats.free ?? 0);
  }

  /** For what hands its bodies on as streams. */
  get undici(): Pool {
    // No cap on connections: a stream holds one for minutes, and a cap would queue the others behind it.
    // Deadlines are per target and kept by the caller, so undici's own are off.
    return (this.#undici ??= new (loadUndici().Pool)(this.#origin, {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: connectTimeoutMs, rejectUnauthorized: true },
    }));
  }

  /** Resolves with an answer of which only the head has been read. Aborting the signal gives the connection up. */
  send(asked: Asked): Promise<UpstreamResponse> {
    const plain = this.#plain && plainRequest(this.#authority, asked);
    return this.#plain && plain ? this.#plain.send(plain, asked.signal) : this.#sendByUndici(asked);
  }

  /** Waits for what is still in flight; nobody needs to wait for that. */
  close(): void {
    this.#plain?.close();
    this.#undici?.close().catch(() => undefined);
  }

  async destroy(): Promise<void> {
    this.#plain?.destroy();
    await this.#undici?.destroy();
  }

  async #sendByUndici({ method, path, headers, body, signal }: Asked): Promise<UpstreamResponse> {
    const isStream = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
    const sent = isStream ? Readable.from(body, { objectMode: false }) : body;
    const asked = { method: method as 'GET', path, headers, signal };
    const response = await this.undici.request(sent === undefined ? asked : { ...asked, body: sent });
    // An abandoned body fails with our own abort; nobody reads that error.
    response.body.on('error', () => undefined);
    return {
      status: response.statusCode,
      headers: response.headers,
      body: response.body,
      discard: () => response.body.destroy(),
    };
  }
}
