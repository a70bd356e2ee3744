/** Reads a streamed answer: what arrives together is heard together, bounded in size and in the time that it may be silent. */
import type { AnswerEvent } from '../call.ts';
import type { EventReader, SseMessage, VendorDialect } from '../dialects/dialect.ts';
import type { Heard } from '../exchange.ts';
import type { UpstreamResponse } from '../providers/provider.ts';
import { cutEvents, readEvent } from '../upstream/sse.ts';
import { WholeEvents } from '../upstream/whole-events.ts';
import { endedSilently, Opening } from './opening.ts';
import { PassedEvents } from './pass-events.ts';
import type { Begun, Patience } from './patience.ts';
import { maxStreamBytes, tooLarge, whileAlive } from './read-answer.ts';

/** How long a stream may stay open after its end mark, so that its connection can be used again. */
const lingerMs = 1_000;

interface Reading {
  readonly response: UpstreamResponse;
  readonly patience: Patience;
  readonly dialect: VendorDialect;
  /** The client speaks the dialect: events pass as they came. */
  readonly native: boolean;
  readonly hideUsage: boolean;
  readonly begun: Begun;
}

const nothing = new Uint8Array();

/** What whole events say. A `rest` is what was left when nothing more came. */
interface Ear {
  hear(events: Buffer, isRest: boolean): Heard;
}

/** Reads each event. */
class ReadEvents implements Ear {
  readonly #reader: EventReader;
  readonly #opening: Opening;

  constructor(reader: EventReader, opening: Opening) {
    this.#reader = reader;
    this.#opening = opening;
  }

  hear(events: Buffer): Heard {
    const said: AnswerEvent[] = [];
    for (const raw of cutEvents(events.toString('utf8'))) {
      const message = readEvent(raw);
      const read = message ? this.#reader.read(message) : [];
      if (!this.#opening.isOver) this.#opening.judge(raw.length, read);
      for (const event of read) said.push(event);
    }
    return { passing: nothing, events: said };
  }
}

/** Each answers undefined when nothing more comes. */
type Source = () => Promise<Heard | undefined>;

function fromBytes({ response, patience }: Reading, ear: Ear): Source {
  const body = response.body[Symbol.asyncIterator]();
  const whole = new WholeEvents();
  let size = 0;
  let isOver = false;
  return async () => {
    while (!isOver) {
      patience.renew();
      const piece = await body.next();
      isOver = piece.done === true;
      size += piece.done ? 0 : piece.value.byteLength;
      if (size > maxStreamBytes) throw tooLarge(maxStreamBytes);
      const events = piece.done ? whole.rest() : whole.add(piece.value);
      if (!events) continue;
      patience.rest();
      return ear.hear(events, isOver);
    }
    return undefined;
  };
}

/** Framings other than server-sent events exist at vendors only: no client is sent them as they came. */
function fromFrames(messages: AsyncIterable<SseMessage>, reader: EventReader, opening: Opening): Source {
  const frames = messages[Symbol.asyncIterator]();
  return async () => {
    const frame = await frames.next();
    if (frame.done) return undefined;
    const events = reader.read(frame.value);
    opening.judge(0, events);
    return { passing: nothing, events };
  };
}

function sourceOf(reading: Reading, opening: Opening): Source {
  const { dialect, native, hideUsage, response, patience } = reading;
  const reader = dialect.eventReader();
  const ear = native ? new PassedEvents(dialect, reader, { opening, hideUsage }) : new ReadEvents(reader, opening);
  const bytes = () => whileAlive(response.body, patience, maxStreamBytes);
  const source = dialect.frames ? fromFrames(dialect.frames(bytes()), reader, opening) : fromBytes(reading, ear);
  let isOver = false;
  return async () => {
    const heard = isOver ? undefined : await source();
    if (heard || isOver) return heard;
    isOver = true;
    const events = reader.finish?.() ?? [];
    opening.judge(0, events);
    return events.length > 0 ? { passing: nothing, events } : undefined;
  };
}

export class AnswerStream {
  readonly #reading: Reading;
  readonly #opening: Opening;
  readonly #source: Source;
  readonly #held: Heard[] = [];
  #lingering: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(reading: Reading) {
    this.#reading = reading;
    this.#opening = new Opening(reading.begun);
    this.#source = sourceOf(reading, this.#opening);
  }

  /** Holds the stream until it has said something, so that a target that fails at once can still be replaced. */
  async open(): Promise<void> {
    try {
      while (!this.#opening.isOver) {
        const heard = await this.#hear();
        if (!heard) throw endedSilently();
        this.#held.push(heard);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What is heard next; undefined when nothing more comes. Rejects with `AttemptFailed`. */
  next(): Promise<Heard | undefined> {
    const held = this.#held.shift();
    return held ? Promise.resolve(held) : this.#hear();
  }

  /** Nobody reads on. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#lingering);
    this.#reading.patience.end();
    this.#reading.response.discard();
  }

  async #hear(): Promise<Heard | undefined> {
    if (this.#isOver) return undefined;
    try {
      const heard = await this.#source();
      if (!heard) this.close();
      else if (heard.events.some(({ type }) => type === 'end'))
        this.#lingering ??= setTimeout(() => this.#reading.response.discard(), lingerMs);
      return heard;
    } catch (error) {
      this.close();
      // Once the answer is complete, how its connection ends is of no interest.
      if (this.#lingering !== undefined) return undefined;
      throw this.#reading.patience.failure(error, 'broken_answer');
    }
  }
}
