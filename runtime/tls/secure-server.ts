/** A server that speaks TLS: knows the connections that are still shaking hands, and those from before the last renewal. */
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ClientTrust, Material } from './material.ts';

export interface TlsSide {
  readonly material: Material;
  /** Undefined: nobody is asked for a certificate. */
  readonly client: ClientTrust | undefined;
  /** Told of each connection that did not come to speak TLS. */
  readonly failed: (code: string) => void;
}

interface Handshake {
  readonly raw: Socket;
  isTold: boolean;
  /** Which renewal its certificates are of. */
  readonly edition: number;
}

/** What OpenSSL calls a request that begins without TLS. */
const plainHttp = ['ERR_SSL_HTTP_REQUEST', 'ERR_SSL_HTTPS_PROXY_REQUEST'];
export const isPlainHttp = ({ code = '' }: NodeJS.ErrnoException): boolean => plainHttp.includes(code);

/** The same for a socket and for the one that carries its bytes. */
const nameOf = ({ remoteAddress, remotePort }: Partial<Socket>): string => `${remoteAddress} ${remotePort}`;

export class SecureServer {
  readonly server: Server;
  readonly #handshakes = new Map<string, Handshake>();
  readonly #editions = new WeakMap<Duplex, number>();
  readonly #failed: (code: string) => void;
  #edition = 0;

  constructor({ material, client, failed }: TlsSide, options: ServerOptions & { handshakeMs: number }) {
    this.#failed = failed;
    this.server = createServer({
      ...options,
      ...material.context,
      // For the whole of it, however fast its bytes drip.
      handshakeTimeout: options.handshakeMs,
      // Where a certificate may be left out, a bad one is told in the answer instead of cutting the line without a word.
      requestCert: client !== undefined,
      rejectUnauthorized: client?.auth === 'required',
    });
    this.server.on('connection', (raw: Socket) => {
      const name = nameOf(raw);
      this.#handshakes.set(name, { raw, isTold: false, edition: this.#edition });
      raw.once('close', () => {
        // Node cuts whose certificate it does not take, and says nothing.
        this.unfinished(raw, 'closed');
        this.#handshakes.delete(name);
      });
    });
    this.server.on('secureConnection', (socket) => {
      const name = nameOf(socket);
      this.#editions.set(socket, this.#handshakes.get(name)?.edition ?? this.#edition);
      this.#handshakes.delete(name);
    });
  }

  /** What is under a connection that will not become TLS any more; undefined of one that has. */
  unfinished(socket: Duplex, code = 'unknown'): Socket | undefined {
    const handshake = this.#handshakes.get(nameOf(socket as Partial<Socket>));
    if (!handshake) return undefined;
    if (!handshake.isTold) this.#failed(code);
    handshake.isTold = true;
    return handshake.raw;
  }

  renew({ context }: Material): void {
    this.#edition += 1;
    this.server.setSecureContext(context);
  }

  /** Its client was judged by authorities that may have been withdrawn. */
  isOutdated(socket: Duplex): boolean {
    return (this.#editions.get(socket) ?? this.#edition) !== this.#edition;
  }

  /** Ends what is no connection of the HTTP server yet, so that nobody else would. */
  cutHandshakes(): void {
    for (const { raw } of this.#handshakes.values()) raw.destroy();
  }
}
