/** Connections to one origin for plain requests, kept open between them. There is no cap: a stream holds one for minutes, and must not queue the others. */
import type { UpstreamResponse } from '../../providers/provider.ts';
import type { Origin, TlsMemory } from './connect.ts';
import { Connection, type Free } from './connection.ts';
import type { PlainRequest } from './request-head.ts';
import { UpstreamError } from './upstream-error.ts';

/** Servers close idle connections after five seconds and more: ours are closed before that. */
const idleMs = 4_000;
/** Of the time that an upstream says it keeps one, so much may pass on the way. */
const idleMarginMs = 2_000;
const longestIdleMs = 600_000;
const sweepMs = 1_000;

export class PlainPool {
  readonly #origin: Origin;
  readonly #memory: TlsMemory = { session: undefined };
  readonly #all = new Set<Connection>();
  readonly #free: Free = (connection, hint) => this.#keep(connection, hint);
  /** The one that was used last is used next. */
  #idle: Connection[] = [];
  #sweep: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** Connections that nobody uses now. */
  get idle(): number {
    return this.#idle.filter(({ isAlive }) => isAlive).length;
  }

  /** Rejects with `UpstreamError`, or with the reason of the signal. */
  async send(request: PlainRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    signal.throwIfAborted();
    const idle = this.#take();
    if (!idle) return this.#sendAnew(request, signal);
    if (!request.isSafe) return idle.ask(request, signal);
    try {
      return await idle.ask(request, signal);
    } catch (error) {
      // The upstream had closed it meanwhile. Only what may be asked twice is: nobody knows how far the first went.
      if (error instanceof UpstreamError && error.code === 'no_answer') return this.#sendAnew(request, signal);
      throw error;
    }
  }

  /** Idle connections end now, and those in use when their answers are complete. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#sweep);
    for (const connection of this.#idle.splice(0)) connection.drop();
  }

  /** All end now. */
  destroy(): void {
    this.close();
    for (const connection of this.#all) connection.drop();
  }

  async #sendAnew(request: PlainRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const connection = new Connection(this.#origin, this.#memory, this.#free);
    this.#all.add(connection);
    connection.onClose(() => this.#all.delete(connection));
    const giveUp = () => connection.drop();
    signal.addEventListener('abort', giveUp);
    try {
      await connection.ready;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
    return connection.ask(request, signal);
  }

  #take(): Connection | undefined {
    const now = performance.now();
    for (let last = this.#idle.pop(); last; last = this.#idle.pop()) {
      if (last.isAlive && last.expiresAt > now) return last;
      last.drop();
    }
    return undefined;
  }

  #keep(connection: Connection, hint: number | undefined): void {
    const ms = hint === undefined ? idleMs : Math.min(hint - idleMarginMs, longestIdleMs);
    if (this.#isClosed || ms <= 0) return connection.drop();
    connection.expiresAt = performance.now() + ms;
    this.#idle.push(connection);
    this.#sweep ??= setTimeout(() => this.#dropOld(), sweepMs).unref();
  }

  #dropOld(): void {
    this.#sweep = undefined;
    const now = performance.now();
    const all = this.#idle;
    this.#idle = all.filter(({ isAlive, expiresAt }) => isAlive && expiresAt > now);
    for (const connection of all) if (!connection.isAlive || connection.expiresAt <= now) connection.drop();
    if (this.#idle.length > 0) this.#sweep = setTimeout(() => this.#dropOld(), sweepMs).unref();
  }
}
