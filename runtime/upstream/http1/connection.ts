/** One connection to an upstream, with at most one request on it. Once there is any doubt about what is left on it, it is dropped. */
import type { Socket } from 'node:net';
import type { UpstreamResponse } from '../../providers/provider.ts';
import { open, type Origin, type TlsMemory } from './connect.ts';
import type { PlainRequest } from './request-head.ts';
import { UpstreamError } from './upstream-error.ts';
import { Turn, type Hold } from './turn.ts';

/** Up to this size a body is written together with its head. */
const mostTogether = 16 * 1024;

/** Told once an answer is complete and the connection as good as new. */
export type Free = (connection: Connection, idleMs: number | undefined) => void;

function joined(head: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.byteLength);
  bytes.write(head, 0, 'latin1');
  bytes.set(body, head.length);
  return bytes;
}

function write(socket: Socket, { head, body }: PlainRequest): void {
  if (body === undefined) {
    socket.write(`${head}\r\n`, 'latin1');
    return;
  }
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  const whole = `${head}content-length: ${size}\r\n\r\n`;
  // Where each character is one byte, all are ASCII, and need no encoder.
  const encoding = size === body.length ? 'latin1' : 'utf8';
  if (size <= mostTogether) {
    if (typeof body === 'string') socket.write(whole + body, encoding);
    else socket.write(joined(whole, body));
    return;
  }
  socket.cork();
  socket.write(whole, 'latin1');
  if (typeof body === 'string') socket.write(body, encoding);
  else socket.write(body);
  socket.uncork();
}

export class Connection implements Hold {
  readonly #socket: Socket;
  readonly #free: Free;
  #turn: Turn | undefined;
  #broken: Error | undefined;
  /** By `performance.now()`; while it is idle. */
  expiresAt = 0;

  /** Resolves when requests can go on it; rejects with `UpstreamError`. */
  readonly ready: Promise<void>;

  constructor(origin: Origin, memory: TlsMemory, free: Free) {
    const { socket, ready } = open(origin, memory, (bytes) => this.#read(bytes));
    this.#socket = socket;
    this.#free = free;
    this.ready = ready;
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => (this.#broken = error));
    socket.on('close', () => this.#closed());
  }

  get isAlive(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#socket.writable;
  }

  ask(request: PlainRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    return new Promise((resolve, reject) => {
      // It spoke before it was spoken to.
      if (!this.isAlive) throw new UpstreamError('no_answer', 'the connection was gone before the request');
      this.#turn = new Turn(request.method, this, { signal, resolve, reject });
      write(this.#socket, request);
    });
  }

  onClose(listener: () => void): void {
    this.#socket.once('close', listener);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** A request that is still on it fails. */
  drop(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    const turn = this.#turn;
    // Nobody asked for it: whose it is, nobody can tell.
    if (!turn) return this.drop();
    try {
      turn.reader.read(bytes);
    } catch (error) {
      this.#fail(turn, error);
      return;
    }
    if (turn.reader.isDone) this.#finish(turn);
  }

  #finish(turn: Turn): void {
    this.#turn = undefined;
    turn.finish();
    // An answer that came before all of its request was written leaves the rest of that on the connection.
    if (!turn.reader.isReusable || this.#socket.writableLength > 0 || !this.isAlive) return this.drop();
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#free(this, turn.reader.idleMs);
  }

  #fail(turn: Turn, error: unknown): void {
    turn.fail(error);
    this.drop();
  }

  /** The upstream sends nothing more. */
  #ended(): void {
    const turn = this.#turn;
    if (!turn) return this.drop();
    try {
      turn.reader.end();
      this.#finish(turn);
    } catch (error) {
      this.#fail(turn, error);
    }
  }

  #closed(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.fail(turn.reader.cutShort(this.#broken));
  }
}
