/** The body of an answer as its bytes arrive, for one reader. Pieces wait here, and hold the upstream back once they are many. */

/** Beyond it the upstream is held back; below half of it, it may go on. */
const mostWaiting = 64 * 1024;

/** What a body needs of its connection. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Nobody reads on. */
  discard(): void;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: unknown) => void;
}

const done: IteratorResult<Uint8Array> = { done: true, value: undefined };

export class AnswerBody implements AsyncIterableIterator<Uint8Array> {
  readonly #flow: Flow;
  readonly #pieces: Uint8Array[] = [];
  #size = 0;
  #isPaused = false;
  #waiting: Waiting | undefined;
  #end: 'open' | 'ended' | { readonly error: unknown } = 'open';

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One call at a time, as `for await` does. */
  next(): Promise<IteratorResult<Uint8Array>> {
    const piece = this.#pieces.shift();
    if (piece) {
      this.#size -= piece.byteLength;
      if (this.#isPaused && this.#size < mostWaiting / 2) {
        this.#isPaused = false;
        this.#flow.resume();
      }
      return Promise.resolve({ done: false, value: piece });
    }
    if (this.#end === 'ended') return Promise.resolve(done);
    if (this.#end !== 'open') return Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Whoever leaves a loop over it reads no more. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#flow.discard();
    return Promise.resolve(done);
  }

  push(piece: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: piece });
      return;
    }
    this.#pieces.push(piece);
    this.#size += piece.byteLength;
    if (this.#size <= mostWaiting || this.#isPaused) return;
    this.#isPaused = true;
    this.#flow.pause();
  }

  finish(): void {
    if (this.#end !== 'open') return;
    this.#end = 'ended';
    this.#waiting?.resolve(done);
    this.#waiting = undefined;
  }

  /** What arrived before is still read first. */
  fail(error: unknown): void {
    if (this.#end !== 'open') return;
    this.#end = { error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
