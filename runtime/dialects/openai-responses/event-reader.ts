/** Reads event streams of the Responses API. */
import type { AnswerEvent, Json, JsonObject, Part } from '../../call.ts';
import type { EventReader, SseMessage } from '../dialect.ts';
import { objectIn, parseObject, textIn } from '../json-fields.ts';
import { readFinish, readItem, readUsage } from './answer.ts';
import { readResponseFailure } from './failures.ts';
import { paragraph } from './reasoning.ts';

interface ReaderState {
  started: boolean;
  ended: boolean;
  /** Calls that were told of, by their place in the output. */
  readonly calls: Map<Json | undefined, number>;
  /** Places in the output of which some content was told: what comes whole at the end is no news. */
  readonly told: Set<Json | undefined>;
}

/** As `VendorDialect` has it. */
export const notable = /\bresponse\.(?:completed|incomplete|failed|cancelled)\b|"error"|event: ?error/;

export function eventReader(): EventReader {
  const state: ReaderState = { started: false, ended: false, calls: new Map(), told: new Set() };
  return { read: (message) => readEvent(message, state) };
}

/** Ids of items are not the same in all events of some servers; their places are. */
const placeOf = (body: JsonObject): Json | undefined => body.output_index ?? body.item_id;

/** developers.openai.com/api/reference, "streaming events". */
function readEvent(message: SseMessage, state: ReaderState): readonly AnswerEvent[] {
  const data = message.data.trim();
  if (state.ended || data === '' || data === '[DONE]') return [];
  const body = parseObject(data);
  if (body === undefined) return failed(state, [{ type: 'failure', failure: { kind: 'broken_answer' } }]);
  switch (body.type ?? message.event) {
    case 'response.created':
    case 'response.in_progress':
    case 'response.queued':
      return readStart(objectIn(body, 'response'), state);
    case 'response.output_text.delta':
      return readDelta('text', body, state);
    case 'response.refusal.delta':
      return readDelta('refusal', body, state);
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_text.delta':
      return readDelta('reasoning', body, state);
    case 'response.reasoning_summary_part.added':
      return Number(body.summary_index) > 0 ? [{ type: 'reasoning', text: paragraph }] : [];
    case 'response.output_item.added':
      return readAdded(body, state);
    case 'response.function_call_arguments.delta':
      return readArguments(body, state);
    case 'response.output_item.done':
      return readDone(body, state);
    case 'response.completed':
    case 'response.incomplete':
      return readEnd(objectIn(body, 'response'), state);
    case 'response.failed':
    // Perplexity's: one of the four events that end its streams (perplexityai/api-platform-developers, "response and streaming").
    case 'response.cancelled':
      return failed(state, readFailed(objectIn(body, 'response')));
    case 'error':
      return failed(state, [{ type: 'failure', failure: readResponseFailure(body) }]);
    default:
      return [];
  }
}

function failed(state: ReaderState, events: readonly AnswerEvent[]): readonly AnswerEvent[] {
  state.ended = true;
  return events;
}

/** What was spent until then is spent. */
function readFailed(response: JsonObject | undefined): readonly AnswerEvent[] {
  const usage = readUsage(response);
  const failure: AnswerEvent = { type: 'failure', failure: readResponseFailure(response ?? {}) };
  return usage === undefined ? [failure] : [{ type: 'usage', usage }, failure];
}

function readStart(response: JsonObject | undefined, state: ReaderState): readonly AnswerEvent[] {
  if (state.started) return [];
  state.started = true;
  return [{ type: 'start', id: textIn(response, 'id') ?? '', model: textIn(response, 'model') ?? '' }];
}

function readDelta(
  type: 'text' | 'refusal' | 'reasoning',
  body: JsonObject,
  state: ReaderState,
): readonly AnswerEvent[] {
  const text = textIn(body, 'delta') ?? '';
  if (text === '') return [];
  state.told.add(placeOf(body));
  return [{ type, text }];
}

function readAdded(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const item = objectIn(body, 'item');
  const id = textIn(item, 'call_id');
  const name = textIn(item, 'name');
  if (item?.type !== 'function_call' || id === undefined || name === undefined) return [];
  return [openCall({ id, name }, body, state)];
}

function openCall(called: { readonly id: string; readonly name: string }, body: JsonObject, state: ReaderState) {
  const index = state.calls.size;
  state.calls.set(placeOf(body), index);
  return { type: 'tool_call', index, ...called } as const;
}

function readArguments(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const index = state.calls.get(placeOf(body));
  const text = textIn(body, 'delta') ?? '';
  if (index === undefined || text === '') return [];
  state.told.add(placeOf(body));
  return [{ type: 'tool_arguments', index, text }];
}

/** Some servers stream no deltas of what is short, or of calls: then the item itself is the news. */
function readDone(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const item = objectIn(body, 'item');
  if (item === undefined || state.told.has(placeOf(body)) || !isReadable(item)) return [];
  state.told.add(placeOf(body));
  return readItem(item).flatMap((part) => tellWhole(part, body, state));
}

const isReadable = (item: JsonObject): boolean =>
  item.type !== 'function_call' || (textIn(item, 'call_id') !== undefined && textIn(item, 'name') !== undefined);

function tellWhole(part: Part, body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  if (part.type === 'tool_call') {
    const known = state.calls.get(placeOf(body));
    const opened = known === undefined ? [openCall({ id: part.id, name: part.name }, body, state)] : [];
    const index = known ?? state.calls.size - 1;
    return part.arguments === '' ? opened : [...opened, { type: 'tool_arguments', index, text: part.arguments }];
  }
  if (part.type === 'opaque') return [part];
  if (part.type !== 'text' && part.type !== 'refusal' && part.type !== 'reasoning') return [];
  return part.text === '' ? [] : [{ type: part.type, text: part.text }];
}

function readEnd(response: JsonObject | undefined, state: ReaderState): readonly AnswerEvent[] {
  state.ended = true;
  const usage = readUsage(response);
  return [
    ...readStart(response, state),
    { type: 'finish', finish: readFinish(response, state.calls.size > 0) },
    ...(usage === undefined ? [] : [{ type: 'usage', usage } as const]),
    { type: 'end' },
  ];
}
