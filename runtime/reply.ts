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

/** Up to this size a body goes out in one piece with its head: a second piece costs more than to copy it. */
const mostTogether = 16 * 1024;

/** Over a socket. */
export class SocketReply implements Reply {
  readonly #response: ServerResponse;
  /** Names and values in turn, until the head is written: all at once, which costs a fraction of one after the other. */
  #headers: string[] | undefined = [];
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
    const headers = this.#headers;
    if (!headers) {
      this.#response.setHeader(name, value);
      return;
    }
    let at = 0;
    while (at < headers.length && headers[at] !== name) at += 2;
    headers[at] = name;
    headers[at + 1] = value;
  }

  /** No request is read after this one: its connection ends with the answer. */
  endConnection(): void {
    // Where the listener looks for it, which sees no head that was written all at once.
    this.#response.setHeader('connection', 'close');
  }

  /** For who writes an answer by himself: with all headers so far, and those that come. */
  handOver(): ServerResponse {
    const headers = this.#headers ?? [];
    for (let at = 0; at < headers.length; at += 2) this.#response.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
    this.#headers = undefined;
    return this.#response;
  }

  whole(status: number, contentType: string, body: string | Uint8Array): void {
    const size = Buffer.byteLength(body);
    this.header('content-type', contentType);
    this.header('content-length', String(size));
    this.#begin(status);
    if (typeof body === 'string' || size > mostTogether) this.#response.end(body);
    // Latin-1 stands for the bytes as they are.
    else this.#response.end(Buffer.from(body.buffer, body.byteOffset, size).toString('latin1'), 'latin1');
    this.firstAt = performance.now();
  }

  startStream(contentType = 'text/event-stream; charset=utf-8'): void {
    this.header('content-type', contentType);
    this.header('cache-control', 'no-cache');
    // Reverse proxies that buffer would hold the first token back.
    this.header('x-accel-buffering', 'no');
    const { socket } = this.#response;
    // The head leaves at once, in one packet with what is there to follow it.
    socket?.cork();
    this.#begin(200);
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

  #begin(status: number): void {
    this.#response.statusCode = status;
    const headers = this.#headers;
    // Should one of them be no header, the failure is answered without them.
    this.#headers = undefined;
    if (headers) this.#response.writeHead(status, headers);
  }
}
