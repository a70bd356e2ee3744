/** Reads and writes complete OpenAI chat completions. */
import { searchDepths } from '../../call.ts';
import type { Answer, Finish, Json, JsonObject, Part, Usage } from '../../call.ts';
import { writeExact } from '../exact-json.ts';
import {
  countIn,
  isList,
  isObject,
  isSet,
  listIn,
  objectIn,
  someIn,
  textIn,
  withoutUndefined,
} from '../json-fields.ts';

/** OpenAI's words, and what compatible vendors send in their place. */
const finishes = new Map<Json | undefined, Finish>([
  ['stop', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
]);

/** A forced tool choice ends with `stop`, and so do all calls of some vendors: the calls themselves decide. */
export function readFinish(reason: Json | undefined, hasToolCalls: boolean): Finish {
  const finish = finishes.get(typeof reason === 'string' ? reason.toLowerCase() : reason) ?? 'stop';
  return finish === 'stop' && hasToolCalls ? 'tool_calls' : finish;
}

/** Some compatible vendors leave the id of a call out or empty, and a result could not be matched to it. */
export function callId(id: string | undefined, answerId: string, index: number): string {
  return id === undefined || id === '' ? `call_${answerId.replaceAll(/[^\w-]/g, '')}_${index}` : id;
}

/** Arguments are JSON text by the book, but a few vendors send the object itself. */
export function argumentText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : writeExact(value);
}

/** Mistral's reasoning models send content as a list of text and `thinking` chunks. */
export function readContent(content: Json | undefined): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (!isList(content)) return [];
  return content.flatMap((chunk): readonly Part[] => {
    if (!isObject(chunk)) return [];
    const text = textIn(chunk, 'text');
    if (chunk.type === 'text' && text !== undefined) return [{ type: 'text', text }];
    if (chunk.type !== 'thinking') return [];
    const thinking = listIn(chunk, 'thinking').map((step) => (isObject(step) ? (textIn(step, 'text') ?? '') : ''));
    return [{ type: 'reasoning', text: thinking.join('') }];
  });
}

/** DeepSeek and vLLM call it `reasoning_content`, OpenRouter and newer vLLM `reasoning`; some send both, alike. */
export function readReasoning(message: JsonObject): string {
  return textIn(message, 'reasoning_content') ?? textIn(message, 'reasoning') ?? '';
}

export function readAnswer(body: JsonObject): Answer {
  const choice = listIn(body, 'choices')[0];
  const message = isObject(choice) ? objectIn(choice, 'message') : undefined;
  if (!isObject(choice) || message === undefined)
    throw new TypeError('Not a chat completion: it has no choices[0].message.');
  const id = textIn(body, 'id') ?? '';
  const parts: Part[] = [];
  const reasoning = readReasoning(message);
  if (reasoning !== '') parts.push({ type: 'reasoning', text: reasoning });
  parts.push(...readContent(message.content));
  const refusal = textIn(message, 'refusal');
  if (refusal !== undefined && refusal !== '') parts.push({ type: 'refusal', text: refusal });
  const calls = readToolCalls(message, id);
  parts.push(...calls);
  return withoutUndefined<Answer>({
    id,
    model: textIn(body, 'model') ?? '',
    parts,
    finish: readFinish(choice.finish_reason, calls.length > 0),
    usage: readUsage(body),
  });
}

function readToolCalls(message: JsonObject, answerId: string): readonly Part[] {
  const legacy = objectIn(message, 'function_call');
  const calls: readonly Json[] = legacy === undefined ? listIn(message, 'tool_calls') : [{ function: legacy }];
  return calls.map((call, index): Part => {
    if (isObject(call) && typeof call.type === 'string' && call.type !== 'function')
      return { type: 'opaque', label: 'tool_calls' };
    const called = isObject(call) ? objectIn(call, 'function') : undefined;
    const name = textIn(called, 'name');
    if (!isObject(call) || name === undefined)
      throw new TypeError(`Not a chat completion: tool call ${index} has no name.`);
    return {
      type: 'tool_call',
      id: callId(textIn(call, 'id'), answerId, index),
      name,
      arguments: argumentText(called?.arguments),
    };
  });
}

export function readUsage(body: JsonObject): Usage | undefined {
  // Groq's streams carry usage under `x_groq` (console.groq.com/docs, chat completion chunks).
  const usage = objectIn(body, 'usage') ?? objectIn(objectIn(body, 'x_groq'), 'usage');
  const inputTokens = countIn(usage, 'prompt_tokens');
  if (usage === undefined || inputTokens === undefined) return undefined;
  const input = objectIn(usage, 'prompt_tokens_details');
  const output = objectIn(usage, 'completion_tokens_details');
  const completion = countIn(usage, 'completion_tokens') ?? 0;
  // Perplexity's research counts its reasoning beside everything else, the total included.
  const researched = isSet(usage['num_search_queries']) ? someIn(usage, 'reasoning_tokens') : undefined;
  const total = countIn(usage, 'total_tokens') ?? 0;
  return withoutUndefined<Usage>({
    inputTokens,
    // xAI and Gemini count reasoning in the total only (docs.x.ai, "consumption and rate limits"; vercel/ai#12425).
    outputTokens: Math.max(completion, total - inputTokens) + (researched ?? 0),
    // DeepSeek has its own name for cached input (api-docs.deepseek.com, "context caching").
    cachedInputTokens: countIn(input, 'cached_tokens') ?? countIn(usage, 'prompt_cache_hit_tokens'),
    cacheWriteTokens: countIn(input, 'cache_write_tokens'),
    audioInputTokens: someIn(input, 'audio_tokens'),
    imageInputTokens: someIn(input, 'image_tokens'),
    reasoningTokens: countIn(output, 'reasoning_tokens') ?? researched,
    audioOutputTokens: someIn(output, 'audio_tokens'),
    imageOutputTokens: someIn(output, 'image_tokens'),
    ...searched(usage),
  });
}

/** Perplexity counts searches and what they brought (docs.perplexity.ai, "pricing"); a search context size stands for one of them. */
function searched(usage: JsonObject): Partial<Usage> {
  const searchDepth = searchDepths.find((depth) => depth === usage['search_context_size']);
  return {
    citationTokens: someIn(usage, 'citation_tokens'),
    searches: someIn(usage, 'num_search_queries') ?? (searchDepth && 1),
    searchDepth,
  };
}

export function writeAnswer(answer: Answer, created: number): JsonObject {
  const texts = (type: 'text' | 'reasoning' | 'refusal') =>
    answer.parts.flatMap((part) => (part.type === type ? part.text : []));
  const text = texts('text');
  const refusal = texts('refusal');
  const reasoning = texts('reasoning').join('');
  const calls = answer.parts.flatMap((part) =>
    part.type === 'tool_call'
      ? { id: part.id, type: 'function', function: { name: part.name, arguments: part.arguments } }
      : [],
  );
  return withoutUndefined<JsonObject>({
    id: answer.id,
    object: 'chat.completion',
    created,
    model: answer.model,
    choices: [
      {
        index: 0,
        message: withoutUndefined<JsonObject>({
          role: 'assistant',
          content: text.length > 0 ? text.join('') : null,
          refusal: refusal.length > 0 ? refusal.join('') : null,
          reasoning_content: reasoning === '' ? undefined : reasoning,
          tool_calls: calls.length > 0 ? calls : undefined,
        }),
        logprobs: null,
        finish_reason: answer.finish,
      },
    ],
    usage: answer.usage === undefined ? undefined : writeUsage(answer.usage),
  });
}

export function writeUsage(usage: Usage): JsonObject {
  const input = withoutUndefined<JsonObject>({
    cached_tokens: usage.cachedInputTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    audio_tokens: usage.audioInputTokens,
  });
  const output = withoutUndefined<JsonObject>({
    reasoning_tokens: usage.reasoningTokens,
    audio_tokens: usage.audioOutputTokens,
  });
  return withoutUndefined<JsonObject>({
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: Object.keys(input).length > 0 ? input : undefined,
    completion_tokens_details: Object.keys(output).length > 0 ? output : undefined,
  });
}
