/** Writes event streams of Anthropic's Messages API (platform.claude.com/docs/en/build-with-claude/streaming). */
import type { AnswerEvent, Finish, JsonObject, Usage } from '../../call.ts';
import type { ClientDialect, EventWriter } from '../dialect.ts';
import { parseObject } from '../json-fields.ts';
import { unsigned } from './unsigned.ts';
import { emptyMessage, writeStopReason, writeUsage } from './write-answer.ts';
import { toolId } from './write-messages.ts';

interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** The arguments so far. */
  text: string;
}

type Spoken = 'text' | 'thinking';

/** Every event names its type twice: SDKs look at either. */
export function sse<T extends JsonObject & { readonly type: string }>(body: T): string {
  return `event: ${body.type}\ndata: ${JSON.stringify(body)}\n\n`;
}

const deltaHead = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":';

/**
 * Blocks of this API stand one after the other, while elsewhere the arguments of parallel calls may be mixed. So a call
 * waits until the one before it is complete: at once where they come in order, as they nearly always do.
 */
class MessageWriter implements EventWriter {
  readonly #calls = new Map<number, ToolCall>();
  #waiting: ToolCall[] = [];
  #open: Spoken | ToolCall | undefined;
  #index = -1;
  #finish: Finish = 'stop';
  #isRefused = false;
  #usage: Usage | undefined;
  readonly #estimateInput: () => number;

  constructor(estimateInput: () => number) {
    this.#estimateInput = estimateInput;
  }

  write(event: AnswerEvent): string {
    switch (event.type) {
      case 'start':
        return sse({ type: 'message_start', message: this.#begun(event.id, event.model) });
      case 'text':
        return this.#say('text', event.text);
      case 'refusal':
        this.#isRefused = true;
        return this.#say('text', event.text);
      case 'reasoning':
        return this.#say('thinking', event.text);
      case 'tool_call':
        return this.#call(event.index, { id: toolId(event.id), name: event.name, text: '' });
      case 'tool_arguments':
        return this.#arguments(event.index, event.text);
      case 'finish':
        this.#finish = event.finish;
        return '';
      case 'usage':
        this.#usage = event.usage;
        return '';
      default:
        return '';
    }
  }

  /** Some clients look for the input here only; the last event has what the vendor says of it, and that counts. */
  #begun(id: string, model: string): JsonObject {
    return { ...emptyMessage(id, model), usage: writeUsage({ inputTokens: this.#estimateInput(), outputTokens: 0 }) };
  }

  end(): string {
    const stop_reason = writeStopReason(this.#finish, this.#isRefused);
    const delta = { stop_reason, stop_sequence: null, stop_details: null };
    return (
      this.#closeAll() +
      sse({ type: 'message_delta', delta, usage: writeUsage(this.#usage) }) +
      sse({ type: 'message_stop' })
    );
  }

  #say(kind: Spoken, text: string): string {
    if (text === '') return '';
    const empty: JsonObject = kind === 'text' ? { text: '', citations: null } : { thinking: '', signature: '' };
    const begun = this.#open === kind ? '' : this.#closeAll() + this.#begin(kind, { type: kind, ...empty });
    return begun + this.#delta(`${kind}_delta`, kind, text);
  }

  #call(index: number, call: ToolCall): string {
    this.#calls.set(index, call);
    if (typeof this.#open === 'object' && !isComplete(this.#open)) {
      this.#waiting.push(call);
      return '';
    }
    return this.#close() + this.#beginCall(call);
  }

  #arguments(index: number, text: string): string {
    const call = this.#calls.get(index);
    if (call === undefined || text === '') return '';
    call.text += text;
    if (call !== this.#open) return '';
    return this.#argumentDelta(text) + (this.#waiting.length > 0 ? this.#advance(false) : '');
  }

  /** Goes on to the calls that wait: as far as each is complete, or through all of them. */
  #advance(all: boolean): string {
    let written = '';
    while (this.#waiting.length > 0 && (all || (typeof this.#open === 'object' && isComplete(this.#open)))) {
      const [next, ...others] = this.#waiting;
      this.#waiting = others;
      if (next) written += this.#close() + this.#beginCall(next);
    }
    return written;
  }

  #beginCall(call: ToolCall): string {
    const begun = this.#begin(call, { type: 'tool_use', id: call.id, name: call.name, input: {} });
    return begun + (call.text === '' ? '' : this.#argumentDelta(call.text));
  }

  #begin(open: Spoken | ToolCall, content_block: JsonObject): string {
    this.#open = open;
    this.#index += 1;
    return sse({ type: 'content_block_start', index: this.#index, content_block });
  }

  #argumentDelta(partial_json: string): string {
    return this.#delta('input_json_delta', 'partial_json', partial_json);
  }

  /** Nearly all of a stream: what is the same in each is not written anew. */
  #delta(type: string, member: string, text: string): string {
    const delta = `{"type":"${type}","${member}":${JSON.stringify(text)}}`;
    return `${deltaHead}${this.#index},"delta":${delta}}\n\n`;
  }

  #close(): string {
    if (this.#open === undefined) return '';
    const last = this.#open === 'thinking' ? this.#delta('signature_delta', 'signature', unsigned) : '';
    this.#open = undefined;
    return last + sse({ type: 'content_block_stop', index: this.#index });
  }

  #closeAll(): string {
    return this.#advance(true) + this.#close();
  }
}

const isComplete = ({ text }: ToolCall): boolean => parseObject(text) !== undefined;

export const eventWriter: ClientDialect['eventWriter'] = ({ estimateInput = () => 0 }) =>
  new MessageWriter(estimateInput);
