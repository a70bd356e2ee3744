/** Reads event streams of Anthropic's Messages API. */
import type { AnswerEvent, JsonObject } from '../../call.ts';
import type { EventReader, SseMessage } from '../dialect.ts';
import { writeExact } from '../exact-json.ts';
import { countIn, isObject, objectIn, parseObject, reportable, textIn } from '../json-fields.ts';
import { readFinish, readUsageObject } from './answer.ts';
import { readStreamFailure } from './errors.ts';

interface OpenCall {
  readonly index: number;
  /** Whether any argument text came: a call without arguments streams none. */
  written: boolean;
  /** Some compatible vendors send the whole input when the block starts. */
  readonly input: JsonObject;
}

interface ReaderState {
  ended: boolean;
  told: number;
  /** Tool calls still open, by the index of their content block. Server tools are not among them. */
  readonly calls: Map<unknown, OpenCall>;
  usage: JsonObject;
}

/** As `VendorDialect` has it. */
export const notable = /\bmessage_(?:start|delta|stop)\b|"error"|event: ?error/;

export function eventReader(): EventReader {
  const state: ReaderState = { ended: false, told: 0, calls: new Map(), usage: {} };
  return { read: (message) => readEvent(message, state) };
}

function readEvent(message: SseMessage, state: ReaderState): readonly AnswerEvent[] {
  if (state.ended || message.data.trim() === '') return [];
  const body = parseObject(message.data);
  if (body === undefined) {
    state.ended = true;
    return [{ type: 'failure', failure: { kind: 'broken_answer' } }];
  }
  // New event types may come at any time and are to be passed over (platform.claude.com, "streaming messages").
  switch (body.type ?? message.event) {
    case 'message_start':
      return readStart(objectIn(body, 'message'), state);
    case 'content_block_start':
      return readBlockStart(body, state);
    case 'content_block_delta':
      return readDelta(body, state);
    case 'content_block_stop':
      return readBlockStop(body, state);
    case 'message_delta':
      return readMessageDelta(body, state);
    case 'message_stop':
      state.ended = true;
      return [{ type: 'end' }];
    case 'error':
      state.ended = true;
      return [{ type: 'failure', failure: readStreamFailure(body) }];
    default:
      return [];
  }
}

function readStart(message: JsonObject | undefined, state: ReaderState): readonly AnswerEvent[] {
  const start = { type: 'start', id: textIn(message, 'id') ?? '', model: textIn(message, 'model') ?? '' } as const;
  return [start, ...mergeUsage(objectIn(message, 'usage'), state)];
}

function readMessageDelta(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const reason = textIn(objectIn(body, 'delta'), 'stop_reason');
  const finish: AnswerEvent[] = reason === undefined ? [] : [{ type: 'finish', finish: readFinish(reason) }];
  return [...finish, ...mergeUsage(objectIn(body, 'usage'), state)];
}

/**
 * Counts are cumulative, and each event has only some of them. Compatible gateways put 0 where the real count is in
 * the other event (rig#2236), so the larger one stands.
 */
function mergeUsage(reported: JsonObject | undefined, state: ReaderState): readonly AnswerEvent[] {
  if (reported === undefined) return [];
  const merged: Record<string, JsonObject[string]> = { ...state.usage, ...reported };
  for (const key of ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens']) {
    const counts = [countIn(state.usage, key), countIn(reported, key)].filter((count) => count !== undefined);
    merged[key] = counts.length > 0 ? Math.max(...counts) : undefined;
  }
  state.usage = merged;
  const usage = readUsageObject(merged);
  return usage === undefined ? [] : [{ type: 'usage', usage }];
}

function readBlockStart(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const block = objectIn(body, 'content_block');
  if (block?.type === 'text') return textEvent('text', textIn(block, 'text'));
  if (block?.type === 'thinking') return textEvent('reasoning', textIn(block, 'thinking'));
  const type = textIn(block, 'type');
  if (type !== undefined && type !== 'tool_use') return [{ type: 'opaque', label: reportable(type) }];
  const name = textIn(block, 'name');
  if (type === undefined || name === undefined) return [];
  const index = state.told;
  state.told += 1;
  state.calls.set(body.index, { index, written: false, input: objectIn(block, 'input') ?? {} });
  return [{ type: 'tool_call', index, id: textIn(block, 'id') ?? `toolu_${index}`, name }];
}

function readDelta(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const delta = objectIn(body, 'delta');
  if (!isObject(delta)) return [];
  switch (delta.type) {
    case 'text_delta':
      return textEvent('text', textIn(delta, 'text'));
    case 'thinking_delta':
      return textEvent('reasoning', textIn(delta, 'thinking'));
    case 'input_json_delta': {
      const call = state.calls.get(body.index);
      const text = textIn(delta, 'partial_json') ?? '';
      if (call === undefined || text === '') return [];
      call.written = true;
      return [{ type: 'tool_arguments', index: call.index, text }];
    }
    default:
      return [];
  }
}

function readBlockStop(body: JsonObject, state: ReaderState): readonly AnswerEvent[] {
  const call = state.calls.get(body.index);
  state.calls.delete(body.index);
  if (call === undefined || call.written) return [];
  return [{ type: 'tool_arguments', index: call.index, text: writeExact(call.input) }];
}

function textEvent(type: 'text' | 'reasoning', text: string | undefined): readonly AnswerEvent[] {
  return text === undefined || text === '' ? [] : [{ type, text }];
}
