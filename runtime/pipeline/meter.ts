/** What an answer cost: as the vendor says, or estimated and marked as such where it does not, or does not say all of it. */
import type { AnswerEvent, Part, Usage } from '../call.ts';
import { estimateTokens } from '../context/estimate.ts';
import { messageTokens } from '../context/message-tokens.ts';
import type { EventReader, VendorDialect } from '../dialects/dialect.ts';
import type { Dispatchable, Heard, StreamedAnswer } from '../exchange.ts';
import { cutEvents, readEvent } from '../upstream/sse.ts';
import { sentTokens } from './estimate.ts';

/** The other members of a reported usage stand: they are parts of a whole that is at least as large. */
function estimated(exchange: Dispatchable, outputTokens: number, reported?: Usage): void {
  const { outcome } = exchange;
  outcome.usageEstimated = true;
  outcome.usage = {
    ...reported,
    inputTokens: reported?.inputTokens ?? sentTokens(exchange),
    outputTokens: Math.max(reported?.outputTokens ?? 0, outputTokens),
  };
}

/** What the target read, and perhaps wrote, and the client got nothing of. */
export function spend(exchange: Dispatchable, target: string, told?: Usage): void {
  const usage = told ?? { inputTokens: sentTokens(exchange), outputTokens: 0 };
  exchange.outcome.spentBefore.push({ target, usage, estimated: told === undefined });
}

/** The request went out, and nobody waited for its answer: the vendor read it all the same. */
export function settleUnanswered(exchange: Dispatchable, target: string, told?: Usage): void {
  const { outcome } = exchange;
  // Where two were asked at once, each of them read it.
  if (outcome.usage !== undefined) return spend(exchange, target, told);
  outcome.target = target;
  estimated(exchange, 0, told);
}

export function settleWhole(exchange: Dispatchable, usage: Usage | undefined, parts: readonly Part[]): void {
  if (usage) exchange.outcome.usage = usage;
  else estimated(exchange, messageTokens({ role: 'assistant', parts }));
}

/** Texts are joined before they are estimated, because each cut would cost a token; so many characters at a time. */
const mostHeld = 4_096;

function spoken(event: AnswerEvent): string {
  switch (event.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
    case 'tool_arguments':
      return event.text;
    case 'tool_call':
      return event.name;
    default:
      return '';
  }
}

/** Of what passed unread so many bytes are kept, in case that what they say has to be estimated: most streams tell their usage before. */
const mostKept = 64 * 1024;

/** Listens to a stream. */
export class Meter {
  readonly #dialect: VendorDialect;
  #reader: EventReader | undefined;
  #usage: Usage | undefined;
  #isWhole = false;
  #held: string[] = [];
  #size = 0;
  #tokens = 0;
  #kept: Uint8Array[] = [];
  #keptSize = 0;

  constructor({ dialect }: Pick<StreamedAnswer, 'dialect'>) {
    this.#dialect = dialect;
  }

  hear({ passing, events }: Heard): void {
    for (const event of events) {
      if (event.type === 'usage') this.#usage = event.usage;
      else if (event.type === 'end') this.#isWhole = true;
    }
    if (passing.length === 0) this.#say(events);
    else this.#keep(passing);
  }

  #say(events: readonly AnswerEvent[]): void {
    for (const event of events) {
      const text = spoken(event);
      if (text === '') continue;
      this.#held.push(text);
      this.#size += text.length;
    }
    if (this.#size > mostHeld) this.#estimate();
  }

  #keep(passing: Uint8Array): void {
    this.#kept.push(passing);
    this.#keptSize += passing.length;
    if (this.#keptSize > mostKept) this.#readKept();
  }

  #readKept(): void {
    const kept = this.#kept;
    // From the first event on: of calls of tools, those that come later make sense only after it.
    const reader = (this.#reader ??= this.#dialect.eventReader());
    this.#kept = [];
    this.#keptSize = 0;
    for (const bytes of kept) {
      for (const raw of cutEvents(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))) {
        const message = readEvent(raw);
        if (message) this.#say(reader.read(message));
      }
    }
  }

  #estimate(): void {
    this.#tokens += estimateTokens(this.#held.join(''));
    this.#held = [];
    this.#size = 0;
  }

  /** However the stream ended. Usage that came before its end was of what had been said by then. */
  settle(exchange: Dispatchable): void {
    if (this.#isWhole && this.#usage) {
      exchange.outcome.usage = this.#usage;
      return;
    }
    this.#readKept();
    this.#estimate();
    const spent = this.#usage?.outputTokens ?? 0;
    if (this.#usage && spent > this.#tokens) exchange.outcome.usage = this.#usage;
    else estimated(exchange, this.#tokens, this.#usage);
  }
}
