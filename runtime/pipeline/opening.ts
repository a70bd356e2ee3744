/** Judges how a stream begins: until it has said something, its target can still be replaced. */
import type { AnswerEvent } from '../call.ts';
import { AttemptFailed, type Begun } from './patience.ts';

/** Of a stream that has not said anything yet. */
const maxHeldChars = 1024 * 1024;

const silent: ReadonlySet<AnswerEvent['type']> = new Set(['start', 'usage', 'opaque', 'end']);

export const endedSilently = () =>
  new AttemptFailed({ kind: 'broken_answer' }, new Error('the stream ended before it said anything'));

export class Opening {
  /** It has said something: what comes now, or comes with it, is the client's. */
  isOver = false;
  readonly #begun: Begun;
  #size = 0;
  #isAnswering = false;

  constructor(begun: Begun) {
    this.#begun = begun;
  }

  /** What one event says, in order. Throws `AttemptFailed` where it never will go to a client. */
  judge(size: number, events: readonly AnswerEvent[]): void {
    if (this.isOver) return;
    const hasSaid = events.some(({ type }) => !silent.has(type));
    if (!hasSaid && events.some(({ type }) => type === 'end')) throw endedSilently();
    this.#begun.usage = events.findLast((event) => event.type === 'usage')?.usage ?? this.#begun.usage;
    const failed = events.find((event) => event.type === 'failure');
    if (failed) throw new AttemptFailed(failed.failure);
    this.#size += size;
    this.#isAnswering ||= events.some(({ type }) => type === 'opaque');
    // An image alone may be larger than what is held.
    this.isOver = hasSaid || (this.#isAnswering && this.#size > maxHeldChars);
    if (!this.isOver && this.#size > maxHeldChars)
      throw new AttemptFailed({ kind: 'broken_answer' }, new Error(`${maxHeldChars} characters came and said nothing`));
  }
}
