/** How long an attempt is waited for, and what it means when it fails. */
import type { Failure, FailureKind, Usage } from '../call.ts';
import { DeadlinePassed } from './deadline.ts';

/** An attempt that brought no answer. Carries no vendor text: only what to do, and the error behind it for the log. */
export class AttemptFailed extends Error {
  readonly failure: Failure;
  /** There once the vendor had said 200: what it told of usage by then, which is often nothing. */
  readonly begun: Begun | undefined;

  constructor(failure: Failure, cause?: unknown, begun?: Begun) {
    super(`attempt failed: ${failure.kind}`, { cause });
    this.name = 'AttemptFailed';
    this.failure = failure;
    this.begun = begun;
  }
}

/** An answer of which the head is there. */
export interface Begun {
  usage?: Usage | undefined;
}

export interface Waits {
  /** Between two signs of life. */
  readonly idleMs: number;
  /** Until the answer itself begins, whatever signs of life there are. */
  readonly firstTokenMs?: number | undefined;
}

/** A deadline that each sign of life moves on, joined with the client's own signal. It rests while the client is the slow one. */
export class Patience {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #leave = () => {
    this.end();
    this.#controller.abort(this.#client.reason);
  };
  expired = false;
  readonly #firstToken: NodeJS.Timeout | undefined;
  #resting = false;

  constructor(client: AbortSignal, { idleMs, firstTokenMs }: Waits) {
    this.#client = client;
    this.signal = this.#controller.signal;
    this.#timer = setTimeout(() => {
      if (this.#resting) this.#timer.refresh();
      else this.#expire(`no sign of life for ${idleMs} ms`);
    }, idleMs);
    if (firstTokenMs !== undefined)
      this.#firstToken = setTimeout(() => this.#expire(`no first token within ${firstTokenMs} ms`), firstTokenMs);
    if (client.aborted) this.#leave();
    else client.addEventListener('abort', this.#leave, { once: true });
  }

  #expire(why: string): void {
    this.expired = true;
    this.#controller.abort(new Error(why));
  }

  /** The answer itself has begun. */
  begun(): void {
    clearTimeout(this.#firstToken);
  }

  renew(): void {
    this.#resting = false;
    this.#timer.refresh();
  }

  rest(): void {
    this.#resting = true;
  }

  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#firstToken);
    this.#client.removeEventListener('abort', this.#leave);
  }

  failure(error: unknown, otherwise: FailureKind, begun?: Begun): AttemptFailed {
    if (error instanceof AttemptFailed)
      return begun === undefined ? error : new AttemptFailed(error.failure, error.cause, begun);
    const isLate = this.expired || this.#client.reason instanceof DeadlinePassed;
    return new AttemptFailed({ kind: isLate ? 'timeout' : otherwise }, error, begun);
  }
}
