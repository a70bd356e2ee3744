/** Writes complete responses of the Responses API. */
import type { Answer, Finish, Json, JsonObject, Part, Usage } from '../../call.ts';
import { isSet, listIn } from '../json-fields.ts';
import { foreignId } from './reasoning.ts';

/** What a response says of itself before there is anything in it. */
export interface Frame {
  readonly id: string;
  readonly model: string;
  readonly created: number;
  /** The body of the request, of which a response repeats much. */
  readonly asked: JsonObject;
}

/** What is repeated, and what stands there when it was not asked for (openai SDK, `Response`). */
const repeated: readonly (readonly [string, Json])[] = [
  ['instructions', null],
  ['max_output_tokens', null],
  ['metadata', {}],
  ['parallel_tool_calls', true],
  ['reasoning', { effort: null, summary: null }],
  ['temperature', null],
  ['text', { format: { type: 'text' } }],
  ['tool_choice', 'auto'],
  ['tools', []],
  ['top_p', null],
  ['truncation', 'disabled'],
  ['user', null],
];

const idText = (id: string): string => id.replaceAll(/[^\w-]/g, '').slice(0, 40);
export const responseId = (id: string): string => (id.startsWith('resp_') ? id : `resp_${idText(id)}`);
/** Ids of items are told apart by where they stand in the response; their beginnings say what they are. */
export const itemId = (sort: 'msg' | 'fc' | 'rs', answerId: string, position: number): string =>
  `${sort === 'rs' ? foreignId : `${sort}_`}${idText(answerId)}_${position}`;

export function writeFrame({ id, model, created, asked }: Frame, rest: JsonObject): JsonObject {
  const echo = repeated.map(([key, fallback]) => [key, isSet(asked[key]) ? asked[key] : fallback]);
  return {
    id: responseId(id),
    object: 'response',
    created_at: created,
    error: null,
    incomplete_details: null,
    model,
    ...(Object.fromEntries(echo) as JsonObject),
    background: false,
    previous_response_id: null,
    // Whatever was asked for: nothing is kept that could be asked for later.
    store: false,
    ...rest,
  };
}

const incompleteReasons: Readonly<Partial<Record<Finish, string>>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

/** How a response stands at its end. */
export function writeEnd(finish: Finish, output: readonly JsonObject[], usage: Usage | undefined): JsonObject {
  const reason = incompleteReasons[finish];
  return {
    status: reason === undefined ? 'completed' : 'incomplete',
    incomplete_details: reason === undefined ? null : { reason },
    output,
    usage: usage === undefined ? null : writeUsage(usage),
  };
}

export const writeText = (text: string): JsonObject => ({ type: 'output_text', annotations: [], logprobs: [], text });
export const writeRefusal = (refusal: string): JsonObject => ({ type: 'refusal', refusal });

export function writeAnswer(answer: Answer, created: number, asked: JsonObject = {}): JsonObject {
  const { id, model, finish, usage } = answer;
  return writeFrame({ id, model, created, asked }, writeEnd(finish, writeOutput(answer), usage));
}

function writeOutput({ id, parts, finish }: Answer): readonly JsonObject[] {
  const output: JsonObject[] = [];
  for (const part of parts) {
    const content = writeContent(part);
    const last = output.at(-1);
    if (content !== undefined && last?.type === 'message')
      output[output.length - 1] = { ...last, content: [...listIn(last, 'content'), content] };
    else output.push(...writeItem(part, { answerId: id, position: output.length, content }));
  }
  const last = output.at(-1);
  // What the cap cut off is what came last.
  if (finish === 'length' && last?.status !== undefined) output[output.length - 1] = { ...last, status: 'incomplete' };
  return output;
}

function writeContent(part: Part): JsonObject | undefined {
  if (part.type === 'text') return writeText(part.text);
  return part.type === 'refusal' ? writeRefusal(part.text) : undefined;
}

interface Place {
  readonly answerId: string;
  readonly position: number;
  /** Of a message that begins here. */
  readonly content: JsonObject | undefined;
}

function writeItem(part: Part, { answerId, position, content }: Place): readonly JsonObject[] {
  const id = (sort: Parameters<typeof itemId>[0]) => itemId(sort, answerId, position);
  const status = 'completed';
  if (content !== undefined) return [{ id: id('msg'), type: 'message', status, role: 'assistant', content: [content] }];
  if (part.type === 'reasoning') return [{ id: id('rs'), type: 'reasoning', summary: writeSummary(part.text) }];
  if (part.type !== 'tool_call') return [];
  const { id: callId, name, arguments: text } = part;
  return [{ id: id('fc'), type: 'function_call', status, arguments: text, call_id: callId, name }];
}

export const writeSummary = (text: string): readonly JsonObject[] =>
  text === '' ? [] : [{ type: 'summary_text', text }];

function writeUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}
