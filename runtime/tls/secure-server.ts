/** A server that speaks TLS: knows the connections that are still shaking hands, and those from before the last renewal. */
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ClientTrust, Material } from './material.ts';

interface Handshake {
  readonly raw: Socket;
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
  #edition = 0;

  /** `handshakeMs` is for the whole of it, however fast the bytes drip. */
  constructor(material: Material, trust: ClientTrust | undefined, options: ServerOptions & { handshakeMs: number }) {
    this.server = createServer({
      ...options,
      ...material.context,
      handshakeTimeout: options.handshakeMs,
      // Where a certificate may be left out, a bad one is told in the answer instead of cutting the line without a word.
      requestCert: trust !== undefined,
      rejectUnauthorized: trust?.auth === 'required',
    });
    this.server.on('connection', (raw: Socket) => {
      const name = nameOf(raw);
      this.#handshakes.set(name, { raw, edition: this.#edition });
      raw.once('close', () => this.#handshakes.delete(name));
    });
    this.server.on('secureConnection', (socket) => {
      const name = nameOf(socket);
      this.#editions.set(socket, this.#handshakes.get(name)?.edition ?? this.#edition);
      this.#handshakes.delete(name);
    });
  }

  /** What is under a connection that has not become TLS yet; undefined once it has. */
  beneath(socket: Duplex): Socket | undefined {
    return this.#handshakes.get(nameOf(socket as Partial<Socket>))?.raw;
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
