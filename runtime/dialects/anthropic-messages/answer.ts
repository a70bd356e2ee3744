/** Reads complete messages of Anthropic's Messages API. */
import type { Answer, Finish, Json, JsonObject, Part, Usage } from '../../call.ts';
import { writeExact } from '../exact-json.ts';
import { countIn, isList, isObject, objectIn, reportable, someIn, textIn, withoutUndefined } from '../json-fields.ts';

/** platform.claude.com, "handling stop reasons". `pause_turn` only comes with server tools, never translated. */
const finishes = new Map<Json | undefined, Finish>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
]);

export function readFinish(reason: Json | undefined): Finish {
  return finishes.get(reason) ?? 'stop';
}

export function readAnswer(body: JsonObject): Answer {
  if (body.type !== 'message' || !isList(body.content))
    throw new TypeError('Not an Anthropic message: it has no content.');
  return withoutUndefined<Answer>({
    id: textIn(body, 'id') ?? '',
    model: textIn(body, 'model') ?? '',
    parts: body.content.flatMap((block) => (isObject(block) ? [readBlock(block)] : [])),
    finish: readFinish(body.stop_reason),
    usage: readUsage(body),
  });
}

function readBlock(block: JsonObject): Part {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: textIn(block, 'text') ?? '' };
    case 'thinking':
      return withoutUndefined<Part>({
        type: 'reasoning',
        text: textIn(block, 'thinking') ?? '',
        signature: textIn(block, 'signature'),
      });
    case 'tool_use': {
      const { id, name } = block;
      if (typeof id !== 'string' || typeof name !== 'string') {
        throw new TypeError('Not an Anthropic message: a tool_use block has no id or name.');
      }
      return { type: 'tool_call', id, name, arguments: writeExact(block.input ?? {}) };
    }
    default:
      return { type: 'opaque', label: typeof block.type === 'string' ? reportable(block.type) : 'content block' };
  }
}

export function readUsage(body: JsonObject): Usage | undefined {
  return readUsageObject(objectIn(body, 'usage'));
}

/** `input_tokens` leaves out what was read from or written to the cache (anthropic SDK, messages.ts, `Usage`). */
export function readUsageObject(usage: JsonObject | undefined): Usage | undefined {
  const fresh = countIn(usage, 'input_tokens');
  const outputTokens = countIn(usage, 'output_tokens');
  if (fresh === undefined || outputTokens === undefined) return undefined;
  const cachedInputTokens = countIn(usage, 'cache_read_input_tokens');
  const cacheWriteTokens = countIn(usage, 'cache_creation_input_tokens');
  return withoutUndefined<Usage>({
    inputTokens: fresh + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0),
    outputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    cacheWriteHourTokens: someIn(objectIn(usage, 'cache_creation'), 'ephemeral_1h_input_tokens'),
    searches: someIn(objectIn(usage, 'server_tool_use'), 'web_search_requests'),
    reasoningTokens: countIn(objectIn(usage, 'output_tokens_details'), 'thinking_tokens'),
  });
}

/** The answer of the token counting API (anthropic SDK, messages.ts, `MessageTokensCount`). */
export function readCount(body: JsonObject): number {
  const tokens = countIn(body, 'input_tokens');
  if (tokens === undefined) throw new TypeError('Not a count of tokens: it has no input_tokens.');
  return tokens;
}
