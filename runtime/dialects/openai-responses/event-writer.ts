/** Writes event streams of the Responses API. */
import type { AnswerEvent, Finish, JsonObject, Usage } from '../../call.ts';
import type { EventWriter } from '../dialect.ts';
import { itemId, writeEnd, writeFrame, writeRefusal, writeSummary, writeText, type Frame } from './write-answer.ts';

export const sse = (event: JsonObject & { readonly type: string }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** A part of a message that is still being written. */
interface OpenPart {
  readonly type: 'text' | 'refusal';
  text: string;
}

interface OpenItem {
  readonly sort: 'msg' | 'fc' | 'rs';
  readonly id: string;
  /** Its place in the output. */
  readonly place: number;
  readonly call: { readonly id: string; readonly name: string } | undefined;
  /** Of a message, all that are complete. */
  readonly content: JsonObject[];
  part: OpenPart | undefined;
  /** Of a call its arguments, of reasoning its summary. */
  text: string;
}

export function eventWriter(options: { readonly created: number; readonly asked?: JsonObject }): EventWriter {
  const writing = new Writing(options.created, options.asked ?? {});
  return { write: (event) => writing.write(event), end: () => writing.end() };
}

/** developers.openai.com/api/reference, "streaming events": each item is opened, told in pieces, told whole, and closed. */
class Writing {
  #frame: Frame;
  #sequence = 0;
  #text = '';
  readonly #output: JsonObject[] = [];
  #places = 0;
  /** The message or reasoning that is being written; calls stay open beside it, since their pieces may alternate. */
  #item: OpenItem | undefined;
  readonly #calls = new Map<number, OpenItem>();
  #finish: Finish = 'stop';
  #usage: Usage | undefined;

  constructor(created: number, asked: JsonObject) {
    this.#frame = { id: '', model: '', created, asked };
  }

  write(event: AnswerEvent): string {
    this.#take(event);
    return this.#flush();
  }

  end(): string {
    this.#closeAll();
    const end = writeEnd(this.#finish, this.#output, this.#usage);
    const type = end.status === 'completed' ? 'response.completed' : 'response.incomplete';
    this.#tell(type, { response: writeFrame(this.#frame, end) });
    return this.#flush();
  }

  #flush(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  #tell(type: string, fields: JsonObject): void {
    this.#text += sse({ type, sequence_number: this.#sequence, ...fields });
    this.#sequence += 1;
  }

  #take(event: AnswerEvent): void {
    switch (event.type) {
      case 'start':
        this.#start(event.id, event.model);
        return;
      case 'text':
      case 'refusal':
        this.#say(event.type, event.text);
        return;
      case 'reasoning':
        this.#think(event.text);
        return;
      case 'tool_call':
        this.#closeItem();
        this.#calls.set(event.index, this.#open('fc', { id: event.id, name: event.name }));
        return;
      case 'tool_arguments':
        this.#argue(event.index, event.text);
        return;
      case 'finish':
        this.#finish = event.finish;
        this.#closeAll();
        return;
      case 'usage':
        this.#usage = event.usage;
        return;
      // It has no place here; the log tells of it.
      case 'opaque':
      // Whoever writes the stream ends it, with `end` or with an error of its own.
      case 'end':
      case 'failure':
    }
  }

  #start(id: string, model: string): void {
    this.#frame = { ...this.#frame, id, model };
    const response = writeFrame(this.#frame, { status: 'in_progress', output: [], usage: null });
    this.#tell('response.created', { response });
    this.#tell('response.in_progress', { response });
  }

  #open(sort: OpenItem['sort'], call?: OpenItem['call']): OpenItem {
    const place = this.#places;
    this.#places += 1;
    const id = itemId(sort, this.#frame.id, place);
    const item: OpenItem = { sort, id, place, call, content: [], part: undefined, text: '' };
    this.#tell('response.output_item.added', { output_index: place, item: writeItem(item, 'in_progress') });
    return item;
  }

  #say(type: OpenPart['type'], text: string): void {
    if (this.#item?.sort !== 'msg') {
      this.#closeItem();
      this.#item = this.#open('msg');
    }
    const item = this.#item;
    if (item.part?.type !== type) {
      this.#closePart(item);
      item.part = { type, text: '' };
      this.#tell('response.content_part.added', { ...partPlace(item), part: writePart(item.part) });
    }
    item.part.text += text;
    const logprobs = type === 'text' ? { logprobs: [] } : {};
    const name = type === 'text' ? 'output_text' : 'refusal';
    this.#tell(`response.${name}.delta`, { ...partPlace(item), delta: text, ...logprobs });
  }

  #closePart(item: OpenItem): void {
    const { part } = item;
    if (part === undefined) return;
    if (part.type === 'text')
      this.#tell('response.output_text.done', { ...partPlace(item), text: part.text, logprobs: [] });
    else this.#tell('response.refusal.done', { ...partPlace(item), refusal: part.text });
    this.#tell('response.content_part.done', { ...partPlace(item), part: writePart(part) });
    item.content.push(writePart(part));
    item.part = undefined;
  }

  #think(text: string): void {
    if (this.#item?.sort !== 'rs') {
      this.#closeItem();
      this.#item = this.#open('rs');
      this.#tell('response.reasoning_summary_part.added', { ...summaryPlace(this.#item), part: summaryPart('') });
    }
    this.#item.text += text;
    this.#tell('response.reasoning_summary_text.delta', { ...summaryPlace(this.#item), delta: text });
  }

  #argue(index: number, text: string): void {
    const item = this.#calls.get(index);
    if (item === undefined) return;
    item.text += text;
    this.#tell('response.function_call_arguments.delta', { item_id: item.id, output_index: item.place, delta: text });
  }

  #closeAll(): void {
    for (const item of this.#calls.values()) this.#close(item);
    this.#calls.clear();
    this.#closeItem();
  }

  #closeItem(): void {
    if (this.#item) this.#close(this.#item);
    this.#item = undefined;
  }

  #close(item: OpenItem): void {
    this.#closePart(item);
    if (item.sort === 'fc') {
      const fields = { item_id: item.id, output_index: item.place, arguments: item.text };
      this.#tell('response.function_call_arguments.done', fields);
    } else if (item.sort === 'rs') {
      this.#tell('response.reasoning_summary_text.done', { ...summaryPlace(item), text: item.text });
      this.#tell('response.reasoning_summary_part.done', { ...summaryPlace(item), part: summaryPart(item.text) });
    }
    const written = writeItem(item, this.#finish === 'length' ? 'incomplete' : 'completed');
    this.#tell('response.output_item.done', { output_index: item.place, item: written });
    this.#output[item.place] = written;
  }
}

const partPlace = ({ id, place, content }: OpenItem): JsonObject => ({
  item_id: id,
  output_index: place,
  content_index: content.length,
});

const summaryPlace = ({ id, place }: OpenItem): JsonObject => ({ item_id: id, output_index: place, summary_index: 0 });
const summaryPart = (text: string): JsonObject => ({ type: 'summary_text', text });
const writePart = ({ type, text }: OpenPart): JsonObject => (type === 'text' ? writeText(text) : writeRefusal(text));

function writeItem({ sort, id, call, content, text }: OpenItem, status: string): JsonObject {
  if (sort === 'msg') return { id, type: 'message', status, role: 'assistant', content: [...content] };
  if (sort === 'rs') return { id, type: 'reasoning', summary: writeSummary(text) };
  return { id, type: 'function_call', status, arguments: text, call_id: call?.id ?? '', name: call?.name ?? '' };
}
