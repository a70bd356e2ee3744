/** Writes complete messages of Anthropic's Messages API. */
import type { Answer, Finish, JsonObject, Part, Usage } from '../../call.ts';
import { withoutUndefined } from '../json-fields.ts';
import { unsigned } from './unsigned.ts';
import { toolId, writeInput } from './write-messages.ts';

const stopReasons: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};

/** OpenAI's models refuse with a text and end as usual; here the reason to stop says it. */
export function writeStopReason(finish: Finish, isRefused: boolean): string {
  return isRefused && finish === 'stop' ? stopReasons.content_filter : stopReasons[finish];
}

/** The shape before anything was said: what `message_start` tells, and what a whole answer adds to. */
export function emptyMessage(id: string, model: string): JsonObject {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: writeUsage(undefined),
  };
}

/** Which stop sequence it was no other vendor tells, so that it reads as the end of the turn. */
export function writeAnswer(answer: Answer): JsonObject {
  return {
    ...emptyMessage(answer.id, answer.model),
    content: answer.parts.flatMap(writeBlock),
    stop_reason: writeStopReason(
      answer.finish,
      answer.parts.some(({ type }) => type === 'refusal'),
    ),
    usage: writeUsage(answer.usage),
  };
}

function writeBlock(part: Part): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text, citations: null }];
    case 'reasoning':
      return [{ type: 'thinking', thinking: part.text, signature: part.signature ?? unsigned }];
    case 'tool_call':
      return [{ type: 'tool_use', id: toolId(part.id), name: part.name, input: writeInput(part.arguments, new Set()) }];
    default:
      return [];
  }
}

const writeCreation = (all: number, hour: number): JsonObject => ({
  ephemeral_5m_input_tokens: Math.max(0, all - hour),
  ephemeral_1h_input_tokens: hour,
});

/** `input_tokens` leaves out what was read from or written to the cache (anthropic SDK, messages.ts, `Usage`). */
export function writeUsage(usage: Usage | undefined): JsonObject {
  const { inputTokens = 0, outputTokens = 0, cachedInputTokens = 0, cacheWriteTokens = 0 } = usage ?? {};
  const hour = usage?.cacheWriteHourTokens;
  return withoutUndefined<JsonObject>({
    input_tokens: Math.max(0, inputTokens - cachedInputTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedInputTokens,
    cache_creation: hour === undefined ? undefined : writeCreation(cacheWriteTokens, hour),
    output_tokens: outputTokens,
    output_tokens_details:
      usage?.reasoningTokens === undefined ? undefined : { thinking_tokens: usage.reasoningTokens },
  });
}
