/** The way back to the client: headers gathered along the line, then one body or one stream. */
import type { ServerResponse } from 'node:http';

export interface Reply {
  /** Once true nothing but more of the same stream can follow: no other status, no fallback. */
  readonly started: boolean;
  readonly status: number;
  header(name: string, value: string): void;
  whole(status: number, contentType: string, body: string | Uint8Array): void;
  /** Without a type: of events. */
  startStream(contentType?: string): void;
  /** Resolves when the client has room for more, or has left; undefined where there is room now. */
  write(piece: string | Uint8Array): Promise<void> | undefined;
  end(): void;
  /** For a client that is no longer owed an answer, or whose stream cannot be ended well. */
  destroy(): void;
}

/** Over a socket. */
export class SocketReply implements Reply {
  readonly #response: ServerResponse;
  /** By `performance.now()`, of the first byte of an answer; undefined before, and of what a forwarder wrote by itself. */
  firstAt: number | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get started(): boolean {
    return this.#response.headersSent;
  }

  get status(): number {
    return this.#response.statusCode;
  }

  header(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  whole(status: number, contentType: string, body: string | Uint8Array): void {
    this.#response.statusCode = status;
    this.#response.setHeader('content-type', contentType);
    this.#response.setHeader('content-length', Buffer.byteLength(body));
    this.#response.end(body);
    this.firstAt = performance.now();
  }

  startStream(contentType = 'text/event-stream; charset=utf-8'): void {
    this.#response.statusCode = 200;
    this.#response.setHeader('content-type', contentType);
    this.#response.setHeader('cache-control', 'no-cache');
    // Reverse proxies that buffer would hold the first token back.
    this.#response.setHeader('x-accel-buffering', 'no');
    const { socket } = this.#response;
    // The head leaves at once, in one packet with what is there to follow it.
    socket?.cork();
    this.#response.flushHeaders();
    process.nextTick(() => socket?.uncork());
  }

  write(piece: string | Uint8Array): Promise<void> | undefined {
    this.firstAt ??= performance.now();
    if (piece.length === 0 || this.#response.destroyed || this.#response.write(piece)) return undefined;
    return new Promise<void>((resolve) => {
      const done = () => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#response.on('close', done);
    });
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}
