/** How long an attempt is waited for, and what it means when it fails. */
import type { Failure, FailureKind } from '../call.ts';

/** An attempt that brought no answer. Carries no vendor text: only what to do, and the error behind it for the log. */
export class AttemptFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(`attempt failed: ${failure.kind}`, { cause });
    this.name = 'AttemptFailed';
    this.failure = failure;
  }
}

/** A deadline that each sign of life moves on, joined with the client's own signal. It rests while the client is the slow one. */
export class Patience {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #leave = () => this.#controller.abort(this.#client.reason);
  expired = false;
  #resting = false;

  constructor(client: AbortSignal, timeoutMs: number) {
    this.#client = client;
    this.signal = this.#controller.signal;
    this.#timer = setTimeout(() => {
      if (this.#resting) {
        this.#timer.refresh();
        return;
      }
      this.expired = true;
      this.#controller.abort(new Error(`no sign of life for ${timeoutMs} ms`));
    }, timeoutMs);
    if (client.aborted) this.#leave();
    else client.addEventListener('abort', this.#leave, { once: true });
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
    this.#client.removeEventListener('abort', this.#leave);
  }

  failure(error: unknown, otherwise: FailureKind): AttemptFailed {
    if (error instanceof AttemptFailed) return error;
    return new AttemptFailed({ kind: this.expired ? 'timeout' : otherwise }, error);
  }
}
