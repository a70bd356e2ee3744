/** Reads the events of ConverseStream (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html). */
import type { AnswerEvent, JsonObject } from '../../call.ts';
import type { EventReader, SseMessage } from '../dialect.ts';
import { objectIn, parseObject, reportable, textIn } from '../json-fields.ts';
import { readFinish, readUsage } from './answer.ts';
import { readStreamFailure } from './errors.ts';

interface ReaderState {
  ended: boolean;
  /** `messageStop` came; `metadata` may follow. */
  stopped: boolean;
  told: number;
  /** The tool calls, by the index of their content block; whether any argument text came. */
  readonly calls: Map<unknown, { readonly index: number; written: boolean }>;
}

export function eventReader(): EventReader {
  const state: ReaderState = { ended: false, stopped: false, told: 0, calls: new Map() };
  return {
    read: (message) => (state.ended ? [] : readEvent(message, state)),
    finish: () => (state.stopped && !state.ended ? [{ type: 'end' }] : []),
  };
}

function failure(state: ReaderState, failed: ReturnType<typeof readStreamFailure>): readonly AnswerEvent[] {
  state.ended = true;
  return [{ type: 'failure', failure: failed }];
}

function readEvent({ event = '', data }: SseMessage, state: ReaderState): readonly AnswerEvent[] {
  const body = parseObject(data);
  switch (event) {
    case 'messageStart':
      return [{ type: 'start', id: '', model: '' }];
    case 'contentBlockStart':
      return body ? readBlockStart(body, state) : failure(state, { kind: 'broken_answer' });
    case 'contentBlockDelta':
      return body ? readDelta(body, state) : failure(state, { kind: 'broken_answer' });
    case 'contentBlockStop':
      return readBlockStop(body, state);
    case 'messageStop': {
      const finish = readFinish(body?.stopReason);
      if (finish === undefined) return failure(state, { kind: 'broken_answer' });
      state.stopped = true;
      return [{ type: 'finish', finish }];
    }
    case 'metadata':
      return readMetadata(body, state);
    default:
      // New events may come; an exception is the end, whatever its name.
      return /exception|error|failure/i.test(event) ? failure(state, readStreamFailure(event, body)) : [];
  }
}

function readBlockStart(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const start = objectIn(body, 'start');
  const [label = 'toolUse'] = Object.keys(start ?? {});
  if (label !== 'toolUse') return [{ type: 'opaque', label: reportable(label) }];
  const use = objectIn(start, 'toolUse');
  const name = textIn(use, 'name');
  if (name === undefined) return [];
  const index = state.told;
  state.told += 1;
  state.calls.set(body.contentBlockIndex, { index, written: false });
  return [{ type: 'tool_call', index, id: textIn(use, 'toolUseId') ?? `tooluse_${index}`, name }];
}

function readDelta(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const delta = objectIn(body, 'delta');
  const text = textIn(delta, 'text');
  if (text !== undefined) return text === '' ? [] : [{ type: 'text', text }];
  const thought = objectIn(delta, 'reasoningContent');
  if (textIn(thought, 'redactedContent') !== undefined) return [{ type: 'opaque', label: 'reasoningContent' }];
  const reasoning = textIn(thought, 'text');
  if (reasoning !== undefined) return reasoning === '' ? [] : [{ type: 'reasoning', text: reasoning }];
  const input = textIn(objectIn(delta, 'toolUse'), 'input');
  const call = state.calls.get(body.contentBlockIndex);
  if (call === undefined || input === undefined || input === '') return [];
  call.written = true;
  return [{ type: 'tool_arguments', index: call.index, text: input }];
}

/** A call without arguments streams none, and clients parse what they get. */
function readBlockStop(body: JsonObject | undefined, state: ReaderState): readonly AnswerEvent[] {
  const call = state.calls.get(body?.contentBlockIndex);
  state.calls.delete(body?.contentBlockIndex);
  return call && !call.written ? [{ type: 'tool_arguments', index: call.index, text: '{}' }] : [];
}

/** The last event: it comes once, after `messageStop`. */
function readMetadata(body: JsonObject | undefined, state: ReaderState): readonly AnswerEvent[] {
  const usage = body && readUsage(body);
  const told: AnswerEvent[] = usage ? [{ type: 'usage', usage }] : [];
  if (!state.stopped) return told;
  state.ended = true;
  return [...told, { type: 'end' }];
}
