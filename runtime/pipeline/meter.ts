/** What an answer cost: as the vendor says, or estimated and marked as such where it does not, or does not say all of it. */
import type { AnswerEvent, Part, Usage } from '../call.ts';
import { estimateTokens } from '../context/estimate.ts';
import { messageTokens, tokensBeside } from '../context/message-tokens.ts';
import type { Dispatchable } from '../exchange.ts';

/** What was sent, prompt, cut and tools included. */
export function sentTokens({ call, keep, prepend }: Dispatchable): number {
  const kept = keep === undefined ? call.messages : keep.flatMap((index) => call.messages[index] ?? []);
  return [...prepend, ...kept].reduce((sum, message) => sum + messageTokens(message), tokensBeside(call));
}

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

/** Listens to a stream. */
export class Meter {
  #usage: Usage | undefined;
  #isWhole = false;
  #held: string[] = [];
  #size = 0;
  #tokens = 0;

  hear(events: readonly AnswerEvent[]): void {
    for (const event of events) {
      if (event.type === 'usage') this.#usage = event.usage;
      else if (event.type === 'end') this.#isWhole = true;
      const text = spoken(event);
      this.#held.push(text);
      this.#size += text.length;
    }
    if (this.#size > mostHeld) this.#estimate();
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
    this.#estimate();
    const spent = this.#usage?.outputTokens ?? 0;
    if (this.#usage && spent > this.#tokens) exchange.outcome.usage = this.#usage;
    else estimated(exchange, this.#tokens, this.#usage);
  }
}
