/** Reads and writes streams of generateContent answers: each event is an answer with what is new in it. */
import type { AnswerEvent, Finish, Json, JsonObject, Part, Usage } from '../../call.ts';
import type { EventReader, EventWriter, SseMessage } from '../dialect.ts';
import { writeExact } from '../exact-json.ts';
import { isObject, isSet, listIn, objectIn, parseObject, textIn, withoutUndefined } from '../json-fields.ts';
import {
  candidate,
  isBlocked,
  isBrokenOff,
  readFinish,
  readParts,
  readUsage,
  writeCalled,
  writePart,
  writeReason,
  writeUsage,
} from './answer.ts';
import { readStreamFailure } from './errors.ts';

interface ReaderState {
  started: boolean;
  ended: boolean;
  answerId: string;
  /** Whether any part came, and how many of them were calls. */
  spoke: boolean;
  told: number;
  reason: Json | undefined;
}

/** As `VendorDialect` has it. */
export const notable = /"(?:usageMetadata|finishReason|promptFeedback|error)"/;

/**
 * There is no end mark, and `finishReason` is none: older models have it in every event, and usage or grounding may
 * follow it. A stream that ended in good order after one is complete.
 */
export function eventReader(): EventReader {
  const state: ReaderState = {
    started: false,
    ended: false,
    answerId: '',
    spoke: false,
    told: 0,
    reason: undefined,
  };
  return { read: (message) => readEvent(message, state), finish: () => readEnd(state) };
}

function readEvent(message: SseMessage, state: ReaderState): readonly AnswerEvent[] {
  if (state.ended || message.data.trim() === '') return [];
  const body = parseObject(message.data);
  if (body === undefined) return fail(state, { type: 'failure', failure: { kind: 'broken_answer' } });
  if (isSet(body.error)) return fail(state, { type: 'failure', failure: readStreamFailure(body) });
  if (isBlocked(body)) return fail(state, { type: 'failure', failure: { kind: 'content_refused' } });
  const events: AnswerEvent[] = [];
  if (!state.started) {
    state.started = true;
    state.answerId = textIn(body, 'responseId') ?? '';
    events.push({ type: 'start', id: state.answerId, model: textIn(body, 'modelVersion') ?? '' });
  }
  const first = listIn(body, 'candidates').find((each) => isObject(each) && (each.index ?? 0) === 0);
  if (isObject(first)) {
    if (isSet(first.finishReason)) state.reason = first.finishReason;
    for (const part of readParts(first, state.answerId, state.told)) events.push(...eventsOf(part, state));
    if (listIn(objectIn(first, 'content'), 'parts').length > 0) state.spoke = true;
  }
  const usage = readUsage(body);
  if (usage !== undefined) events.push({ type: 'usage', usage });
  return events;
}

function fail(state: ReaderState, event: AnswerEvent): readonly AnswerEvent[] {
  state.ended = true;
  return [event];
}

function eventsOf(part: Part, state: ReaderState): readonly AnswerEvent[] {
  if (part.type === 'text' || part.type === 'reasoning') return [{ type: part.type, text: part.text }];
  if (part.type === 'opaque') return [part];
  if (part.type !== 'tool_call') return [];
  const index = state.told;
  state.told += 1;
  return [
    { type: 'tool_call', index, id: part.id, name: part.name },
    { type: 'tool_arguments', index, text: part.arguments },
  ];
}

function readEnd(state: ReaderState): readonly AnswerEvent[] {
  if (state.ended || state.reason === undefined) return [];
  state.ended = true;
  if (!state.spoke && isBrokenOff(state.reason)) return [{ type: 'failure', failure: { kind: 'broken_answer' } }];
  return [{ type: 'finish', finish: readFinish(state.reason, state.told > 0) }, { type: 'end' }];
}

interface WriterState {
  id: string;
  model: string;
  usage: Usage | undefined;
  finish: Finish | undefined;
  readonly calls: { readonly id: string; readonly name: string; arguments: string }[];
}

/** A call is written when it is complete, for this API has no pieces of calls; the last event has reason and usage. */
export function eventWriter(): EventWriter {
  const state: WriterState = { id: '', model: '', usage: undefined, finish: undefined, calls: [] };
  return {
    write: (event) => writeEvent(event, state),
    end() {
      const called = state.calls.map((call) => writeCalled(call));
      const parts = called.filter((each) => each !== undefined);
      const reason = writeReason(state.finish ?? 'stop', called.includes(undefined));
      // A last event without a part, and the SDK's chats forget the whole answer (`@google/genai`, isValidResponse).
      const isGood = reason === 'STOP' || reason === 'MAX_TOKENS';
      return chunk(state, candidate(parts.length === 0 && isGood ? [{ text: '' }] : parts, reason), state.usage);
    },
  };
}

function writeEvent(event: AnswerEvent, state: WriterState): string {
  switch (event.type) {
    case 'start':
      state.id = event.id;
      state.model = event.model;
      return '';
    case 'text':
    case 'refusal':
    case 'reasoning': {
      const parts = writePart(event);
      return parts.length > 0 ? chunk(state, candidate(parts)) : '';
    }
    case 'tool_call':
      state.calls[event.index] = { id: event.id, name: event.name, arguments: '' };
      return '';
    case 'tool_arguments': {
      const call = state.calls[event.index];
      if (call) call.arguments += event.text;
      return '';
    }
    case 'finish':
      state.finish = event.finish;
      return '';
    case 'usage':
      state.usage = event.usage;
      return '';
    default:
      return '';
  }
}

function chunk({ id, model }: WriterState, only: JsonObject, usage?: Usage): string {
  return sse(
    withoutUndefined<JsonObject>({
      candidates: [only],
      usageMetadata: usage && writeUsage(usage),
      modelVersion: model,
      responseId: id,
    }),
  );
}

export function sse(body: JsonObject): string {
  return `data: ${writeExact(body)}\n\n`;
}
