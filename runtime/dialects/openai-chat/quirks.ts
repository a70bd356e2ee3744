/**
 * How a vendor that speaks OpenAI's chat completions differs from OpenAI, as data. A call that is translated is written
 * without what the vendor lacks, and what is left out is reported. The body of a client that speaks the dialect itself
 * gets only what loses nothing: other names for the same thing (`inVendorsWords`). What a vendor refuses and has no name for
 * stays there as the client wrote it, and the refusal is the client's to read.
 */
import type { AnswerFormat, Call, Json, JsonObject, Message, Tool, ToolChoice } from '../../call.ts';
import { withDigitsOf } from '../exact-json.ts';
import { isList, isObject, isSet } from '../json-fields.ts';

/** Fields of a request that a vendor may not know. */
export type LackedField =
  | 'seed'
  | 'user'
  | 'stop'
  | 'parallel_tool_calls'
  | 'reasoning_effort'
  | 'tool_choice'
  | 'messages.name';

export interface Quirks {
  /** What the cap on output is called there. Absent: `max_completion_tokens`. Renamed in a client's own body too. */
  readonly outputCap?: 'max_tokens';
  /** What the seed is called there. Absent: `seed`. Renamed in a client's own body too. */
  readonly seed?: 'random_seed';
  /** What a `developer` message is called there. Absent: it is known. Renamed in a client's own body too. */
  readonly developerRole?: 'system';
  /** The only ids of tool calls that it takes; others are replaced, alike wherever they stand, in a client's own body too. */
  readonly toolCallIds?: 'nine alphanumerics';
  /** Streams report usage without being asked, and `stream_options` is refused: it is taken out of a client's own body too. */
  readonly streamUsage?: 'unasked';
  /** What ends a stream. Absent: `[DONE]`. */
  readonly streamEnd?: 'finish_reason';
  /** Fields that it refuses or ignores: for all of its models, or for those whose ids match. */
  readonly lacks?: Readonly<Partial<Record<LackedField, true | RegExp>>>;
  /** The only words for reasoning effort that it takes. */
  readonly efforts?: readonly string[];
  /** It cannot be told by name which tool to call: the tool is sent alone, and `required`. */
  readonly namedTool?: 'alone';
  /** Where a JSON Schema for the answer goes. Absent: `json_schema`, as at OpenAI. `nowhere`: it takes none. */
  readonly answerSchema?: 'json_object' | 'nowhere';
  /** It takes no answer format that only says JSON. */
  readonly jsonObject?: false;
  /** The field in which it takes back what an assistant reasoned earlier. Absent: it takes none back. */
  readonly earlierReasoning?: 'reasoning_content' | 'reasoning';
}

/** What of a call this vendor's model takes; `dropped` hears of the rest. */
export function withoutLacks(call: Call, model: string, quirks: Quirks, dropped: Set<string>): Call {
  const lacks = (field: LackedField): boolean => {
    const where = quirks.lacks?.[field];
    return where === true || (where !== undefined && where.test(model));
  };
  const left: { -readonly [Key in keyof Call]: Call[Key] } = { ...call };
  const leaveOut = (key: keyof Call, label: string): void => {
    if (left[key] !== undefined) dropped.add(label);
    delete left[key];
  };
  if (lacks('seed')) leaveOut('seed', 'seed');
  if (lacks('user')) leaveOut('user', 'user');
  if (lacks('stop')) leaveOut('stop', 'stop');
  if (lacks('parallel_tool_calls')) leaveOut('parallelToolCalls', 'parallel_tool_calls');
  if (lacks('tool_choice')) leaveOut('toolChoice', 'tool_choice');
  const knowsEffort = quirks.efforts === undefined || quirks.efforts.includes(call.reasoningEffort ?? '');
  if (lacks('reasoning_effort') || !knowsEffort) leaveOut('reasoningEffort', 'reasoning_effort');
  if (!takesFormat(call.answerFormat, quirks)) leaveOut('answerFormat', 'response_format');
  if (lacks('messages.name')) left.messages = call.messages.map((message) => withoutName(message, dropped));
  return left;
}

function takesFormat(format: AnswerFormat | undefined, quirks: Quirks): boolean {
  if (format?.type === 'json') return quirks.jsonObject !== false;
  return format?.type !== 'json_schema' || quirks.answerSchema !== 'nowhere';
}

function withoutName({ name, ...message }: Message, dropped: Set<string>): Message {
  if (name !== undefined) dropped.add('messages.name');
  return message;
}

/** The tools to send, and the choice among them: a vendor that knows no names is only shown the one that is meant. */
export function toolsFor(
  { tools, toolChoice }: Call,
  quirks: Quirks,
): { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | undefined } {
  if (typeof toolChoice !== 'object' || quirks.namedTool !== 'alone') return { tools, toolChoice };
  return { tools: tools.filter(({ name }) => name === toolChoice.name), toolChoice: 'required' };
}

/** Any body in the words of this vendor: the same request under the names that it knows. */
export function inVendorsWords(body: JsonObject, quirks: Quirks): JsonObject {
  const changesMessages = quirks.developerRole !== undefined || quirks.toolCallIds !== undefined;
  const worded = Object.entries(body).flatMap(([key, value]): [string, Json | undefined][] => {
    if (key === 'stream_options' && quirks.streamUsage === 'unasked') return [];
    if (key === 'messages' && changesMessages && isList(value))
      return [[key, value.map((message) => messageIn(message, quirks))]];
    // With both names set the newer one counts, as `readCall` has it; `null` is unset.
    if (key === quirks.outputCap && isSet(body.max_completion_tokens)) return [];
    if (key === 'max_completion_tokens' && quirks.outputCap !== undefined)
      return isSet(value) ? [[quirks.outputCap, value]] : [];
    if (key === 'seed' && quirks.seed !== undefined) return isSet(value) ? [[quirks.seed, value]] : [];
    return [[key, value]];
  });
  return withDigitsOf(body, Object.fromEntries(worded));
}

function messageIn(message: Json, quirks: Quirks): Json {
  if (!isObject(message)) return message;
  const changed: Record<string, Json | undefined> = { ...message };
  if (quirks.developerRole !== undefined && message.role === 'developer') changed.role = quirks.developerRole;
  if (quirks.toolCallIds === undefined) return changed;
  if (typeof message.tool_call_id === 'string') changed.tool_call_id = nineAlphanumerics(message.tool_call_id);
  if (isList(message.tool_calls))
    changed.tool_calls = message.tool_calls.map((call) =>
      isObject(call) && typeof call.id === 'string' ? { ...call, id: nineAlphanumerics(call.id) } : call,
    );
  return changed;
}

const places = 36 ** 9;

/** An id of that form stays; any other becomes the same one every time, so that vendors' prompt caches stay warm. */
export function nineAlphanumerics(id: string): string {
  if (/^[A-Za-z0-9]{9}$/.test(id)) return id;
  let hash = 0;
  // 36 ** 9 times 32 is below 2 ** 53, so each step is exact.
  for (let at = 0; at < id.length; at += 1) hash = (hash * 31 + id.charCodeAt(at)) % places;
  return hash.toString(36).padStart(9, '0');
}
