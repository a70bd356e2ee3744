/** One request on a connection and its answer, until the answer is complete, nobody wants it any more, or it cannot come. */
import type { UpstreamResponse } from '../../providers/provider.ts';
import { AnswerBody, type Flow } from './answer-body.ts';
import type { AnswerHead } from './answer-head.ts';
import { AnswerReader, type AnswerSink } from './answer-reader.ts';
import { UpstreamError } from './upstream-error.ts';

/** What a turn may do with the connection, for as long as it has it. */
export interface Hold {
  pause(): void;
  resume(): void;
  /** It is of no further use. */
  drop(): void;
}

export interface Asker {
  readonly signal: AbortSignal;
  readonly resolve: (response: UpstreamResponse) => void;
  readonly reject: (error: unknown) => void;
}

export class Turn implements AnswerSink, Flow, UpstreamResponse {
  status = 0;
  headers: AnswerHead['headers'] = {};
  readonly body = new AnswerBody(this);
  readonly reader: AnswerReader;
  readonly #asker: Asker;
  /** Gone once the connection is somebody else's. */
  #hold: Hold | undefined;

  constructor(method: string, hold: Hold, asker: Asker) {
    this.reader = new AnswerReader(method, this);
    this.#hold = hold;
    this.#asker = asker;
    asker.signal.addEventListener('abort', this);
  }

  /** As a listener of its signal. */
  handleEvent(): void {
    this.#giveUp(this.#asker.signal.reason);
  }

  head({ status, headers }: AnswerHead): void {
    this.status = status;
    this.headers = headers;
    this.#asker.resolve(this);
  }

  piece(bytes: Buffer): void {
    // They are only lent.
    this.body.push(Buffer.from(bytes));
  }

  pause(): void {
    this.#hold?.pause();
  }

  resume(): void {
    this.#hold?.resume();
  }

  discard(): void {
    // Most answers are complete by then.
    if (this.#hold) this.#giveUp(new UpstreamError('discarded', 'nobody reads the rest of the answer'));
  }

  /** The answer is complete, or there is no more of it. */
  finish(): void {
    this.#leave();
    this.body.finish();
  }

  fail(error: unknown): void {
    this.#leave();
    // Whichever of the two has happened already is deaf to this.
    this.#asker.reject(error);
    this.body.fail(error);
  }

  #giveUp(reason: unknown): void {
    const hold = this.#hold;
    if (!hold) return;
    this.fail(reason);
    hold.drop();
  }

  #leave(): void {
    this.#hold = undefined;
    this.#asker.signal.removeEventListener('abort', this);
  }
}
