/** Reads complete answers of the Converse API. They name neither themselves nor their model. */
import type { Answer, Finish, Json, JsonObject, Part, Usage } from '../../call.ts';
import { AnswerFailed } from '../dialect.ts';
import { writeExact } from '../exact-json.ts';
import { countIn, isList, isObject, listIn, objectIn, textIn, withoutUndefined } from '../json-fields.ts';

/** docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html */
const finishes = new Map<Json | undefined, Finish>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['guardrail_intervened', 'content_filter'],
  ['content_filtered', 'content_filter'],
]);
/** What the model wrote could not be read by the service itself. */
const broken = new Set<Json | undefined>(['malformed_model_output', 'malformed_tool_use']);

/** Undefined where the answer is no use. */
export function readFinish(reason: Json | undefined): Finish | undefined {
  return broken.has(reason) ? undefined : (finishes.get(reason) ?? 'stop');
}

export function readAnswer(body: JsonObject): Answer {
  const content = objectIn(objectIn(body, 'output'), 'message')?.content;
  if (!isList(content)) throw new TypeError('Not an answer of Converse: it has no output.message.content.');
  const finish = readFinish(body.stopReason);
  if (finish === undefined) throw new AnswerFailed({ kind: 'broken_answer' });
  return withoutUndefined<Answer>({
    id: '',
    model: '',
    parts: content.flatMap((block) => (isObject(block) ? [readBlock(block)] : [])),
    finish,
    usage: readUsage(body),
  });
}

/** A block is a union: an object with one member, named after its sort (API_runtime_ContentBlock.html). */
function readBlock(block: JsonObject): Part {
  const text = textIn(block, 'text');
  if (text !== undefined) return { type: 'text', text };
  const use = objectIn(block, 'toolUse');
  if (use) {
    const { toolUseId: id, name } = use;
    if (typeof id !== 'string' || typeof name !== 'string')
      throw new TypeError('Not an answer of Converse: a toolUse block has no toolUseId or name.');
    return { type: 'tool_call', id, name, arguments: writeExact(use.input ?? {}) };
  }
  const reasoning = objectIn(objectIn(block, 'reasoningContent'), 'reasoningText');
  if (reasoning)
    return withoutUndefined<Part>({
      type: 'reasoning',
      text: textIn(reasoning, 'text') ?? '',
      signature: textIn(reasoning, 'signature'),
    });
  const [label = 'content block'] = Object.keys(block);
  return { type: 'opaque', label: /^\w{1,64}$/.test(label) ? label : 'content block' };
}

/** What was written by how long it is kept (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CacheDetail.html). */
function writtenForAnHour(usage: JsonObject | undefined): number | undefined {
  const details = listIn(usage, 'cacheDetails').filter(isObject);
  const hour = details.filter((detail) => textIn(detail, 'ttl') === '1h');
  return hour.reduce((sum, detail) => sum + (countIn(detail, 'inputTokens') ?? 0), 0) || undefined;
}

/**
 * `inputTokens` leaves out what was read from or written to the cache
 * (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html; anomalyco/opencode#38427).
 */
export function readUsage(body: JsonObject): Usage | undefined {
  const usage = objectIn(body, 'usage');
  const fresh = countIn(usage, 'inputTokens');
  const outputTokens = countIn(usage, 'outputTokens');
  if (fresh === undefined || outputTokens === undefined) return undefined;
  const cachedInputTokens = countIn(usage, 'cacheReadInputTokens');
  const cacheWriteTokens = countIn(usage, 'cacheWriteInputTokens');
  const inputTokens = fresh + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0);
  return withoutUndefined<Usage>({
    inputTokens,
    outputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    cacheWriteHourTokens: writtenForAnHour(usage),
  });
}
