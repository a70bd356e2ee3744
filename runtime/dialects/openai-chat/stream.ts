/** Reads and writes streams of OpenAI chat completion chunks. */
import type { AnswerEvent, Json, JsonObject, Usage } from '../../call.ts';
import type { EventReader, EventWriter, SseMessage } from '../dialect.ts';
import { isList, isObject, isSet, listIn, objectIn, parseObject, textIn } from '../json-fields.ts';
import { argumentText, callId, readContent, readFinish, readReasoning, readUsage, writeUsage } from './answer.ts';
import { readStreamFailure } from '../openai-errors.ts';
import type { Quirks } from './quirks.ts';

interface OpenCall {
  readonly id: string | undefined;
  /** The neutral index, once the call has a name and was told of. */
  index: number | undefined;
  /** Arguments that came before the name. */
  waiting: string;
}

interface ReaderState {
  readonly quirks: Quirks;
  started: boolean;
  finished: boolean;
  ended: boolean;
  answerId: string;
  told: number;
  readonly calls: OpenCall[];
  readonly byIndex: Map<number, OpenCall>;
}

/** `usage: null` and `error: null` stand in every chunk of some vendors. */
const notableAnywhere = /"usage"\s*:\s*\{|"error"\s*:\s*[^\sn]|event: ?error/;
const notableWhereReasonEnds = new RegExp(`${notableAnywhere.source}|"finish_reason"\\s*:\\s*"`);

/** As `VendorDialect` has it. */
export const notableWith = ({ streamEnd }: Quirks = {}): RegExp =>
  streamEnd === 'finish_reason' ? notableWhereReasonEnds : notableAnywhere;

export function eventReader(quirks: Quirks = {}): EventReader {
  const state: ReaderState = {
    quirks,
    started: false,
    finished: false,
    ended: false,
    answerId: '',
    told: 0,
    calls: [],
    byIndex: new Map(),
  };
  return { read: (message) => readEvent(message, state) };
}

function readEvent(message: SseMessage, state: ReaderState): readonly AnswerEvent[] {
  const data = message.data.trim();
  if (state.ended || data === '') return [];
  if (data === '[DONE]') {
    state.ended = true;
    return [{ type: 'end' }];
  }
  const chunk = parseObject(data);
  if (chunk === undefined) return fail(state, { type: 'failure', failure: { kind: 'broken_answer' } });
  const choice = listIn(chunk, 'choices').find((each) => isObject(each) && (each.index ?? 0) === 0);
  // OpenRouter ends a broken stream with an error beside or inside the choice (openrouter.ai/docs, "errors").
  const inChoice = isObject(choice) && isSet(choice.error) ? choice : undefined;
  // Groq tells in `x_groq` why it stopped a stream early (groq-python, chat_completion_chunk.py).
  const inGroq = isSet(objectIn(chunk, 'x_groq')?.error) ? objectIn(chunk, 'x_groq') : undefined;
  const broken = isSet(chunk.error) || message.event === 'error' ? chunk : (inChoice ?? inGroq);
  if (broken !== undefined) return fail(state, { type: 'failure', failure: readStreamFailure(broken) });
  const events = isObject(choice) ? readChoice(chunk, choice, state) : [];
  const usage = readUsage(chunk);
  if (usage !== undefined) events.push({ type: 'usage', usage });
  if (state.finished && state.quirks.streamEnd === 'finish_reason') {
    state.ended = true;
    events.push({ type: 'end' });
  }
  return events;
}

function fail(state: ReaderState, event: AnswerEvent): readonly AnswerEvent[] {
  state.ended = true;
  return [event];
}

function readChoice(chunk: JsonObject, choice: JsonObject, state: ReaderState): AnswerEvent[] {
  const events: AnswerEvent[] = [];
  // Azure's first chunk has no choice, id or model yet, so the start waits for the first real one.
  if (!state.started) {
    state.started = true;
    state.answerId = textIn(chunk, 'id') ?? '';
    events.push({ type: 'start', id: state.answerId, model: textIn(chunk, 'model') ?? '' });
  }
  const delta = objectIn(choice, 'delta') ?? {};
  const reasoning = readReasoning(delta);
  if (reasoning !== '') events.push({ type: 'reasoning', text: reasoning });
  const { content } = delta;
  if (typeof content === 'string' && content !== '') events.push({ type: 'text', text: content });
  else
    for (const part of readContent(content)) {
      if (part.type === 'text' || part.type === 'reasoning') events.push({ type: part.type, text: part.text });
    }
  const refusal = textIn(delta, 'refusal');
  if (refusal !== undefined && refusal !== '') events.push({ type: 'refusal', text: refusal });
  const legacy = objectIn(delta, 'function_call');
  const calls: readonly Json[] = legacy === undefined ? callDeltas(delta.tool_calls) : [{ index: 0, function: legacy }];
  for (const call of calls) if (isObject(call)) readCallDelta(call, state, events);
  if (isSet(choice.finish_reason) && choice.finish_reason !== '' && !state.finished) {
    state.finished = true;
    events.push({ type: 'finish', finish: readFinish(choice.finish_reason, state.told > 0) });
  }
  return events;
}

/** TGI before 3.1 sends one call where a list belongs (huggingface/text-generation-inference#2794). */
const callDeltas = (value: Json | undefined): readonly Json[] =>
  isList(value) ? value : isObject(value) ? [value] : [];

function readCallDelta(delta: JsonObject, state: ReaderState, events: AnswerEvent[]): void {
  const called = objectIn(delta, 'function');
  const name = textIn(called, 'name') ?? '';
  const text = argumentText(called?.arguments);
  const call = openCall(delta, name, state);
  if (call.index === undefined) {
    call.waiting += text;
    if (name === '') return;
    call.index = state.told;
    state.told += 1;
    events.push({ type: 'tool_call', index: call.index, id: callId(call.id, state.answerId, call.index), name });
    if (call.waiting !== '') events.push({ type: 'tool_arguments', index: call.index, text: call.waiting });
  } else if (text !== '') events.push({ type: 'tool_arguments', index: call.index, text });
}

/**
 * Which call a delta belongs to. By the book its `index` tells; Gemini's compatible endpoint and older Ollama leave it
 * out (openai-python#2806, ollama#7881) and some gateways send 0 for every call (any-llm#1148), so a new id together
 * with a name opens a new call, and a delta with neither continues the last.
 */
function openCall(delta: JsonObject, name: string, state: ReaderState): OpenCall {
  const id = textIn(delta, 'id') || undefined;
  const index = typeof delta.index === 'number' ? delta.index : undefined;
  const known =
    index !== undefined
      ? state.byIndex.get(index)
      : id !== undefined
        ? state.calls.find((call) => call.id === id)
        : name === ''
          ? state.calls.at(-1)
          : undefined;
  const isOther = id !== undefined && known?.id !== undefined && known.id !== id && name !== '';
  if (known !== undefined && !isOther) return known;
  const opened: OpenCall = { id, index: undefined, waiting: '' };
  state.calls.push(opened);
  if (index !== undefined) state.byIndex.set(index, opened);
  return opened;
}

export function eventWriter(options: { readonly includeUsage: boolean; readonly created: number }): EventWriter {
  let head = '';
  let usage: Usage | undefined;
  // With include_usage every chunk but the last has `usage: null` (openai SDK, ChatCompletionStreamOptions).
  const noUsage = options.includeUsage ? ',"usage":null' : '';
  // What is the same in all chunks is written once: they differ in a few words.
  const begin = (id: string, model: string): void => {
    const same = JSON.stringify({ id, object: 'chat.completion.chunk', created: options.created, model });
    head = `data: ${same.slice(0, -1)},"choices":[`;
  };
  const chunk = (delta: string, finish = 'null'): string =>
    `${head}{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]${noUsage}}\n\n`;
  begin('', '');
  return {
    write(event) {
      if (event.type === 'start') begin(event.id, event.model);
      if (event.type === 'usage') usage = event.usage;
      if (event.type === 'finish') return chunk('{}', JSON.stringify(event.finish));
      const delta = writeDelta(event);
      return delta === '' ? '' : chunk(delta);
    },
    end() {
      const last = options.includeUsage && usage ? `${head}],"usage":${JSON.stringify(writeUsage(usage))}}\n\n` : '';
      return `${last}data: [DONE]\n\n`;
    },
  };
}

/** Empty where there is nothing to tell. */
function writeDelta(event: AnswerEvent): string {
  switch (event.type) {
    case 'start':
      return '{"role":"assistant","content":"","refusal":null}';
    case 'text':
      return `{"content":${JSON.stringify(event.text)}}`;
    case 'reasoning':
      return `{"reasoning_content":${JSON.stringify(event.text)}}`;
    case 'refusal':
      return `{"refusal":${JSON.stringify(event.text)}}`;
    case 'tool_call': {
      const { index, id, name } = event;
      return JSON.stringify({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] });
    }
    case 'tool_arguments':
      return `{"tool_calls":[{"index":${event.index},"function":{"arguments":${JSON.stringify(event.text)}}}]}`;
    default:
      return '';
  }
}

export function sse(body: JsonObject): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}
