/** The time a whole request has: every attempt, every pause between them, and the answer to its last byte. */
import { HeadgateError } from '../errors.ts';

/** The reason that whoever waits is given. */
export class DeadlinePassed extends Error {
  constructor(ms: number) {
    super(`the deadline of ${ms} ms has passed`);
    this.name = 'DeadlinePassed';
  }
}

export class Deadline {
  /** Aborted when the time is over, or when the client leaves. */
  readonly signal: AbortSignal;
  readonly #ms: number;
  readonly #started = performance.now();
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #ends: (() => void)[] = [];
  #hasEnded = false;
  readonly #leave = () => this.#controller.abort(this.#client.reason);

  constructor(client: AbortSignal, ms: number) {
    this.#ms = ms;
    this.#client = client;
    this.signal = this.#controller.signal;
    this.#timer = setTimeout(() => this.#controller.abort(new DeadlinePassed(ms)), ms);
    if (client.aborted) this.#leave();
    else client.addEventListener('abort', this.#leave, { once: true });
  }

  get hasPassed(): boolean {
    return this.signal.reason instanceof DeadlinePassed;
  }

  get leftMs(): number {
    return Math.max(0, this.#started + this.#ms - performance.now());
  }

  /** Whether `ms` are most of the time there was. */
  isMostly(ms: number): boolean {
    return ms >= this.#ms / 2;
  }

  /** Throws when nobody waits any more, or nothing may be waited for. */
  check(cause?: unknown): void {
    if (this.#client.aborted)
      throw new HeadgateError('client_closed_request', 'The client left before the answer.', { cause });
    if (!this.hasPassed) return;
    const words = this.#ms < 1_000 ? `${this.#ms} ms` : `${this.#ms / 1_000} s`;
    throw new HeadgateError('upstream_timeout', `No target answered within this model's deadline of ${words}.`, {
      cause,
    });
  }

  /** Has `done` called once the request is over. */
  onEnd(done: () => void): void {
    if (this.#hasEnded) done();
    else this.#ends.push(done);
  }

  /** Waits, or resolves as soon as there is no use in it. */
  pause(ms: number): Promise<void> {
    if (this.signal.aborted) return Promise.resolve();
    return new Promise((done) => {
      const finish = () => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', finish);
        done();
      };
      const timer = setTimeout(finish, ms);
      this.signal.addEventListener('abort', finish, { once: true });
    });
  }

  /** Once the request is over. */
  end(): void {
    this.#hasEnded = true;
    for (const done of this.#ends.splice(0)) done();
    clearTimeout(this.#timer);
    this.#client.removeEventListener('abort', this.#leave);
  }
}
