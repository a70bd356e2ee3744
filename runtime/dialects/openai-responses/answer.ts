/** Reads complete responses of the Responses API. */
import type { Answer, Finish, Json, JsonObject, Part, Usage } from '../../call.ts';
import { AnswerFailed } from '../dialect.ts';
import {
  countIn,
  isList,
  isObject,
  listIn,
  objectIn,
  reportable,
  someIn,
  textIn,
  withoutUndefined,
} from '../json-fields.ts';
import { readResponseFailure } from './failures.ts';
import { readReasoning } from './reasoning.ts';

/** Why a response is incomplete (openai SDK, `Response.IncompleteDetails`). */
const incompleteFinishes = new Map<Json | undefined, Finish>([
  ['max_output_tokens', 'length'],
  ['max_messages', 'length'],
  ['content_filter', 'content_filter'],
]);

export function readFinish(response: JsonObject | undefined, hasToolCalls: boolean): Finish {
  const finish = incompleteFinishes.get(objectIn(response, 'incomplete_details')?.reason);
  if (finish !== undefined) return finish;
  if (response?.status === 'incomplete') return 'length';
  return hasToolCalls ? 'tool_calls' : 'stop';
}

/** developers.openai.com/api/reference/resources/responses/subresources/input_tokens. */
export function readCount(body: JsonObject): number {
  const tokens = countIn(body, 'input_tokens');
  if (tokens === undefined) throw new TypeError('Not a count of tokens: it has no input_tokens.');
  return tokens;
}

/** A response that was asked for in the background is an answer too, though there is nothing in it yet. */
export function readAnswer(body: JsonObject): Answer {
  if (body.object !== 'response' || !isList(body.output)) throw new TypeError('Not a response: it has no output.');
  if (body.status === 'failed' || body.status === 'cancelled') throw new AnswerFailed(readResponseFailure(body));
  const parts = body.output.flatMap((item) => (isObject(item) ? readItem(item) : []));
  return withoutUndefined<Answer>({
    id: textIn(body, 'id') ?? '',
    model: textIn(body, 'model') ?? '',
    parts,
    finish: readFinish(
      body,
      parts.some(({ type }) => type === 'tool_call'),
    ),
    usage: readUsage(body),
  });
}

export function readItem(item: JsonObject): readonly Part[] {
  switch (item.type) {
    case 'message':
      return listIn(item, 'content').flatMap((part) => (isObject(part) ? readContent(part) : []));
    case 'reasoning':
      return [readReasoning(item)];
    case 'function_call': {
      const id = textIn(item, 'call_id');
      const name = textIn(item, 'name');
      if (id === undefined || name === undefined)
        throw new TypeError('Not a response: a function call has no call_id or name.');
      return [{ type: 'tool_call', id, name, arguments: textIn(item, 'arguments') ?? '' }];
    }
    default:
      return [{ type: 'opaque', label: typeof item.type === 'string' ? reportable(item.type) : 'output item' }];
  }
}

function readContent(part: JsonObject): readonly Part[] {
  if (part.type === 'output_text') return [{ type: 'text', text: textIn(part, 'text') ?? '' }];
  if (part.type === 'refusal') return [{ type: 'refusal', text: textIn(part, 'refusal') ?? '' }];
  return [{ type: 'opaque', label: typeof part.type === 'string' ? reportable(part.type) : 'output content' }];
}

/** Only what a search looked for is charged, not the pages it opens (platform.openai.com/docs/guides/tools-web-search). */
const searchesIn = (response: JsonObject | undefined): number =>
  listIn(response, 'output').filter(
    (item) =>
      isObject(item) &&
      item['type'] === 'web_search_call' &&
      (textIn(objectIn(item, 'action'), 'type') ?? 'search') === 'search',
  ).length;

export function readUsage(response: JsonObject | undefined): Usage | undefined {
  const usage = objectIn(response, 'usage');
  const inputTokens = countIn(usage, 'input_tokens');
  const outputTokens = countIn(usage, 'output_tokens');
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const input = objectIn(usage, 'input_tokens_details');
  const output = objectIn(usage, 'output_tokens_details');
  // Perplexity counts them itself, under the name by which it bills.
  const searched = objectIn(objectIn(usage, 'tool_calls_details'), 'search_web');
  return withoutUndefined<Usage>({
    inputTokens,
    outputTokens,
    // The second names are Perplexity's (perplexityai/perplexity-py, types/responses_usage.py).
    cachedInputTokens: countIn(input, 'cached_tokens') ?? countIn(input, 'cache_read_input_tokens'),
    cacheWriteTokens: countIn(input, 'cache_write_tokens') ?? countIn(input, 'cache_creation_input_tokens'),
    audioInputTokens: someIn(input, 'audio_tokens'),
    imageInputTokens: someIn(input, 'image_tokens'),
    reasoningTokens: countIn(output, 'reasoning_tokens'),
    audioOutputTokens: someIn(output, 'audio_tokens'),
    searches: someIn(searched, 'invocation') ?? (searchesIn(response) || undefined),
  });
}
